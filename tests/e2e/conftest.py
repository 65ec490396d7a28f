"""Fixtures of the end-to-end tests; what they start is in tests/support/server.py."""

import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from server import *  # noqa: F401,F403
from fixtures import pytest_sessionfinish, receiver, redis, start  # noqa: F401
from server import HOOKS, ROOT, Execd, cgroups, children, eventually, mounts


@pytest.fixture(scope="session", autouse=True)
def accounting():
    """Nothing that any server made may outlive the session."""
    before = (children(), cgroups(), mounts())
    yield
    eventually(lambda: not set(children()) - set(before[0]), "left behind: %s" % children(), 10)
    eventually(lambda: cgroups() <= before[1], "cgroups left behind", 10)
    assert mounts() == before[2]


@pytest.fixture(scope="session")
def shared(tmp_path_factory, accounting):
    """One server for all tests that only speak to it."""
    plugins = [{"file": "lang-%s.so" % name} for name in ("python", "c", "java")]
    plugins.append({"file": "lang-node.so", "settings": {"modules": str(ROOT / "tests/data/node_modules")}})
    with Execd(tmp_path_factory.mktemp("shared"), {"hook": HOOKS, "plugins": plugins}) as s:
        yield s.ready()

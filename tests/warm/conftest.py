"""Fixtures of the cold and warm suite; what they start is in tests/warm/pair.py."""

import concurrent.futures
import contextlib
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fixtures import pytest_sessionfinish  # noqa: F401
from pair import Pair, Server, real_programs, small_programs
from server import JAVA, cgroups, children, eventually, mounts

TOGETHER = 16  # so many programs are run before the counters are looked at
SAMPLE = 12  # every so many of the real programs are tried unless all are


def pytest_addoption(parser):
    parser.addoption("--all", action="store_true", help="all real programs, not every twelfth")


def pytest_generate_tests(metafunc):
    if "small" in metafunc.fixturenames:
        metafunc.parametrize("small", list(small_programs()))
    if "real" in metafunc.fixturenames:
        names = list(real_programs())
        metafunc.parametrize("real", names if metafunc.config.getoption("--all") else names[::SAMPLE])


@pytest.fixture(scope="session")
def pair(tmp_path_factory):
    before = (set(children()), cgroups(), mounts())
    with contextlib.ExitStack() as running:
        servers = [running.enter_context(Server(tmp_path_factory.mktemp(name), name == "warm")) for name in ("cold", "warm")]
        pair = Pair(*[s.ready() for s in servers])
        pair.warm.wait_proven()
        yield pair
    eventually(lambda: set(children()) <= before[0], lambda: "left behind: %s" % children(), 15)
    eventually(lambda: cgroups() <= before[1], "cgroups left behind", 15)
    assert mounts() == before[2]


@pytest.fixture(scope="session")
def runs(request, pair):
    """{name: future of Pair.run_all(), which has it} of what was asked for; Java, which takes long, beside the others."""
    programs = {**small_programs(), **real_programs()}
    wanted = [item.callspec.params.get("small") or item.callspec.params["real"] for item in request.session.items
              if {"small", "real"} & set(getattr(item, "fixturenames", ()))]
    java, others = [concurrent.futures.ThreadPoolExecutor(1) for _ in range(2)]
    futures = {}
    for language in sorted({programs[name].language for name in wanted}):
        names = [name for name in wanted if programs[name].language == language]
        for some in (names[i:i + TOGETHER] for i in range(0, len(names), TOGETHER)):
            future = (java if language == JAVA else others).submit(pair.run_all, {name: programs[name] for name in some})
            futures.update(dict.fromkeys(some, future))
    yield futures
    for pool in (java, others):
        pool.shutdown(cancel_futures=True)

"""Fixtures that both suites have: servers of a test's own, and the rule for skipped tests."""

import contextlib
import os
import shutil

import pytest
from server import HOOKS, PATIENCE, Execd, Receiver, Redis, cgroups, children, eventually, mounts


def pytest_sessionfinish(session, exitstatus):
    """A test that could not run is no test that passed: in CI it is a failure (-rs prints the reasons).  Where several
    processes run tests, the one that reports tells."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if os.environ.get("EXECD_CI") and reporter and reporter.stats.get("skipped"):
        session.exitstatus = 1


@pytest.fixture
def receiver():
    r = Receiver()
    yield r
    r.close()


@pytest.fixture
def start(tmp_path):
    """start(conf, ...) gives a server of the test's own; ended and accounted for afterwards."""
    before = (set(children()), cgroups(), mounts())
    servers = []
    running = contextlib.ExitStack()  # ends all of them, even if the end of one fails

    def starter(conf=None, wait=True, **kw):
        directory = tmp_path / ("execd%d" % len(servers))
        directory.mkdir()
        conf = dict(conf or {})
        conf.setdefault("hook", HOOKS)
        conf["queue"] = {"answer_ms": PATIENCE * 1000, **conf.get("queue", {})}  # a busy machine's disk is no failure
        s = running.enter_context(Execd(directory, conf, **kw))
        servers.append(s)
        return s.ready() if wait else s

    with running:
        yield starter
    eventually(lambda: set(children()) <= before[0], lambda: "left behind: %s" % children(), 15)
    eventually(lambda: cgroups() <= before[1], "cgroups left behind", 15)
    assert mounts() == before[2]


@pytest.fixture
def redis(tmp_path):
    directory = tmp_path / "redis"
    directory.mkdir()
    r = Redis(directory)
    yield r
    r.stop()
    shutil.rmtree(directory)

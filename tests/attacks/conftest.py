"""The attack suite: hostile programs, their verdicts, and what the host looks like after each.

    python3 -m pytest tests/attacks [--star | --core] [--cold] [-k T01]

execd runs as it is shipped, with warm runtimes and the compile cache; with --cold (or EXECD_ATTACKS_COLD=1) without, so that
every job's interpreter and compiler are started for it.

EXECD_BUILD names the build, EXECD_ATTACKS_LANE the lane (root, user, vm, vm-user, pod; for people, and for rows that
cannot hold everywhere), EXECD_ATTACKS_SLOW a factor for all times on an emulated machine, EXECD_ATTACKS_CONF a file
with more configuration as JSON ({"worker": {"accept_missing": ["uid"]}}).  See rows.py and host.py.
"""

import os
import pathlib
import secrets
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from fixtures import pytest_sessionfinish, receiver, redis, start  # noqa: F401
from host import Canaries, Host
from rows import DECLARED, ROWS, Attack
from server import BUILD, Execd, cgroups, children, eventually, mounts

LANE = os.environ.get("EXECD_ATTACKS_LANE", "root" if os.geteuid() == 0 else "user")
COLD = bool(os.environ.get("EXECD_ATTACKS_COLD"))
FULL = bool(os.environ.get("EXECD_ATTACKS_FULL"))
SLOW = float(os.environ.get("EXECD_ATTACKS_SLOW", "1"))
EMULATED = SLOW >= 4


def pytest_addoption(parser):
    parser.addoption("--star", action="store_true", help="only the rows that every change must pass")
    parser.addoption("--core", action="store_true", help="only what depends on the lane (rows.CORE), in one language each")
    parser.addoption("--cold", action="store_true", default=COLD, help="no warm runtimes and no compile cache")
    parser.addoption("--no-canaries", action="store_true", help="no honest jobs beside the attacks")


def pytest_configure(config):
    global COLD
    COLD = config.getoption("--cold")
    config.addinivalue_line("markers", "star: a row that every change must pass")
    config.addinivalue_line("markers", "core: a row whose mechanism depends on the lane")


    if config.getoption("--core"):
        SERVED[:] = ["python", "c"]
    elif EMULATED:
        SERVED.remove("java")
        DECLARED.append("Java: left out, an emulated machine needs longer for its start than the self-test may take")


SLOTS = 4
SERVED = ["python", "node", "c", "java"]
UNFIT = []  # rows that cannot hold in this lane, which declares what it lacks


def pytest_collection_modifyitems(config, items):
    items[:] = [i for i in items if not (COLD and getattr(i.function, "row_warm", False))]
    unfit = [i for i in items if LANE not in (getattr(i.function, "row_lanes", None) or (LANE,))]
    UNFIT.extend(sorted({i.function.row_id for i in unfit}))
    items[:] = [i for i in items if i not in unfit and not (EMULATED and "java" in i.name.lower())]
    if config.getoption("--core"):
        keep = in_one_language(i for i in items if "core" in i.keywords)
    elif config.getoption("--star"):
        keep = [i for i in items if "star" in i.keywords or not hasattr(i.function, "row_id")]
    else:
        return
    config.hook.pytest_deselected(items=[i for i in items if i not in keep])
    items[:] = keep


def in_one_language(items):
    """Of each row's languages the first; other parameters all."""
    first, kept = {}, []
    for i in items:
        language = getattr(i, "callspec", None) and i.callspec.params.get("language")
        if first.setdefault(i.function.row_id, language) == language:
            kept.append(i)
    return kept


def configuration():
    """The limits of the catalogue; what the lane needs is added by every Execd."""
    m = 1 << 20
    return {
        "limits": {"timeout_ms": int(3000 * SLOW), "cpu_timeout_ms": int(1000 * SLOW), "timeout_max_ms": int(60000 * SLOW),
                   "memory_bytes": 128 * m, "processes": 32, "output_bytes": 65536, "file_bytes": 16 * m,
                   "box_bytes": 32 * m, "box_inodes": 4096, "stack_bytes": 64 * m},
        # A bomb that ends by its time costs all of it: the quick run has less of it.
        "compile": {"timeout_ms": int((20000 if FULL else 10000) * SLOW),
                    "cpu_timeout_ms": int((10000 if FULL else 4000) * SLOW), "memory_bytes": 512 * m,
                    "output_bytes": 65536, "file_bytes": 32 * m, "keep_bytes": 32 * m, **({"cache": "off"} if COLD else {})},
        "warm": {"enabled": not COLD},
        "worker": {"slots": SLOTS, "heartbeat_ms": 1000},  # which tells of warm runtimes (cells.py)
        "hook": {"first_retry_ms": 50},
        "plugins": [{"file": "lang-%s.so" % name} for name in SERVED]
                   + [{"file": str(BUILD / "tests/attacks/lang-hostile.so")}],
    }


@pytest.fixture(scope="session")
def planted():
    """Secrets that must turn up in no result and no log."""
    return [secrets.token_hex(16) for _ in range(3)]


@pytest.fixture(scope="session")
def server(tmp_path_factory, planted):
    before = (set(children()), cgroups(), mounts())
    directory = tmp_path_factory.mktemp("attacks")
    (directory / "secret").write_text(planted[1])
    with Execd(directory, configuration(), env={"PLANTED_SECRET": planted[2]}) as s:
        yield s.ready()
    eventually(lambda: set(children()) <= before[0], "H1: processes left behind", 15)
    eventually(lambda: cgroups() <= before[1], "H1: cgroups left behind", 15)
    assert mounts() == before[2], "H2: mounts left behind"


@pytest.fixture(scope="session")
def host(server, tmp_path_factory, planted):
    h = Host(server, tmp_path_factory.mktemp("host"), planted, SLOTS)
    if not COLD:
        wait_warm(h.warm)
    yield h
    h.finish()


def wait_warm(warm):
    """Until every way is warm, or it is known why it is not: then the lane declares it."""
    eventually(lambda: warm.tried(SERVED), lambda: "every way is tried: " + warm.server.logged()[-3000:], 120 * SLOW)
    for (language, way), why in sorted(warm.lacks.items()):
        DECLARED.append("%s: %s is not warm: %s" % (language, way, why))


@pytest.fixture(scope="session")
def canaries(server, host, request):
    if request.config.getoption("--no-canaries"):
        yield None
        return
    c = Canaries(server, SLOW)
    yield c
    c.finish()


@pytest.fixture
def attack(request, server, host, canaries):
    """The row's means; afterwards the host is as it was, or the row fails."""
    before = host.picture()
    yield Attack(server, host, getattr(request.function, "row_id", None), LANE, SLOW)
    host.check(before)
    if canaries is not None:
        canaries.check()


def pytest_terminal_summary(terminalreporter):
    terminalreporter.write_line("lane %s: %d rows known%s" % (LANE, len(ROWS), UNFIT and ", not of this lane: " + " ".join(UNFIT) or ""))
    for line in DECLARED:
        terminalreporter.write_line("lane %s: %s" % (LANE, line))

"""What must be true of every cell, by its own description (programs/D_card.c, D_card.py)."""

import functools
import os

MIB = 1 << 20
ROOT_LANES = ("root", "vm", "pod", "vm-pod")
SPACES = ("user", "pid", "mnt", "net", "ipc", "uts", "cgroup")
LIMITS = ("core", "fsize", "nofile", "stack", "cpu", "memlock", "msgqueue", "nice", "rtprio")


def of_status(found):
    return dict(v.split(":", 1) for k, v in found.items() if k.startswith("status-"))


@functools.lru_cache(None)
def spaces_of(pid):
    """A process' namespaces; none where it may not be looked into."""
    try:
        return {n: os.readlink("/proc/%s/ns/%s" % (pid, n)) for n in SPACES}
    except PermissionError:
        return {}


def check_namespace(found, attack, space):
    """Not the machine's, and but for the network's not the jailer's either."""
    own = found[space]
    assert own.startswith(space + ":[")
    assert own != spaces_of("self")[space], "the machine's"
    if space != "net":
        assert own != spaces_of(attack.host.jailer).get(space), "the jailer's"


def check_identity(found, attack, of_machine=True):
    """of_machine: the outer ids are the machine's, and not a zygote's."""
    status = of_status(found)
    inside, outside, count = (int(n) for n in found["uid_map-0"].split())
    assert (inside, count) == (1000, 1) and "uid_map-1" not in found
    assert status["Uid"].split() == ["1000"] * 4 and status["Gid"].split() == ["1000"] * 4
    assert {status[c].strip() for c in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")} == {"0" * 16}
    assert status["NoNewPrivs"].strip() == "1" and status["Seccomp"].strip() == "2"
    if attack.lane in ROOT_LANES:
        assert outside >= 1000 or not of_machine, "uid %d of the machine" % outside
        assert not status["Groups"].split(), "supplementary groups: " + status["Groups"]


def check_process(found):
    assert found["hostname"] == "execd" and found["id"] == "2" and found["parent"] == "1"
    assert found["session"] == found["group"] == "1"
    assert found["oom_score_adj-0"] == "1000"


def check_limit(found, attack, limit):
    soft, hard = (int(n) for n in found["limit-" + limit].split())
    most = {"core": 1, "fsize": 16 * MIB, "nofile": 1024, "stack": 64 * MIB, "cpu": 7 * int(attack.slow) + 1, "memlock": 65536,
            "msgqueue": 0, "nice": 0, "rtprio": 0}[limit]
    assert 0 <= soft <= hard <= most, (soft, hard)
    assert limit != "core" or (soft, hard) == (1, 1)


def check_mounts(found):
    """All that is shown of the machine is read-only, nosuid and nodev; what is writable is the cell's own."""
    mounts = [v.split(" - ")[0].split() for k, v in found.items() if k.startswith("mount-")]
    flags = {m[4]: set(m[5].split(",")) for m in mounts}  # of several in one place the last is on top
    assert len(flags) > 5 and {"/", "/box", "/tmp", "/dev/shm", "/proc"} <= set(flags), sorted(flags)
    for place, has in flags.items():
        assert {"nosuid", "nodev"} <= has or place.startswith("/dev/"), (place, has)
        assert "ro" in has or place in ("/box", "/tmp", "/dev/shm", "/proc") or place.startswith("/dev/"), (place, has)
    assert {"nosuid", "nodev"} <= flags["/dev/shm"]
    assert {"nosuid", "nodev", "noexec"} <= flags["/proc"]

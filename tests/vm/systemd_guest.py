"""Under systemd as PID 1: each unit is started, does its work in its sandbox, and ends in order.

"VM: " lines are for people, "VM-RESULT: n" tells run.sh how many steps failed.
"""

import json
import os
import pathlib
import subprocess
import time
import traceback
import urllib.request

ROWS = [  # (source, fields, expected status)
    ("print(6 * 7)", {}, "completed"),
    ("while True: pass", {"timeout": 1500}, "time_limit_exceeded"),
    ("b = bytearray(1 << 29)\nprint(len(b))", {"memory_limit": 64}, "memory_limit_exceeded"),
    ("import os\nos.chmod('/box/main.py', 0o4755)", {}, "runtime_error"),
]
CONF = 'plugins = ( { file = "lang-python.so"; } );\nqueue = { lease_ms = 60000; %s };\n'
URL = "http://127.0.0.1:2358"
PATIENCE = 90  # seconds; the guest's processor is emulated
failed = 0


def systemctl(*args, check=True):
    r = subprocess.run(["systemctl", *args], capture_output=True, text=True, timeout=PATIENCE)
    assert r.returncode == 0 or not check, (args, r.stdout, r.stderr)
    return r.stdout.strip()


def shown(unit, key):
    return systemctl("show", "--value", "-p", key, unit)


def call(url, body=None):
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(url, data, {"Content-Type": "application/json"}), timeout=120) as answer:
        return json.load(answer)


def until(check, what, seconds=PATIENCE):
    end = time.monotonic() + seconds
    while not check():
        assert time.monotonic() < end, "not within %d s: %s" % (seconds, what)
        time.sleep(0.2)


def ready(*units):
    """The API answers that jobs would run."""
    def ask():
        for unit in units:
            assert shown(unit, "ActiveState") in ("active", "activating"), unit + " is " + shown(unit, "ActiveState")
        try:
            return urllib.request.urlopen(URL + "/readyz", timeout=30).status == 200
        except OSError:
            return False
    until(ask, "ready")


def run_rows():
    items = [dict(fields, source_code=source, language_id=71) for source, fields, _ in ROWS]
    tokens = call(URL + "/submit/batch", {"submissions": items})["tokens"]
    for token, (source, _, expected) in zip(tokens, ROWS):
        job = call(URL + "/v1/jobs/%s?wait=60" % token)
        assert job["status"] == expected, (source, job)


def stopped(unit):
    systemctl("stop", unit)
    assert shown(unit, "Result") == "success", unit + ": " + shown(unit, "Result")
    assert shown(unit, "ActiveState") == "inactive"


def jailed(unit, user):
    """The process that systemd started, as it is now."""
    pid = shown(unit, "MainPID")
    status = dict(line.split(":\t", 1) for line in pathlib.Path("/proc", pid, "status").read_text().splitlines())
    assert status["Uid"].split()[0] == user and status["CapEff"] == status["CapBnd"] == "0" * 16, status
    assert status["NoNewPrivs"] == "1" and int(status["Seccomp_filters"]) > 1, status
    return pid


def log_to(unit):
    """Where its events go here; nothing else of the unit is changed."""
    d = pathlib.Path("/run/systemd/system/%s.d" % unit)
    d.mkdir(parents=True, exist_ok=True)
    (d / "log.conf").write_text("[Service]\nStandardOutput=append:/run/log.%s\nStandardError=append:/run/log.%s\n" % (unit, unit))


def all_in_one():
    pathlib.Path("/etc/execd/execd.conf").write_text(CONF % "")
    systemctl("start", "execd.service")
    ready("execd.service")
    pid = jailed("execd.service", "999")
    run_rows()
    assert shown("execd.service", "MainPID") == pid, "a job's end took the service with it"
    assert os.stat("/var/lib/execd").st_uid == 999
    systemctl("restart", "execd.service")
    ready("execd.service")
    assert shown("execd.service", "MainPID") != pid
    run_rows()
    stopped("execd.service")


def one_each():
    pathlib.Path("/etc/execd/execd.conf").write_text(CONF % 'url = "unix:/run/redis.sock";')
    redis = subprocess.Popen(["redis-server", "--port", "0", "--unixsocket", "/run/redis.sock", "--unixsocketperm", "777",
                              "--appendonly", "yes", "--dir", "/run", "--save", ""], stdout=subprocess.DEVNULL)
    until(lambda: os.path.exists("/run/redis.sock"), "redis-server")
    units = ["execd-api.service", "execd-hook.service", "execd-worker.service"]
    systemctl("start", *units)
    ready(*units)
    for unit in units:
        jailed(unit, "999")
    run_rows()
    for unit in units:
        stopped(unit)
    redis.terminate()
    redis.wait()


def nothing_left():
    left = [p for p in pathlib.Path("/sys/fs/cgroup").rglob("*") if p.is_dir() and p.name.startswith("execd")]
    assert not left, left
    names = [pathlib.Path(p, "comm").read_text().strip() for p in pathlib.Path("/proc").glob("[0-9]*")]
    assert not [n for n in names if n.startswith(("execd", "redis"))], names


def step(name, function):
    global failed
    begin = time.monotonic()
    try:
        function()
        print("VM: ok      %s (%.1f s)" % (name, time.monotonic() - begin), flush=True)
    except Exception:
        failed += 1
        print("VM: FAILED  %s" % name, flush=True)
        for line in traceback.format_exc().splitlines():
            print("VM:     " + line)
        for log in sorted(pathlib.Path("/run").glob("log.*")):
            print("---- %s\n%s" % (log, log.read_text()[-3000:]), flush=True)


print("VM: " + subprocess.run(["systemctl", "--version"], capture_output=True, text=True).stdout.splitlines()[0], flush=True)
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
subprocess.run(["systemd-tmpfiles", "--create", "execd.conf"], check=True)
for u in ("execd", "execd-api", "execd-hook", "execd-worker"):
    log_to(u + ".service")
systemctl("daemon-reload")
step("execd.service: jobs, a restart, the end", all_in_one)
step("execd-api, execd-hook and execd-worker on one Redis", one_each)
step("nothing is left", nothing_left)
print("VM-RESULT: %d" % failed, flush=True)

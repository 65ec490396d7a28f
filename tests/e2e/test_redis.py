"""A Redis of the operator's: what execd asks of it at its start, and what becomes of it when it goes away."""

import pathlib
import shutil
import subprocess
import tempfile
import time

from server import BUILD, PATIENCE, C, Redis, certificate, eventually

SLOW = "#include <unistd.h>\nint main(void) { sleep(3); return 0; }"
PLUGINS = [{"file": "lang-c.so"}]


def conf(redis, **queue):
    return {"plugins": PLUGINS, "queue": {"url": redis.url, "password": redis.password, **queue}}


def test_promises_are_asked_for(start, redis, tmp_path):
    """Redis without an append-only file keeps nothing: refused, unless accepted by name; doctor and /health tell."""
    redis.command("config", "set", "appendonly", "no")
    said = start(conf(redis), wait=False).refused()
    assert 'accept it by queue.accept_missing = ( \\"persistence\\" )' in said, said

    s = start(conf(redis, accept_missing=["persistence"]))
    health = s.request("GET", "/health")
    assert health.status_code == 200 and "persistence (accepted)" in health.text
    redis.command("config", "set", "maxmemory", "100mb")
    redis.command("config", "set", "maxmemory-policy", "allkeys-lru")
    redis.command("client", "kill", "type", "normal")  # asked anew with each connection
    eventually(lambda: s.request("GET", "/health").status_code == 503 and "allkeys-lru" in s.request("GET", "/health").text,
               "/health tells of the eviction")

    out = subprocess.run([str(BUILD / "execd"), "doctor", "--config", str(s.directory / "execd.conf")],
                         capture_output=True, text=True, timeout=PATIENCE).stdout
    assert "MISSING  eviction" in out and "accepted by queue.accept_missing" in out


def test_an_unknown_word_is_refused(start, redis):
    assert "queue.accept_missing" in start(conf(redis, accept_missing=["everything"]), wait=False).refused()


def test_away(start, redis):
    """Submissions answer 503 in under a second, the running job ends, its result waits on the disk, outlives the worker's
    death, and is delivered by the next one: the job does not run twice."""
    settings = conf(redis, lease_ms=600000, answer_ms=900)
    settings["worker"] = {"heartbeat_ms": 500}
    s = start(settings)
    token = s.submit({"language_id": C, "source_code": SLOW})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    redis.kill()
    begun = time.monotonic()
    r = s.request("POST", "/v1/jobs", json={"language_id": C, "source_code": SLOW})
    assert r.status_code == 503 and time.monotonic() - begun < 1, (r.status_code, r.text)
    results = s.state / "results"
    eventually(lambda: any(f.name.startswith(token) for f in results.iterdir()), "its result waits on the disk")
    s.kill()

    assert redis.start()
    again = start(settings, args=("--state", str(s.state)))
    result = again.result(token)
    assert result["status"] == "completed" and "result_delivered_late" in again.logged(), result
    eventually(lambda: not any(results.iterdir()), "the file goes")


def test_back(start, redis):
    """Redis comes back while the worker lives: the result is delivered, and nothing is left on the disk."""
    s = start(conf(redis, lease_ms=600000))
    token = s.submit({"language_id": C, "source_code": SLOW})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    redis.kill()
    results = s.state / "results"
    eventually(lambda: any(f.name.startswith(token) for f in results.iterdir()), "its result waits on the disk")
    assert redis.start()
    eventually(lambda: s.request("GET", "/readyz").status_code == 200, "it is found again")
    assert s.result(token)["status"] == "completed"
    eventually(lambda: not any(results.iterdir()), "the file goes")


def test_by_tls(start):
    """Behind execd's own filter, too; its user, who is not root, reads the files."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-tls-"))
    directory.chmod(0o755)
    crt, key = certificate(directory)
    r = Redis(directory, tls=(crt, key))
    try:
        s = start(conf(r, tls_ca=str(crt)))
        assert s.run(C, "int main(void) { return 0; }")["status"] == "completed"
    finally:
        r.stop()
        shutil.rmtree(directory)

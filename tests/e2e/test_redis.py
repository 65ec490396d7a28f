"""A Redis of the operator's: what execd asks of it at its start, and what becomes of it when it goes away."""

import pathlib
import shutil
import subprocess
import tempfile

from server import BUILD, PATIENCE, C, Redis, eventually

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


def test_by_tls(start):
    """Behind execd's own filter, too; its user, who is not root, reads the files."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-tls-"))
    directory.chmod(0o755)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=redis", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(directory / "key"),
                    "-out", str(directory / "crt")], check=True, capture_output=True)
    r = Redis(directory, tls=(directory / "crt", directory / "key"))
    try:
        s = start(conf(r, tls_ca=str(directory / "crt")))
        assert s.run(C, "int main(void) { return 0; }")["status"] == "completed"
    finally:
        r.stop()
        shutil.rmtree(directory)

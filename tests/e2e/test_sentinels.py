"""Sentinels: a fail-over is followed by whoever waits, with the passwords of both and by TLS."""

import pathlib
import shutil
import tempfile
import threading

import pytest
from sentinels import Sentinels
from server import C, certificate, eventually
from test_cluster import PLUGINS, result

SLOW = "#include <stdio.h>\n#include <unistd.h>\nint main(void) { sleep(2); puts(\"slow\"); return 0; }"
QUICK = "#include <stdio.h>\nint main(void) { puts(\"quick\"); return 0; }"


@pytest.fixture
def sentinels(request):
    """execd's user, who is not root, reads the certificate."""
    directory = pathlib.Path(tempfile.mkdtemp(prefix="execd-sentinels-"))
    directory.chmod(0o755)
    s = Sentinels(directory, tls=certificate(directory) if request.param else None)
    yield s
    s.stop()
    shutil.rmtree(directory)


@pytest.mark.parametrize("sentinels", [False, True], ids=["plain", "tls"], indirect=True)
def test_master_dies_while_a_client_polls(start, sentinels):
    """The job runs when its master dies: its result is recorded with the new one, and the poll that goes on gets it."""
    s = start({"plugins": PLUGINS, "queue": sentinels.queue, "worker": {"heartbeat_ms": 500}})
    token = s.submit({"language_id": C, "source_code": SLOW})[0]
    eventually(lambda: s.request("GET", "/v1/jobs/" + token).json()["status"] == "running", "it runs")
    dead = sentinels.master()
    assert dead.command("wait", "1", "10000") == "1"  # what is accepted here is not what replicas lack
    told = []
    poll = threading.Thread(target=lambda: told.append(result(s, token)))
    poll.start()
    dead.kill()
    eventually(lambda: sentinels.taken_over(dead), "sentinels promote the replica")
    poll.join()
    assert told and told[0]["status"] == "completed" and told[0]["stdout"] == "slow\n", told
    eventually(lambda: s.request("GET", "/health").status_code == 200, "all is well again")
    assert s.run(C, QUICK)["stdout"] == "quick\n"

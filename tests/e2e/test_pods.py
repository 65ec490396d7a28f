"""The templates of deploy/kubernetes, as far as an OCI runtime shows it: what a pod needs, and what is refused without."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile

import pytest
from server import BUILD, ROOT

POD = ROOT / "tests/lanes/pod.py"
NEEDED = ["CHOWN", "FOWNER", "KILL", "SETGID", "SETUID", "SYS_ADMIN"]
WORKER = 'worker = { uid_base = 60000; }; process = { user = "execd"; };'
BARE = {"runAsUser": 998, "runAsGroup": 998, "capabilities": {"drop": ["ALL"]}}


@pytest.fixture(scope="module")
def pod():
    """pod(conf, command, ...) runs a shell command in a pod whose execd.conf is `conf`; gives its end and output."""
    if os.getuid() != 0:
        pytest.skip("only root can make a pod's user namespace with all its ids")
    if shutil.which("crun") is None:
        pytest.skip("crun is missing: apt-get install crun")
    pytest.importorskip("yaml", reason="python3-yaml is missing: apt-get install python3-yaml")
    stage = pathlib.Path(tempfile.mkdtemp(prefix="execd-pod-stage-"))
    stage.chmod(0o755)
    (stage / "build/plugins").mkdir(parents=True)
    for name in ("execd", "execd-jailer", "execd-init", "execd-probe", "execd-zygote"):
        if (BUILD / name).exists():
            shutil.copy2(BUILD / name, stage / "build" / name)
    for plugin in (BUILD / "plugins").glob("*.so"):
        shutil.copy2(plugin, stage / "build/plugins")

    def run(conf, command, *options):
        (stage / "execd.conf").write_text(conf + '\nplugins = ( { file = "lang-python.so"; } );\n')
        r = subprocess.run(["/usr/bin/python3", str(POD), *options, str(stage), "/bin/sh", "-c", command],
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=300, check=False)
        return r.returncode, r.stdout

    yield run
    shutil.rmtree(stage)


def doctor(pod, conf, *options):
    return pod(conf, "build/execd doctor --config execd.conf", *options)


def test_a_worker_has_everything(pod):
    status, text = doctor(pod, WORKER)
    assert status == 0 and "MISSING" not in text and "accepted" not in text, text
    assert "jailer runs as root" in text


def test_each_capability_is_needed_and_named_in_the_template(pod):
    import yaml
    documents = yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text())
    deployment = next(d for d in documents if d["kind"] == "Deployment")
    assert sorted(deployment["spec"]["template"]["spec"]["containers"][0]["securityContext"]["capabilities"]["add"]) == NEEDED
    for left_out in NEEDED:
        if left_out == "KILL":
            continue  # needed at the end: the daemon has another id than its jailer and cells
        few = {"capabilities": {"drop": ["ALL"], "add": [c for c in NEEDED if c != left_out]}}
        status, text = doctor(pod, WORKER, "--security", json.dumps(few))
        assert status == 1 and "MISSING  execd" in text, (left_out, text)


def test_ids_that_a_pod_does_not_have_are_refused(pod):
    status, text = doctor(pod, 'process = { user = "execd"; };')
    assert status == 1 and "worker.uid_base: this user namespace does not have the ids" in text, text
    status, text = doctor(pod, "worker = { uid_base = 65100; };")
    assert status == 1 and "65100 to 66123" in text, text
    status, text = pod('process = { user = "execd"; };', "build/execd --config execd.conf --port 0 --state /var/lib/execd/state")
    assert status != 0 and "ready" not in text and "worker.uid_base: this user namespace" in text, text


def test_a_container_that_starts_again_has_its_state(pod):
    """Its state directory is by then execd's alone, and its root may not open what is another's."""
    once = """state=/var/lib/execd/state; mkfifo /tmp/said$i
        build/execd --config execd.conf --port 0 --state $state >/tmp/said$i & pid=$!
        read line </tmp/said$i; echo "$line"; stat -c "state %u %a" $state; ls $state/compiled >/dev/null 2>&1 && echo "root may"
        kill $pid; wait $pid; echo status $?\n"""
    _, text = pod(WORKER, "for i in 1 2; do\n%sdone" % once)
    assert text.count("execd ready") == text.count("state 998 700") == text.count("status 0") == 2, text
    assert "root may" not in text and "compile_cache_off" not in text, text


def test_a_read_only_cgroup_is_named_and_refused(pod):
    status, text = doctor(pod, WORKER, "--cgroup-read-only")
    assert status == 1, text
    for name in ("cgroup_memory", "cgroup_pids", "cgroup_cpu", "oom_group"):
        assert "MISSING  %s" % name in text, text
    status, text = pod(WORKER, "build/execd --config execd.conf --port 0 --state /var/lib/execd/state", "--cgroup-read-only")
    assert status != 0 and "ready" not in text and "cgroup_memory" in text, text


def test_without_capabilities_an_unmasked_proc_is_needed(pod):
    conf = 'worker = { accept_missing = ( "uid" ); };'
    status, text = doctor(pod, conf, "--security", json.dumps(dict(BARE, procMount="Unmasked")))
    assert status == 0 and "an ordinary user" in text and "missing, accepted" in text, text
    status, text = doctor(pod, conf, "--security", json.dumps(BARE))
    assert status == 1 and "procMount" in text, text


@pytest.mark.parametrize("role", ["api", "hook"])
def test_the_other_roles_need_no_capability(pod, role):
    command = ("grep -E 'Cap(Prm|Bnd)' /proc/self/status; unshare --user true && echo made a namespace;"
               "redis-server --port 7000 --save '' --appendonly yes --appendfsync always --daemonize yes --dir /tmp >/dev/null;"
               "build/execd --role %s --port 0 --config execd.conf >/tmp/out & pid=$!; trap 'cat /tmp/out' EXIT;"
               "until grep -q ready /tmp/out; do kill -0 $pid || exit 1; sleep 0.1; done; kill $pid; wait $pid" % role)
    status, text = pod('queue = { url = "redis://127.0.0.1:7000/0"; };', command, "--pod", "execd-" + role)
    assert status == 0 and "execd ready" in text and "made a namespace" not in text, text
    assert text.count("0000000000000000") == 2, text


@pytest.mark.parametrize("name", ["worker", "control", "scaler"])
def test_the_configurations_of_the_templates_are_right(name, tmp_path):
    yaml = pytest.importorskip("yaml", reason="python3-yaml is missing: apt-get install python3-yaml")
    seen = 0
    for document in yaml.safe_load_all((ROOT / "deploy/kubernetes" / (name + ".yaml")).read_text()):
        if document["kind"] == "ConfigMap":
            file = tmp_path / "execd.conf"
            file.write_text(document["data"]["execd.conf"])
            env = dict(os.environ, API_KEY="0123456789abcdef0123", HOOK_SECRET="whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
            r = subprocess.run([str(BUILD / "execd"), "--check-config", str(file)], capture_output=True, text=True, env=env)
            assert r.returncode == 0, r.stdout + r.stderr
            seen += 1
        elif document["kind"] == "Deployment":
            spec = document["spec"]["template"]["spec"]
            for container in spec["containers"]:
                context = container["securityContext"]
                assert context["capabilities"]["drop"] == ["ALL"] and not context["allowPrivilegeEscalation"]
                assert spec["hostUsers"] is False and context["readOnlyRootFilesystem"] and not context["privileged"]
    assert seen == 1


def test_a_worker_may_finish_within_the_grace_period():
    import yaml
    documents = list(yaml.safe_load_all((ROOT / "deploy/kubernetes/worker.yaml").read_text()))
    conf = next(d for d in documents if d["kind"] == "ConfigMap")["data"]["execd.conf"]
    drain_ms = int(re.search(r"drain_ms = (\d+);", conf).group(1))
    grace = next(d for d in documents if d["kind"] == "Deployment")["spec"]["template"]["spec"]["terminationGracePeriodSeconds"]
    assert drain_ms + 5000 <= 1000 * grace  # what is not done by then is handed back, which takes a moment

#!/usr/bin/python3
"""A lane of a container as Kubernetes would run deploy/kubernetes/worker.yaml: no `privileged`, own user namespace.

Usage: pod.py [--pod execd-worker|execd-api|execd-hook] [--security JSON] [--cgroup-read-only] STAGE
              COMMAND...

Runs COMMAND with crun in a container whose security context, seccomp profile and resources are those of the shipped
template (the worker's unless another is named; --security overrides keys of its securityContext), and whose mounts, masked and read-only paths are those that a kubelet with containerd asks an OCI runtime for.
STAGE is a directory with what is to be tested; it is the working directory in there, read-only.  The root file system is
of this machine: /usr read-only, a small /etc.  cgroup v2: crun makes the container's cgroup and hands it over, as
runtimes do where the cgroup is writable; on v1 a directory in each hierarchy is given to the container's root.
Exit status: COMMAND's; 77 if something is missing here.
"""

import argparse
import glob
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

ROOT = pathlib.Path(__file__).resolve().parents[2]
CGROUP = pathlib.Path("/sys/fs/cgroup")
CONTROLLERS = ("memory", "pids", "cpu", "cpuacct", "freezer")
IDS = 65536  # that a pod has

# containerd's defaults (procMount: Default)
MASKED = ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
          "/proc/timer_stats", "/proc/sched_debug", "/proc/scsi", "/sys/firmware", "/sys/devices/virtual/powercap"]
READ_ONLY = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]


def template(name):
    """A shipped pod and its container."""
    for file in sorted((ROOT / "deploy/kubernetes").glob("*.yaml")):
        for document in yaml.safe_load_all(file.read_text()):
            if document["kind"] == "Deployment" and document["metadata"]["name"] == name:
                pod = document["spec"]["template"]["spec"]
                return pod, pod["containers"][0]
    raise SystemExit("pod.py: deploy/kubernetes has no Deployment `%s`" % name)


def security(pod, container):
    """A container's security context is its pod's, overridden by its own."""
    return {"procMount": "Default", "runAsGroup": 0, **pod.get("securityContext", {}), **container["securityContext"]}


def seccomp(profile):
    """A profile of ours by its name; the runtime's default is near to ours without what makes cells."""
    filters = json.loads((ROOT / "deploy/kubernetes/seccomp-execd.json").read_text())
    if profile["type"] == "RuntimeDefault":
        filters["syscalls"] = [s for s in filters["syscalls"] if "unshare" not in s["names"]]
        threads = {"index": 0, "value": 0x7e020000, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}  # no new namespace
        filters["syscalls"].append({"names": ["clone"], "action": "SCMP_ACT_ALLOW", "args": [threads]})
        filters["syscalls"].append({"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38})
    else:
        assert profile["localhostProfile"].rsplit("/", 1)[1] == "seccomp-execd.json"
    return filters


def bytes_of(text):
    number, unit = re.fullmatch(r"(\d+)(Mi|Gi)", text).groups()
    return int(number) << {"Mi": 20, "Gi": 30}[unit]


# ---- the container's files ---------------------------------------------------------------------------


def make_root(root):
    """An image in small: /usr comes by mount, the rest is made here."""
    for directory in ("usr", "etc", "proc", "sys", "dev", "tmp", "run", "work", "root", "var/lib/execd", "var/tmp"):
        (root / directory).mkdir(parents=True)
    for link in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink("/" + link):
            (root / link).symlink_to("usr/" + link)
    for path in ("/etc/alternatives", "/etc/ld.so.cache", *glob.glob("/etc/java-*-openjdk")):
        if os.path.isdir(path):
            shutil.copytree(path, str(root) + path, symlinks=True, ignore_dangling_symlinks=True)
        elif os.path.exists(path):
            shutil.copy2(path, str(root) + path)
    for name, text in {"passwd": "root:x:0:0:root:/root:/bin/sh\nexecd:x:998:998:execd:/:/usr/sbin/nologin\n",
                       "group": "root:x:0:\nexecd:x:998:\n", "hosts": "127.0.0.1 localhost pod\n", "hostname": "pod\n",
                       "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n"}.items():
        (root / "etc" / name).write_text(text)


def give(path, owner):
    """All of it to the container's root, as idmapped volumes and images are seen in a pod."""
    for each in [path, *path.rglob("*")]:
        os.chown(each, owner, owner, follow_symlinks=False)


# ---- what the runtime is asked for ----------------------------------------------------------------------


def mounts(stage, work, cgroups, cgroup_mode):
    tmpfs = ["nosuid", "nodev", "noexec"]
    found = [
        {"destination": "/proc", "type": "proc", "source": "proc", "options": tmpfs},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": tmpfs},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": [*tmpfs, "mode=1777", "size=65536k"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": [*tmpfs, "ro"]},
        {"destination": "/usr", "type": "bind", "source": "/usr", "options": ["rbind", "ro"]},
        {"destination": "/srv/execd", "type": "bind", "source": str(stage), "options": ["rbind", "ro"]},
        {"destination": "/tmp", "type": "bind", "source": str(work / "tmp"), "options": ["rbind", "rw"]},
        {"destination": "/var/lib/execd", "type": "bind", "source": str(work / "state"), "options": ["rbind", "rw"]},
    ]
    if not cgroups:
        found.append({"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
                      "options": [*tmpfs, "relatime", cgroup_mode]})
    else:
        found.append({"destination": "/sys/fs/cgroup", "type": "tmpfs", "source": "tmpfs", "options": [*tmpfs, "mode=755"]})
    for name, directory in cgroups.items():
        found.append({"destination": "/sys/fs/cgroup/" + name, "type": "bind", "source": str(directory),
                      "options": ["bind", cgroup_mode, *tmpfs]})
    return found


def configuration(args, work, owner, cgroups):
    pod, container = template(args.pod)
    context = {**security(pod, container), **args.security}
    limits = container["resources"]["limits"]
    capabilities = ["CAP_" + c for c in context["capabilities"].get("add", [])]
    assert context["capabilities"]["drop"] == ["ALL"] and not context["privileged"] and pod["hostUsers"] is False
    masked = context["procMount"] == "Default"
    ids = [{"containerID": 0, "hostID": owner, "size": IDS}]
    env = {k: v for k, v in os.environ.items() if re.match(r"EXECD_|PYTEST_|PYTHONDONTWRITEBYTECODE|PYTHONUNBUFFERED|[AU]B?SAN_OPTIONS", k)}
    env.update(PATH="/usr/sbin:/usr/bin:/sbin:/bin", HOME="/root", TMPDIR="/tmp", LANG="C.UTF-8",
               EXECD_BUILD="/srv/execd/build")
    if "ASAN_OPTIONS" in env:
        env["ASAN_OPTIONS"] += ":detect_leaks=0"  # LeakSanitizer needs ptrace, which a pod's profile refuses
    linux = {
        "namespaces": [{"type": t} for t in ("pid", "ipc", "uts", "mount", "network", "user", "cgroup")],
        "uidMappings": ids,
        "gidMappings": ids,
        "seccomp": seccomp(context["seccompProfile"]),
        "maskedPaths": MASKED if masked else [],
        "readonlyPaths": READ_ONLY if masked else [],
    }
    if not cgroups:
        linux["cgroupsPath"] = "/kubepods/pod-%d/worker" % os.getpid()
        linux["resources"] = {"memory": {"limit": bytes_of(limits["memory"])}, "pids": {"limit": 2048}}
        if "cpu" in limits:
            linux["resources"]["cpu"] = {"quota": int(limits["cpu"]) * 100000, "period": 100000}
    hooks = {}
    if not cgroups and context["runAsUser"] != 0:
        # The container's cgroup belongs to its user (OCI runtime-spec, config-linux.md); crun 1.8 knows its root only.
        hand_over = ("cd %s%s && chown %d . cgroup.procs cgroup.subtree_control cgroup.threads"
                     % (CGROUP, linux["cgroupsPath"], owner + context["runAsUser"]))
        hooks = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", hand_over],
                                    "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"]}]}
    return {
        "ociVersion": "1.0.0",
        "hostname": "pod",
        "hooks": hooks,
        "root": {"path": str(work / "root"), "readonly": context["readOnlyRootFilesystem"]},
        "process": {
            "terminal": False,
            "user": {"uid": context["runAsUser"], "gid": context["runAsGroup"]},
            "args": args.command,
            "cwd": "/srv/execd",
            "env": ["%s=%s" % pair for pair in sorted(env.items())],
            "noNewPrivileges": not context["allowPrivilegeEscalation"],
            "capabilities": {kind: capabilities for kind in ("bounding", "effective", "permitted")},
        },
        "mounts": mounts(args.stage, work, cgroups, "ro" if args.cgroup_read_only else "rw"),
        "linux": linux,
    }


# ---- cgroups ------------------------------------------------------------------------------------------------


def delegated(owner):
    """On v1: hierarchy's name -> a directory there that belongs to the container's root.  On v2 nothing: crun does it."""
    found = {}
    if (CGROUP / "cgroup.controllers").exists():
        return found
    for line in open("/proc/self/cgroup"):
        _, names, path = line.rstrip("\n").split(":", 2)
        if not set(names.split(",")) & set(CONTROLLERS):
            continue
        directory = pathlib.Path("%s/%s%s" % (CGROUP, names, path), "pod-%d" % os.getpid())
        directory.mkdir()
        for each in [directory, *directory.iterdir()]:
            os.chown(each, owner, owner)
        found[names] = directory
    if not found:
        print("pod.py: no cgroup with controllers here", file=sys.stderr)
        sys.exit(77)
    return found


def remove(directory):
    """An empty cgroup and what is empty below it; True if it is gone."""
    for below in sorted(directory.rglob("*/"), reverse=True):
        below.rmdir()
    directory.rmdir()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--pod", default="execd-worker")
    parser.add_argument("--security", type=json.loads, default={})
    parser.add_argument("--cgroup-read-only", action="store_true")
    parser.add_argument("stage", type=pathlib.Path)
    parser.add_argument("command", nargs=argparse.REMAINDER)
    args = parser.parse_args()
    if shutil.which("crun") is None:
        print("pod.py: crun is missing: apt-get install crun", file=sys.stderr)
        sys.exit(77)
    owner = IDS * (16384 + os.getpid() % 8192)  # ids of nobody else's
    work = pathlib.Path(tempfile.mkdtemp(prefix="execd-pod-"))
    os.chmod(work, 0o755)
    cgroups = delegated(owner + args.security.get("runAsUser", 0))
    try:
        for name in ("root", "tmp", "state"):
            (work / name).mkdir()
            (work / name).chmod(0o755 if name == "root" else 0o777)  # an emptyDir is open to all of the pod
        make_root(work / "root")
        for path in (work, args.stage):
            give(path, owner)
        (work / "config.json").write_text(json.dumps(configuration(args, work, owner, cgroups), indent=1))
        manager = "disabled" if cgroups else "cgroupfs"

        def join():
            for directory in cgroups.values():
                (directory / "cgroup.procs").write_text("%d" % os.getpid())

        # crun refuses a machine where v1 and controllers of v2 are mounted side by side; it need not see v2 here.
        hide = ["unshare", "--mount", "/bin/sh", "-c", "umount /sys/fs/cgroup/unified 2>/dev/null; exec \"$@\"", "sh"]
        # crun gives what it has for stdin to the container's user, the machine's /dev/null too: so a pipe.
        status = subprocess.run([*(hide if cgroups else []), "crun", "--root", str(work / "crun"), "--cgroup-manager", manager, "run", "--bundle", str(work),
                                 "pod-%d" % os.getpid()], preexec_fn=join, input=b"", check=False).returncode
    finally:
        shutil.rmtree(work, ignore_errors=True)
        for directory in cgroups.values():
            remove(directory)
        if not cgroups and (CGROUP / ("kubepods/pod-%d" % os.getpid())).exists():
            remove(CGROUP / ("kubepods/pod-%d" % os.getpid()))
    sys.exit(status)


if __name__ == "__main__":
    main()

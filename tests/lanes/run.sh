#!/bin/bash
# The lanes: the same command on the machines and with the rights that execd is meant for.
#
# Usage: run.sh LANE COMMAND...
#
#   root      here, as it is (cgroup v1 or v2)
#   user      here, as an ordinary user that is made up for it, with a delegated cgroup
#   pod       here, in a container like a Kubernetes pod without `privileged` (pod.py)
#   vm, vm-user, vm-pod
#             the same three in a virtual machine with cgroup v2 alone (vm.sh)
#
# COMMAND runs in a directory that has tests/ and what they need, as on this checkout.  It finds EXECD_BUILD,
# EXECD_ATTACKS_LANE, EXECD_ATTACKS_SLOW (how many times slower the lane is) and EXECD_ATTACKS_CONF (configuration that
# execd needs there, as JSON).  Before it, `execd doctor` says what the lane enforces.  Afterwards nothing of the lane is
# left; what COMMAND left behind is killed, named, and fails the lane.  EXECD_LANE_SECURITY: of the pod's securityContext what is
# to be otherwise, as JSON ({"procMount": "Unmasked"}: zygotes work).  Exit status: COMMAND's; 77 if the lane is not to be
# had here.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
repo=$(readlink -f "$here/../..")
. "$here/built.sh"
[ $# -ge 2 ] || { sed -n '4,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
lane=$1
shift
export EXECD_BUILD=${EXECD_BUILD:-$repo/build/release} PYTHONDONTWRITEBYTECODE=1
export EXECD_ATTACKS_SLOW=${EXECD_ATTACKS_SLOW:-1} EXECD_ATTACKS_LANE=${EXECD_ATTACKS_LANE:-$lane}

as_root() { [ "$(id -u)" -eq 0 ] || { echo "lane $lane: only root can make it" >&2; exit 77; }; }

# What is tested, for somebody who may not be able to read this checkout: DIRECTORY/{build,tests,...}.
stage() { # stage DIRECTORY
    local each
    mkdir -p "$1/build"
    built "$EXECD_BUILD" | while read -r each; do
        install -D -m 755 "$EXECD_BUILD/$each" "$1/build/$each"
    done
    for each in tests etc tools deploy; do
        [ ! -e "$repo/$each" ] || cp -a "$repo/$each" "$1/$each"
    done
}

# Only the protections: the languages prove themselves when the command starts its execd.
ENFORCES='echo "== lane $EXECD_ATTACKS_LANE enforces:"
"$EXECD_BUILD/execd" doctor --config "$EXECD_LANE_DOCTOR" 2>&1 | sed "/^Languages/,\$d"
exec "$@"'

# The lane's configuration in both forms.
configure() { # configure DIRECTORY user|pod|root
    local json=$1/lane.json doctor=$1/lane.conf
    case $2 in
        user) echo '{"worker": {"accept_missing": ["uid"]}}' >"$json"
              echo 'worker = { accept_missing = ( "uid" ); };' >"$doctor" ;;
        pod)  echo '{"worker": {"uid_base": 60000}, "process": {"user": "execd"}}' >"$json"
              echo 'worker = { uid_base = 60000; }; process = { user = "execd"; };' >"$doctor" ;;
        root) echo '{}' >"$json"
              : >"$doctor" ;;
    esac
    echo 'plugins = ( { file = "lang-python.so"; } );' >>"$doctor"
    export EXECD_LANE_DOCTOR=$doctor
    export EXECD_ATTACKS_CONF=${EXECD_ATTACKS_CONF:-$json}
}

# What the kernel has to complain about: lines of its log, where it may be read.
complaints() { dmesg 2>/dev/null | grep -E 'BUG[: ]|Oops|WARNING:|hung task|soft lockup|general protection fault' || true; }

processes() { find "$1" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u; }

# v1: a jailer that was killed may have left a cell frozen, and what is frozen does not die.
thaw() {
    find "$@" -name freezer.state 2>/dev/null | while read -r state; do echo THAWED >"$state" 2>/dev/null || true; done || true
}

work=
cgroups=()
finish() {
    local d pid fresh status=$?
    fresh=$(complaints | grep -vxFf "$work/complaints" || true)
    if [ -n "$fresh" ]; then
        printf 'lane %s: the kernel complained meanwhile:\n%s\n' "$lane" "$fresh" >&2
        status=1
    fi
    for d in "${cgroups[@]}"; do
        for pid in $(processes "$d"); do
            echo "lane $lane: left behind: pid $pid, $(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline")" >&2
            status=1
        done
    done
    for d in "${cgroups[@]}"; do
        for _ in $(seq 100); do # who forks meanwhile is met again, and the kernel takes a moment to let go
            for pid in $(processes "$d"); do kill -KILL "$pid" 2>/dev/null || true; done
            thaw "${cgroups[@]}"
            find "$d" -depth -type d -exec rmdir {} + 2>/dev/null || true
            [ -d "$d" ] || break
            sleep 0.1
        done
        [ ! -d "$d" ] || { echo "lane $lane: cgroup $d stays" >&2; status=1; }
    done
    rm -rf "$work"
    exit "$status"
}
prepare() {
    work=$(mktemp -d "${TMPDIR:-/tmp}/execd-lane-XXXXXX")
    chmod 755 "$work"
    complaints >"$work/complaints"
    trap finish EXIT
    trap 'exit 130' INT TERM
}

# ---- an ordinary user ---------------------------------------------------------------------------------

# One directory a hierarchy of v1, or one of v2, that belongs to the user (kernel: cgroup-v2.rst, "Delegation").
delegate() { # delegate UID
    local names path d
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
        for names in memory pids cpu; do echo "+$names" >/sys/fs/cgroup/cgroup.subtree_control; done
        d=/sys/fs/cgroup/execd-lane-$$
        mkdir "$d"
        cgroups+=("$d")
        chown "$1:$1" "$d" "$d"/cgroup.procs "$d"/cgroup.subtree_control "$d"/cgroup.threads
        return
    fi
    while IFS=: read -r _ names path; do
        case ,$names, in *,memory,* | *,pids,* | *,cpu,* | *,cpuacct,* | *,freezer,*) ;; *) continue ;; esac
        d=/sys/fs/cgroup/$names${path%/}/execd-lane-$$
        mkdir "$d"
        cgroups+=("$d")
        chown "$1:$1" "$d" "$d"/*
    done </proc/self/cgroup
}

lane_user() {
    local uid=$((1800000000 + $$))
    as_root
    prepare
    stage "$work/checkout"
    mkdir "$work/home" "$work/tmp"
    configure "$work" user
    chown -R "$uid:$uid" "$work"
    delegate "$uid"
    EXECD_BUILD=$work/checkout/build HOME=$work/home TMPDIR=$work/tmp USER=user LOGNAME=user \
        /bin/sh -c 'cd "$1"; n=$2; shift 2; while [ "$n" -gt 0 ]; do echo $$ >"$1/cgroup.procs"; shift; n=$((n - 1)); done
                    exec "$@"' sh "$work/checkout" "${#cgroups[@]}" "${cgroups[@]}" \
        setpriv --reuid="$uid" --regid="$uid" --clear-groups --inh-caps=-all \
        /bin/sh -c "$ENFORCES" sh "$@"
}

# ---- the others ----------------------------------------------------------------------------------------

lane_root() {
    as_root
    prepare
    configure "$work" root
    cd "$repo"
    /bin/sh -c "$ENFORCES" sh "$@"
}

lane_pod() {
    as_root
    command -v crun >/dev/null || { echo "lane $lane: crun is missing: apt-get install crun" >&2; exit 77; }
    prepare
    stage "$work/checkout"
    configure "$work/checkout" pod
    EXECD_LANE_DOCTOR=/srv/execd/lane.conf EXECD_ATTACKS_CONF=/srv/execd/lane.json \
        /usr/bin/python3 "$here/pod.py" --security "${EXECD_LANE_SECURITY:-{\}}" "$work/checkout" /bin/sh -c "$ENFORCES" sh "$@"
}

case $lane in
    root | user | pod) "lane_$lane" "$@" ;;
    vm) exec "$here/vm.sh" root "$@" ;;
    vm-user | vm-pod) exec "$here/vm.sh" "${lane#vm-}" "$@" ;;
    *) echo "lane \`$lane\`? root, user, pod, vm, vm-user, vm-pod" >&2; exit 2 ;;
esac

#!/bin/busybox sh
# Inside the virtual machine, as its init: the proof of the sandbox on cgroup v2.  "VM: " lines are for people,
# "VM-RESULT: n" tells run.sh how many steps failed.
export PATH=/usr/bin:/opt/execd HOME=/tmp TMPDIR=/tmp EXECD_TEST_CGROUP=2 EXECD_TEST_JAILER=/opt/execd/execd-jailer
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev 2>/dev/null
mkdir -p /dev/pts /dev/shm
mount -t tmpfs shm /dev/shm
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup /sys/fs/cgroup
hostname vm
ip link set lo up
dmesg -n 1
for word in $(cat /proc/cmdline); do
    case $word in execd_as=*) export "$word" ;; esac
done
failed=0
as_user="/usr/bin/setpriv --reuid=1000 --regid=1000 --clear-groups" # not busybox' own
cg=/sys/fs/cgroup

say() { echo "VM: $*"; }
end() {
    echo "VM-RESULT: $failed"
    sync
    poweroff -f
}
step() { # step NAME COMMAND...
    name=$1
    shift
    begin=$(cut -d ' ' -f 1 /proc/uptime)
    "$@" >/tmp/step.log 2>&1
    status=$?
    took="$begin $(cut -d ' ' -f 1 /proc/uptime)"
    if [ "$status" = 0 ]; then
        say "ok      $name ($(echo "$took" | awk '{printf "%.1f s", $2 - $1}'))"
    else # a test that was skipped (77) proves nothing here
        failed=$((failed + 1))
        say "FAILED  $name (status $status)"
        grep -E 'FAILED|ERROR|rror|LINE|kip|cgroup v|^Traceback|^ ' /tmp/step.log | head -n 60 | sed 's/^/VM:     /'
        echo "---- whole output of $name"
        cat /tmp/step.log
        echo "----"
    fi
}
within() { # within CGROUP COMMAND...: run there
    /bin/sh -c 'echo $$ >"$1/cgroup.procs" && shift && exec "$@"' sh "$@"
}
delegated() { # a cgroup as systemd delegates it, for root (marked) or for the user (owned)
    mkdir -p "$cg/$1"
    for c in memory pids cpu; do echo "+$c" >"$cg/cgroup.subtree_control"; done
    if [ "$1" = user ]; then
        chown 1000:1000 "$cg/$1" "$cg/$1/cgroup.procs" "$cg/$1/cgroup.subtree_control" "$cg/$1/cgroup.threads"
    else
        python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.delegate", b"1")' "$cg/$1"
    fi
}
clean() { # nothing of ours is left: no cgroup, no process but this script's
    find "$cg" -mindepth 1 -type d ! -path "$cg/user" ! -path "$cg/service" | grep . && return 1
    for p in /proc/[0-9]*; do
        exe=$(readlink "$p/exe") || continue
        case $exe in
            /usr/bin/busybox | "") ;;
            *) echo "$p is left: $exe $(tr '\0' ' ' <"$p/cmdline")"; return 1 ;;
        esac
    done
}

say "Linux $(uname -r), $(nproc) processors, controllers: $(cat $cg/cgroup.controllers)"
if [ "$execd_as" != user ]; then
    step "filters, as root" cell_seccomp_test
    step "filters with programs, as root" cell_seccomp_run_test
    step "cgroups, as root" cgroup_test
    step "ends of cgroups, as root" cgroup_end_test
    step "cells, as root" jail_cell_test
    step "programs that wait, as root" jail_warm_test
    step "limits of programs that wait, as root" jail_warm_limits_test
    delegated service
    step "cgroups, as root in a delegated cgroup" within $cg/service cgroup_test
    step "ends of cgroups, as root in a delegated cgroup" within $cg/service cgroup_end_test
    step "cells, as root in a delegated cgroup" within $cg/service jail_cell_test
    step "nothing is left" clean
fi
if [ "$execd_as" != root ]; then
    delegated user
    export EXECD_TEST_ACCEPT_MISSING=uid
    step "filters, as a user" $as_user cell_seccomp_test
    step "filters with programs, as a user" $as_user cell_seccomp_run_test
    step "cgroups, as a user" within $cg/user $as_user cgroup_test
    step "ends of cgroups, as a user" within $cg/user $as_user cgroup_end_test
    step "cells, as a user" within $cg/user $as_user jail_cell_test
    step "programs that wait, as a user" within $cg/user $as_user jail_warm_test
    step "limits of programs that wait, as a user" within $cg/user $as_user jail_warm_limits_test
    unset EXECD_TEST_ACCEPT_MISSING
    step "nothing is left" clean
fi
if [ -x /opt/execd/execd ] && [ -x /usr/bin/redis-server ]; then
    [ "$execd_as" = user ] || step "the whole of execd, as root" python3 /smoke.py
    [ "$execd_as" = root ] || step "the whole of execd, as a user" \
        within $cg/user $as_user python3 /smoke.py
    step "nothing is left" clean
else
    say "        execd or redis-server is not here: no run of the whole"
fi
end

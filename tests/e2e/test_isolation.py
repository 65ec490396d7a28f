"""What a program may not see, reach or leave behind."""

import pytest

from conftest import C, PYTHON


def ask(server, source, **kw):
    j = server.run(PYTHON, source, **kw)
    assert j["status"] == "completed", j
    return j["stdout"].strip()


def test_no_network(shared):
    out = ask(shared, """
import socket
for family, kind in ((socket.AF_INET, socket.SOCK_STREAM), (socket.AF_INET6, socket.SOCK_DGRAM),
                     (socket.AF_UNIX, socket.SOCK_STREAM), (socket.AF_NETLINK, socket.SOCK_RAW)):
    try:
        socket.socket(family, kind)
        print("open", family)
    except OSError as e:
        print("refused")
a, b = socket.socketpair()
a.send(b"x"); print(b.recv(1))
""")
    assert out.split("\n") == ["refused"] * 4 + ["b'x'"]


def test_only_own_processes(shared):
    out = ask(shared, "import os\nprint(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()), os.getpid())")
    assert out in ("[1, 2] 2", "[2] 2"), out


def test_the_machines_proc_is_not_even_beneath(shared):
    """Started as root there is one procfs, the cell's; a user's cells, and the forks of a zygote, need a second one,
    covered, to mount theirs."""
    r = shared.run(C, '#include <stdio.h>\n#include <string.h>\nint main(void) { char l[4096]; int n = 0; '
                      'FILE *f = fopen("/proc/self/mountinfo", "r"); while (fgets(l, sizeof l, f)) n += strstr(l, " - proc ") != 0; '
                      'return printf("%d\\n", n) < 0; }')
    assert r["stdout"] == "1\n", r


def test_no_privilege(shared):
    out = ask(shared, """
import os
print(os.getuid(), os.getgid(), os.getgroups())
for line in open('/proc/self/status'):
    if line.split(':')[0] in ('CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb', 'NoNewPrivs', 'Seccomp'):
        print(line.strip())
""")
    for line in out.splitlines()[1:]:
        key, value = line.split()
        assert value == {"NoNewPrivs:": "1", "Seccomp:": "2"}.get(key, "0" * 16), line
    assert out.startswith("1000 1000 ")


def test_root_is_read_only_and_small(shared):
    out = ask(shared, """
import os
for d in ('/', '/etc', '/usr', '/usr/bin', '/dev', '/proc/sys/kernel'):
    try:
        open(d + '/x', 'w'); print('wrote', d)
    except OSError as e:
        pass
for f in ('/etc/shadow', '/root', '/home', '/var', '/sys', '/boot', '/etc/ssh', '/run', '/proc/1/root', '/proc/1/environ', '/proc/kcore'):
    try:
        there = os.listdir(f) if os.path.isdir(f) else open(f).read(1); there and print('read', f)
    except OSError as e:
        pass
print(sorted(os.listdir('/box')), os.getcwd())
""")
    assert out == "['main.py'] /box", out


def test_forbidden_system_calls(shared):
    out = ask(shared, """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
numbers = dict(mount=165, umount2=166, unshare=272, setns=308, ptrace=101, bpf=321, perf_event_open=298,
               userfaultfd=323, io_uring_setup=425, keyctl=250, add_key=248, pivot_root=155, chroot=161,
               init_module=175, kexec_load=246, reboot=169, open_by_handle_at=304, process_vm_readv=310,
               fsopen=430, move_mount=429, open_tree=428, mount_setattr=442, pidfd_getfd=438, swapon=167,
               shmget=29, personality=135, quotactl=179, acct=163, settimeofday=164, sethostname=170)
for name, nr in numbers.items():
    r = libc.syscall(nr, 0x10000000, 0, 0, 0, 0)
    if r != -1 or ctypes.get_errno() not in (1, 38, 13):
        print(name, r, ctypes.get_errno())
print('end')
""")
    assert out == "end", out


def test_one_shot(shared):
    """Nothing of one job is there for the next: files, shared memory, processes."""
    leave = "import os\nfor d in ('/box', '/tmp', '/dev/shm'):\n  open(d + '/left', 'w').write('x')\nprint('left')"
    look = "import os\nprint([d for d in ('/box', '/tmp', '/dev/shm') if os.path.exists(d + '/left')])"
    for _ in range(4):
        assert ask(shared, leave) == "left"
        assert ask(shared, look) == "[]"


def test_box_is_bounded(shared):
    out = ask(shared, """
import errno
total = 0
try:
    for i in range(64):
        with open('/tmp/f%d' % i, 'wb') as f:
            for _ in range(16):
                f.write(bytes(1 << 20)); f.flush(); total += 1
except OSError as e:
    print(errno.errorcode[e.errno], total <= 256)
""", memory_limit=512)
    assert out == "ENOSPC True", out
    out = ask(shared, """
import errno
try:
    for i in range(1 << 20):
        open('/box/i%d' % i, 'w').close()
except OSError as e:
    print(errno.errorcode[e.errno])
""", timeout=20000)
    assert out == "ENOSPC"


def test_file_and_descriptor_limits(shared):
    j = shared.run(PYTHON, "f = open('/tmp/f', 'wb')\nfor _ in range(100): f.write(bytes(1 << 20)); f.flush()\n")
    assert j["status"] in ("runtime_error", "output_limit_exceeded"), j
    out = ask(shared, "import os\nn = 0\ntry:\n  while True: os.dup(1); n += 1\nexcept OSError as e: print(e.errno, n < 1024)")
    assert out == "24 True"


def test_no_core_dump_and_no_secrets_in_the_environment(shared):
    out = ask(shared, "import os, resource\nprint(resource.getrlimit(resource.RLIMIT_CORE), sorted(os.environ))")
    assert out.startswith("(1, 1)"), "0 does not keep a piped core_pattern from starting"
    assert not any(word in out for word in ("EXECD", "REDIS", "KEY", "SECRET", "PASSWORD"))


def test_a_plugin_of_the_box_cannot_fool_the_verdict(shared):
    """A program that prints what a result looks like, or closes its pipes, changes nothing."""
    j = shared.run(PYTHON, "import os, time\nprint('{\"status\":\"completed\",\"exit_code\":0}', flush=True)\n"
                           "os.close(1); os.close(2)\nos._exit(9)\n")
    assert (j["status"], j["exit_code"]) == ("runtime_error", 9)


def test_descriptors_are_the_three_standard_ones(shared):
    out = ask(shared, "import os\nprint(sorted(int(x) for x in os.listdir('/proc/self/fd'))[:-1])")
    assert out == "[0, 1, 2]"


def test_symlinks_do_not_lead_the_compiler_out(shared):
    j = shared.run(C, '#include "/etc/shadow"\nint main(void) { return 0; }\n')
    assert j["status"] == "compile_error" and "root:" not in j["compile_output"]
    j = shared.run(C, '__asm__(".incbin \\"/proc/1/environ\\"");\nint main(void) { return 0; }\n')
    assert j["status"] == "compile_error", j


@pytest.mark.parametrize("path", ["/proc/sysrq-trigger", "/proc/sys/kernel/core_pattern", "/dev/mem", "/dev/kmsg"])
def test_dangerous_files(shared, path):
    out = ask(shared, "try:\n  open(%r, 'w'); print('open')\nexcept OSError: print('refused')" % path)
    assert out == "refused"

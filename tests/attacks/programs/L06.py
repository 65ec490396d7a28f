import ctypes
import errno
import os

libc = ctypes.CDLL(None, use_errno=True)
zeros = ctypes.create_string_buffer(256)
CALLS = [
    ("getpid", 39), ("socket_inet", 41, 2, 1), ("socket_unix", 41, 1, 1), ("socket_alg", 41, 38, 5), ("socket_netlink", 41, 16, 3),
    ("unshare_user", 272, 0x10000000), ("unshare_net", 272, 0x40000000), ("mount", 165, b"none", b"/tmp", b"tmpfs"),
    ("umount2", 166, b"/box", 2), ("pivot_root", 155, b"/tmp", b"/tmp"), ("chroot", 161, b"/tmp"), ("setns", 308, 0, 0),
    ("ptrace", 101, 16, 1), ("bpf", 321, 0, zeros, 72), ("perf_event_open", 298, zeros, 0, -1, -1), ("userfaultfd", 323, 0),
    ("io_uring_setup", 425, 8, zeros), ("keyctl", 250, 0, -3, 1), ("add_key", 248, b"user", b"k", b"v", 1),
    ("init_module", 175, zeros, 0, b""), ("kexec_load", 246), ("open_by_handle_at", 304, -100, zeros, 0),
    ("name_to_handle_at", 303, -100, b"/", zeros, zeros), ("process_vm_readv", 310, 1, zeros, 0, zeros), ("reboot", 169),
    ("swapon", 167, b"/box"), ("acct", 163, 0), ("settimeofday", 164, zeros), ("sethostname", 170, b"x", 1), ("quotactl", 179),
    ("fsopen", 430, b"tmpfs", 0), ("move_mount", 429, 0, b"", 0, b"")]
for name, number, *args in CALLS:
    args = (args + [0] * 6)[:6]
    ctypes.set_errno(0)
    r = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(a) if isinstance(a, int) else a for a in args])
    print(name, "yes" if r >= 0 else errno.errorcode[ctypes.get_errno()])

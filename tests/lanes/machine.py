#!/usr/bin/python3
"""A disk image with the files of this machine's packages: what the guest of the virtual machine runs from.

Usage: machine.py DIRECTORY PACKAGE|COMMAND...

Makes DIRECTORY/machine-DIGEST.ext4 from the files of the named Debian packages (or, by a command's path, of the package
that it is of) and of all that they depend on, and prints its path.  The digest is over the packages' versions and this file, so an image is made once and made anew
when a package changes.  No mount and no privilege is needed (mke2fs -d); the files' owners are those of here.
"""

import glob
import hashlib
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

SPARE_MIB = 192  # free room on the image; what the guest writes is thrown away with it
# What packages have for people and for machines that boot: nothing that runs here reads it.
LEFT_OUT = re.compile(r"^(/usr/share/(doc|man|info|locale|lintian|bug|icons|zoneinfo|i18n|menu|pixmaps|X11|gdb|fonts)(/|$)"
                      r"|/usr/lib/(systemd|udev|modules|firmware)(/|$)|/(boot|dev|proc|sys|run|tmp|var/log)(/|$)"
                      r"|/usr/lib/jvm/[^/]+/(jmods|man|docs)(/|$)|/usr/include/node(/|$))|\.a$")
# A few archives are what a C compiler links.
ARCHIVES = re.compile(r"/(libgcc|libgcc_eh|libc_nonshared|libm|libmvec_nonshared|libpthread|libdl|librt|libutil)\.a$")
# Made by packages' scripts and therefore in no package's list.
MADE = ("/etc/alternatives", "/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/nsswitch.conf")


def installed():
    """Installed packages: name -> (version, [[alternatives] of each dependency], [provided names])."""
    found = {}
    fields = "${Package}\t${Version}\t${db:Status-Status}\t${Pre-Depends}, ${Depends}\t${Provides}\n"
    for line in subprocess.run(["dpkg-query", "-W", "-f", fields], stdout=subprocess.PIPE, check=True,
                               text=True).stdout.splitlines():
        name, version, status, needs, provides = line.split("\t")
        if status == "installed":
            found[name] = (version, [names(part, "|") for part in needs.split(",") if part.strip()], names(provides, ","))
    return found


def names(text, separator):
    """The names of `a (>= 1) | b:any`, without versions and architectures."""
    return [part.split("(")[0].split(":")[0].strip() for part in text.split(separator) if part.strip()]


def owner(command):
    """The package that a command's file, behind all links, is of."""
    file = os.path.realpath(command)
    r = subprocess.run(["dpkg-query", "-S", file], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if r.returncode != 0:
        sys.exit("machine.py: %s (%s) is of no Debian package, so the guest cannot have it" % (command, file))
    return r.stdout.split(":")[0]


def closure(wanted):
    packages = installed()
    wanted = [owner(name) if name.startswith("/") else name for name in wanted]
    providers = {}
    for name, (_, _, provided) in packages.items():
        for virtual in provided:
            providers.setdefault(virtual, []).append(name)
    chosen, todo = set(), list(wanted)
    for name in wanted:
        if name not in packages:
            sys.exit("machine.py: the package %s is not installed" % name)
    while todo:
        name = todo.pop()
        if name in chosen:
            continue
        chosen.add(name)
        for alternatives in packages[name][1]:
            todo += next(([a] if a in packages else providers[a] for a in alternatives if a in packages or a in providers), [])
    return {name: packages[name][0] for name in sorted(chosen)}


def package_files(packages):
    """Paths that the packages own, their directories' links resolved (/lib is /usr/lib)."""
    text = subprocess.run(["dpkg-query", "-L", *packages], stdout=subprocess.PIPE, check=True, text=True).stdout
    found = set()
    for path in text.splitlines():
        if path.startswith("/") and path != "/." and (not LEFT_OUT.search(path) or ARCHIVES.search(path)):
            found.add(os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path)))
    for directory in {os.path.dirname(path) for path in found if path.endswith(".py")}:
        found.update(glob.glob(directory + "/__pycache__/*.pyc"))  # so that nothing is compiled in the guest
    return found


def tree(path):
    yield path
    for directory, below, files in os.walk(path):
        for name in [*below, *files]:
            yield os.path.join(directory, name)


def copy(paths, root):
    for path in sorted(paths):
        to = root + path
        if not os.path.lexists(path):
            continue
        if os.path.isdir(path) and not os.path.islink(path):
            os.makedirs(to, exist_ok=True)
        elif os.path.islink(path) or os.path.isfile(path):
            os.makedirs(os.path.dirname(to), exist_ok=True)
            shutil.copy2(path, to, follow_symlinks=False)


def stand_ins(root):
    """What a machine has beside its packages."""
    for link in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if os.path.islink("/" + link) and not os.path.lexists(os.path.join(root, link)):
            pathlib.Path(root, link).symlink_to("usr/" + link)
    for directory in ("dev", "proc", "sys", "run", "tmp", "root", "mnt", "var/lib", "var/tmp", "etc", "work"):
        os.makedirs(os.path.join(root, directory), exist_ok=True)
    os.chmod(root + "/tmp", 0o1777)
    os.chmod(root + "/var/tmp", 0o1777)
    pathlib.Path(root, "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\nexecd:x:998:998:execd:/:/usr/sbin/nologin\n"
                                                "user:x:1000:1000:user:/tmp:/bin/sh\nnobody:x:65534:65534::/:/usr/sbin/nologin\n")
    pathlib.Path(root, "etc/group").write_text("root:x:0:\nexecd:x:998:\nuser:x:1000:\nnogroup:x:65534:\n")
    shadow = pathlib.Path(root, "etc/shadow")
    shadow.write_text("root:*:19000:0:99999:7:::\n")
    shadow.chmod(0o600)
    pathlib.Path(root, "etc/hosts").write_text("127.0.0.1 localhost vm\n")
    pathlib.Path(root, "etc/hostname").write_text("vm\n")


def make(image, packages):
    paths = package_files(packages)
    for path in MADE:
        paths.update(tree(path))
    paths.update(path for path in glob.glob("/usr/bin/*")
                 if os.path.islink(path) and os.readlink(path).startswith("/etc/alternatives/"))
    with tempfile.TemporaryDirectory(dir=image.parent, prefix="machine-root-") as root:
        copy(paths, root)
        stand_ins(root)
        used = int(subprocess.run(["du", "-sm", root], stdout=subprocess.PIPE, check=True, text=True).stdout.split()[0])
        unfinished = image.with_suffix(".unfinished")
        subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-m", "0", "-O", "^has_journal", "-E", "root_owner=0:0",
                        "-L", "machine", "-d", root, str(unfinished), "%dM" % (used * 11 // 10 + SPARE_MIB)], check=True, stdout=sys.stderr)
        unfinished.rename(image)


def main():
    directory, packages = pathlib.Path(sys.argv[1]), closure(sys.argv[2:])
    digest = hashlib.sha256(pathlib.Path(__file__).read_bytes())
    digest.update(repr(packages).encode())
    image = directory / ("machine-%s.ext4" % digest.hexdigest()[:16])
    if not image.exists():
        os.umask(0o022)
        directory.mkdir(parents=True, exist_ok=True)
        for old in [*directory.glob("machine-*.ext4"), *directory.glob("machine-*.unfinished")]:
            old.unlink()
        print("vm: making an image of %d packages, once" % len(packages), file=sys.stderr, flush=True)
        make(image, packages)
    print(image)


main()

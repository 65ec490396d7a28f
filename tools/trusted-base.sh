#!/bin/sh
# What the sandbox's safety rests on: the sources and headers of ours that go into execd-jailer, as the build says
# (the linker's map names the objects, ninja knows what each was made from), and the libraries that it needs.
# Usage: trusted-base.sh BUILD_DIR.  Prints each file with its lines; exits 1 above the bound, or where the
# program needs a library that it should not.
set -eu
bound=3300
cd "$1"
map=execd-jailer.map
[ -x execd-jailer ] && [ -r "$map" ] || { echo "trusted-base: $1 has no execd-jailer and no $map" >&2; exit 2; }
root=$(sed -n 's/^CMAKE_HOME_DIRECTORY:INTERNAL=//p' CMakeCache.txt)
deps=$(mktemp)
files=$(mktemp)
trap 'rm -f "$deps" "$files"' EXIT
ninja -t deps >"$deps"

# "core/cell/libroom_cell.a(cell.c.o)" and "core/jailer/CMakeFiles/execd-jailer.dir/jailer.c.o"
objects=$(sed -n 's/^LOAD \(core\/.*\.o\)$/\1/p; s/^\(core\/[^ ]*\.a([^ )]*\.o)\).*/\1/p' "$map" | sort -u)
for o in $objects; do
    case $o in
        *'('*) archive=${o%%(*}; member=${o##*(}; member=${member%)}
            room=$(basename "$archive" .a)
            o=$(dirname "$archive")/CMakeFiles/${room#lib}.dir/$member ;;
    esac
    awk -v o="$o:" -v root="$root/core/" '
        $1 == o { on = 1; found = 1; next }
        /^[^ ]/ { on = 0 }
        on && NF == 1 { print $1 }
        END { if (!found) { print "trusted-base: ninja knows nothing of " o > "/dev/stderr"; exit 2 } }' "$deps"
done | while read -r f; do
    f=$(readlink -f "$f")
    case $f in "$root"/*) echo "$f" ;; esac
done | sort -u >"$files"
[ -s "$files" ] || { echo "trusted-base: no sources were found" >&2; exit 2; }
total=0
while read -r f; do
    n=$(wc -l <"$f")
    total=$((total + n))
    printf '%6d  %s\n' "$n" "${f#"$root"/}"
done <"$files"
printf '%6d  in %d files; the bound is %d\n' "$total" "$(wc -l <"$files")" "$bound"
status=0
if [ "$total" -gt "$bound" ]; then
    echo "trusted-base: execd-jailer has grown beyond $bound lines: take out what needs no privilege" >&2
    status=1
fi
# A sanitizer's build has its runtime; what is judged is what is shipped.
libraries=$(ldd execd-jailer | awk '{ print $1 }' |
    grep -vE '^(linux-vdso\.so|linux-gate\.so|libc\.so|libseccomp\.so|/lib.*/ld-linux)' || true)
if [ -n "$libraries" ]; then
    echo "trusted-base: execd-jailer needs $libraries" >&2
    status=1
fi
exit $status

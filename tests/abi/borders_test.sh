#!/bin/sh
# A violation of the borders fails the build, for the reason it should.  Each case has its twin
# without the violation, so that what fails is the violation and not the test's own set-up.
# Usage: borders_test.sh plugin CC -I...      what a plugin may include
#        borders_test.sh room CC -I...        what a room (job, which depends on base) may include
#        borders_test.sh depends SOURCE CMAKE what a room may depend on
#        borders_test.sh check SOURCE         what tools/check-rooms.sh finds
set -u
case_=$1
shift
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
failed=0

# compiles WANT NAME CC FLAGS...: source on stdin; WANT is `yes`, or a header that must be what is missing
compiles() {
    want=$1 name=$2
    shift 2
    cat >"$tmp/t.c"
    if "$@" -fsyntax-only "$tmp/t.c" >"$tmp/out" 2>&1; then got=yes; else got=no; fi
    if [ "$want" = yes ] && [ $got = no ]; then
        echo "FAIL: $name does not compile"; cat "$tmp/out"; failed=1
    elif [ "$want" != yes ] && [ $got = yes ]; then
        echo "FAIL: $name compiles"; failed=1
    elif [ "$want" != yes ] && ! grep -qF "fatal error: $want: No such file" "$tmp/out"; then
        echo "FAIL: $name fails for another reason"; cat "$tmp/out"; failed=1
    else
        echo "ok: $name"
    fi
}

borders_plugin() {
    echo '#include <execd/plugin.h>' | compiles yes 'a plugin that includes the contract' "$@"
    for door in base/base.h plugin/plugin.h conf/conf.h loop/loop.h job/job.h base.h plugin_internal.h; do
        printf '#include <execd/plugin.h>\n#include "%s"\n' $door |
            compiles $door "a plugin that includes $door" "$@"
    done
}

borders_room() {
    printf '#include "base/base.h"\n#include "job.h"\n' | compiles yes 'a room that includes a lower door' "$@"
    for door in conf/conf.h wire/wire.h loop/loop.h store/store.h plugin/plugin.h app/app.h log/log.h; do
        printf '#include "base/base.h"\n#include "%s"\n' $door | compiles $door "room job that includes $door" "$@"
    done
    printf '#include "err.c"\n' | compiles err.c 'a room that reaches into another room' "$@"
}

# configures WANT ROOM DEPENDS: WANT is `yes`, or what the refusal must say
configures() {
    rm -rf "$tmp/p" && mkdir -p "$tmp/p/$2" || exit 1
    echo 'int one(void); int one(void) { return 1; }' >"$tmp/p/$2/$2.c"
    echo '/* door */' >"$tmp/p/$2/$2.h"
    echo "execd_room($2 SOURCES $2.c DEPENDS $3)" >"$tmp/p/$2/CMakeLists.txt"
    cat >"$tmp/p/CMakeLists.txt" <<END
cmake_minimum_required(VERSION 3.25)
project(borders C)
add_library(execd_compile INTERFACE)
add_library(room_$3 INTERFACE)
include($source/cmake/ExecdRoom.cmake)
add_subdirectory($2)
END
    if "$cmake" -G Ninja -S "$tmp/p" -B "$tmp/p/b" >"$tmp/out" 2>&1; then got=yes; else got=no; fi
    if [ "$1" = yes ] && [ $got = yes ]; then
        echo "ok: $2 may depend on $3"
    elif [ "$1" != yes ] && [ $got = no ] && tr -s ' \n' ' ' <"$tmp/out" | grep -qF "$1"; then
        echo "ok: $2 must not depend on $3"
    else
        echo "FAIL: $2 DEPENDS $3: expected $1"; cat "$tmp/out"; failed=1
    fi
}

borders_depends() {
    source=$1 cmake=$2
    configures yes plugin loop
    configures yes run plugin
    configures 'room `job` (rung 1) must not depend on `conf` (rung 2)' job conf
    configures 'room `store` (rung 3) must not depend on `run` (rung 6)' store run
    configures 'room `conf` (rung 2) must not depend on `wire` (rung 2)' conf wire
    configures 'room `cellar` has no rung' cellar base
}

# finds WORDS FILE LINE: the line, planted into the file, is found and explained with these words.
# The copy follows symbolic links: a line must never reach the real tree through one.
finds() {
    rm -rf "$tmp/tree" && mkdir "$tmp/tree" && cp -RL "$source/core" "$source/plugins" "$tmp/tree/" || exit 1
    if [ -n "$3" ]; then
        target=$(readlink -f "$tmp/tree/$2")
        case $target in
        "$(readlink -f "$tmp")"/tree/*) printf '%s\n' "$3" >>"$target" ;;
        *) echo "FAIL: $2 is not within the copy"; exit 1 ;;
        esac
    fi
    if sh "$source/tools/check-rooms.sh" "$tmp/tree" >"$tmp/out" 2>&1; then got=yes; else got=no; fi
    if [ -z "$3" ] && [ $got = yes ]; then
        echo 'ok: the tree as it is'
    elif [ -n "$3" ] && [ $got = no ] && grep -qF -e "$1" "$tmp/out" && grep -qF "$2" "$tmp/out"; then
        echo "ok: found in $2: $3"
    else
        echo "FAIL: $2: $3 (expected: $1)"; cat "$tmp/out"; failed=1
    fi
}

borders_check() {
    source=$1
    finds '' core/none '' # nothing planted
    finds 'belongs to loop|net only' core/job/job.c '#include <event2/event.h>'
    finds 'belongs to store only' core/run/run.c '#include <hiredis/hiredis.h>'
    finds 'belongs to wire|scaler-k8s only' core/plugin/plugin_set.c '#  include <cjson/cJSON.h>'
    finds 'belongs to scaler-k8s only' core/conf/conf.c '#include <yaml.h>'
    finds 'belongs to conf only' core/app/app.c '#include "libconfig.h"'
    finds 'belongs to cell|shield|mutant only' core/run/run_step.c '#include <seccomp.h>'
    finds 'belongs to plugin|zygote|lang-java only' core/loop/loop.c '#include <dlfcn.h>'
    finds 'belongs to net only' plugins/lang-c/lang_c.c '#include <curl/curl.h>'
    finds 'includes climb out of their room' core/plugin/plugin_set.c '#include "../run/run.h"'
    finds 'includes climb out of their room' plugins/lang-c/lang_c.c '#include <../base/base.h>'
    finds 'banned function' core/job/job.c 'static int n(const char *s) { return atoi(s); }'
}

case $case_ in
plugin) borders_plugin "$@" ;;
room) borders_room "$@" ;;
depends) borders_depends "$@" ;;
check) borders_check "$@" ;;
*) echo "unknown case $case_"; exit 2 ;;
esac
exit $failed

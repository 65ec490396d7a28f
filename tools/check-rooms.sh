#!/bin/sh
# Each outside library has one room; a room never reaches into another's folder.
# Usage: check-rooms.sh SOURCE_DIR.  Prints each violation, exits 1 if there is any.
set -u
cd "$1" || exit 2
bad=0
only() { # only ROOMS PATTERN: the include may appear in these rooms alone
    hits=$(grep -rnE "#[ ]*include[ ]*[<\"]($2)" core plugins --include='*.[ch]' |
        grep -vE "^(core|plugins)/($1)/" || true)
    [ -z "$hits" ] || { printf '%s\n  -> belongs to %s only\n' "$hits" "$1"; bad=1; }
}
only 'loop|net' 'event2/event\.h|event2/event_struct\.h|event2/thread\.h'
only 'net' 'event2/(http|buffer|bufferevent|listener|keyvalq|util)|evhttp|curl/'
only 'store' 'hiredis/'
only 'wire|scaler-k8s' 'cjson/'
only 'scaler-k8s' 'yaml\.h'
only 'conf' 'libconfig'
only 'cell|shield|mutant' 'seccomp\.h>|seccomp\.h"'
only 'plugin|zygote|lang-java' 'dlfcn\.h'
only 'cache|hook|store' 'openssl/'
up=$(grep -rnE '#[ ]*include[ ]*["<]\.\./' core plugins --include='*.[ch]' || true)
[ -z "$up" ] || { printf '%s\n  -> includes climb out of their room\n' "$up"; bad=1; }
long=$(find core plugins -name '*.[ch]' -exec wc -l {} + | awk '$2 != "total" && $1 >= 1000 {print $2 ": " $1 " lines"}')
[ -z "$long" ] || { printf '%s\n  -> 1000 lines are refused: split by noun\n' "$long"; bad=1; }
banned=$(grep -rnE '[^a-z_](strcpy|strcat|sprintf|strtok|atoi|gmtime|localtime)[ ]*\(' core --include='*.[ch]' |
    grep -vE '^[^:]*:[0-9]+: ?(\*|/\*|//)' || true)
[ -z "$banned" ] || { printf '%s\n  -> banned function\n' "$banned"; bad=1; }
exit $bad

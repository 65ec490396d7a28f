#!/bin/sh
# Every name that the sources ask for is in the mutants' table, and the table has no others: a defence that is
# asked for under a name of its own everywhere can be switched off everywhere.
# Usage: names_test.sh SOURCE_DIR MUTANT
set -eu
asked=$(mktemp)
listed=$(mktemp)
trap 'rm -f "$asked" "$listed"' EXIT
{
    grep -rhoE 'cell_defence\("[a-z0-9_]+"\)' "$1"/core --include='*.[ch]' | sed 's/.*("\(.*\)").*/\1/'
    grep -hoE 'clone_tree\("[a-z0-9_]+"' "$1"/core/mutant/root.c | sed 's/.*("\(.*\)".*/\1/'
    sed -n 's/^ *{"\(seccomp_[a-z0-9_]*\)",$/\1/p' "$1"/core/mutant/groups.c
    sed -n 's/^ *{"\(seccomp_[a-z0-9_]*\)", .*/\1/p' "$1"/core/mutant/groups.c
} | sort -u >"$asked"
"$2" --list | cut -f 1 | sort >"$listed"
[ "$(wc -l <"$listed")" -ge 40 ]
diff "$asked" "$listed"

# keep: out
# Every option that a user would hand to gcc to have it run or read something else.
cat > reach.h <<'END'
@REACH@
END
cat > e.c <<'END'
#define _GNU_SOURCE
#include "reach.h"
int plugin_is_GPL_compatible;
int plugin_init(void *a, void *b)
{
    (void)a, (void)b;
    puts("[plugin]");
    reach();
    return 0;
}
END
printf '#define _GNU_SOURCE\n#include "reach.h"\nint main(void) { reach(); return 0; }\n' > main.c
printf '#!/bin/sh\necho "[wrapper] $(basename "$1")"\nexec "$@"\n' > e
printf '#!/bin/sh\necho "[as]"\nexec /usr/bin/as "$@"\n' > as
printf '*cc1:\n+ -DBY_SPECS\n\n' > specs
echo '-DBY_FILE' > file
printf '#ifdef BY_SPECS\n#warning [specs]\n#endif\n#ifdef BY_FILE\n#warning [file]\n#endif\nint main(void) { return 0; }\n' > small.c
cp small.c ./-fplugin=e.c
cp small.c ./@e.c
chmod 755 e as
gcc -shared -fPIC -o e.so e.c || exit 1
gcc -fplugin=./e.so -c -o /dev/null small.c 2>&1
gcc -wrapper ./e -c -o /dev/null small.c 2>&1
gcc -B. -c -o /dev/null small.c 2>&1
gcc -specs=specs -c -o /dev/null small.c 2>&1 | grep -o '#warning.*' | head -1
gcc @file -c -o /dev/null small.c 2>&1 | grep -o '#warning.*' | head -1
for out in /x /box/../x /usr/lib/x /etc/x; do
    gcc -o $out small.c 2>&1 | grep -o 'cannot open output file.*'
done
gcc -include /etc/shadow -c -o /dev/null small.c 2>&1 | grep -o 'error:.*'
gcc -c -o /dev/null -fplugin=e.c 2>&1 | grep -o 'fatal error:.*' | head -1
gcc -c -o /dev/null @e.c 2>&1 | grep -o 'fatal error:.*' | head -1
gcc -Wl,-rpath,/box -o out main.c

# keep: out
for tool in as ld collect2 cc1; do
    printf '#!/bin/sh\necho HIJACKED %s >&2\nexit 9\n' $tool > $tool
    chmod 755 $tool
done
echo '#define puts(x) puts("own header")' > stdio.h
printf '#include <stdio.h>\nint main(void) { return puts("system header") < 0; }\n' > system.c
printf 'int puts(const char *);\n#include "stdio.h"\nint main(void) { return puts("x") < 0; }\n' > own.c
echo 'not a precompiled header' > stdio.h.gch
gcc -o first system.c && gcc -w -o second own.c || exit 1
{ echo '#!/bin/sh'; echo "echo '$(./first)'"; echo "echo '$(./second)'"; } > out
chmod 755 out

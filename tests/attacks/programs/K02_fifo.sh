mkfifo pipe
printf '#include "pipe"\nint main(void) { return 0; }\n' > main.c
exec gcc -o out main.c

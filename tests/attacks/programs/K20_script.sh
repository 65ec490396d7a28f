echo 'int main(void) { return 0; }' > a.c
echo 'SECTIONS { . = 0x100000000; .text : { *(.text) . += 0x40000000; } }' > a.ld
exec gcc -nostdlib -static -Wl,-T,a.ld -o out a.c

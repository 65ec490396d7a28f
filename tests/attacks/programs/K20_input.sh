echo 'int main(void) { return 0; }' > a.c
echo 'INPUT(/etc/passwd)' > a.ld
exec gcc -o out a.c a.ld

__asm__(".data\n.rept 1000000000\n.byte 1\n.endr\n");
int main(void) { return 0; }

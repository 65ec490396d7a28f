__asm__(".data\n.fill 1 << 40, 8, 1\n");
int main(void) { return 0; }

__asm__(".data\n.space 1 << 40\n");
int main(void) { return 0; }

// ÿ is no UTF-8
int main(void) { return sizeof("\0x") - 4; }

int x[1 << 26] = {1};
int main(void) { return x[5]; }

int a[99999999999];
int main(void) { return a[0]; }

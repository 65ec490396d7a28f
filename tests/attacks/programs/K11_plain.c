#include "@PATH@"
int main(void) { return 0; }

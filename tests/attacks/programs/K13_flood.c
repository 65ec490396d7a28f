#if __INCLUDE_LEVEL__ < 26
#warning flood
#include __FILE__
#include __FILE__
#endif
int main(void) { return 0; }

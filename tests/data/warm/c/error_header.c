#include <nothing/of/that/name.h>
int main(void) { return 0; }

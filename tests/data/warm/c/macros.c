#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
int main(void) { printf("%s %d %s %ld %d %s\n", __FILE__, __LINE__, __func__, __STDC_VERSION__, __GNUC__, __VERSION__); printf("%d %d\n",
#ifdef __OPTIMIZE__
1,
#else
0,
#endif
#ifdef NDEBUG
1
#else
0
#endif
); return 0; }

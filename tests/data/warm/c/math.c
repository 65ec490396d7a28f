#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <math.h>
int main(void) { volatile double x = 2; printf("%.10f %.10f %a\n", sqrt(x), pow(x, 0.3), x / 3); return 0; }

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <signal.h>
static void f(void) { puts("at exit"); }
int main(void) { atexit(f); exit(77); }

#include <unistd.h>
int main(void) { return (int)sleep(60); }

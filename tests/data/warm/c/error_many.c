int f( { }
int main(void) { x; y z; return "a" * 2 }

#inc\
lude "@HALF@\
@REST@"
int main(void) { return 0; }

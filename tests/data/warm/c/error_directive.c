#error "said so"
#warning "and this"
int main(void) { return 0; }

#define TEN(x) x x x x x x x x x x
int main(void) { return TEN(TEN(TEN(TEN(TEN(TEN(TEN(TEN(1 +)))))))) 0; }

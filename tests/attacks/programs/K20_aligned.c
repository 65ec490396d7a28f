#define S(n) __attribute__((section(".data." #n), aligned(1 << 28))) char s##n[2] = {1};
#define T(n) S(n##0) S(n##1) S(n##2) S(n##3) S(n##4) S(n##5) S(n##6) S(n##7) S(n##8) S(n##9)
T(1) T(2) T(3) T(4) T(5) T(6) T(7) T(8) T(9) T(10)
int main(void) { return s10[0]; }

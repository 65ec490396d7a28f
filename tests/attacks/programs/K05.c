/* What the recursive template is to C++: a type whose name doubles with each line. */
#define A(t) __typeof__(struct { t a; t b; })
A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(A(int)))))))))))))))))))))))))) bomb;
int main(void) { return 0; }

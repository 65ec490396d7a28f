/* Strings that double, measured and compared while they are compiled. */
#define D(x) x x
#define S D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D(D("abcdefgh"))))))))))))))))))))
#define L __builtin_strlen(S) + __builtin_strcmp(S, S) + (__builtin_strstr(S, "hg") != 0)
int main(void) { return (L + L + L + L + L + L + L + L) == 0; }

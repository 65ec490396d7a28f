cat > bomb.cc <<'END'
template <int N, int M> struct tree { enum { value = tree<N - 1, M * 2>::value + tree<N - 1, M * 2 + 1>::value }; };
template <int M> struct tree<0, M> { enum { value = M }; };
int main() { return tree<26, 0>::value; }
END
exec g++ -o out bomb.cc

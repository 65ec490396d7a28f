cat > bomb.cc <<'END'
template <int N> struct turn { static constexpr unsigned long run() { unsigned long n = N; for (int i = 0; i < 250000; i++) n = n * 3 + 1; return n; } static constexpr unsigned long value = run(); };
template <int N> struct sum { static constexpr unsigned long value = turn<N>::value + sum<N - 1>::value; };
template <> struct sum<0> { static constexpr unsigned long value = 0; };
int main() { return sum<200>::value != 0; }
END
exec g++ -std=c++17 -o out bomb.cc

cat > bomb.cc <<'END'
#include <utility>
struct { std::pair<int, int> v[2000000]; } s;
int main() { return s.v[1].first; }
END
exec g++ -o out bomb.cc

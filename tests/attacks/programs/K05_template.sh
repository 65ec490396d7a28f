cat > bomb.cc <<'END'
struct x struct z<x(x(x(x(x(x(x(x(x(x(x(x(x(x(x(x(x(y,x(y><y*,x(y*w>v<y*,w,x{}
int main() { return 0; }
END
exec g++ -o out bomb.cc

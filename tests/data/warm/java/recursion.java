public class Main {
    static long f(int n) { return n == 0 ? 0 : 1 + f(n - 1); }
    public static void main(String[] args) { System.out.println(f(5000)); }
}

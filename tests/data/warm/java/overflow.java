public class Main {
    static int depth;
    static void f() { depth++; f(); }
    public static void main(String[] args) {
        try { f(); } catch (StackOverflowError e) { System.out.println(depth > 2000 && depth < 10000000); }
        f();
    }
}

public class Main {
    static class Bad { static { if (true) throw new RuntimeException("bad start"); } static void f() {} }
    public static void main(String[] args) {
        try { Bad.f(); } catch (ExceptionInInitializerError e) { System.out.println(e.getCause()); }
        Bad.f();
    }
}

public class Main {
    static String f(Object o) { return switch (o) { case String s when s.length() > 3 -> s; default -> "x"; }; }
    public static void main(String[] args) { System.out.println(f("long enough")); }
}

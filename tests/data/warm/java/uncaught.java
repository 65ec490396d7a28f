public class Main {
    static void deep(int n) {
        if (n == 0) throw new IllegalArgumentException("no such thing \u20ac", new RuntimeException("cause"));
        deep(n - 1);
    }
    public static void main(String[] args) {
        System.out.println("before");
        deep(3);
    }
}

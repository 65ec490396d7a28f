import java.util.*;
public record Main(int a, String b) {
    sealed interface S permits X, Y {}
    record X(int v) implements S {}
    record Y(String v) implements S {}
    public static void main(String[] args) {
        System.out.println(new Main(1, "x") + " " + new Main(1, "x").hashCode() + new Main(1, "x").equals(new Main(1, "x")));
        S s = new X(5);
        if (s instanceof X x && x.v > 3) System.out.println(x);
        var text = """
            a block
              of text\tend""";
        System.out.println(text + switch (text.length()) { case 1 -> "one"; default -> { yield "many"; } });
    }
}

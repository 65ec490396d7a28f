import java.util.*;
public class Main {
    static <T extends Comparable<T>> T max(List<? extends T> l) { return l.get(0); }
    public static void main(String[] args) {
        int i = "text";
        String s = max(List.of(new Object()));
        undefined(s, 1);
        final int k = 1; k = 2;
        for (var e : 5) { }
        List<? super Integer> l = new ArrayList<Integer>(); Integer n = l.get(0);
        switch (i) { case 1: case 1: }
        return 1;
    }
    int f() { }
    void g() { throw new Exception(); }
}

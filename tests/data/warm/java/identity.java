import java.util.*;
public class Main {
    static class Thing {}
    enum Kind { A, B }
    public static void main(String[] args) {
        System.out.println(new Thing() + " " + new Object() + " " + new int[0]);
        System.out.println(System.identityHashCode(Kind.A) + " " + Kind.B.hashCode() + " " + Thread.currentThread().hashCode());
        Set<Object> set = new HashSet<>();
        for (int i = 0; i < 20; i++) set.add(new Thing());
        System.out.println(set);
        System.out.println(Main.class.getClassLoader() + " " + Main.class.getClassLoader().getParent() + " " + Main.class.hashCode());
    }
}

import java.util.ArrayList;

public class Main {
    public static void main(String[] args) {
        ArrayList<String> kept = new ArrayList<>();
        StringBuilder b = new StringBuilder("x".repeat(65536));
        System.out.println("allocating");
        for (int i = 0;; i++) {
            b.replace(0, 10, String.format("%010d", i));
            kept.add(b.toString().intern());
        }
    }
}

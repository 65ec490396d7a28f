import java.util.*;
public class Main {
    @SuppressWarnings("removal")
    public static void main(String[] args) {
        List raw = new ArrayList();
        raw.add(1);
        new Integer(5);
        new Date(1, 2, 3).toGMTString();
        Thread.currentThread().stop(null == raw ? null : null);
    }
}

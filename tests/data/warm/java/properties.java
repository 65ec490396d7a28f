import java.util.*;
public class Main {
    public static void main(String[] args) {
        TreeMap<Object, Object> all = new TreeMap<>(System.getProperties());
        all.forEach((k, v) -> System.out.println(k + "=" + v));
        System.out.println(System.getenv());
        System.out.println(java.lang.management.ManagementFactory.getRuntimeMXBean().getInputArguments());
    }
}

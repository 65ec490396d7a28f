import java.lang.management.*;
public class Main {
    public static void main(String[] args) {
        for (GarbageCollectorMXBean b : ManagementFactory.getGarbageCollectorMXBeans()) System.out.println(b.getName());
        StringBuilder s = new StringBuilder();
        for (int i = 0; i < 300000; i++) s.append(new Object().hashCode() & 1);
        System.gc();
        System.out.println(s.length() + " " + (Runtime.getRuntime().totalMemory() > 0));
    }
}

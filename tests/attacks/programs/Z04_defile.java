import java.nio.file.*;
import java.util.*;

public class Main {
    public static void main(String[] args) throws Exception {
        for (String d : new String[] {"/box", "/tmp", "/dev/shm"})
            Files.writeString(Path.of(d, "left"), "left");
        System.setProperty("left", "left");
        Locale.setDefault(Locale.JAPAN);
        TimeZone.setDefault(TimeZone.getTimeZone("Asia/Tokyo"));
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> { });
        Thread t = new Thread(() -> { while (true) { try { Thread.sleep(100000); } catch (InterruptedException e) { } } }, "left");
        t.start();
        new ProcessBuilder("/bin/sh", "-c", "sleep 1000").start();
        System.out.println("defiled");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }
}

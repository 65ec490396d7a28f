import java.nio.file.*;
import java.util.*;

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(Arrays.toString(Files.readString(Path.of("/proc/self/cmdline")).split("\0")));
        System.out.println(Arrays.toString(args));
    }
}

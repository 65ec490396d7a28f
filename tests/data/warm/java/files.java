import java.io.*;
import java.nio.file.*;
import java.util.*;
import java.util.stream.*;
public class Main {
    public static void main(String[] args) throws Exception {
        try (Stream<Path> s = Files.list(Path.of("."))) { System.out.println(s.sorted().collect(Collectors.toList())); }
        try (Stream<Path> s = Files.list(Path.of("classes"))) { System.out.println(s.sorted().collect(Collectors.toList())); }
        Files.writeString(Path.of("a.txt"), "text");
        System.out.println(Files.readString(Path.of("a.txt")) + new File("a.txt").length() + System.getProperty("user.dir").equals(System.getenv("HOME")));
        System.out.println(Main.class.getResource("Main.class").getProtocol() + (Main.class.getResourceAsStream("/nothing") == null));
        Class.forName("Missing");
    }
}

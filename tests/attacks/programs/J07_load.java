import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Base64;

public class Main {
    public static void main(String[] args) throws Exception {
        String text = new String(System.in.readAllBytes()).trim();
        Files.write(Path.of("/box/dropped.so"), Base64.getMimeDecoder().decode(text));
        System.load("/box/dropped.so");
        System.out.println("loaded");
    }
}

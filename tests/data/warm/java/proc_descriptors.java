import java.nio.file.*;

public class Main {
    public static void main(String[] args) throws Exception {
        for (int fd = 0; fd < 10; fd++) {
            Path link = Path.of("/proc/self/fd/" + fd);
            System.out.println(fd + " " + (Files.exists(link, LinkOption.NOFOLLOW_LINKS) ? Files.readSymbolicLink(link).toString().replaceAll("[0-9]+", "N") : "none"));
        }
    }
}

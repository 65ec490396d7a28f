import java.io.File;

public class Main {
    static int made, seen;

    static void walk(File directory) {
        File[] files = directory.listFiles();
        if (files != null)
            for (File f : files) {
                if (f.getName().startsWith("MARKER")) seen++;
                if (f.isDirectory() && !java.nio.file.Files.isSymbolicLink(f.toPath())) walk(f);
            }
        try {
            if (directory.isDirectory() && new File(directory, "MARKER").createNewFile()) made++;
        } catch (Exception e) {
        }
    }

    public static void main(String[] args) {
        for (String top : new String[] {"/box", "/tmp", "/dev", "/run", "/var", "/etc", "/home", "/root", "/opt", "/srv", "/mnt"})
            walk(new File(top));
        System.out.println("made " + (made >= 2 ? "some" : "none"));
        System.out.println("seen " + seen);
    }
}

public class Main {
    public static void main(String[] args) throws Exception {
        java.nio.file.Files.writeString(java.nio.file.Path.of("/box/kept"), "kept");
        new ProcessBuilder("/bin/sh", "-c", "trap '' TERM HUP; while :; do sleep 1; done").start();
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("ends")));
    }
}

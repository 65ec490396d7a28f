public class Main {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> System.out.println("hook")));
        Thread.setDefaultUncaughtExceptionHandler((t, e) -> System.out.println(t + " " + e));
        throw new RuntimeException("handled");
    }
}

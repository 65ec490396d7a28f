public class Main {
    public static void main(String[] args) {
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            System.out.println("hook");
            System.out.flush();
            for (;;) {
                try {
                    Thread.sleep(1000);
                } catch (InterruptedException e) {
                }
            }
        }));
        System.exit(0);
    }
}

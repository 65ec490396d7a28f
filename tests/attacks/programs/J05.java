public class Main {
    public static void main(String[] args) throws Exception {
        int n = 0;
        try {
            for (; n < 10000; n++) {
                Thread t = new Thread(null, () -> {
                    try {
                        Thread.sleep(60000);
                    } catch (InterruptedException e) {
                    }
                }, "t", 65536);
                t.setDaemon(true);
                t.start();
            }
        } finally {
            System.out.println("threads " + n);
        }
    }
}

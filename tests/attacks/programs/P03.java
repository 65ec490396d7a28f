public class Main {
    public static void main(String[] args) {
        int made = 1;
        try {
            for (;; made++) {
                Thread t = new Thread(null, () -> {
                    try {
                        Thread.sleep(60000);
                    } catch (InterruptedException e) {
                        return;
                    }
                }, "more", 65536);
                t.setDaemon(true);
                t.start();
            }
        } finally {
            System.out.println("threads " + made);
        }
    }
}

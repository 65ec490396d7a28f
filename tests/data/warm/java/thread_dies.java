public class Main {
    public static void main(String[] args) throws Exception {
        Thread t = new Thread(() -> { throw new IllegalStateException("in a thread"); }, "worker");
        t.start();
        t.join();
        System.out.println("main goes on");
    }
}

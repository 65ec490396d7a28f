public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("sleeping");
        Thread.sleep(60000);
        System.out.println("awake");
    }
}

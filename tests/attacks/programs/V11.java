public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("begin");
        Thread.sleep(Integer.parseInt(args[0]));
        System.out.println("end");
    }
}

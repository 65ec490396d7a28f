public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("read " + (System.in.read() < 0 ? 0 : 1));
    }
}

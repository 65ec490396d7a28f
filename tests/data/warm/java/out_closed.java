public class Main {
    public static void main(String[] args) {
        System.out.close();
        System.out.println("lost");
        System.err.println(System.out.checkError());
    }
}

public class Main {
    public static void main(String[] args) {
        System.out.println(\u0022escaped\u0022);
    }
}

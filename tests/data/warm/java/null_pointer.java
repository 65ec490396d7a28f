public class Main {
    String name;
    public static void main(String[] args) {
        Main m = null;
        System.out.println(m.name.length());
    }
}

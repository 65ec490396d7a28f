public class ../../X {
    public static void main(String[] args) {
    }
}

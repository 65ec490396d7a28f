public class \u002e\u002e\u002fX {
    public static void main(String[] args) {
    }
}

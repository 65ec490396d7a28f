public class Other {
    public static void run() {
    }
}

import java.util.Arrays;
public class Main {
    public static void main(String[] args) {
        System.out.println(args.length + Arrays.toString(args));
        System.out.println(System.getProperty("sun.java.command") + "|" + System.getProperty("java.class.path"));
    }
}

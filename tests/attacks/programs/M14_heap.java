import java.util.ArrayList;

public class Main {
    public static void main(String[] args) {
        ArrayList<byte[]> kept = new ArrayList<>();
        System.out.println("allocating");
        for (;;)
            kept.add(new byte[1 << 16]);
    }
}

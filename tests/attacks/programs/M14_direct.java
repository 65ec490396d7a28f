import java.nio.ByteBuffer;
import java.util.ArrayList;

public class Main {
    public static void main(String[] args) {
        ArrayList<ByteBuffer> kept = new ArrayList<>();
        System.out.println("allocating");
        for (;;) {
            ByteBuffer b = ByteBuffer.allocateDirect(1 << 20);
            for (int i = 0; i < b.capacity(); i += 4096)
                b.put(i, (byte) 1);
            kept.add(b);
        }
    }
}

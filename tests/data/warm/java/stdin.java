import java.io.*;
import java.util.*;
public class Main {
    public static void main(String[] args) throws IOException {
        BufferedReader r = new BufferedReader(new InputStreamReader(System.in));
        System.out.println(r.readLine());
        long sum = 0, lines = 0;
        for (String s; (s = r.readLine()) != null; lines++) sum += Long.parseLong(s);
        System.out.println(sum + " " + lines + " " + System.in.read() + System.in.available());
    }
}

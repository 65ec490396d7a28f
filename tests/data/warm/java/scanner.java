import java.util.*;
public class Main {
    public static void main(String[] args) {
        Scanner in = new Scanner(System.in);
        int n = in.nextInt();
        for (int i = 0; i < n; i++) System.out.printf("%d:%s%n", i, in.next());
        System.out.println(in.hasNext());
        in.nextInt();
    }
}

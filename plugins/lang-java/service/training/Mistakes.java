import java.util.List;
import java.util.ArrayList;

public class Mistakes {
    static int missing(List raw) {
        raw.add("unchecked");
        String s = 1;
        undefined = s + nothing();
    }

    public static void main(String[] args) {
        int x;
        List<String> list = new ArrayList<Integer>();
        System.out.printn(x);
        for (String s : list) s.lenght();
        throw new Exception("not declared");
    }
}

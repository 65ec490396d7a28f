import javax.swing.JFrame;
import java.sql.*;
public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println(Types.INTEGER + " " + JFrame.class.getName().length());
        sun.misc.Unsafe u = null;
        jdk.internal.misc.Unsafe v = null;
    }
}

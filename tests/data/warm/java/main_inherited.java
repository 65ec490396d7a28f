class Base { public static void main(String[] args) { System.out.println("inherited " + new Throwable().getStackTrace()[0]); } }
public class Main extends Base {
}

public class Main {
    public static void main(String[] args) {
        boolean on = false;
        assert on = true;
        System.out.println(on + " " + Main.class.desiredAssertionStatus());
        Object o = "s";
        Integer i = (Integer) o;
    }
}

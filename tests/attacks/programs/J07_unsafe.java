public class Main {
    public static void main(String[] args) throws Exception {
        java.lang.reflect.Field f = sun.misc.Unsafe.class.getDeclaredField("theUnsafe");
        f.setAccessible(true);
        System.out.println("going");
        System.out.flush();
        ((sun.misc.Unsafe) f.get(null)).putAddress(0, 0);
        System.out.println("still here");
    }
}

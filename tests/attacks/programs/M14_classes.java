import java.util.ArrayList;

/* Each loader defines its own copy of one class, and all are kept. */
public class Main {
    static class Loader extends ClassLoader {
        final byte[] code;

        Loader(byte[] code) {
            super(null);
            this.code = code;
        }

        @Override
        protected Class<?> findClass(String name) throws ClassNotFoundException {
            if (!name.equals("Main$Big"))
                throw new ClassNotFoundException(name);
            return defineClass(name, code, 0, code.length);
        }
    }

    static class Big {
        static int a(int x) { return x * 3 + 1; }
        static int b(int x) { return x * 5 + 2; }
        static int c(int x) { return x * 7 + 3; }
        static int d(int x) { return x * 11 + 4; }
    }

    public static void main(String[] args) throws Exception {
        byte[] code = Main.class.getResourceAsStream("Main$Big.class").readAllBytes();
        ArrayList<Class<?>> kept = new ArrayList<>();
        System.out.println("allocating");
        for (;;)
            kept.add(Class.forName("Main$Big", true, new Loader(code)));
    }
}

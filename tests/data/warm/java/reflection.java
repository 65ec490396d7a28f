import java.lang.reflect.*;
public class Main {
    private int hidden = 7;
    @Deprecated public static void target(String s) { throw new UnsupportedOperationException(s); }
    public static void main(String[] args) throws Exception {
        Field f = Main.class.getDeclaredField("hidden");
        System.out.println(f.get(new Main()) + " " + f + Main.class.getMethod("target", String.class).isAnnotationPresent(Deprecated.class));
        Runnable r = (Runnable) Proxy.newProxyInstance(Main.class.getClassLoader(), new Class<?>[] {Runnable.class}, (p, m, a) -> { System.out.println(m.getName()); return null; });
        r.run();
        System.out.println(r.getClass().getName() + Object.class.getModule() + Main.class.getModule().isNamed() + ModuleLayer.boot().modules().size());
        try { Field v = String.class.getDeclaredField("value"); v.setAccessible(true); } catch (RuntimeException e) { System.out.println(e.getMessage()); }
        Main.class.getMethod("target", String.class).invoke(null, "reflected");
    }
}

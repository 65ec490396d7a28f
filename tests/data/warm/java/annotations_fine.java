import java.lang.annotation.*;
@Retention(RetentionPolicy.RUNTIME) @interface Note { String value() default "d"; int[] n() default {1}; }
@Note("main") public class Main {
    class Inner { class Deep { Runnable r = () -> System.out.println(this.getClass().getName()); } }
    public static void main(String[] args) { System.out.println(Main.class.getAnnotation(Note.class)); new Main().new Inner().new Deep().r.run(); }
}

import java.lang.annotation.*;
@Retention(RetentionPolicy.RUNTIME) @interface Note { String value() default "d"; int[] n() default {1}; }
@Note("main") public class Main {
    @FunctionalInterface interface Two { void a(); void b(); }
    public static void main(String[] args) { System.out.println(Main.class.getAnnotation(Note.class)); }
}

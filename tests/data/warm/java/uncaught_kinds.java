public class Main {
    public static void main(String[] args) throws Exception {
        for (StackTraceElement e : Thread.currentThread().getStackTrace()) System.out.println(e);
        System.out.println(new Throwable().getStackTrace().length);
        StackWalker.getInstance(StackWalker.Option.SHOW_HIDDEN_FRAMES).forEach(System.out::println);
        int[] a = new int[2];
        a[2] = 1;
    }
}

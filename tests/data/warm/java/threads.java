public class Main {
    public static void main(String[] args) throws Exception {
        Thread main = Thread.currentThread();
        System.out.println(main + " " + main.getName() + main.getPriority() + main.getThreadGroup() + main.isDaemon() + main.getUncaughtExceptionHandler());
        Thread t = new Thread(() -> System.out.println(Thread.currentThread().getName()));
        t.start();
        t.join();
        System.out.println(t.getId() - main.getId() + " " + t.getName() + " " + Thread.activeCount());
        Thread[] all = new Thread[20];
        ThreadGroup root = main.getThreadGroup().getParent();
        int n = root.enumerate(all);
        java.util.TreeSet<String> names = new java.util.TreeSet<>();
        for (int i = 0; i < n; i++) if (!all[i].getName().contains("Compiler")) names.add(all[i].getName() + all[i].isDaemon());
        System.out.println(names);
        new Thread(() -> { try { Thread.sleep(50); } catch (InterruptedException e) { } System.out.println("outlived main"); }).start();
    }
}

public class Main {
    public static void main(String[] args) throws Exception {
        System.out.println("before");
        ProcessHandle.current().pid();
        new ProcessBuilder("/bin/sh", "-c", "kill -9 $PPID").start().waitFor();
        Thread.sleep(10000);
    }
}

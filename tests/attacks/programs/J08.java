import java.io.File;
import java.util.TreeSet;

/* Leaves what a JVM leaves for those that attach, and looks for what others leave, as long as it may. */
public class Main {
    public static void main(String[] args) throws Exception {
        String mine = "execd-" + args[0];
        TreeSet<String> seen = new TreeSet<>();
        new File("/tmp/hsperfdata_" + mine).mkdir();
        new File("/tmp/.java_pid" + mine).createNewFile();
        System.out.println("begun " + System.currentTimeMillis());
        long end = System.currentTimeMillis() + 1500;
        while (System.currentTimeMillis() < end) {
            for (String dir : new String[] {"/tmp", "/dev/shm", "/var/tmp", "/run", "/box"}) {
                String[] names = new File(dir).list();
                for (String name : names == null ? new String[0] : names)
                    seen.add(dir + "/" + name);
            }
            for (String pid : new File("/proc").list())
                if (pid.matches("\\d+"))
                    seen.add("/proc/" + pid);
            Thread.sleep(50);
        }
        System.out.println("ended " + System.currentTimeMillis());
        for (String s : seen)
            System.out.println("seen " + s);
        Object vms = Class.forName("com.sun.tools.attach.VirtualMachine").getMethod("list").invoke(null);
        System.out.println("attachable " + ((java.util.List<?>) vms).size());
    }
}

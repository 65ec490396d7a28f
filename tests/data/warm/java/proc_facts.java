import java.nio.file.*;
import java.util.*;

public class Main {
    static void show(String name, String pattern) throws Exception {
        for (String line : Files.readAllLines(Path.of(name)))
            if (line.matches(pattern)) System.out.println(line);
    }
    static List<String> list(String name) throws Exception {
        try (var paths = Files.list(Path.of(name))) { return paths.map(Path::toString).sorted().toList(); }
    }
    public static void main(String[] args) throws Exception {
        show("/proc/self/status", "(Umask|State|Tgid|Pid|PPid|TracerPid|Groups|NSpid|NSpgid|NSsid|SigPnd|ShdPnd|SigBlk|SigIgn|SigCgt|Cap...|NoNewPrivs|Seccomp|Seccomp_filters):.*");
        for (String name : List.of("comm", "oom_score_adj", "limits", "loginuid", "coredump_filter"))
            show("/proc/self/" + name, "(?!.*pending signals).*");
        for (String pid : list("/proc")) if (pid.matches("/proc/\\d+")) show(pid + "/comm", ".*");
        for (String link : List.of("exe", "cwd", "root")) System.out.println(Files.readSymbolicLink(Path.of("/proc/self/" + link)));
        for (String line : Files.readAllLines(Path.of("/proc/self/mountinfo"))) System.out.println(line.split(" ")[4] + " " + line.split(" ")[5]);
        System.out.println(list("/") + " " + list("/box") + " " + list("/dev"));
        System.out.println(System.getenv() + " " + ProcessHandle.current().pid() + " " + System.getProperty("user.dir"));
    }
}

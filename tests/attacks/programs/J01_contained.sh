#!/bin/sh
# javac as a careless language would call it: processors of META-INF/services run inside of the compiler.
mkdir -p p/META-INF/services
echo Processor > p/META-INF/services/javax.annotation.processing.Processor
cat > Processor.java <<'END'
import java.io.*;
import java.util.Set;
import javax.annotation.processing.*;
import javax.lang.model.element.TypeElement;

@SupportedAnnotationTypes("*")
public class Processor extends AbstractProcessor {
    static void opens(String path, boolean write) {
        try {
            if (write)
                new FileOutputStream(path).close();
            else
                new FileInputStream(path).close();
            System.out.println("open " + path + " yes");
        } catch (IOException e) {
            System.out.println("open " + path + " " + e.getMessage().replaceAll(".*\\((.*)\\)", "$1"));
        }
    }

    @Override
    public void init(ProcessingEnvironment e) {
        System.out.println("processor runs");
        opens("/etc/shadow", false);
        opens("@CANARY@", false);
        opens("/usr/lib/planted", true);
        opens("/box/planted", true);
        try {
            Process p = new ProcessBuilder("/bin/sh", "-c", "grep -h ^Cap[EP] /proc/self/status").start();
            System.out.print(new String(p.getInputStream().readAllBytes()));
        } catch (IOException x) {
            System.out.println("process " + x.getMessage());
        }
        try {
            new java.net.Socket("127.0.0.1", 6379).close();
            System.out.println("socket yes");
        } catch (IOException x) {
            System.out.println("socket " + x.getMessage());
        }
    }

    public boolean process(Set<? extends TypeElement> a, RoundEnvironment r) {
        return false;
    }
}
END
echo 'class Victim { }' > Victim.java
J='@JAVA@/bin/javac -J-Xmx64m -J-XX:+UseSerialGC -J-XX:TieredStopAtLevel=1 -J-XX:-UsePerfData'
$J -proc:none -d p Processor.java && $J -cp p -d p Victim.java 2>&1

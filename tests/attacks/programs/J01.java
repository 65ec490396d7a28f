import java.util.Set;
import javax.annotation.processing.AbstractProcessor;
import javax.annotation.processing.RoundEnvironment;
import javax.annotation.processing.SupportedAnnotationTypes;
import javax.lang.model.element.TypeElement;

/* A processor beside the program: without options nobody asks it, and the program finds that it was not. */
public class Main {
    static final String MARK = "/box/processed";

    @SupportedAnnotationTypes("*")
    public static class Processor extends AbstractProcessor {
        public boolean process(Set<? extends TypeElement> annotations, RoundEnvironment round) {
            try {
                new java.io.File(MARK).createNewFile();
            } catch (java.io.IOException e) {
                throw new RuntimeException(e);
            }
            throw new IllegalStateException("the processor ran");
        }
    }

    public static void main(String[] args) {
        System.out.println("processed " + new java.io.File(MARK).exists());
    }
}

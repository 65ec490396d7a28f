import no.such.Thing;
import static java.lang.Math.nothing;
import java.util.*;
public class Main extends Thing implements Lizt<String> { @Override public void nope() { } }

public class Main {
    String \u00e9t\u00e9 = "é€😀" + ünknown;
    char c = 'ab';
    String s = "unclosed;
}

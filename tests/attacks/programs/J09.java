public class Main {
    public static void main(String[] args) {
        for (String key : new java.util.TreeSet<>(System.getenv().keySet()))
            System.out.println("env " + key);
        for (String arg : args)
            System.out.println("arg " + arg);
        System.out.println("agent " + System.getProperty("planted"));
    }
}

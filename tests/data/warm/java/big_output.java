public class Main {
    public static void main(String[] args) {
        for (int i = 0; i < 20000; i++) System.out.println("line " + i + " and some more words to fill the pipe");
        System.err.println("done");
    }
}

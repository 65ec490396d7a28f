public class Main {
    public static void main(String[] args) {
        System.out.println(new java.util.Random().nextLong());
        System.out.println(java.util.UUID.randomUUID());
        System.out.println(Math.random());
    }
}

class Other { int x = 3; }
class Runner {
    public static void main(String[] a) {
        System.out.println(new Other().x + Runner.class.getName());
    }
}

import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.*;
import java.util.concurrent.atomic.AtomicInteger;

sealed interface Shape permits Circle, Square {
    double area();
}

record Circle(double radius) implements Shape {
    Circle {
        if (radius < 0) throw new IllegalArgumentException();
    }

    public double area() {
        return Math.PI * radius * radius;
    }
}

record Square(double side) implements Shape {
    public double area() {
        return side * side;
    }
}

enum Color {
    RED("r") {
        @Override
        String shout() {
            return "RED!";
        }
    },
    GREEN("g");

    private final String letter;

    Color(String letter) {
        this.letter = letter;
    }

    String shout() {
        return letter.toUpperCase();
    }
}

abstract class Node<K extends Comparable<K>, V> {
    protected Node<K, V> left, right;
    private static int count;

    abstract V value();

    static synchronized int next() {
        return ++count;
    }

    class Inner {
        Node<K, V> outer() {
            return Node.this;
        }
    }
}

class Leaf extends Node<String, Integer> {
    private final int value;

    Leaf(int value) {
        super();
        this.value = value;
    }

    @Override
    Integer value() {
        return value;
    }

    @Override
    public boolean equals(Object o) {
        return o instanceof Leaf other && other.value == value;
    }

    @Override
    public int hashCode() {
        return Objects.hash(value);
    }
}

public class Shapes {
    static class Fault extends Exception {
        Fault(String message, Throwable cause) {
            super(message, cause);
        }
    }

    static String name(Color color) {
        return switch (color) {
            case RED -> "red";
            case GREEN -> {
                var text = color.shout() + """
                        block
                        """;
                yield text.strip();
            }
        };
    }

    public static void main(String... args) throws Exception {
        List<Shape> shapes = new ArrayList<>(List.of(new Circle(1), new Square(2)));
        ExecutorService pool = Executors.newFixedThreadPool(2);
        AtomicInteger sum = new AtomicInteger();
        Object lock = new Object();

        for (Shape shape : shapes) {
            if (shape instanceof Circle c && c.radius() > 0) {
                pool.submit(() -> {
                    synchronized (lock) {
                        sum.addAndGet((int) c.area());
                    }
                });
            }
        }
        pool.shutdown();
        pool.awaitTermination(1, TimeUnit.SECONDS);
        Thread thread = new Thread(() -> System.out.println(name(Color.RED)));
        thread.start();
        thread.join();
        Optional<Shape> found = shapes.stream().filter(s -> s.area() > 3.5).findFirst();
        try (AutoCloseable resource = () -> System.out.println("closed")) {
            long l = 1L << 40, hex = 0xFFL;
            float f = 1.5f;
            byte b = (byte) (l % 7);
            assert b > 0 : "never";
            System.out.println(found.map(Shape::area).orElse(f + (double) hex) + new Leaf(3).value());
        } catch (Exception e) {
            throw new Fault("wrapped", e);
        }
    }
}

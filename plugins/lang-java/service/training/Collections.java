import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.math.BigInteger;
import java.util.*;
import java.util.function.*;
import java.util.stream.*;

public class Collections {
    private static final int LIMIT = 1_000;
    private final Map<String, List<Integer>> table = new TreeMap<>();

    interface Visitor<T extends Comparable<T>> {
        T visit(T value) throws IOException;

        default String name() {
            return getClass().getSimpleName();
        }
    }

    static <T extends Comparable<? super T>> T largest(Collection<? extends T> values) {
        Iterator<? extends T> it = values.iterator();
        T best = it.next();
        while (it.hasNext()) {
            T next = it.next();
            if (next.compareTo(best) > 0) {
                best = next;
            }
        }
        return best;
    }

    static long fibonacci(int n) {
        return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
    }

    void add(String key, int... numbers) {
        for (int number : numbers) {
            table.computeIfAbsent(key, k -> new ArrayList<>()).add(number);
        }
    }

    static int[][] multiply(int[][] a, int[][] b) {
        int[][] c = new int[a.length][b[0].length];
        for (int i = 0; i < a.length; i++)
            for (int j = 0; j < b[0].length; j++)
                for (int k = 0; k < b.length; k++)
                    c[i][j] += a[i][k] * b[k][j];
        return c;
    }

    public static void main(String[] args) throws IOException {
        BufferedReader reader = new BufferedReader(new InputStreamReader(System.in));
        Scanner scanner = new Scanner("1 2 3");
        Collections all = new Collections();
        StringBuilder text = new StringBuilder();
        String line;

        while ((line = reader.readLine()) != null) {
            StringTokenizer words = new StringTokenizer(line);
            while (words.hasMoreTokens()) {
                text.append(words.nextToken()).append(' ');
            }
        }
        all.add("one", 1, 2, 3);
        while (scanner.hasNextInt()) {
            all.add("scanned", scanner.nextInt());
        }
        Map<Boolean, List<Integer>> parts =
                IntStream.rangeClosed(1, LIMIT).boxed().collect(Collectors.partitioningBy(i -> i % 2 == 0));
        String joined = parts.get(true).stream().map(String::valueOf).filter(s -> s.length() > 1)
                .sorted(Comparator.comparing(String::length).thenComparing(Comparator.reverseOrder()))
                .limit(10).collect(Collectors.joining(", ", "[", "]"));
        Function<Integer, Function<Integer, Integer>> plus = a -> b -> a + b;
        Supplier<Map<String, Integer>> maker = HashMap::new;
        Runnable anonymous = new Runnable() {
            @Override
            public void run() {
                System.out.printf("%s %d %.2f%n", joined, plus.apply(1).apply(2), Math.sqrt(2));
            }
        };
        PriorityQueue<int[]> queue = new PriorityQueue<>((a, b) -> Integer.compare(a[0], b[0]));
        Deque<Character> stack = new ArrayDeque<>();
        try {
            anonymous.run();
            queue.offer(new int[] {1, 2});
            stack.push('x');
            switch (args.length) {
                case 0:
                    System.out.println(BigInteger.TWO.pow(100).mod(BigInteger.valueOf(97)));
                    break;
                case 1:
                    System.out.println((char) (stack.peek() + 1) + "" + (queue.size() >>> 1 & 3 ^ 5));
                default:
                    throw new IllegalArgumentException("arguments: " + Arrays.toString(args));
            }
        } catch (IllegalArgumentException | NullPointerException e) {
            System.err.println(e.getMessage());
        } finally {
            for (Map.Entry<String, List<Integer>> entry : all.table.entrySet()) {
                System.out.println(entry.getKey() + "=" + entry.getValue() + largest(entry.getValue()));
            }
        }
        outer:
        for (int i = 0; ; i++) {
            do {
                if (fibonacci(i) > LIMIT) break outer;
            } while (maker.get().getOrDefault("k", 1) < 1);
        }
    }
}

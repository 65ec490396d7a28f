import java.util.*;
import java.util.stream.*;
public class Main {
    interface Shape { double area(); }
    public static void main(String[] args) throws Exception {
        Map<String, List<Integer>> m = IntStream.range(0, 20).boxed().collect(Collectors.groupingBy(i -> i % 3 == 0 ? "three" : "other", TreeMap::new, Collectors.toList()));
        System.out.println(m);
        Shape s = () -> 2.5;
        System.out.println(String.format("%.3f %s %08x", s.area(), Stream.of("b", "a").sorted().toList(), 255));
        System.out.println(new HashMap<>(Map.of("k", 1)) + " " + new StringBuilder("abc").reverse() + "\u00e9".length() + "stra\u00dfe".toUpperCase());
        System.out.println(IntStream.rangeClosed(1, 1000).parallel().sum() + " " + Arrays.asList(3, 1, 2));
        System.out.println(new java.math.BigDecimal("1.10").add(java.math.BigDecimal.ONE) + " " + Locale.getDefault() + java.nio.charset.Charset.defaultCharset());
        System.out.println(java.time.Duration.ofSeconds(3661) + " " + java.time.LocalDate.of(2024, 2, 29).plusYears(1) + TimeZone.getDefault().getID());
    }
}

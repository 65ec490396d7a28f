import java.util.concurrent.*;
import java.util.concurrent.atomic.*;
public class Main {
    public static void main(String[] args) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(4);
        LongAdder sum = new LongAdder();
        for (int i = 0; i < 100; i++) { int n = i; pool.submit(() -> sum.add(n)); }
        pool.shutdown();
        System.out.println(pool.awaitTermination(5, TimeUnit.SECONDS) + " " + sum);
        System.out.println(CompletableFuture.supplyAsync(() -> 21).thenApply(x -> x * 2).get());
        Future<Integer> f = ForkJoinPool.commonPool().submit(() -> 1 / 0);
        try { f.get(); } catch (ExecutionException e) { System.out.println(e.getCause().getClass()); }
    }
}

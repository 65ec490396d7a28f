import com.sun.tools.javac.Main;
import java.io.BufferedInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/**
 * A resident javac: compiles for one job after the other and never runs what it compiles.
 *
 * <p>Each compilation is a call of javac's own main method with the words of the cold command, in the folder where
 * the cold one would run, with nothing in that folder but the step's files: so messages, exit codes and classes
 * are the cold ones. Nothing is shared between two of them but the code of javac, which is warm.
 *
 * <p>It gives up, and the cold command is run instead, whenever that would not be so: javac found too little memory
 * or stack (this one has less of both to spare), or a fault of its own.
 */
public final class CompileService {
    private static final int READY = 1, ARGV = 2, FILE = 3, GO = 4, OUTPUT = 5, EXIT = 6;
    private static final int FRAME_MAX = 64 << 20, OUTPUT_PIECE = 1 << 20;
    private static final int SYSTEM_ERROR = 3; // of javac's exit codes; what is above is its own fault as well
    private static final int TRAINING_ROUNDS = 12;
    private static final String[] TRAINING = {"Collections", "Shapes", "Mistakes"};
    private static final Path BOX = Path.of("").toAbsolutePath();
    private static final Path CLASSES = BOX.resolve("classes");

    private final DataInputStream in;
    private final OutputStream out;

    private CompileService(FileDescriptor socket) {
        in = new DataInputStream(new BufferedInputStream(new FileInputStream(socket)));
        out = new FileOutputStream(socket);
    }

    /** The argument is the number of the socket's descriptor. */
    public static void main(String[] args) throws Exception {
        Constructor<FileDescriptor> constructor = FileDescriptor.class.getDeclaredConstructor(int.class);

        constructor.setAccessible(true);
        try {
            new CompileService(constructor.newInstance(Integer.parseInt(args[0]))).serve();
        } catch (EOFException e) {
            System.exit(0);
        }
    }

    private void serve() throws IOException {
        train();
        send(READY, new byte[0]);
        for (;;) {
            one();
        }
    }

    // ---- frames ------------------------------------------------------------------------------

    private record Frame(int kind, byte[] body) {}

    private Frame receive() throws IOException {
        ByteBuffer head = ByteBuffer.wrap(exactly(8)).order(ByteOrder.LITTLE_ENDIAN);
        int kind = head.getInt(), length = head.getInt();

        if (length < 0 || length > FRAME_MAX) {
            throw new IOException("a frame of " + Integer.toUnsignedString(length) + " bytes");
        }
        return new Frame(kind, exactly(length));
    }

    private byte[] exactly(int length) throws IOException {
        byte[] bytes = new byte[length];

        in.readFully(bytes);
        return bytes;
    }

    private void send(int kind, byte[]... parts) throws IOException {
        ByteBuffer frame =
                ByteBuffer.allocate(8 + Arrays.stream(parts).mapToInt(p -> p.length).sum())
                        .order(ByteOrder.LITTLE_ENDIAN);

        frame.putInt(kind).putInt(frame.capacity() - 8);
        for (byte[] part : parts) {
            frame.put(part);
        }
        out.write(frame.array());
    }

    // ---- one job -----------------------------------------------------------------------------

    private void one() throws IOException {
        List<String> words = new ArrayList<>();

        for (Frame f = receive(); f.kind != GO; f = receive()) {
            switch (f.kind) {
                case ARGV -> words.addAll(words(f.body));
                case FILE -> write(f.body);
                default -> throw new IOException("a frame of kind " + f.kind);
            }
        }
        answer(words);
        clean();
    }

    private void answer(List<String> words) throws IOException {
        ByteArrayOutputStream text = new ByteArrayOutputStream();
        int status = compile(words, text);
        byte[] output = text.toByteArray();

        if (status >= SYSTEM_ERROR) {
            throw new IOException("javac ended with " + status);
        }
        for (int at = 0; at < output.length; at += OUTPUT_PIECE) {
            send(OUTPUT, Arrays.copyOfRange(output, at, Math.min(output.length, at + OUTPUT_PIECE)));
        }
        if (status == 0) {
            sendClasses();
        }
        send(EXIT, ByteBuffer.allocate(4).order(ByteOrder.LITTLE_ENDIAN).putInt(status).array());
    }

    private static List<String> words(byte[] body) {
        String text = new String(body, StandardCharsets.UTF_8);

        return text.isEmpty() ? List.of() : List.of(text.substring(0, text.length() - 1).split("\0", -1));
    }

    /** The program's name and the words for its JVM are not javac's. */
    private static int compile(List<String> words, OutputStream text) {
        PrintWriter writer = new PrintWriter(text, true, StandardCharsets.UTF_8);
        String[] args = words.stream().skip(1).filter(w -> !w.startsWith("-J")).toArray(String[]::new);
        int status = Main.compile(args, writer);

        writer.flush();
        return status;
    }

    private static void write(byte[] body) throws IOException {
        int end = 0;

        while (end < body.length && body[end] != 0) {
            end++;
        }
        Path path = BOX.resolve(new String(body, 0, end, StandardCharsets.UTF_8)).normalize();
        if (end == body.length || !path.startsWith(BOX) || path.equals(BOX)) {
            throw new IOException("a file without a name of its own");
        }
        Files.createDirectories(path.getParent());
        Files.write(path, Arrays.copyOfRange(body, end + 1, body.length));
    }

    private void sendClasses() throws IOException {
        if (!Files.isDirectory(CLASSES)) {
            return;
        }
        try (Stream<Path> found = Files.walk(CLASSES)) {
            for (Path path : found.filter(Files::isRegularFile).sorted().toList()) {
                byte[] name = BOX.relativize(path).toString().getBytes(StandardCharsets.UTF_8);

                send(FILE, name, new byte[1], Files.readAllBytes(path));
            }
        }
    }

    private static void clean() throws IOException {
        try (Stream<Path> found = Files.walk(BOX)) {
            for (Path path : found.sorted(Comparator.reverseOrder()).toList()) {
                if (!path.equals(BOX)) {
                    Files.delete(path);
                }
            }
        }
    }

    // ---- before the first ----------------------------------------------------------------------

    /**
     * A cold javac spends nearly all its time on classes that it has to load and code that is not compiled yet. The
     * folder is empty afterwards: even the file that this class is from has gone.
     */
    private static void train() throws IOException {
        Map<String, byte[]> sources = new LinkedHashMap<>();

        for (String name : TRAINING) {
            try (InputStream source = CompileService.class.getResourceAsStream("/training/" + name + ".java")) {
                sources.put(name + ".java", source.readAllBytes());
            }
        }
        for (int round = 0; round < TRAINING_ROUNDS; round++) {
            for (Map.Entry<String, byte[]> source : sources.entrySet()) {
                train(source.getKey(), source.getValue());
            }
        }
    }

    private static void train(String file, byte[] source) throws IOException {
        Files.write(BOX.resolve(file), source);
        compile(List.of("javac", "-proc:none", "-encoding", "UTF-8", "-d", "classes", file),
                new ByteArrayOutputStream());
        clean();
    }
}

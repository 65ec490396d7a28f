/* cell_seccomp_run_test.c - the compiled filters, judged by the kernel with real programs. */
#include "cell_filters.h"

#include <fcntl.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- the kernel's judgement --------------------------------------------------------------- */

static void confine(const struct cell_filter *f)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || cell_seccomp_load(f) != 0)
        _exit(99);
}

/* Runs `body` under the filter in a child; its wait status. */
static int under(const struct cell_filter *f, int (*body)(void))
{
    pid_t pid = fork();
    int status = -1;

    assert_true(pid >= 0);
    if (pid == 0) {
        confine(f);
        _exit(body());
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return status;
}

static void *add_one(void *arg)
{
    ++*(int *)arg;
    return NULL;
}

static int ordinary_life(void)
{
    int pair[2], count = 0;
    pthread_t thread;
    pid_t child;

    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 || send(pair[0], "x", 1, 0) != 1)
        return 1;
    if (pthread_create(&thread, NULL, add_one, &count) != 0 || pthread_join(thread, NULL) != 0 || count != 1)
        return 2;
    child = fork();
    if (child == 0)
        _exit(7);
    return child > 0 && waitpid(child, &count, 0) == child && WEXITSTATUS(count) == 7 ? 0 : 3;
}

static bool fails_with(long rc, int code)
{
    return rc == -1 && errno == code;
}

static int escapes(void)
{
    if (!fails_with(socket(AF_INET, SOCK_STREAM, 0), EPERM) || !fails_with(socket(38 /* ALG */, 5, 0), EPERM))
        return 1;
    if (!fails_with(syscall(SYS_clone3, NULL, 0), ENOSYS) || !fails_with(unshare(CLONE_NEWUSER), EPERM))
        return 2;
    if (!fails_with(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0), EPERM))
        return 3;
    if (!fails_with(syscall(SYS_io_uring_setup, 1, NULL), ENOSYS) ||
        !fails_with(syscall(SYS_bpf, 0, 0, 0), EPERM))
        return 4;
    if (!fails_with(ioctl(0, TIOCSTI | HIGH, "x"), EPERM) ||
        !fails_with(syscall(SYS_ptrace, 0, 0, 0, 0), EPERM))
        return 5;
    return fails_with(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}), EPERM) ? 0 : 6;
}

static void test_kernel_agrees(void **state)
{
    (void)state;
    for (int p = 1; p <= PROFILES; p++) {
        assert_int_equal(under(&filters[p], ordinary_life), 0);
        assert_int_equal(under(&filters[p], escapes), 0);
    }
}

#if defined(__x86_64__)
static int x32_getpid(void)
{
    return (int)syscall(SYS_getpid | 0x40000000);
}

static int i386_getpid(void)
{
    long rc = 20;

    __asm__ volatile("int $0x80" : "+a"(rc) : : "memory", "r8", "r9", "r10", "r11");
    return rc > 0;
}

static void test_kernel_kills_foreign_calls(void **state)
{
    int status;

    (void)state;
    status = under(strict, x32_getpid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
    status = under(strict, i386_getpid); /* a kernel without it: SIGSEGV */
    assert_true(WIFSIGNALED(status) && (WTERMSIG(status) == SIGSYS || WTERMSIG(status) == SIGSEGV));
}
#endif

static void test_load_refuses_an_empty_filter(void **state)
{
    (void)state;
    assert_int_equal(cell_seccomp_load(&(struct cell_filter){0}), -EINVAL);
}

/* ---- the runtimes that the profiles are for --------------------------------------------------- */

static const char python_program[] =
    "import threading, subprocess, multiprocessing, tempfile, shutil, os, sqlite3, asyncio, time, json, "
    "random\n"
    "t = threading.Thread(target=lambda: None); t.start(); t.join()\n"
    "assert subprocess.run(['/bin/echo', 'x'], capture_output=True).stdout == b'x\\n'\n"
    "q = multiprocessing.Queue(); p = multiprocessing.Process(target=q.put, args=(7,)); p.start()\n"
    "assert q.get(timeout=30) == 7; p.join()\n"
    "with multiprocessing.Pool(2) as pool: assert pool.map(abs, [-1, -2]) == [1, 2]\n"
    "d = tempfile.mkdtemp(); f = d + '/a'; open(f, 'w').write('x'); shutil.copy2(f, d + '/b'); os.chmod(f, "
    "0o600)\n"
    "c = sqlite3.connect(d + '/db'); c.execute('create table t(x)'); c.execute('insert into t values(1)'); "
    "c.commit()\n"
    "asyncio.run(asyncio.sleep(0)); shutil.rmtree(d); os.sched_getaffinity(0)\n";
static const char node_program[] =
    "const cp = require('child_process'), fs = require('fs'), w = require('worker_threads'), os = "
    "require('os');\n"
    "if (cp.execFileSync('/bin/echo', ['x']).toString() !== 'x\\n') process.exit(1);\n"
    "const d = fs.mkdtempSync(os.tmpdir() + '/n'); fs.writeFileSync(d + '/a', 'x'); fs.copyFileSync(d + "
    "'/a', d + '/b');\n"
    "fs.rmSync(d, {recursive: true}); require('crypto').randomBytes(8);\n"
    "new w.Worker('require(\"worker_threads\").parentPort.postMessage(1)', {eval: true})\n"
    "  .on('message', m => { fs.promises.readFile('/etc/hostname').finally(() => process.exit(m === 1 ? 0 : "
    "2)); });\n";
static const char java_program[] =
    "import java.util.concurrent.*; import java.nio.file.*;\n"
    "public class Main { public static void main(String[] a) throws Exception {\n"
    " ExecutorService e = Executors.newFixedThreadPool(4); int n = e.submit(() -> 7).get(); e.shutdown();\n"
    " Path p = Files.createTempFile(\"x\", \"y\"); Files.writeString(p, \"z\"); Files.copy(p, Path.of(p + "
    "\"2\"));\n"
    " Files.delete(p); Files.delete(Path.of(p + \"2\"));\n"
    " Process q = new ProcessBuilder(\"/bin/echo\", \"x\").start(); n += q.waitFor();\n"
    " System.gc(); System.exit(n == 7 ? 0 : 1); } }\n";
static const char c_program[] =
    "#include <stdio.h>\n#include <math.h>\n#include <pthread.h>\nstatic void *f(void *a) { return a; }\n"
    "int main(void) { pthread_t t; pthread_create(&t, 0, f, 0); pthread_join(t, 0); return printf(\"%f\\n\", "
    "sin(1)) < 0; }\n";

static char work[] = "/tmp/cell_seccomp_test.XXXXXX";

static void put(const char *name, const char *text)
{
    char *path = mem_printf("%s/%s", work, name);
    CLEAN(fclosep) FILE *f = fopen(path, "we");

    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
    free(path);
}

/* Its exit status is 0; a missing program is no failure of a filter, and said. */
static void must_run(enum cell_profile profile, const char *const *argv)
{
    static const char *const env[] = {"PATH=/usr/local/bin:/usr/bin:/bin", "TMPDIR=/tmp", "HOME=/tmp", NULL};
    int status = -1;
    pid_t pid;

    if (strchr(argv[0], '/') != NULL && access(argv[0], X_OK) != 0) {
        print_message("  %s is not here: not tried\n", argv[0]);
        return;
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        if (chdir(work) != 0)
            _exit(98);
        confine(&filters[profile]);
        execve(argv[0], (char *const *)argv, (char *const *)env);
        _exit(97);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (status != 0)
        fail_msg("%s under profile %d: wait status %#x", argv[0], (int)profile, (unsigned)status);
}
#define RUN(profile, ...) must_run(profile, (const char *const[]){__VA_ARGS__, NULL})

static void test_runtimes(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(work));
    put("main.py", python_program);
    put("main.js", node_program);
    put("Main.java", java_program);
    put("main.c", c_program);
    RUN(CELL_PROFILE_STRICT, "/usr/bin/python3", "main.py");
    RUN(CELL_PROFILE_JIT, "/usr/bin/node", "main.js");
    RUN(CELL_PROFILE_COMPILER, "/usr/bin/gcc", "-O2", "-pipe", "main.c", "-lm", "-o", "a.out");
    if (access("/usr/bin/gcc", X_OK) == 0) {
        char *program = mem_printf("%s/a.out", work);

        RUN(CELL_PROFILE_STRICT, program);
        free(program);
    }
    RUN(CELL_PROFILE_COMPILER, "/usr/bin/javac", "Main.java");
    if (access("/usr/bin/javac", X_OK) == 0)
        RUN(CELL_PROFILE_JIT, "/usr/bin/java", "Main");
    RUN(CELL_PROFILE_STRICT, "/bin/rm", "-r", work);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kernel_agrees),
#if defined(__x86_64__)
        cmocka_unit_test(test_kernel_kills_foreign_calls),
#endif
        cmocka_unit_test(test_load_refuses_an_empty_filter),
        cmocka_unit_test(test_runtimes),
    };

    return cmocka_run_group_tests(tests, build_all, free_all);
}

/* The filter in force: each kind of process forks, raises its shield and is asked call by call. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <fcntl.h>
#include <linux/netlink.h>
#include <netdb.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shield.h"

static const struct shield_options client = {0};
static const struct shield_options server = {.listens = true};
static const struct shield_options redis = {.listens = true, .starts_redis = true};
static const struct shield_options worker = {.caches = true};

typedef int (*trial)(void); /* 0, or the errno of what was refused */

/* What `try` returns behind that shield; minus the signal that ended it. */
static int behind(const struct shield_options *o, trial try)
{
    struct err err = {0};
    int status = 0;
    pid_t pid = fork();

    if (pid == 0) {
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || shield_raise(o, &err) != 0)
            _exit(255);
        _exit(try());
    }
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_false(WIFEXITED(status) && WEXITSTATUS(status) == 255);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static int result(long rc)
{
    return rc < 0 ? errno : 0;
}

/* ---- numbers: what nobody may ------------------------------------------------------- */

#define REFUSED(name, ...)                                                                                   \
    {                                                                                                        \
#name, SYS_##name, __VA_ARGS__                                                                       \
    }
static const struct {
    const char *name;
    long number;
    unsigned long arg[6];
} refused[] = {
    REFUSED(mount, {0}),
    REFUSED(umount2, {0}),
    REFUSED(pivot_root, {0}),
    REFUSED(chroot, {0}),
    REFUSED(open_tree, {0}),
    REFUSED(move_mount, {0}),
    REFUSED(fsopen, {0}),
    REFUSED(fsconfig, {0}),
    REFUSED(fsmount, {0}),
    REFUSED(fspick, {0}),
    REFUSED(mount_setattr, {0}),
    REFUSED(ptrace, {0}),
    REFUSED(process_vm_readv, {0}),
    REFUSED(process_vm_writev, {0}),
    REFUSED(pidfd_getfd, {0}),
    REFUSED(process_madvise, {0}),
    REFUSED(kcmp, {0}),
    REFUSED(bpf, {0}),
    REFUSED(perf_event_open, {0}),
    REFUSED(keyctl, {0}),
    REFUSED(add_key, {0}),
    REFUSED(request_key, {0}),
    REFUSED(userfaultfd, {0}),
    REFUSED(init_module, {0}),
    REFUSED(finit_module, {0}),
    REFUSED(delete_module, {0}),
    REFUSED(kexec_load, {0}),
    REFUSED(reboot, {0}),
    REFUSED(unshare, {0}),
    REFUSED(setns, {0}),
    REFUSED(setuid, {65534}),
    REFUSED(setgid, {65534}),
    REFUSED(setreuid, {65534, 65534}),
    REFUSED(setresuid, {65534, 65534, 65534}),
    REFUSED(setresgid, {65534, 65534, 65534}),
    REFUSED(setgroups, {0}),
    REFUSED(setfsuid, {65534}),
    REFUSED(capset, {0}),
    REFUSED(personality, {0x0040000}),
    REFUSED(mknodat, {0}),
    REFUSED(linkat, {0}),
    REFUSED(symlinkat, {0}),
    REFUSED(fchownat, {0}),
    REFUSED(setxattr, {0}),
    REFUSED(swapon, {0}),
    REFUSED(swapoff, {0}),
    REFUSED(settimeofday, {0}),
    REFUSED(clock_settime, {0}),
    REFUSED(clock_adjtime, {0}),
    REFUSED(adjtimex, {0}),
    REFUSED(quotactl, {0}),
    REFUSED(acct, {0}),
    REFUSED(syslog, {0}),
    REFUSED(sethostname, {0}),
    REFUSED(fanotify_init, {0}),
    REFUSED(inotify_init1, {0}),
    REFUSED(name_to_handle_at, {0}),
    REFUSED(open_by_handle_at, {0}),
    REFUSED(splice, {0}),
    REFUSED(tee, {0}),
    REFUSED(vmsplice, {0}),
    REFUSED(shmget, {0}),
    REFUSED(msgget, {0}),
    REFUSED(semget, {0}),
    REFUSED(mq_open, {0}),
    REFUSED(memfd_secret, {0}),
    REFUSED(pkey_mprotect, {0}),
    REFUSED(remap_file_pages, {0}),
    REFUSED(mbind, {0}),
    REFUSED(move_pages, {0}),
    REFUSED(seccomp, {0}),
    REFUSED(execveat, {0}),
    REFUSED(vhangup, {0}),
};

static size_t asked; /* the row of `refused` that is tried */

static int call_asked(void)
{
    const unsigned long *a = refused[asked].arg;

    return result(syscall(refused[asked].number, a[0], a[1], a[2], a[3], a[4], a[5]));
}

static void nobody_may(void **state)
{
    const struct shield_options *const kinds[] = {&client, &server, &redis, &worker};

    (void)state;
    for (asked = 0; asked < COUNT_OF(refused); asked++)
        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            int rc;

#if defined(__SANITIZE_ADDRESS__) || defined(SHIELD_COVERAGE)
            if (refused[asked].number == SYS_ptrace)
                continue; /* its leak check attaches to itself */
#endif
            rc = behind(kinds[k], call_asked);
            if (rc != EPERM)
                fail_msg("%s: %s, kind %zu", refused[asked].name, strerror(rc), k);
        }
}

/* ---- arguments --------------------------------------------------------------------------- */

static int open_for_writing(void)
{
    return result(openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CLOEXEC));
}

static int make_file(void)
{
    return result(openat(AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
}

static int make_new_file(void)
{
    char name[64];
    int fd, rc;

    snprintf(name, sizeof(name), "/tmp/shield-test-%d", getpid());
    fd = openat(AT_FDCWD, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    rc = result(futimens(fd, NULL) != 0 ? -1 : renameat(AT_FDCWD, name, AT_FDCWD, name));
    return unlinkat(AT_FDCWD, name, 0) != 0 ? errno : rc;
}

static int open_to_append(void)
{
    return result(openat(AT_FDCWD, "/dev/null", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int set_times_of_a_path(void)
{
    return result(utimensat(AT_FDCWD, "/dev/null", NULL, 0));
}

static int make_folder(void)
{
    return result(mkdirat(AT_FDCWD, "/tmp", 0700)) == EEXIST ? 0 : errno;
}

static int open_for_reading(void)
{
    return result(openat(AT_FDCWD, "/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int run_program(void)
{
    char *const argv[] = {(char *)(uintptr_t) "true", NULL};

    execve("/bin/true", argv, argv + 1);
    return errno;
}

static int fork_child(void)
{
    int status = 1;
    pid_t pid = fork();

    if (pid == 0)
        _exit(run_program());
    if (pid < 0)
        return errno;
    return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void *write_true(void *arg)
{
    *(bool *)arg = true;
    return NULL;
}

static int start_thread(void)
{
    bool ran = false;
    pthread_t t;
    int rc = pthread_create(&t, NULL, write_true, &ran);

    return rc != 0 ? rc : pthread_join(t, NULL) != 0 || !ran ? 1 : 0;
}

static int clone_user_namespace(void)
{
    return result(syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0));
}

static int listen_to_port(void)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    return fd < 0 ? 1 : result(listen(fd, 1));
}

static int vsock(void)
{
    return result(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static int alg(void)
{
    return result(socket(AF_ALG, SOCK_SEQPACKET, 0));
}

static int packet(void)
{
    return result(socket(AF_PACKET, SOCK_DGRAM, 0));
}

static int raw(void)
{
    return result(socket(AF_INET, SOCK_RAW, 1));
}

static int netlink_audit(void)
{
    return result(socket(AF_NETLINK, SOCK_RAW, NETLINK_AUDIT));
}

static int resolve_name(void)
{
    struct addrinfo *a = NULL, hints = {.ai_socktype = SOCK_STREAM};

    if (getaddrinfo("localhost", "80", &hints, &a) != 0)
        return 1;
    freeaddrinfo(a);
    return 0;
}

static int write_and_run_memory(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? errno : 0;
}

static int run_written_memory(void)
{
    void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return p == MAP_FAILED ? 1 : result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int be_dumpable(void)
{
    return result(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int raise_core(void)
{
    return result(setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}));
}

static int make_setuid(void)
{
    return result(syscall(SYS_fchmod, STDIN_FILENO, 04755));
}

static int open_pipe_to_jobs(void)
{
    int p[2];

    return pipe2(p, O_CLOEXEC) != 0 ? 1 : result(fchmod(p[1], 0222));
}

static int newer_call(void)
{
    return result(syscall(500, 0, 0, 0));
}

static int clone3(void)
{
    return result(syscall(SYS_clone3, NULL, 0));
}

static void each_may_what_it_does(void **state)
{
    const struct {
        const char *what;
        trial try;
        int client, server, redis, worker;
    } rows[] = {
        {"open for reading", open_for_reading, 0, 0, 0, 0},
        {"open for writing", open_for_writing, EPERM, EPERM, 0, EPERM},
        {"make a file", make_file, EPERM, EPERM, 0, EPERM},
        {"make a new file, rename and remove it", make_new_file, EPERM, EPERM, EPERM, 0},
        {"open to append", open_to_append, EPERM, EPERM, 0, EPERM},
        {"set the times of a path", set_times_of_a_path, EPERM, EPERM, EPERM, EPERM},
        {"make a folder", make_folder, EPERM, EPERM, 0, EPERM},
        {"run a program", run_program, EPERM, EPERM, 0, EPERM},
        {"fork", fork_child, EPERM, EPERM, 0, EPERM},
        {"start a thread", start_thread, 0, 0, 0, 0},
        {"a user namespace by clone", clone_user_namespace, EPERM, EPERM, EPERM, EPERM},
        {"listen", listen_to_port, EPERM, 0, 0, EPERM},
        {"AF_VSOCK", vsock, EPERM, EPERM, EPERM, EPERM},
        {"AF_ALG", alg, EPERM, EPERM, EPERM, EPERM},
        {"AF_PACKET", packet, EPERM, EPERM, EPERM, EPERM},
        {"a raw socket", raw, EPERM, EPERM, EPERM, EPERM},
        {"NETLINK_AUDIT", netlink_audit, EPERM, EPERM, EPERM, EPERM},
        {"resolve a name", resolve_name, 0, 0, 0, 0},
        {"memory to write and run", write_and_run_memory, EPERM, EPERM, EPERM, EPERM},
        {"run what was written", run_written_memory, EPERM, EPERM, EPERM, EPERM},
        {"become dumpable", be_dumpable, EPERM, EPERM, EPERM, EPERM},
        {"change a limit", raise_core, EPERM, EPERM, 0, EPERM},
        {"a set-user-id file", make_setuid, EPERM, EPERM, EPERM, EPERM},
        {"open a pipe to jobs", open_pipe_to_jobs, 0, 0, 0, 0},
        {"a call of a newer kernel", newer_call, ENOSYS, ENOSYS, ENOSYS, ENOSYS},
        {"clone3", clone3, ENOSYS, ENOSYS, ENOSYS, ENOSYS},
    };

    (void)state;
#if defined(__SANITIZE_ADDRESS__) || defined(SHIELD_COVERAGE)
    print_message(
        "this build's shield has holes for its leak check or its coverage: the exact rows are those of "
        "other builds\n");
    return;
#endif
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct {
            const struct shield_options *o;
            int expected;
        } kinds[] = {{&client, rows[i].client},
                     {&server, rows[i].server},
                     {&redis, rows[i].redis},
                     {&worker, rows[i].worker}};

        for (size_t k = 0; k < COUNT_OF(kinds); k++) {
            int rc = behind(kinds[k].o, rows[i].try);

            if (rc != kinds[k].expected)
                fail_msg("%s, kind %zu: %d (%s), expected %d", rows[i].what, k, rc,
                         rc >= 0 ? strerror(rc) : "a signal", kinds[k].expected);
        }
    }
}

static void a_worker_with_a_redis_keeps_output_too(void **state)
{
    const struct shield_options both = {.listens = true, .starts_redis = true, .caches = true};

    (void)state;
    assert_int_equal(behind(&both, make_new_file), 0);
    assert_int_equal(behind(&both, set_times_of_a_path), EPERM);
}

/* ---- other architectures ------------------------------------------------------------------- */

#if defined(__x86_64__)
static int call_i386(void)
{
    long rc;

    __asm__ volatile("int $0x80" : "=a"(rc) : "a"(20 /* getpid */) : "memory");
    return rc > 0 ? 0 : 1;
}

static int call_x32(void)
{
    return result(syscall(0x40000000 + SYS_getpid));
}

static void foreign_calls_end_it(void **state)
{
    (void)state;
    assert_int_equal(behind(&redis, call_i386), -SIGSYS);
    assert_int_equal(behind(&redis, call_x32), -SIGSYS);
}
#endif

/* ---- threads that were there before ---------------------------------------------------------- */

static int go[2], from_thread;

static void *wait_and_try(void *arg)
{
    char c;

    (void)arg;
    if (read(go[0], &c, 1) == 1)
        from_thread = result(syscall(SYS_mount, 0, 0, 0, 0, 0));
    return NULL;
}

static void earlier_threads_too(void **state)
{
    struct err err = {0};
    int status = 0;
    pid_t pid;

    (void)state;
    assert_int_equal(pipe2(go, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        pthread_t t;

        if (pthread_create(&t, NULL, wait_and_try, NULL) != 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || shield_raise(&client, &err) != 0 ||
            write(go[1], "x", 1) != 1 || pthread_join(t, NULL) != 0)
            _exit(255);
        _exit(from_thread);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), EPERM);
    close(go[0]);
    close(go[1]);
}

/* Where a filter cannot be had that is an error and nothing else. */
static void without_a_filter_is_an_error(void **state)
{
    struct err err = {0};
    int status = 0;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) { /* the first shield refuses seccomp(2) and prctl(PR_SET_SECCOMP) to the second */
        if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 || shield_raise(&client, &err) != 0)
            _exit(255);
        _exit(shield_raise(&client, &err) < 0 && strstr(err.text, "filter") != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nobody_may),
        cmocka_unit_test(each_may_what_it_does),
        cmocka_unit_test(a_worker_with_a_redis_keeps_output_too),
#if defined(__x86_64__)
        cmocka_unit_test(foreign_calls_end_it),
#endif
        cmocka_unit_test(earlier_threads_too),
        cmocka_unit_test(without_a_filter_is_an_error),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

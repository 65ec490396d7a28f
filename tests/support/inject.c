/* inject.c - runs a command in which one system call fails.
 *
 *     inject SYSCALL[:ARG=VALUE | :ARG&BITS | :ARG~TEXT] ERRNO[@FILE | #N | ^N] -- COMMAND...
 *
 * A seccomp filter, inherited by whatever the command starts, answers the call with ERRNO: always, or where
 * the low 32 bits of argument ARG (0 to 5) are VALUE, or have one of BITS, or are a descriptor of a file whose
 * path ends with TEXT (we have to be allowed to trace its process).  Numbers as C has them.
 *
 * With @FILE only while FILE exists, with #N from the Nth such call on, with ^N from each thread's Nth on: then,
 * and for TEXT, the kernel asks a process of ours about each of these calls.  It is the command's grandchild, left to init, so
 * that the command keeps this process and sees no child that it does not know; it ends with the last process
 * that it is asked about.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stddef.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct rule {
    int nr;
    long arg; /* -1: any arguments */
    int bits; /* 1: compare bits, else the value */
    unsigned long value;
    const char *text; /* NULL: neither, but this is the end of the descriptor's path */
    int error;
    const char *file; /* NULL: always */
    unsigned from;    /* 0: not counted */
    bool each;        /* each thread's calls are counted, not all */
};

static int usage(const char *why)
{
    fprintf(stderr,
            "inject: %s\nusage: inject SYSCALL[:ARG=VALUE | :ARG&BITS | :ARG~TEXT] ERRNO[@FILE | #N | ^N] -- COMMAND...\n",
            why);
    return 2;
}

static int parse(char *text, struct rule *r)
{
    char *colon = strchr(text, ':'), *end;

    *r = (struct rule){.arg = -1};
    if (colon != NULL) {
        *colon = '\0';
        r->arg = strtol(colon + 1, &end, 0);
        if (r->arg < 0 || r->arg > 5 || (*end != '=' && *end != '&' && *end != '~'))
            return -1;
        if (*end == '~')
            r->text = end + 1;
        r->bits = *end == '&';
        r->value = strtoul(end + 1, &end, 0);
        if (r->text == NULL && *end != '\0')
            return -1;
    }
    r->nr = seccomp_syscall_resolve_name(text);
    return r->nr < 0 ? -1 : 0;
}

static int parse_error(char *text, struct rule *r)
{
    char *end;

    r->error = (int)strtol(text, &end, 0);
    if (*end == '@')
        r->file = end + 1;
    else if (*end == '#' || *end == '^') {
        r->each = *end == '^';
        r->from = (unsigned)strtoul(end + 1, &end, 0);
    }
    return r->error > 0 && r->error < 4096 && (r->file != NULL || *end == '\0') ? 0 : -1;
}

/* Whether somebody is to be asked about each call, since a filter alone cannot know. */
static bool asks(const struct rule *r)
{
    return r->file != NULL || r->from != 0 || r->text != NULL;
}

/* ---- the filter ------------------------------------------------------------------------ */

static int load(const struct sock_fprog *program, unsigned flags)
{
    int fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);

    /* An ordinary user has to give up privileges first. */
    if (fd < 0 && errno == EACCES && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
        fd = (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, program);
    return fd;
}

/* The listener where somebody is to be asked, else 0; -1 with errno. */
static int install(const struct rule *r)
{
    const bool ask = asks(r);
    const unsigned answer = ask ? SECCOMP_RET_USER_NOTIF : SECCOMP_RET_ERRNO | (unsigned)r->error;
    const unsigned condition = r->bits ? BPF_JSET : BPF_JEQ;
    const unsigned at =
        (unsigned)(offsetof(struct seccomp_data, args) + 8 * (size_t)(r->arg < 0 ? 0 : r->arg));
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (unsigned)r->nr, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, at),
        BPF_JUMP(BPF_JMP | condition | BPF_K, (unsigned)r->value, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, answer),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    const struct sock_fprog program = {sizeof(code) / sizeof(code[0]), code};

    if (r->arg < 0 || r->text != NULL)
        code[3] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, 0, 0, 0); /* whatever it is */
    return load(&program, ask ? SECCOMP_FILTER_FLAG_NEW_LISTENER : 0);
}

/* ---- who is asked -------------------------------------------------------------------------- */

/* Which call this is, the thread's own or of all: where processes start together, nobody knows in which order
 * they come to it. */
static unsigned number_of_call(const struct rule *r, unsigned tid)
{
    static unsigned all;
    static unsigned char own[1 << 22]; /* Linux has no higher number of a thread */

    if (!r->each)
        return ++all;
    return tid < sizeof(own) && own[tid] < UCHAR_MAX ? ++own[tid] : UCHAR_MAX;
}

static bool is_descriptor_of(const struct rule *r, const struct seccomp_notif *asked)
{
    char link[64], path[PATH_MAX];
    size_t want = strlen(r->text);
    ssize_t n;

    snprintf(link, sizeof(link), "/proc/%u/fd/%d", asked->pid, (int)asked->data.args[r->arg]);
    n = readlink(link, path, sizeof(path));
    return n >= (ssize_t)want && memcmp(path + (size_t)n - want, r->text, want) == 0;
}

static bool fails(const struct rule *r, const struct seccomp_notif *asked)
{
    if (r->text != NULL && !is_descriptor_of(r, asked))
        return false;
    if (r->file != NULL)
        return access(r->file, F_OK) == 0;
    return r->from == 0 || number_of_call(r, asked->pid) >= r->from;
}

static void answer_all(const struct rule *r, int listener) __attribute__((noreturn));
static void answer_all(const struct rule *r, int listener)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};

    for (;;) {
        struct seccomp_notif asked;
        struct seccomp_notif_resp answer;

        if (poll(&p, 1, -1) < 0 && errno != EINTR)
            _exit(1);
        if ((p.revents & POLLHUP) != 0)
            _exit(0);
        memset(&asked, 0, sizeof(asked));
        if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &asked) != 0)
            continue; /* the caller is gone */
        memset(&answer, 0, sizeof(answer));
        answer.id = asked.id;
        if (fails(r, &asked))
            answer.error = -r->error;
        else
            answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
        (void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
    }
}

static int receive(int from)
{
    char byte, control[CMSG_SPACE(sizeof(int))];
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd = -1;

    if (recvmsg(from, &m, 0) == 1 && CMSG_FIRSTHDR(&m) != NULL)
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&m)), sizeof(fd));
    return fd;
}

static int give(int to, int fd)
{
    char byte = 0, control[CMSG_SPACE(sizeof(int))] = {0};
    struct iovec v = {&byte, 1};
    struct msghdr m = {
        .msg_iov = &v, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    struct cmsghdr *c = CMSG_FIRSTHDR(&m);

    *c = (struct cmsghdr){
        .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
    memcpy(CMSG_DATA(c), &fd, sizeof(fd));
    return sendmsg(to, &m, 0) == 1 ? 0 : -1;
}

/* Our end of the way to it; it waits there for the listener, and holds nothing of ours open. */
static int start_answering(const struct rule *r)
{
    int pair[2], listener;
    pid_t pid;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0 || (pid = fork()) < 0)
        return -1;
    if (pid > 0) {
        close(pair[1]);
        return waitpid(pid, NULL, 0) == pid ? pair[0] : -1;
    }
    if (fork() != 0)
        _exit(0);
    setsid();
    for (int fd = 0; fd < 3; fd++)
        dup2(open("/dev/null", O_RDWR | O_CLOEXEC), fd);
    close(pair[0]);
    listener = receive(pair[1]);
    if (listener < 0)
        _exit(1);
    close(pair[1]);
    answer_all(r, listener);
}

static int inject(const struct rule *r)
{
    const bool ask = asks(r);
    int way = ask ? start_answering(r) : -1, listener = ask && way < 0 ? -1 : install(r);

    if (listener < 0 || (ask && give(way, listener) != 0))
        return -1;
    if (ask) {
        close(way);
        close(listener);
    }
    return 0;
}

int main(int argc, char **argv)
{
    struct rule rule;

    if (argc < 5 || strcmp(argv[3], "--") != 0)
        return usage("too few arguments");
    if (parse(argv[1], &rule) != 0)
        return usage("no such call or condition");
    if (parse_error(argv[2], &rule) != 0)
        return usage("ERRNO is a number above 0");
    if (inject(&rule) != 0) {
        perror("inject: seccomp");
        return 3;
    }
    execvp(argv[4], argv + 4);
    perror("inject: exec");
    return 4;
}

/* plugin_file.c - from a path to a descriptor: who may have written the file, what it is, loading it.
 *
 * The directory is opened first, the file below it, and the very fd that was checked is the
 * one that is loaded.  A header that lies about its segments is found before the dynamic
 * loader touches it: mapping past the end of a file is a SIGBUS, not an error. */
#include "plugin_internal.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <libgen.h>
#include <link.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

#if defined(__x86_64__)
#define MACHINE EM_X86_64
#elif defined(__aarch64__)
#define MACHINE EM_AARCH64
#elif defined(__riscv)
#define MACHINE EM_RISCV
#elif defined(__i386__)
#define MACHINE EM_386
#elif defined(__arm__)
#define MACHINE EM_ARM
#else
#define MACHINE EM_NONE /* unchecked */
#endif

#define REBUILD "build it as a shared object for this machine"

/* ---- who may have written it ------------------------------------------------------------ */

/* Root, who starts us, and who does so by sudo(8): that one could start anything else as well. */
static bool trusted(uid_t owner)
{
    const char *sudo_uid = getenv("SUDO_UID");
    uint64_t uid;

    if (owner == 0 || owner == geteuid())
        return true;
    return geteuid() == 0 && sudo_uid != NULL && num_u64(sudo_uid, 1, UINT32_MAX - 1, &uid) == 0 &&
           owner == uid;
}

static int check_owner(const struct stat *st, const char *what, struct err *reterr)
{
    if (!trusted(st->st_uid))
        return err_set(reterr, ERR_CONFIG,
                       "%s belongs to uid %u, not to root or the user that starts execd; chown it", what,
                       (unsigned)st->st_uid);
    if ((st->st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return err_set(reterr, ERR_CONFIG, "%s may be written by %s (mode %04o); chmod go-w it", what,
                       (st->st_mode & S_IWOTH) != 0 ? "others" : "its group",
                       (unsigned)(st->st_mode & 07777));
    return 0;
}

static int open_below(int dir, const char *name, int *ret_fd, struct err *reterr)
{
    CLEAN_FD int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
    struct stat st;
    int rc;

    if (fd < 0 && errno == ELOOP)
        return err_set(reterr, ERR_CONFIG, "it is a symbolic link; name the file itself");
    if (fd < 0)
        return err_set(reterr, ERR_CONFIG, "it cannot be opened: %s; install it, or correct `file`",
                       strerror(errno));
    if (fstat(fd, &st) != 0)
        return err_sys(reterr, "it cannot be examined");
    if (!S_ISREG(st.st_mode))
        return err_set(reterr, ERR_CONFIG, "it is not a regular file; name a shared object");
    if ((rc = check_owner(&st, "it", reterr)) != 0)
        return rc;
    *ret_fd = steal_fd(&fd);
    return 0;
}

int plugin_file_open(const char *path, int *ret_fd, struct err *reterr)
{
    CLEAN_FREE char *dir_copy = mem_dup(path);
    CLEAN_FREE char *name_copy = mem_dup(path);
    CLEAN_FD int dir = open(dirname(dir_copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    struct stat st;
    int rc;

    if (dir < 0)
        return err_set(reterr, ERR_CONFIG, "its directory cannot be opened: %s; correct `file` or plugin_dir",
                       strerror(errno));
    if (fstat(dir, &st) != 0)
        return err_sys(reterr, "its directory cannot be examined");
    if ((rc = check_owner(&st, "its directory", reterr)) != 0)
        return rc;
    return open_below(dir, basename(name_copy), ret_fd, reterr);
}

/* ---- what it is --------------------------------------------------------------------------- */

static int check_kind(const ElfW(Ehdr) * h, struct err *reterr)
{
    if (memcmp(h->e_ident, ELFMAG, SELFMAG) != 0)
        return err_set(reterr, ERR_CONFIG, "it is not an ELF file; " REBUILD);
    if (h->e_ident[EI_CLASS] != (sizeof(void *) == 8 ? ELFCLASS64 : ELFCLASS32))
        return err_set(reterr, ERR_CONFIG, "it is no %u-bit file; " REBUILD, (unsigned)sizeof(void *) * 8);
    if (MACHINE != EM_NONE && h->e_machine != MACHINE)
        return err_set(reterr, ERR_CONFIG,
                       "it is for another machine (ELF machine %u, this one is %u); " REBUILD,
                       (unsigned)h->e_machine, (unsigned)MACHINE);
    if (h->e_type != ET_DYN)
        return err_set(reterr, ERR_CONFIG, "it is not a shared object (ELF type %u); link it with -shared",
                       (unsigned)h->e_type);
    return 0;
}

/* Every segment lies within the file. */
static int check_segments(int fd, const ElfW(Ehdr) * h, struct err *reterr)
{
    static const char cut[] = "it is cut short or damaged; install it again";
    struct stat st;
    ElfW(Phdr) p;

    if (fstat(fd, &st) != 0)
        return err_sys(reterr, "it cannot be examined");
    if (h->e_phentsize != sizeof(p) || h->e_phnum == 0 || h->e_phnum > 128)
        return err_set(reterr, ERR_CONFIG, "%s", cut);
    for (unsigned i = 0; i < h->e_phnum; i++) {
        uint64_t at = (uint64_t)h->e_phoff + (uint64_t)i * sizeof(p);

        if (at > (uint64_t)st.st_size || pread(fd, &p, sizeof(p), (off_t)at) != (ssize_t)sizeof(p))
            return err_set(reterr, ERR_CONFIG, "%s", cut);
        if (p.p_type == PT_LOAD &&
            (p.p_offset > (uint64_t)st.st_size || p.p_filesz > (uint64_t)st.st_size - p.p_offset))
            return err_set(reterr, ERR_CONFIG, "%s", cut);
    }
    return 0;
}

static int check_elf(int fd, struct err *reterr)
{
    ElfW(Ehdr) h = {0};
    ssize_t n = pread(fd, &h, sizeof(h), 0);
    int rc;

    if (n < 0)
        return err_sys(reterr, "it cannot be read");
    if ((size_t)n < sizeof(h))
        memset((char *)&h + n, 0, sizeof(h) - (size_t)n);
    if ((rc = check_kind(&h, reterr)) != 0)
        return rc;
    return check_segments(fd, &h, reterr);
}

/* ---- loading ------------------------------------------------------------------------------- */

/* The loader takes two files for one if they go by one name, and fds are used again: every
 * load spells the same place differently ("./" for a 1, "" for a 0, "/" between the digits). */
static char *load_path(int fd)
{
    static _Atomic unsigned counter;
    unsigned n = ++counter;
    char bits[32 * 3 + 1];
    size_t len = 0;

    for (; n != 0; n >>= 1) {
        if ((n & 1) != 0) {
            bits[len++] = '.';
            bits[len++] = '/';
        }
        bits[len++] = '/';
    }
    bits[len] = '\0';
    return mem_printf("/proc/self/%sfd/%d", bits, fd);
}

/* Without the name that means nothing to a person. */
static const char *load_reason(const char *path)
{
    const char *why = dlerror();
    size_t n = strlen(path);

    if (why == NULL)
        return "no reason given";
    if (strncmp(why, path, n) == 0 && strncmp(why + n, ": ", 2) == 0)
        why += n + 2;
    return why;
}

int plugin_file_load(int fd, const struct execd_plugin **ret, struct err *reterr)
{
    CLEAN_FREE char *path = load_path(fd);
    const struct execd_plugin *(*entry)(void);
    const struct execd_plugin *desc;
    void *handle, *symbol;
    int rc;

    if ((rc = check_elf(fd, reterr)) != 0)
        return rc;
    handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (handle == NULL)
        return err_set(reterr, ERR_CONFIG,
                       "it cannot be loaded: %.120s; link it with -z defs, against nothing of execd",
                       load_reason(path));
    symbol = dlsym(handle, "execd_plugin_entry_v1");
    if (symbol == NULL)
        return err_set(reterr, ERR_CONFIG,
                       "it has no execd_plugin_entry_v1; use EXECD_PLUGIN_DEFINE() in it once");
    memcpy(&entry, &symbol, sizeof(entry));
    desc = entry();
    if (desc == NULL)
        return err_set(reterr, ERR_CONFIG,
                       "its entry returned no descriptor; return the address of a static one");
    *ret = desc;
    return 0;
}

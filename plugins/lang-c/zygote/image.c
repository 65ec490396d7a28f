/* image.c - maps a program and its loader, and enters them (theory of operation: image.h). */
#include "image.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

#include "image_ranges.h"

#define STACK_SIZE (64ul << 20) /* as cc1 asks for */
#define PAGE 4096ul
#define HWCAP2_FSGSBASE 2u /* the kernel lets programs set their thread pointer */

enum { HEADERS_MAX = 32, AUXV_MAX = 40, FIRST_FRAME = 8 };

/* Leaves one program's stack and thread pointer for another's, and returns there.  The first return into a
 * program is its entry, where rdx has to be 0. */
void image_switch(struct image_context *from, const struct image_context *to);
__asm__(".pushsection .text\n"
        ".globl image_switch\n"
        ".hidden image_switch\n"
        ".type image_switch, @function\n"
        "image_switch:\n"
        "endbr64\n"
        "push %rbx\n"
        "push %rbp\n"
        "push %r12\n"
        "push %r13\n"
        "push %r14\n"
        "push %r15\n"
        "sub $8, %rsp\n"
        "stmxcsr (%rsp)\n"
        "fnstcw 4(%rsp)\n"
        "rdfsbase %rax\n"
        "mov %rax, 8(%rdi)\n"
        "mov %rsp, (%rdi)\n"
        "mov 8(%rsi), %rax\n"
        "mov (%rsi), %rsp\n"
        "wrfsbase %rax\n"
        "ldmxcsr (%rsp)\n"
        "fldcw 4(%rsp)\n"
        "add $8, %rsp\n"
        "pop %r15\n"
        "pop %r14\n"
        "pop %r13\n"
        "pop %r12\n"
        "pop %rbp\n"
        "pop %rbx\n"
        "xor %edx, %edx\n"
        "ret\n"
        ".size image_switch, . - image_switch\n"
        ".popsection\n");

struct mapped {
    uintptr_t base, entry, headers;
    size_t header_count;
    char loader[256]; /* "": it is the loader */
};

/* ---- mapping ---------------------------------------------------------------------------- */

static uintptr_t page_of(uintptr_t at)
{
    return at & ~(PAGE - 1);
}

static uintptr_t pages_to(uintptr_t at)
{
    return page_of(at + PAGE - 1);
}

static int protection(const Elf64_Phdr *h)
{
    return ((h->p_flags & PF_R) != 0 ? PROT_READ : 0) | ((h->p_flags & PF_W) != 0 ? PROT_WRITE : 0) |
           ((h->p_flags & PF_X) != 0 ? PROT_EXEC : 0);
}

static int read_all(int fd, char *to, size_t len, off_t at)
{
    while (len > 0) {
        ssize_t n = pread(fd, to, len, at);

        if (n <= 0)
            return n == 0 ? -ENOEXEC : -errno;
        to += n;
        len -= (size_t)n;
        at += n;
    }
    return 0;
}

/* Read and not mapped from the file: of such memory a fork has the page tables, and a child need not find
 * each page again; where the machine has huge pages for who asks, the tables are short. */
static int map_segment(int fd, const Elf64_Phdr *h, uintptr_t base)
{
    uintptr_t at = base + page_of(h->p_vaddr), end = pages_to(base + h->p_vaddr + h->p_memsz);

    if (mprotect((void *)at, end - at, PROT_READ | PROT_WRITE) != 0)
        return -errno;
    return read_all(fd, (char *)(base + h->p_vaddr), h->p_filesz, (off_t)h->p_offset);
}

/* All that it will take, at once: nothing else must lie there. */
static int reserve(const Elf64_Ehdr *e, const Elf64_Phdr *headers, uintptr_t *ret_base)
{
    const int fixed = e->e_type == ET_EXEC ? MAP_FIXED_NOREPLACE : 0;
    uintptr_t from = UINTPTR_MAX, to = 0;
    void *at;

    for (size_t i = 0; i < e->e_phnum; i++) {
        if (headers[i].p_type != PT_LOAD)
            continue;
        if (page_of(headers[i].p_vaddr) < from)
            from = page_of(headers[i].p_vaddr);
        if (pages_to(headers[i].p_vaddr + headers[i].p_memsz) > to)
            to = pages_to(headers[i].p_vaddr + headers[i].p_memsz);
    }
    if (from >= to)
        return -ENOEXEC;
    at = mmap(fixed != 0 ? (void *)from : NULL, to - from, PROT_NONE,
              MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | fixed, -1, 0);
    if (at == MAP_FAILED)
        return -errno;
    *ret_base = (uintptr_t)at - from;
    madvise(at, to - from, MADV_HUGEPAGE);
    return 0;
}

static int protect(const Elf64_Phdr *h, uintptr_t base)
{
    uintptr_t at = base + page_of(h->p_vaddr), end = pages_to(base + h->p_vaddr + h->p_memsz);

    return mprotect((void *)at, end - at, protection(h));
}

static int map_headers(int fd, const Elf64_Ehdr *e, const Elf64_Phdr *headers, struct mapped *ret)
{
    int rc = reserve(e, headers, &ret->base);

    ret->entry = ret->base + e->e_entry;
    ret->header_count = e->e_phnum;
    for (size_t i = 0; rc == 0 && i < e->e_phnum; i++) {
        const Elf64_Phdr *h = &headers[i];

        if (h->p_type == PT_LOAD)
            rc = map_segment(fd, h, ret->base);
        if (h->p_type == PT_LOAD && h->p_offset <= e->e_phoff && e->e_phoff < h->p_offset + h->p_filesz)
            ret->headers = ret->base + h->p_vaddr + (e->e_phoff - h->p_offset);
        if (h->p_type == PT_INTERP &&
            (h->p_filesz > sizeof(ret->loader) ||
             pread(fd, ret->loader, h->p_filesz, (off_t)h->p_offset) != (ssize_t)h->p_filesz))
            rc = -ENOEXEC;
    }
    for (size_t i = 0; rc == 0 && i < e->e_phnum; i++)
        if (headers[i].p_type == PT_LOAD && protect(&headers[i], ret->base) != 0)
            rc = -errno;
    return rc;
}

static int map_program(const char *path, struct mapped *ret)
{
    Elf64_Phdr headers[HEADERS_MAX];
    Elf64_Ehdr e;
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = -ENOEXEC;

    if (fd < 0)
        return -errno;
    *ret = (struct mapped){.loader = ""};
    if (read(fd, &e, sizeof(e)) == (ssize_t)sizeof(e) && memcmp(e.e_ident, ELFMAG, SELFMAG) == 0 &&
        e.e_machine == EM_X86_64 && (e.e_type == ET_EXEC || e.e_type == ET_DYN) && e.e_phnum <= HEADERS_MAX &&
        pread(fd, headers, e.e_phnum * sizeof(headers[0]), (off_t)e.e_phoff) ==
            (ssize_t)(e.e_phnum * sizeof(headers[0])))
        rc = map_headers(fd, &e, headers, ret);
    close(fd);
    return rc;
}

/* ---- its stack ---------------------------------------------------------------------------- */

struct stack {
    char *at;              /* strings grow down to here */
    uintptr_t words[1024]; /* what the program finds at its entry */
    size_t count;
    int full;
};

static uintptr_t push(struct stack *s, const void *bytes, size_t n)
{
    s->at -= n;
    memcpy(s->at, bytes, n);
    return (uintptr_t)s->at;
}

static void word(struct stack *s, uintptr_t value)
{
    if (s->count == sizeof(s->words) / sizeof(s->words[0]))
        s->full = 1;
    else
        s->words[s->count++] = value;
}

static void strings(struct stack *s, char *const *list)
{
    for (; *list != NULL; list++)
        word(s, push(s, *list, strlen(*list) + 1));
}

/* As the kernel's, but for what is of the program; never as of one that gains privileges. */
static void auxiliary(struct stack *s, const struct mapped *program, const struct mapped *loader,
                      uintptr_t name)
{
    static const unsigned long copied[] = {AT_SYSINFO_EHDR, AT_HWCAP, AT_HWCAP2,   AT_PAGESZ,
                                           AT_CLKTCK,       AT_FLAGS, AT_UID,      AT_EUID,
                                           AT_GID,          AT_EGID,  AT_PLATFORM, AT_MINSIGSTKSZ};
    char random[16];
    uintptr_t at_random;

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        s->full = 1;
    at_random = push(s, random, sizeof(random));
    {
        const uintptr_t own[][2] = {{AT_PHDR, program->headers},
                                    {AT_PHENT, sizeof(Elf64_Phdr)},
                                    {AT_PHNUM, program->header_count},
                                    {AT_BASE, loader->base},
                                    {AT_ENTRY, program->entry},
                                    {AT_SECURE, 0},
                                    {AT_RANDOM, at_random},
                                    {AT_EXECFN, name}};

        for (size_t i = 0; i < sizeof(copied) / sizeof(copied[0]); i++) {
            word(s, copied[i]);
            word(s, getauxval(copied[i]));
        }
        for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++) {
            word(s, own[i][0]);
            word(s, own[i][1]);
        }
    }
    word(s, AT_NULL);
    word(s, 0);
}

static int make_stack(struct image *image, char *const *argv, char *const *env, const struct mapped *program,
                      const struct mapped *loader)
{
    struct stack s = {.count = 0};
    uintptr_t frame[FIRST_FRAME] = {0}; /* what image_switch() takes from it before it returns */
    uintptr_t name;
    size_t argc = 0;

    image->stack = mmap(NULL, STACK_SIZE + PAGE, PROT_NONE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_STACK, -1, 0);
    if (image->stack == MAP_FAILED || mprotect(image->stack + PAGE, STACK_SIZE, PROT_READ | PROT_WRITE) != 0)
        return -errno;
    image->stack += PAGE; /* which stays closed */
    image->stack_size = STACK_SIZE;
    s.at = image->stack + STACK_SIZE;
    name = push(&s, argv[0], strlen(argv[0]) + 1);
    while (argv[argc] != NULL)
        argc++;
    word(&s, argc);
    strings(&s, argv);
    word(&s, 0);
    strings(&s, env);
    word(&s, 0);
    auxiliary(&s, program, loader, name);
    if (s.full)
        return -E2BIG;
    s.at = (char *)(((uintptr_t)s.at - s.count * sizeof(s.words[0])) & ~(uintptr_t)15);
    memcpy(s.at, s.words, s.count * sizeof(s.words[0]));
    frame[0] = 0x037f00001f80; /* control words of the floating point units, as at a program's start */
    frame[FIRST_FRAME - 1] = loader->entry;
    image->own.stack = (void *)push(&s, frame, sizeof(frame));
    image->own.thread = 0;
    return 0;
}

/* ---- life ------------------------------------------------------------------------------------ */

static void stop(struct image *image)
{
    image_switch(&image->own, &image->host);
}

static unsigned long open_descriptors(void)
{
    unsigned long set = 0;

    for (int fd = 0; fd < IMAGE_DESCRIPTORS; fd++)
        if (fcntl(fd, F_GETFD) >= 0)
            set |= 1ul << fd;
    return set;
}

int image_start(struct image *image, char *const *argv, char *const *env)
{
    static struct image_maps before, after;
    struct mapped program, loader;
    int rc;

    if ((getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE) == 0)
        return -ENOSYS;
    image_ranges_read(&before);
    if ((rc = map_program(argv[0], &program)) != 0 || (rc = map_program(program.loader, &loader)) != 0 ||
        (rc = make_stack(image, argv, env, &program, &loader)) != 0)
        return rc;
    image->stop = stop;
    image->name = argv[0];
    image->others = open_descriptors();
    image_switch(&image->host, &image->own);
    if (!image->stopped)
        return -ENOEXEC;
    image_ranges_read(&after);
    image_ranges_take(image, &before, &after);
    return 0;
}

pid_t image_fork(struct image *image, const int fds[3])
{
    image->fds = fds;
    image_switch(&image->host, &image->own);
    return image->child;
}

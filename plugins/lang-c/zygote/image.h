/* image.h - programs that are started within our own process, stop at a point of their start, and go on in
 * forks.
 *
 * Theory of operation.  A program and its dynamic loader are mapped beside us as the kernel would map them,
 * with a stack, arguments and an auxiliary vector of their own, and entered.  The program has a C library of
 * its own and its own thread pointer, so nothing of it meets ours but what the kernel keeps for a process:
 * the program break, the signals' handlers and the descriptors.  A shared object is preloaded into it
 * (image_preload.c), which knows where its start is over: there it notes these three, and hands back to us.
 *
 * image_fork() then makes a child in which the program goes on.  The fork is of the program's own C library.
 * So the work that a program does before it sees its input is done once, and its result is copied.
 *
 * What is passed between both is `struct image`; the preloaded half gets its address by an environment
 * variable. */
#ifndef IMAGE_H
#define IMAGE_H

#include <sys/types.h>

#define IMAGE_VARIABLE "EXECD_IMAGE"

enum {
    IMAGE_DESCRIPTORS = 64, /* those that are looked at */
    IMAGE_GAVE_UP = 99      /* the exit code of a child in which the program cannot go on */
};

struct image_context { /* image_switch() knows where they are */
    void *stack;
    unsigned long thread;
};

struct image_range {
    char *from, *to;
};

enum { IMAGE_RANGES = 32 };

struct image {
    const char *stops_at; /* the end of the name of a file that it opens, or "-": where it reads its input */
    const char *source;   /* cc1: of what it has read by then, and is given anew in each child; or NULL */
    unsigned long source_len;

    const char *name; /* the program's path */
    struct image_context host, own;
    void (*stop)(struct image *image); /* from the program back to us; returns when it is to fork */
    int stopped;
    unsigned long others; /* bits: descriptors that are not the program's */
    const int *fds;       /* of the next child: its standard descriptors */
    pid_t child;
    char *stack; /* the lowest byte of it */
    unsigned long stack_size;
    struct image_range ranges[IMAGE_RANGES]; /* where it lies, but for its heap */
    unsigned long range_count;
    int left_out; /* of forks */
};

/* Runs `argv` until it stops; our own process ends if it never does.  0, or -errno where it cannot be mapped.
 */
int image_start(struct image *image, char *const *argv, char *const *env);
/* Whether what is forked from now on has it. */
void image_leave_out(struct image *image, int out);
/* A child in which it goes on, in its own cell's files, with `fds` as 0, 1 and 2 and no other of ours;
 * -errno. */
pid_t image_fork(struct image *image, const int fds[3]);

#endif

/* execd/zygote.h - for a program that starts an interpreter once, and is then each of many jobs.
 *
 * A language plugin's `zygote` plan (execd/plugin.h) starts such a program in a cell of its own.  It gets its
 * interpreter ready, has one thread, and calls execd_zygote_serve(), which execd asks for forks from then on;
 * what it has in /box, /tmp and /dev/shm has no name any more then:
 *
 *     struct execd_zygote_job job;
 *     int rc = execd_zygote_serve(&job);
 *
 *     if (rc < 0)
 *         return 1;                         // in the zygote: execd has no more use for it
 *     return run(job.argc, job.argv);       // in a fork of it: the job
 *
 * The fork is inside of the job's own fresh cell by then, and nothing is left to be done for its safety: it
 * is PID 2 there, without a privilege, with the job's limits and its system call filter in force; its files
 * are in /box, its working directory; descriptors 0, 1 and 2 are the job's, and no other is open.  Signals
 * have the handlers that they had when execd_zygote_serve() was called, and none is blocked.  `environ` is
 * the job's.
 *
 * What a zygote holds in memory every job can read, and a job's end is its exit(3): so flush what is buffered
 * before, and read nothing that is a secret.  Descriptor 3 (EXECD_ZYGOTE_FD) is execd's.
 *
 * To be linked with libexecd-zygote.a, which is position independent and needs the C library alone. */
#ifndef EXECD_ZYGOTE_H
#define EXECD_ZYGOTE_H

#ifdef __cplusplus
extern "C" {
#endif

#define EXECD_ZYGOTE_FD 3

struct execd_zygote_job {
    int argc;
    char **argv; /* the cold step's, NULL-terminated, as is env; they live as long as the process */
    char **env;
};

/* 0: this is a job now; once in each fork.  Negative, in the zygote: it is over (-ECANCELED), or it cannot
 * serve (another -errno). */
int execd_zygote_serve(struct execd_zygote_job *job);

#ifdef __cplusplus
}
#endif
#endif /* EXECD_ZYGOTE_H */

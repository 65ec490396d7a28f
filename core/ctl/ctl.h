/* ctl.h - execctl: the command line client of the HTTP API.
 *
 * Theory of operation.  A command is a few exchanges with the server, one after the other;
 * ctl_http.c makes each of them look like a call that blocks, by turning a private loop
 * until the answer, the deadline or an interrupt is there.  `run` ends as the program did: its
 * output goes where the program's would, and ctl_exit_status() says what becomes of verdicts.
 * The API key comes from a file or the environment, never from the command line. */
#ifndef EXECD_CTL_H
#define EXECD_CTL_H

/* The whole program; its exit status. */
int ctl_main(int argc, char **argv);

#endif

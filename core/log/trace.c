/* trace.c - the file behind trace.h. */
#include "trace.h"

#include <fcntl.h>
#include <inttypes.h>
#include <unistd.h>

enum { COLLECT = 65536, LINE_MAX_BYTES = 128 };

bool trace_on;

static struct {
    int fd;
    size_t len;
    char text[COLLECT];
} state = {.fd = -1};

static void flush(void)
{
    size_t done = 0;

    while (done < state.len) {
        ssize_t n = write(state.fd, state.text + done, state.len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            break; /* a full disk: the trace has a gap, jobs go on */
        done += (size_t)n;
    }
    state.len = 0;
}

int trace_open(const char *path, struct err *reterr)
{
    state.fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOCTTY, 0600);
    if (state.fd < 0)
        return err_set(reterr, ERR_CONFIG, "--trace %s: %s", path, strerror(errno));
    trace_on = true;
    return 0;
}

void trace_close(void)
{
    if (!trace_on)
        return;
    trace_on = false;
    flush();
    closep(&state.fd);
}

void trace_write(const char *token, const char *step, uint64_t ns)
{
    if (COLLECT - state.len < LINE_MAX_BYTES)
        flush();
    state.len += (size_t)snprintf(state.text + state.len, LINE_MAX_BYTES, "%.40s %.40s %" PRIu64 "\n", token,
                                  step, ns);
}

/* cgroup_end.c - the end of cells' groups and of the place that they were made in. */
#include "cgroup_internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#define PATIENCE_MS 200 /* with all cells together */
#define MOVE_ROUNDS 16

/* A cell below a base.  v1 removes late: EBUSY for a moment after the last process is gone. */
static bool remove_cell(int base, const char *name, unsigned *patience_ms)
{
    CLEAN_FD int cell = cg_open_dir(base, name);

    if (cell >= 0) { /* the frozen do not die; one of the two files is there */
        cg_write(cell, "freezer.state", "THAWED");
        cg_write(cell, "cgroup.freeze", "0");
    }
    for (;; usleep(1000)) {
        if (cell >= 0)
            cg_each_process(cell, SIGKILL);
        if (unlinkat(base, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
            return true;
        if (errno != EBUSY || *patience_ms == 0)
            return false;
        (*patience_ms)--;
    }
}

bool cg_remove_tree(int parent, const char *name)
{
    int base = cg_open_dir(parent, name);
    CLEAN_FD int copy = base < 0 ? -1 : cg_open_dir(base, ".");
    DIR *d = base < 0 ? NULL : fdopendir(base);
    unsigned patience_ms = PATIENCE_MS;
    const struct dirent *e;

    if (d == NULL) {
        closep(&base);
        return errno == ENOENT;
    }
    while ((e = readdir(d)) != NULL)
        if (e->d_type == DT_DIR && e->d_name[0] != '.')
            remove_cell(copy, e->d_name, &patience_ms);
    closedir(d);
    return remove_cell(parent, name, &patience_ms);
}

int cg_move_all(int from, int to)
{
    for (int round = 0; round < MOVE_ROUNDS; round++) { /* what is forked meanwhile comes with the next */
        int fd = openat(from, "cgroup.procs", O_RDONLY | O_CLOEXEC);
        CLEAN(fclosep) FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
        char line[32];
        size_t seen = 0;

        if (f == NULL)
            return -errno;
        for (; fgets(line, sizeof(line), f) != NULL; seen++) {
            int rc = cg_write(to, "cgroup.procs", "%.*s", (int)strcspn(line, "\n"), line);

            if (rc != 0 && rc != -ESRCH)
                return rc;
        }
        if (seen == 0)
            return 0;
    }
    return -EBUSY;
}

void cg_hand_on(int dir, char sign)
{
    static const char *const controllers[] = {"memory", "pids", "cpu"};

    for (size_t i = 0; i < COUNT_OF(controllers); i++) /* what failed is seen in our base */
        cg_write(dir, "cgroup.subtree_control", "%c%s", sign, controllers[i]);
}

void cg_give_back(int parent)
{
    CLEAN_FD int leaf = cg_open_dir(parent, CG_SUPERVISOR);

    cg_hand_on(parent, '-');
    if (leaf >= 0 && cg_move_all(leaf, parent) == 0)
        unlinkat(parent, CG_SUPERVISOR, AT_REMOVEDIR);
}

/* cgroup_find.c - our own cgroup in a hierarchy, from what /proc says (cgroups(7), proc(5)). */
#include "cgroup_place_internal.h"

#include <unistd.h>

#define LINE_MAX_BYTES (4 * CG_PATH)

bool cg_has_word(const char *text, char separator, const char *word)
{
    size_t len = strlen(word);

    for (const char *p = text; p != NULL; p = strchr(p, separator)) {
        p += *p == separator;
        if (strncmp(p, word, len) == 0 && (p[len] == separator || p[len] == '\n' || p[len] == '\0'))
            return true;
        if (*p == '\0')
            break;
    }
    return false;
}

/* Our path within a hierarchy: "4:memory:/a/b", in version 2 "0::/a/b". */
static bool own_path(const char *cgroup_file, const char *controller, char ret[CG_PATH])
{
    CLEAN(fclosep) FILE *f = fopen(cgroup_file, "re");
    char line[LINE_MAX_BYTES];

    while (f != NULL && fgets(line, sizeof(line), f) != NULL) {
        char *list = strchr(line, ':');
        char *path = list == NULL ? NULL : strchr(list + 1, ':');

        if (path == NULL)
            continue;
        *path++ = '\0';
        *list++ = '\0';
        path[strcspn(path, "\n")] = '\0';
        if (controller == NULL ? strcmp(line, "0") == 0 && *list == '\0' : cg_has_word(list, ',', controller))
            return (size_t)snprintf(ret, CG_PATH, "%s", path) < CG_PATH;
    }
    return false;
}

/* mountinfo writes blank, tab, newline and backslash as three octal digits. */
static bool unescape(const char *from, size_t len, char ret[CG_PATH])
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        if (n + 1 >= CG_PATH)
            return false;
        if (from[i] == '\\' && i + 3 < len) {
            ret[n++] = (char)((from[i + 1] - '0') * 64 + (from[i + 2] - '0') * 8 + (from[i + 3] - '0'));
            i += 3;
        } else {
            ret[n++] = from[i];
        }
    }
    ret[n] = '\0';
    return true;
}

/* The nth blank-separated field, not terminated. */
static struct bytes field(const char *line, unsigned n)
{
    while (n-- > 0) {
        line += strcspn(line, " ");
        line += *line == ' ';
    }
    return (struct bytes){line, strcspn(line, " \n")};
}

/* One line of mountinfo: is it the hierarchy's, and then its root within the hierarchy, its mount point and
 * the file system's options? */
static bool hierarchy_mount(const char *line, const char *controller, char root[CG_PATH], char point[CG_PATH],
                            struct bytes *ret_options)
{
    const char *rest = strstr(line, " - ");
    struct bytes type, at, of;

    if (rest == NULL)
        return false;
    type = field(rest + 3, 0);
    if (controller == NULL) {
        if (type.len != 7 || memcmp(type.ptr, "cgroup2", 7) != 0)
            return false;
    } else if (type.len != 6 || memcmp(type.ptr, "cgroup", 6) != 0 ||
               !cg_has_word(field(rest + 3, 2).ptr, ',', controller)) {
        return false;
    }
    of = field(line, 3);
    at = field(line, 4);
    *ret_options = field(rest + 3, 2);
    return unescape(of.ptr, of.len, root) && unescape(at.ptr, at.len, point);
}

/* A container sees the mount of a part: then our path begins with that part's, or (cgroup
 * namespace entered after the mount) has nothing to do with it and the mount point is the best guess. */
static bool below(const char *own, const char *root, const char **ret_rest)
{
    size_t len = strcmp(root, "/") == 0 ? 0 : strlen(root);

    *ret_rest = "";
    if (strncmp(own, root, len) != 0 || (own[len] != '/' && own[len] != '\0') || strncmp(own, "/..", 3) == 0)
        return false;
    if (strcmp(own + len, "/") != 0)
        *ret_rest = own + len;
    return true;
}

int cg_find(const char *cgroup_file, const char *mountinfo_file, const char *controller, struct cg_at *ret)
{
    CLEAN(fclosep) FILE *f = fopen(mountinfo_file, "re");
    char own[CG_PATH], root[CG_PATH], point[CG_PATH], line[LINE_MAX_BYTES];
    bool found = false, exact = false;

    if (!own_path(cgroup_file, controller, own))
        return -ENOENT;
    while (!exact && f != NULL && fgets(line, sizeof(line), f) != NULL) {
        struct bytes options;
        const char *rest;

        if (!hierarchy_mount(line, controller, root, point, &options))
            continue;
        exact = below(own, root, &rest);
        if (found && !exact)
            continue; /* the first of the guesses */
        if ((size_t)snprintf(ret->own, sizeof(ret->own), "%s%s", point, rest) >= sizeof(ret->own))
            return -ENAMETOOLONG;
        snprintf(ret->top, sizeof(ret->top), "%s", point);
        snprintf(ret->options, sizeof(ret->options), "%.*s", (int)options.len, options.ptr);
        found = true;
    }
    return found ? 0 : -ENOENT;
}

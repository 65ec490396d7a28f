/* conf_secret.c - secrets from the file itself, from files of their own, from the environment. */
#include "conf_internal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define SECRET_MAX 4096

void conf_secret_free(char *s)
{
    if (s != NULL)
        explicit_bzero(s, strlen(s));
    free(s);
}

bool conf_secret_way(const char *name, const char *key, enum conf_secret_way *ret)
{
    static const char *const suffixes[] = {
        [CONF_SECRET_TEXT] = "", [CONF_SECRET_FILE] = "_file", [CONF_SECRET_ENV] = "_env"};
    size_t len = strlen(key);

    if (strncmp(name, key, len) != 0)
        return false;
    for (size_t i = 0; i < COUNT_OF(suffixes); i++) {
        if (strcmp(name + len, suffixes[i]) == 0) {
            *ret = (enum conf_secret_way)i;
            return true;
        }
    }
    return false;
}

const char *conf_secret_shown(enum conf_secret_way way, const char *text)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
    bool looks = way == CONF_SECRET_FILE  ? text[0] == '/'
                 : way == CONF_SECRET_ENV ? text[strspn(text, letters)] == '\0'
                                          : false;

    return looks ? text : "the value";
}

static int file_open(const char *path, int *ret_fd, struct err *why)
{
    CLEAN_FD int fd = -1;
    struct stat st;

    if (path[0] != '/')
        return err_set(why, -1, "must be an absolute path");
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0)
        return err_sys(why, "cannot be read");
    if (!S_ISREG(st.st_mode))
        return err_set(why, -1, "must be a regular file");
    if ((st.st_mode & S_IRWXO) != 0)
        return err_set(why, -1, "is open to every user of this machine; chmod 600 it");
    if (st.st_size > SECRET_MAX)
        return err_set(why, -1, "must have %d bytes at most", SECRET_MAX);
    *ret_fd = steal_fd(&fd);
    return 0;
}

static int file_read(const char *path, char **ret, struct err *why)
{
    char text[SECRET_MAX + 2];
    CLEAN_FD int fd = -1;
    size_t len = 0;
    ssize_t n;
    int rc = file_open(path, &fd, why);

    if (rc != 0)
        return rc;
    while (len < sizeof(text) - 1 && (n = read(fd, text + len, sizeof(text) - 1 - len)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return err_sys(why, "cannot be read");
        len += (size_t)n;
    }
    if (len > 0 && text[len - 1] == '\n')
        len--;
    if (len > 0 && text[len - 1] == '\r')
        len--;
    text[len] = '\0';
    if (len == 0 || len > SECRET_MAX || memchr(text, '\0', len) != NULL)
        rc = err_set(why, -1, len == 0 ? "is empty" : "is no text of at most 4096 bytes");
    else
        *ret = mem_dup(text);
    explicit_bzero(text, sizeof(text));
    return rc;
}

static int env_read(const char *name, char **ret, struct err *why)
{
    const char *value = getenv(name);

    if (value == NULL || value[0] == '\0')
        return err_set(why, -1,
                       value == NULL ? "is not set in the environment" : "is empty in the environment");
    *ret = mem_dup(value);
    return 0;
}

int conf_secret_get(enum conf_secret_way way, const char *text, char **ret, struct err *why)
{
    switch (way) {
    case CONF_SECRET_FILE:
        return file_read(text, ret, why);
    case CONF_SECRET_ENV:
        return env_read(text, ret, why);
    default:
        *ret = mem_dup(text);
        return 0;
    }
}

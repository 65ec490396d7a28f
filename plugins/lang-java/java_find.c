/* java_find.c - which JDK: as configured, as `javac` of the system leads to, else the newest there is. */
#include "lang_java.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define JVM_DIR "/usr/lib/jvm"

struct finder {
    const struct execd_host *host;
    struct execd_ctx *ctx;
};

/* Is there a compiler in it?  Then the real path of its home into out[size]. */
static int home_real(const struct finder *f, const char *home, char *out, size_t size)
{
    char javac[PATH_MAX], real[PATH_MAX], here[2 * PATH_MAX];

    snprintf(javac, sizeof(javac), "%s/bin/javac", home);
    if (f->host->path_real(f->ctx, javac, real, sizeof(real)) != EXECD_OK)
        return 0;
    snprintf(here, sizeof(here), "%s%s", f->host->cell_root(f->ctx), real);
    return access(here, X_OK) == 0 && f->host->path_real(f->ctx, home, out, (uint32_t)size) == EXECD_OK;
}

/* /usr/bin/javac -> /etc/alternatives/javac -> HOME/bin/javac */
static int home_of_system(const struct finder *f, char *out, size_t size)
{
    static const char tail[] = "/bin/javac";
    char real[PATH_MAX];
    size_t n;

    if (f->host->path_real(f->ctx, "/usr/bin/javac", real, sizeof(real)) != EXECD_OK)
        return 0;
    n = strlen(real);
    if (n <= sizeof(tail) - 1 || strcmp(real + n - (sizeof(tail) - 1), tail) != 0)
        return 0;
    real[n - (sizeof(tail) - 1)] = '\0';
    return strcmp(real, "/usr") != 0 && home_real(f, real, out, size);
}

/* The first number in a folder's name: 17 of "java-17-openjdk-amd64". */
static long version_of(const char *name)
{
    name += strcspn(name, "0123456789");
    return *name == '\0' ? -1 : strtol(name, NULL, 10);
}

static int home_newest(const struct finder *f, char *out, size_t size)
{
    char real[PATH_MAX] = "", here[2 * PATH_MAX];
    DIR *dir = NULL;
    struct dirent *e;
    long best = -1;
    char home[sizeof(JVM_DIR) + 1 + NAME_MAX];

    if (f->host->path_real(f->ctx, JVM_DIR, real, sizeof(real)) == EXECD_OK) {
        snprintf(here, sizeof(here), "%s%s", f->host->cell_root(f->ctx), real);
        dir = opendir(here);
    }
    while (dir != NULL && (e = readdir(dir)) != NULL) {
        long v = version_of(e->d_name);

        snprintf(home, sizeof(home), JVM_DIR "/%s", e->d_name);
        if (e->d_name[0] != '.' && v > best && home_real(f, home, out, size))
            best = v;
    }
    if (dir != NULL)
        closedir(dir);
    return best >= 0;
}

/* Debian's JDK has links from its home to /etc/java-N-openjdk; without them no JVM starts. */
static void etc_find(const struct finder *f, struct java_home *h)
{
    static const char *const links[] = {"lib/jvm.cfg", "conf/security/java.security", "conf/net.properties"};
    static const char etc[] = "/etc/";
    char path[PATH_MAX], real[PATH_MAX];

    for (size_t i = 0; i < sizeof(links) / sizeof(links[0]); i++) {
        char *end;

        snprintf(path, sizeof(path), "%s/%s", h->path, links[i]);
        if (f->host->path_real(f->ctx, path, real, sizeof(real)) != EXECD_OK ||
            strncmp(real, etc, sizeof(etc) - 1) != 0)
            continue;
        end = strchr(real + sizeof(etc) - 1, '/');
        if (end == NULL || (size_t)(end - real) >= sizeof(h->etc))
            continue;
        memcpy(h->etc, real, (size_t)(end - real));
        h->etc[end - real] = '\0';
        return;
    }
}

int32_t java_home_find(const struct execd_host *host, struct execd_ctx *ctx, const char *configured,
                       struct java_home *ret, struct execd_error *err)
{
    const struct finder f = {host, ctx};
    int found;

    memset(ret, 0, sizeof(*ret));
    if (configured != NULL) {
        if (!home_real(&f, configured, ret->path, sizeof(ret->path)))
            return host->fail(err, EXECD_E_CONFIG, "java_home `%s` has no bin/javac that can be run",
                              configured);
    } else {
        found = home_of_system(&f, ret->path, sizeof(ret->path)) ||
                home_real(&f, JVM_DIR "/default-java", ret->path, sizeof(ret->path)) ||
                home_newest(&f, ret->path, sizeof(ret->path));
        if (!found)
            return host->fail(err, EXECD_E_CONFIG,
                              "no JDK by /usr/bin/javac or below " JVM_DIR
                              ": apt install default-jdk-headless, or set java_home");
    }
    snprintf(ret->mount, sizeof(ret->mount), "!%s", ret->path);
    etc_find(&f, ret);
    return EXECD_OK;
}

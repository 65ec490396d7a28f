/* k8s_file.c - small files and text. */
#include "k8s.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)

void k8s_why(char why[K8S_WHY], const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(why, K8S_WHY, fmt, ap);
    va_end(ap);
}

char *k8s_printf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    return n < 0 ? NULL : text;
}

void k8s_text_done(struct k8s_text *t)
{
    if (t->ptr != NULL)
        explicit_bzero(t->ptr, t->len);
    free(t->ptr);
    *t = (struct k8s_text){0};
}

/* All of it, or -1 with errno. */
static ssize_t read_all(int fd, char *bytes, size_t room)
{
    size_t len = 0;
    ssize_t n;

    while (len < room) {
        n = read(fd, bytes + len, room - len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? n : (ssize_t)len;
        len += (size_t)n;
    }
    errno = EFBIG;
    return -1;
}

/* O_NONBLOCK: a FIFO by that name must not hold the loop up. */
bool k8s_file_read(const char *path, struct k8s_text *ret, char why[K8S_WHY])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    char *bytes = fd < 0 ? NULL : malloc(FILE_MAX + 1);
    ssize_t n = bytes == NULL ? -1 : read_all(fd, bytes, FILE_MAX);
    const int saved = errno;

    if (fd >= 0)
        close(fd);
    if (n < 0) {
        free(bytes);
        k8s_why(why, "%s: %s", path, saved == EFBIG ? "it is larger than 1 MiB" : strerror(saved));
        return false;
    }
    k8s_text_done(ret);
    bytes[n] = '\0';
    ret->ptr = bytes; /* as large as it is: a copy would leave a secret behind, and what is not written costs
                         nothing */
    ret->len = (size_t)n;
    return true;
}

static int base64_value(char c)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const char *at = c == '\0' ? NULL : strchr(letters, c);

    return at == NULL ? -1 : (int)(at - letters);
}

bool k8s_base64(const char *text, struct k8s_text *ret)
{
    char *out = malloc(strlen(text) * 3 / 4 + 4);
    uint32_t bits = 0, held = 0;
    size_t len = 0;
    bool fine = out != NULL, padded = false;

    for (const char *p = text; fine && *p != '\0'; p++) {
        if (strchr(" \t\r\n", *p) != NULL)
            continue;
        if (*p == '=') {
            padded = true;
            continue;
        }
        if (padded || base64_value(*p) < 0) {
            fine = false;
            break;
        }
        bits = bits << 6 | (uint32_t)base64_value(*p);
        if ((held += 6) >= 8)
            out[len++] = (char)(bits >> (held -= 8) & 0xff);
    }
    if (!fine) {
        free(out);
        return false;
    }
    k8s_text_done(ret);
    out[len] = '\0';
    *ret = (struct k8s_text){out, len};
    return true;
}

char *k8s_escape(const char *text)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    char *out = malloc(strlen(text) * 3 + 1), *at = out;

    if (out == NULL)
        return NULL;
    for (; *text != '\0'; text++)
        if (strchr(plain, *text) != NULL)
            *at++ = *text;
        else
            at += snprintf(at, 4, "%%%02X", (unsigned)(unsigned char)*text);
    *at = '\0';
    return out;
}

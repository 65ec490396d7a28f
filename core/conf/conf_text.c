/* conf_text.c - the file's text, made fit for libconfig: bounded, one file, no number cut short. */
#include "conf_internal.h"

#include <ctype.h>
#include <fcntl.h>
#include <unistd.h>

#define FILE_MAX (1u << 20)

static int text_read(const char *path, struct buf *out)
{
    CLEAN_FD int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    int rc = 0;

    if (fd < 0)
        return -errno;
    while (rc == 0 && (rc = buf_reserve(out, 4096)) == 0) {
        ssize_t n = read(fd, out->data + out->len, 4096);

        if (n == 0)
            break;
        if (n > 0)
            out->len += (size_t)n;
        else if (errno != EINTR)
            rc = -errno;
    }
    if (rc == 0)
        out->data[out->len] = '\0';
    return rc;
}

/* libconfig's @include would read files whose lines we could not name. */
static bool include_find(const char *text, int *ret_line)
{
    *ret_line = 1;
    for (const char *p = text; p != NULL; ++*ret_line) {
        p += strspn(p, " \t");
        if (strncmp(p, "@include", 8) == 0)
            return true;
        p = strchr(p, '\n');
        p = p == NULL ? NULL : p + 1;
    }
    return false;
}

/* ---- numbers ----------------------------------------------------------------------- */

/* libconfig 1.5 reads 9999999999 as 1410065407 unless an L follows it: so one does. */
struct scan {
    struct conf_load *load;
    const char *p;
    int line;
    struct buf *out;
    int rc;
};

static void copy(struct scan *s, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (s->p[i] == '\n')
            s->line++;
    if (s->rc == 0)
        s->rc = buf_add(s->out, s->p, n);
    s->p += n;
}

static size_t string_len(const char *p)
{
    size_t n = 1;

    while (p[n] != '\0' && p[n] != '"')
        n += p[n] == '\\' && p[n + 1] != '\0' ? 2 : 1;
    return p[n] == '"' ? n + 1 : n;
}

static size_t comment_len(const char *p)
{
    const char *end;

    if (p[0] == '#' || p[1] == '/')
        return strcspn(p, "\n");
    end = strstr(p + 2, "*/");
    return end != NULL ? (size_t)(end + 2 - p) : strlen(p);
}

/* p is at a sign or digit.  Whole numbers only: those with a point or an exponent are left alone. */
static void number_copy(struct scan *s)
{
    size_t sign = s->p[0] == '-' || s->p[0] == '+', n;
    bool hex = s->p[sign] == '0' && (s->p[sign + 1] == 'x' || s->p[sign + 1] == 'X');
    const char *digits = s->p + sign + (hex ? 2 : 0);
    size_t count = strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789");

    n = (size_t)(digits - s->p) + count;
    if (!hex && (digits[count] == '.' || digits[count] == 'e' || digits[count] == 'E')) {
        copy(s, n + strspn(digits + count, "0123456789.eE+-"));
        return;
    }
    if (count > (hex ? 15 : 18))
        conf_mistake(s->load, s->line, "the number %.*s is too large", (int)MIN(n, (size_t)60), s->p);
    copy(s, n);
    if (*s->p == 'L')
        copy(s, strspn(s->p, "L"));
    else if (s->rc == 0 && count > 0)
        s->rc = buf_adds(s->out, "L");
}

static int numbers_widen(struct conf_load *l, const char *text, struct buf *out)
{
    static const char name_chars[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_*-";
    struct scan s = {.load = l, .p = text, .line = 1, .out = out};

    while (*s.p != '\0' && s.rc == 0) {
        bool sign = (s.p[0] == '-' || s.p[0] == '+') && isdigit((unsigned char)s.p[1]);

        if (*s.p == '"')
            copy(&s, string_len(s.p));
        else if (*s.p == '#' || (*s.p == '/' && (s.p[1] == '/' || s.p[1] == '*')))
            copy(&s, comment_len(s.p));
        else if (isalpha((unsigned char)*s.p))
            copy(&s, strspn(s.p, name_chars));
        else if (*s.p == '.')
            copy(&s, 1 + strspn(s.p + 1, "0123456789eE+-"));
        else if (sign || isdigit((unsigned char)*s.p))
            number_copy(&s);
        else
            copy(&s, 1);
    }
    return s.rc;
}

int conf_text_read(struct conf_load *l, struct buf *out)
{
    CLEAN_BUF struct buf text = {.max = FILE_MAX + 4096}; /* one more read finds the end */
    size_t before = l->mistake_count;
    char reason[128];
    int rc = text_read(l->path, &text), line;

    if (rc == -ENOBUFS)
        conf_mistake(l, 0, "the file is larger than %u bytes", FILE_MAX);
    else if (rc != 0)
        conf_mistake(l, 0, "cannot be read: %s", strerror_r(-rc, reason, sizeof(reason)));
    else if (strlen(text.data) != text.len)
        conf_mistake(l, 0, "holds a NUL byte: this is no text");
    else if (include_find(text.data, &line))
        conf_mistake(l, line,
                     "@include is not supported; one file says everything, EXECD_* variables override it");
    else if ((rc = numbers_widen(l, text.data, out)) != 0)
        conf_mistake(l, 0, "cannot be read: %s", strerror_r(-rc, reason, sizeof(reason)));
    else if (text.len == 0)
        rc = buf_adds(out, "");
    if (text.data != NULL)
        explicit_bzero(text.data, text.len);
    return l->mistake_count == before ? 0 : -1;
}

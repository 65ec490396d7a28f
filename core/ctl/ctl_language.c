/* ctl_language.c - which language a file is in. */
#include "ctl_internal.h"

#include <strings.h>

#define INFO_DEADLINE_MS 30000

static const struct {
    const char *ending;
    int32_t id;
} endings[] = {{".py", 71}, {".js", 63}, {".c", 50}, {".java", 62}};

static int by_ending(const char *file, int32_t *ret, struct err *reterr)
{
    const char *base = strrchr(file, '/');
    const char *dot = strrchr(base == NULL ? file : base, '.');

    for (size_t i = 0; dot != NULL && i < COUNT_OF(endings); i++) {
        if (strcasecmp(dot, endings[i].ending) == 0) {
            *ret = endings[i].id;
            return 0;
        }
    }
    return err_set(reterr, ERR_CONFIG,
                   "%s: its name tells no language; say --language ID or NAME (execctl languages)", file);
}

struct search {
    const char *name;
    int32_t id;
    bool found;
};

static void look(void *arg, int32_t id, const char *name, const char *version)
{
    struct search *s = arg;

    (void)version;
    if (!s->found && name != NULL && strcasecmp(name, s->name) == 0) {
        s->found = true;
        s->id = id;
    }
}

static int by_name(struct ctl *ctl, const char *name, int32_t *ret, struct err *reterr)
{
    struct ctl_answer a = {0};
    struct search s = {.name = name};
    int rc = ctl_http(ctl, "GET", "/languages", (struct bytes){0}, INFO_DEADLINE_MS, &a, reterr);

    if (rc == 0 && a.status != 200)
        rc = ctl_http_refusal(&a, reterr);
    else if (rc == 0)
        rc = wire_languages_read((struct bytes){a.body.data, a.body.len}, look, &s, reterr);
    ctl_answer_done(&a);
    if (rc == 0 && !s.found)
        rc = err_set(reterr, ERR_CONFIG,
                     "--language `%s`: the server has none of that name (execctl languages)", name);
    *ret = s.id;
    return rc;
}

int ctl_language_find(struct ctl *ctl, const char *file, int32_t *ret, struct err *reterr)
{
    uint64_t id;

    if (ctl->o.language == NULL)
        return by_ending(file, ret, reterr);
    if (num_u64(ctl->o.language, 1, INT32_MAX, &id) != 0)
        return by_name(ctl, ctl->o.language, ret, reterr);
    *ret = (int32_t)id;
    return 0;
}

/* api_languages.c - what may be submitted: what plugins declare and workers have proven. */
#include "api_internal.h"

enum {
    REFRESH_MS = 5000,
    REFRESH_EMPTY_MS = 250, /* until the first worker has told */
};

static const struct store_language *served_find(const struct api *api, int32_t id)
{
    for (size_t i = 0; i < api->languages.served_count; i++) {
        if (api->languages.served[i].id == id)
            return &api->languages.served[i];
    }
    return NULL;
}

static size_t declared_count(const struct api *api)
{
    return api->o.plugins == NULL ? 0 : plugin_lang_count(api->o.plugins);
}

static void on_served(void *arg, const struct err *err, const struct store_language *l, size_t count)
{
    struct api *api = arg;
    struct api_languages *table = &api->languages;

    if (!api->closed) {
        if (err == NULL) {
            free(table->served);
            table->served = mem_zero(MAX(count, (size_t)1), sizeof(*l));
            if (count > 0)
                memcpy(table->served, l, count * sizeof(*l));
            table->served_count = count;
        }
        loop_timer_arm(table->timer, table->served_count == 0 ? REFRESH_EMPTY_MS : REFRESH_MS);
    }
    api_unref(api);
}

static void on_refresh(void *arg)
{
    struct api *api = arg;

    store_languages_get(api->o.store, on_served, api_ref(api));
}

void api_languages_start(struct api *api)
{
    api->languages.timer = loop_timer_new(api->o.loop, on_refresh, api);
    on_refresh(api);
}

void api_languages_done(struct api *api)
{
    loop_timer_free(api->languages.timer);
    free(api->languages.served);
    api->languages = (struct api_languages){0};
}

/* A language that is declared here but that no worker of those that told runs would wait for ever. */
uint64_t api_languages_memory_min(void *arg, int32_t language_id, bool *ret_known)
{
    const struct api *api = arg;
    struct plugin_lang *l = declared_count(api) == 0 ? NULL : plugin_lang_find(api->o.plugins, language_id);
    bool served = served_find(api, language_id) != NULL;

    if (declared_count(api) == 0)
        *ret_known = served;
    else
        *ret_known = l != NULL && (served || api->languages.served_count == 0);
    return *ret_known && l != NULL ? plugin_lang_memory_min(l) : 0;
}

static void each_declared(struct api *api, void (*fn)(void *arg, const struct wire_language *l), void *arg)
{
    for (size_t i = 0; i < declared_count(api); i++) {
        const struct plugin_lang *l = plugin_lang_at(api->o.plugins, i);
        const struct store_language *served = served_find(api, plugin_lang_id(l));
        struct wire_language w = {.id = plugin_lang_id(l),
                                  .name = plugin_lang_name(l),
                                  .version = served != NULL ? served->version : plugin_lang_version(l),
                                  .file_name = plugin_lang_file_name(l),
                                  .ready = served != NULL};

        fn(arg, &w);
    }
}

/* Without plugins here, "Python (3.11.2)" is all that is known: the name is what comes before " (". */
static void each_served(struct api *api, void (*fn)(void *arg, const struct wire_language *l), void *arg)
{
    for (size_t i = 0; i < api->languages.served_count; i++) {
        const struct store_language *served = &api->languages.served[i];
        const char *end = strstr(served->version, " (");
        char name[sizeof(served->version)];
        struct wire_language w = {.id = served->id, .name = name, .version = served->version, .ready = true};

        snprintf(name, sizeof(name), "%.*s",
                 (int)(end == NULL ? (ptrdiff_t)strlen(served->version) : end - served->version),
                 served->version);
        fn(arg, &w);
    }
}

void api_languages_each(struct api *api, void (*fn)(void *arg, const struct wire_language *l), void *arg)
{
    if (declared_count(api) > 0)
        each_declared(api, fn, arg);
    else
        each_served(api, fn, arg);
}

struct list {
    struct wire_language *items;
    char (*names)[96];
    size_t count;
};

static void list_add(void *arg, const struct wire_language *l)
{
    struct list *list = arg;
    struct wire_language *w = &list->items[list->count];

    *w = *l;
    snprintf(list->names[list->count], sizeof(list->names[0]), "%s", l->name);
    w->name = list->names[list->count++];
}

void api_languages_list(struct api_call *call)
{
    struct api *api = call->api;
    size_t max = MAX(MAX(declared_count(api), api->languages.served_count), (size_t)1);
    struct list list = {.items = mem_zero(max, sizeof(struct wire_language)), .names = mem_zero(max, 96)};
    CLEAN_BUF struct buf body = {0};

    api_languages_each(api, list_add, &list);
    if (wire_languages_json(list.items, list.count, &body) != 0)
        api_answer_err(call, &(struct err){ERR_INTERNAL, "no memory for the languages"});
    else
        api_answer_json(call, 200, &body);
    free(list.items);
    free(list.names);
}

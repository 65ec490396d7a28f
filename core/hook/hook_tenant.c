/* hook_tenant.c - whose deliveries are under way here: how many of the sender's places each tenant has. */
#include "hook_internal.h"

void hook_tenants_open(struct hook_tenants *all)
{
    *all = (struct hook_tenants){.count = 0};
    TAILQ_INIT(&all->list);
}

static struct hook_tenant *tenant_new(struct hook_tenants *all, const char *name)
{
    struct hook_tenant *t = NEW(struct hook_tenant);

    t->name = mem_dup(name);
    TAILQ_INSERT_HEAD(&all->list, t, link);
    all->count++;
    return t;
}

struct hook_tenant *hook_tenant_take(struct hook_tenants *all, const char *name)
{
    struct hook_tenant *t;

    TAILQ_FOREACH (t, &all->list, link)
        if (strcmp(t->name, name) == 0)
            break;
    if (t == NULL)
        t = tenant_new(all, name);
    t->places++;
    return t;
}

void hook_tenant_give(struct hook_tenants *all, struct hook_tenant *t)
{
    if (--t->places > 0)
        return;
    TAILQ_REMOVE(&all->list, t, link);
    all->count--;
    free(t->name);
    free(t);
}

struct store_holder *hook_tenants_holders(const struct hook_tenants *all)
{
    struct store_holder *list = mem_zero(MAX(all->count, (size_t)1), sizeof(*list));
    const struct hook_tenant *t;
    size_t n = 0;

    TAILQ_FOREACH (t, &all->list, link)
        list[n++] = (struct store_holder){.tenant = t->name, .count = t->places};
    return list;
}

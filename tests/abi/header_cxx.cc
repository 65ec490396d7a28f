// header_cxx.cc - the contract is valid C++11: a whole plugin in it.
#include <execd/plugin.h>

namespace
{
int instance;

int32_t create(const execd_host *, execd_ctx *, const execd_value *, void **ret_self, execd_error *)
{
    *ret_self = &instance;
    return EXECD_OK;
}

void destroy(void *)
{
}

int32_t decide(void *, const execd_observation *o, execd_advice *advice, execd_error *)
{
    advice->replicas = o->replicas;
    return EXECD_OK;
}

int32_t apply(void *, uint32_t replicas, execd_apply_fn done, void *arg, execd_error *)
{
    done(arg, EXECD_OK, replicas, "");
    return EXECD_OK;
}

execd_scaler_ops filled() // by name: members are appended with minors
{
    execd_scaler_ops o = execd_scaler_ops();

    o.size = sizeof(o);
    o.decide = decide;
    o.apply = apply;
    return o;
}

const execd_scaler_ops ops = filled();
const execd_plugin descriptor = {
    EXECD_PLUGIN_HEAD(EXECD_KIND_SCALER), "cxx", "1", nullptr, 0, 0, create, nullptr, nullptr, destroy, nullptr, &ops,
};
} // namespace
EXECD_PLUGIN_DEFINE(descriptor)

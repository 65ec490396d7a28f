/* k8s_json.c - what of an object is needed. */
#include "k8s.h"

#include <math.h>
#include <string.h>

const cJSON *k8s_at(const cJSON *object, const char *path)
{
    char key[64];

    while (object != NULL && *path != '\0') {
        const size_t n = strcspn(path, ".");

        if (n >= sizeof(key))
            return NULL;
        memcpy(key, path, n);
        key[n] = '\0';
        object = cJSON_GetObjectItemCaseSensitive(object, key);
        path += n + (path[n] == '.');
    }
    return object;
}

const char *k8s_string(const cJSON *object, const char *path)
{
    return cJSON_GetStringValue(k8s_at(object, path));
}

int64_t k8s_integer(const cJSON *object, const char *path, int64_t otherwise)
{
    const cJSON *n = k8s_at(object, path);

    if (!cJSON_IsNumber(n) || !(n->valuedouble >= 0 && n->valuedouble <= UINT32_MAX) ||
        floor(n->valuedouble) != n->valuedouble)
        return otherwise;
    return (int64_t)n->valuedouble;
}

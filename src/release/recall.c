#include "release/recall.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "release/revision.h"

static void add(json_t *list, const char *text)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (strcmp(json_string_value(entry), text) == 0)
            return;
    }
    json_array_append_new(list, json_string(text));
}

static void take_object(const struct identity *identity, const json_t *object, json_t *group_kinds,
                        json_t *namespaces)
{
    const char *version = json_string_value(json_object_get(object, "apiVersion"));
    const char *kind = json_string_value(json_object_get(object, "kind"));
    const char *namespace = meta_text(object, "namespace");
    if (!version || !kind)
        return;
    const char *slash = strchr(version, '/');
    char *name =
        slash ? xasprintf("%s.%.*s", kind, (int)(slash - version), version) : xstrdup(kind);
    add(group_kinds, name);
    free(name);
    if (*namespace && strcmp(namespace, identity->namespace) != 0)
        add(namespaces, namespace);
}

static void take_source(const struct identity *identity, const json_t *source, json_t *group_kinds,
                        json_t *namespaces)
{
    size_t i, k;
    json_t *component, *object;
    json_array_foreach(json_object_get(source, "components"), i, component) {
        json_array_foreach(json_object_get(component, "objects"), k, object)
            take_object(identity, object, group_kinds, namespaces);
    }
}

int recall_kinds(struct kube_client *client, const struct identity *identity, json_t *group_kinds,
                 json_t *namespaces, struct err *err)
{
    struct revision *list;
    struct err problem = ERR_INIT;
    size_t count;
    int result = 0;
    if (revision_list(client, identity, &list, &count, &problem) != 0) {
        if (problem.kind != ERR_INTERRUPTED)
            return 0; /* who may not read Secrets can't apply, but may look */
        *err = problem;
        return -1;
    }
    for (size_t i = 0; i < count && result == 0; i++) {
        json_t *source = NULL;
        problem = (struct err)ERR_INIT;
        if (revision_read_sealed(client, identity, list[i].number, &source, &problem) == 0) {
            take_source(identity, source, group_kinds, namespaces);
        } else if (problem.kind != ERR_FAILED && problem.kind != ERR_USAGE) { /* damaged, or gone */
            *err = problem;
            result = -1;
        }
        json_decref(source);
    }
    revision_list_free(list, count);
    return result;
}

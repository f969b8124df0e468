#include "release/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static char *path_in(const struct work_item *item, const char *namespace)
{
    const char *marker = "/namespaces/";
    char *start = strstr(item->path, marker);
    if (!namespace || !start || strcmp(item->kind, "Namespace") == 0)
        return xstrdup(item->path);
    const char *rest = strchr(start + strlen(marker), '/');
    return xasprintf("%.*s%s%s%s", (int)(start - item->path), item->path, marker, namespace,
                     rest ? rest : "");
}

static char *body_in(const struct work_item *item, const char *namespace)
{
    if (!namespace)
        return json_dumps(item->object, JSON_COMPACT);
    json_t *copy = json_deep_copy(item->object);
    json_object_set_new(json_object_get(copy, "metadata"), "namespace", json_string(namespace));
    char *body = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return body;
}

void write_apply(struct kube_client *client, const struct work_item *item,
                 const struct write *write, kube_done_fn *done, void *arg)
{
    char *base = path_in(item, write->namespace);
    char *path = xasprintf("%s?fieldManager=bkdeploy&fieldValidation=Strict%s%s", base,
                           write->force ? "&force=true" : "", write->dry_run ? "&dryRun=All" : "");
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/apply-patch+yaml", /* JSON is YAML */
        .body = body_in(item, write->namespace),
        .delay_ms = write->delay_ms,
        .done = done,
        .arg = arg,
    };
    kube_send(client, &request);
    free(path);
    free(base);
}

void write_delete(struct kube_client *client, const struct work_item *item, kube_done_fn *done,
                  void *arg)
{
    char *path = xasprintf("%s?propagationPolicy=Background", item->path);
    struct kube_request request = { .method = "DELETE", .path = path, .done = done, .arg = arg };
    kube_send(client, &request);
    free(path);
}

static void mask(char *message, const char *value)
{
    size_t length = strlen(value);
    char *found;
    if (length < 3) /* too short to tell anything, and it would eat the sentence */
        return;
    while ((found = strstr(message, value))) {
        found[0] = found[1] = found[2] = '*';
        memmove(found + 3, found + length, strlen(found + length) + 1);
        message = found + 3; /* the value may be stars itself */
    }
}

static void mask_values(char *message, const json_t *values)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)values, key, value) {
        if (json_is_string(value))
            mask(message, json_string_value(value));
    }
}

int write_error(const struct work *work, const struct work_item *item, struct err *err)
{
    if (strcmp(item->kind, "Secret") == 0) {
        mask_values(err->message, json_object_get(item->object, "data"));
        mask_values(err->message, json_object_get(item->object, "stringData"));
    }
    for (char *c = err->message; *c; c++) /* one line, whatever the server wrote */
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    const struct component *component = &work->profile->components[item->component];
    char *label = work_item_label(item);
    err_wrap(err, "component '%s' (%s): %s", component->name, component->origin, label);
    free(label);
    return -1;
}

bool write_is_immutable(const struct kube_response *response)
{
    const char *message = json_string_value(json_object_get(response->body, "message"));
    return response->status == 422 && message &&
           (strstr(message, "field is immutable") ||
            strstr(message, "updates to statefulset spec"));
}

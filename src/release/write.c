#include "release/write.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/redact.h"

/* The item's path, in another namespace or under another name where one is given. */
static char *path_of(const struct work_item *item, const struct write *write)
{
    static const char marker[] = "/namespaces/";
    const char *name = write->name ? write->name : item->name;
    char *start = strstr(item->collection, marker);
    char *collection = NULL;
    if (write->namespace && start) {
        const char *rest = strchr(start + strlen(marker), '/');
        collection = xasprintf("%.*s%s%s%s", (int)(start - item->collection), item->collection,
                               marker, write->namespace, rest ? rest : "");
    }
    char *path = kube_object_path(collection ? collection : item->collection, name);
    free(collection);
    return path;
}

static char *body_of(const struct work_item *item, const struct write *write)
{
    const json_t *object = write->body ? write->body : item->object;
    if (!write->namespace && !write->name)
        return json_dumps(object, JSON_COMPACT);
    json_t *copy = json_copy((json_t *)object);
    json_t *metadata = json_copy(json_object_get(object, "metadata"));
    if (write->namespace)
        json_object_set_new(metadata, "namespace", json_string(write->namespace));
    if (write->name)
        json_object_set_new(metadata, "name", json_string(write->name));
    json_object_set_new(copy, "metadata", metadata);
    char *body = json_dumps(copy, JSON_COMPACT);
    json_decref(copy);
    return body;
}

void write_apply(struct kube_client *client, const struct work_item *item,
                 const struct write *write, kube_done_fn *done, void *arg)
{
    char *base = path_of(item, write);
    char *path = xasprintf("%s?fieldManager=bkdeploy&fieldValidation=Strict%s%s", base,
                           write->force ? "&force=true" : "", write->dry_run ? "&dryRun=All" : "");
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/apply-patch+yaml", /* JSON is YAML */
        .accept = write->brief ? KUBE_METADATA : NULL,
        .body = write->make_body ? NULL : body_of(item, write),
        .make_body = write->make_body,
        .delay_ms = write->delay_ms,
        .done = done,
        .arg = arg,
    };
    kube_send(client, &request);
    free(path);
    free(base);
}

void write_delete(struct kube_client *client, const struct work_item *item, const char *uid,
                  const char *propagation, kube_done_fn *done, void *arg)
{
    json_t *body =
        json_pack("{s:s, s:s, s:s, s:{s:s*}}", "apiVersion", "v1", "kind", "DeleteOptions",
                  "propagationPolicy", propagation, "preconditions", "uid", uid);
    struct kube_request request = {
        .method = "DELETE",
        .path = item->path,
        .content_type = "application/json",
        .body = json_dumps(body, JSON_COMPACT),
        .done = done,
        .arg = arg,
    };
    kube_send(client, &request);
    json_decref(body);
}

void write_managers(struct kube_client *client, const struct work_item *item, const json_t *live,
                    const json_t *managed_fields, kube_done_fn *done, void *arg)
{
    const json_t *version = json_object_get(json_object_get(live, "metadata"), "resourceVersion");
    json_t *body = json_pack("[{s:s, s:s, s:O}, {s:s, s:s, s:O}]", "op", "replace", "path",
                             "/metadata/managedFields", "value", managed_fields, "op", "replace",
                             "path", "/metadata/resourceVersion", "value", version);
    char *path = xasprintf("%s?fieldManager=bkdeploy", item->path);
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/json-patch+json",
        .body = json_dumps(body, JSON_COMPACT),
        .done = done,
        .arg = arg,
    };
    kube_send(client, &request);
    json_decref(body);
    free(path);
}

void write_hide(const struct work_item *item, const json_t *live, struct err *err)
{
    redact_secret(err->message, item->object);
    redact_secret(err->message, live);
}

int write_error(const struct work *work, const struct work_item *item, struct err *err)
{
    write_hide(item, NULL, err);
    for (char *c = err->message; *c; c++) /* one line, whatever the server wrote */
        if ((unsigned char)*c < ' ' || *c == 127)
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
    static const char *const words[] = { "immutable", "updates to statefulset spec",
                                         "cannot change roleRef", "may not change once set",
                                         "updates to parameters are forbidden" };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (response->status == 422 && message && strstr(message, words[i]))
            return true;
    return false;
}

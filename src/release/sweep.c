#include "release/sweep.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char content_of[] = "bkdeploy/content-of";

static const char *meta(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(json_object_get(object, "metadata"), key));
}

static const char *label(const json_t *object, const char *key)
{
    const json_t *metadata = json_object_get(object, "metadata");
    return json_string_value(json_object_get(json_object_get(metadata, "labels"), key));
}

static int delete_object(struct kube_client *client, const char *collection, const char *name,
                         struct err *err)
{
    char *path = kube_object_path(collection, name);
    long status = kube_fetch(client, "DELETE", path, NULL, NULL, NULL, err);
    free(path);
    return status < 0 ? -1 : 0;
}

/* Deletes the earlier contents of one item. */
static int sweep_item(struct kube_client *client, const struct work_item *item, size_t *deleted,
                      struct err *err)
{
    const char *part_of = label(item->object, "app.kubernetes.io/part-of");
    json_t *answer = NULL, *other;
    size_t i;
    char *path =
        xasprintf("%s?labelSelector=bkdeploy%%2Fcontent-of%%3D%s"
                  "%%2Capp.kubernetes.io%%2Fpart-of%%3D%s",
                  item->collection, label(item->object, content_of), part_of ? part_of : "");
    int result = kube_fetch(client, "GET", path, NULL, NULL, &answer, err) < 0 ? -1 : 0;
    free(path);
    json_array_foreach(json_object_get(answer, "items"), i, other) {
        const char *name = meta(other, "name");
        if (result != 0 || !name || strcmp(name, item->name) == 0)
            continue;
        result = delete_object(client, item->collection, name, err);
        *deleted += result == 0;
    }
    json_decref(answer);
    return result;
}

int sweep_old_contents(struct kube_client *client, const struct work *work, size_t *deleted,
                       struct err *err)
{
    *deleted = 0;
    for (size_t i = 0; i < work->count; i++)
        if (label(work->items[i].object, content_of) &&
            sweep_item(client, &work->items[i], deleted, err) != 0)
            return err_wrap(err, "all is ready, but old contents of '%s' are left",
                            label(work->items[i].object, content_of));
    return 0;
}

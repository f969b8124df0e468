#include "release/grow.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"
#include "object/quantity.h"

static const char *name_of(const json_t *object)
{
    return object_text(json_object_get(object, "metadata"), "name");
}

static const json_t *requests_of(const json_t *claim)
{
    const json_t *resources = json_object_get(json_object_get(claim, "spec"), "resources");
    return json_object_get(resources, "requests");
}

static const char *storage_of(const json_t *claim)
{
    return object_text(requests_of(claim), "storage");
}

static const json_t *templates_of(const json_t *set)
{
    return json_object_get(json_object_get(set, "spec"), "volumeClaimTemplates");
}

static const json_t *template_named(const json_t *set, const char *name)
{
    json_t *template;
    size_t i;
    json_array_foreach(templates_of(set), i, template) {
        if (strcmp(name_of(template), name) == 0)
            return template;
    }
    return NULL;
}

/* Whether a live template has all that the wanted one says, but for the size. */
static bool has_all(const json_t *live, const json_t *wanted)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key, value) {
        const json_t *other = json_object_get(live, key);
        if (strcmp(key, "storage") == 0)
            continue;
        if (json_is_object(value) ? !has_all(other, value) : !json_equal(other, value))
            return false;
    }
    return true;
}

bool grow_is_all(const json_t *live, const json_t *wanted, char why[160])
{
    json_t *template;
    size_t i;
    if (json_array_size(templates_of(live)) != json_array_size(templates_of(wanted))) {
        snprintf(why, 160, "the number of its claim templates changes");
        return false;
    }
    json_array_foreach(templates_of(wanted), i, template) {
        const json_t *old = template_named(live, name_of(template));
        if (!old || !has_all(json_object_get(old, "spec"), json_object_get(template, "spec"))) {
            snprintf(why, 160, "claim template '%s' changes in more than its size",
                     name_of(template));
            return false;
        }
        if (quantity_compare(storage_of(template), storage_of(old)) < 0) {
            snprintf(why, 160,
                     "claim template '%s' would shrink from %s to %s, which no volume does",
                     name_of(template), storage_of(old), storage_of(template));
            return false;
        }
    }
    return true;
}

void grow_templates(json_t *object, const json_t *wanted)
{
    json_t *template;
    size_t i;
    json_array_foreach(templates_of(object), i, template) {
        const json_t *size =
            json_object_get(requests_of(template_named(wanted, name_of(template))), "storage");
        if (size)
            json_object_set((json_t *)requests_of(template), "storage", (json_t *)size);
    }
}

/* The template of a claim that is named "<template>-<set>-<ordinal>", or NULL. */
static const json_t *template_of_claim(const json_t *set, const char *claim)
{
    json_t *template;
    size_t i;
    json_array_foreach(templates_of(set), i, template) {
        char *prefix = xasprintf("%s-%s-", name_of(template), name_of(set));
        size_t length = strlen(prefix);
        bool is_its = strncmp(claim, prefix, length) == 0 && claim[length] &&
                      strspn(claim + length, "0123456789") == strlen(claim + length);
        free(prefix);
        if (is_its)
            return template;
    }
    return NULL;
}

static int check_class(struct kube_client *client, const json_t *claim, struct err *err)
{
    const char *class = object_text(json_object_get(claim, "spec"), "storageClassName");
    json_t *answer = NULL;
    if (!*class)
        return err_set(err, ERR_REFUSED, "claim %s has no storage class, so it can't grow",
                       name_of(claim));
    char *collection = xasprintf("/apis/storage.k8s.io/v1/storageclasses/%s", class);
    long status = kube_fetch(client, "GET", collection, NULL, NULL, &answer, err);
    free(collection);
    if (status < 0)
        return err_wrap(err, "to know whether claim %s can grow", name_of(claim));
    bool allowed = json_is_true(json_object_get(answer, "allowVolumeExpansion"));
    json_decref(answer);
    if (allowed)
        return 0;
    return err_set(
        err, ERR_REFUSED,
        "claim %s can't grow: its storage class '%s' does not allow it "
        "(allowVolumeExpansion); keep the size, or move the data to a set of another name",
        name_of(claim), class);
}

json_t *grow_claims(struct kube_client *client, const struct work_item *item, const json_t *wanted,
                    struct err *err)
{
    json_t *list = NULL, *claims = json_array(), *claim;
    size_t i;
    char *collection = xasprintf("/api/v1/namespaces/%s/persistentvolumeclaims", item->namespace);
    int result = kube_fetch(client, "GET", collection, NULL, NULL, &list, err) < 0 ? -1 : 0;
    json_array_foreach(json_object_get(list, "items"), i, claim) {
        const json_t *template = template_of_claim(wanted, name_of(claim));
        if (result != 0 || !template ||
            quantity_compare(storage_of(claim), storage_of(template)) >= 0)
            continue;
        result = check_class(client, claim, err);
        char *path = xasprintf("%s/%s", collection, name_of(claim));
        json_array_append_new(claims, json_pack("{s:s, s:s, s:s, s:s}", "path", path, "name",
                                                name_of(claim), "from", storage_of(claim), "to",
                                                storage_of(template)));
        free(path);
    }
    json_decref(list);
    free(collection);
    if (result == 0)
        return claims;
    json_decref(claims);
    return NULL;
}

void grow_send(struct kube_client *client, const json_t *claim, kube_done_fn *done, void *arg)
{
    json_t *body = json_pack("{s:{s:{s:{s:s}}}}", "spec", "resources", "requests", "storage",
                             object_text(claim, "to"));
    char *path = xasprintf("%s?fieldManager=bkdeploy", object_text(claim, "path"));
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/merge-patch+json",
        .body = json_dumps(body, JSON_COMPACT),
        .done = done,
        .arg = arg,
    };
    kube_send(client, &request);
    json_decref(body);
    free(path);
}

#include "release/ownership.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/fields.h"
#include "object/meta.h"

static bool is_text(const json_t *object, const char *key, const char *wanted)
{
    return strcmp(object_text(object, key), wanted) == 0;
}

static bool is_ours(const json_t *entry)
{
    return is_text(entry, "manager", "bkdeploy") && is_text(entry, "operation", "Apply") &&
           is_text(entry, "subresource", "");
}

static bool is_kubectl(const json_t *entry)
{
    return is_text(entry, "manager", "kubectl-client-side-apply") ||
           (is_text(entry, "manager", "kubectl") && is_text(entry, "operation", "Apply"));
}

static json_t *entries_of(const json_t *live)
{
    return json_object_get(json_object_get(live, "metadata"), "managedFields");
}

static bool any(const json_t *live, bool (*fits)(const json_t *entry))
{
    size_t i;
    json_t *entry;
    json_array_foreach(entries_of(live), i, entry) {
        if (fits(entry))
            return true;
    }
    return false;
}

static char *words_of_release(const json_t *labels, const char *id)
{
    const char *name = object_text(labels, "app.kubernetes.io/part-of");
    if (!*name)
        return xasprintf("the applyset %s", id);
    if (is_text(labels, "app.kubernetes.io/managed-by", "bkdeploy"))
        return xasprintf("another release, of profile '%s' (%s)", name, id);
    return xasprintf("the applyset %s, part of '%s'", id, name);
}

/* The managers' names, each once; those of the status are no owners. */
static char *words_of_managers(const json_t *live)
{
    struct buf words = BUF_INIT;
    json_t *seen = json_object(), *entry;
    size_t i;
    json_array_foreach(entries_of(live), i, entry) {
        const char *manager = object_text(entry, "manager");
        if (!*manager || is_text(entry, "subresource", "status") || json_object_get(seen, manager))
            continue;
        json_object_set_new(seen, manager, json_true());
        buf_addf(&words, "%s'%s'", words.len > 0 ? ", " : "", manager);
    }
    json_decref(seen);
    if (words.len == 0)
        buf_adds(&words, "somebody who is not known");
    return buf_detach(&words);
}

static enum owner_kind find(const json_t *live, const char *set_id, char **words)
{
    const json_t *metadata = json_object_get(live, "metadata");
    const json_t *labels = json_object_get(metadata, "labels");
    const json_t *annotations = json_object_get(metadata, "annotations");
    const char *set = object_text(labels, "applyset.kubernetes.io/part-of");
    const char *helm = object_text(annotations, "meta.helm.sh/release-name");
    if (!live) {
        *words = xstrdup("");
        return OWNER_NOBODY;
    }
    if (*set && strcmp(set, set_id) == 0) {
        *words = xstrdup("this release");
        return OWNER_US;
    }
    if (*set) {
        *words = words_of_release(labels, set);
        return OWNER_RELEASE;
    }
    if (any(live, is_ours)) {
        *words = xstrdup("bkdeploy, in no release");
        return OWNER_US;
    }
    if (*helm && is_text(labels, "app.kubernetes.io/managed-by", "Helm")) {
        *words = xasprintf("helm release '%s' in namespace '%s'", helm,
                           object_text(annotations, "meta.helm.sh/release-namespace"));
        return OWNER_HELM;
    }
    if (json_object_get(annotations, "kubectl.kubernetes.io/last-applied-configuration") ||
        any(live, is_kubectl)) {
        *words = xstrdup("kubectl apply");
        return OWNER_KUBECTL;
    }
    *words = words_of_managers(live);
    return OWNER_OTHER;
}

enum owner_kind ownership_of(const json_t *live, const char *set_id, char **words)
{
    char *found;
    enum owner_kind kind = find(live, set_id, &found);
    if (words)
        *words = found;
    else
        free(found);
    return kind;
}

/* Whether an entry is of one whose fields become ours. */
static bool is_moved(const json_t *entry)
{
    if (!is_text(entry, "subresource", ""))
        return false;
    /* helm calls itself as its program is called: helm3, too */
    return is_kubectl(entry) || strncmp(object_text(entry, "manager"), "helm", 4) == 0 ||
           is_text(entry, "manager", "kubectl-last-applied") ||
           is_text(entry, "manager", "before-first-apply");
}

static json_t *find_entry(const json_t *entries, bool (*fits)(const json_t *entry),
                          const char *version)
{
    size_t i;
    json_t *entry;
    json_array_foreach(entries, i, entry) {
        if (fits(entry) && (!version || is_text(entry, "apiVersion", version)))
            return entry;
    }
    return NULL;
}

/* Our entry after the move. Fields of another version of the kind may have other names, so they
 * can't be taken; who had them is gone. NULL when nobody is there to move. */
static json_t *adopting_entry(const json_t *live)
{
    const json_t *entries = entries_of(live), *from;
    if (!find_entry(entries, is_moved, NULL))
        return NULL;
    from = find_entry(entries, is_ours, NULL);
    if (!from)
        from = find_entry(entries, is_moved, object_text(live, "apiVersion"));
    if (!from)
        from = find_entry(entries, is_moved, NULL);
    json_t *made = json_copy((json_t *)from), *entry;
    size_t i;
    json_object_set_new(made, "manager", json_string("bkdeploy"));
    json_object_set_new(made, "operation", json_string("Apply"));
    json_array_foreach(entries, i, entry) {
        if (!is_moved(entry) || entry == from ||
            !is_text(entry, "apiVersion", object_text(from, "apiVersion")))
            continue;
        json_object_set_new(
            made, "fieldsV1",
            fields_union(json_object_get(made, "fieldsV1"), json_object_get(entry, "fieldsV1")));
        if (strcmp(object_text(entry, "time"), object_text(made, "time")) > 0)
            json_object_set(made, "time", json_object_get(entry, "time"));
    }
    return made;
}

json_t *ownership_adopting(const json_t *live)
{
    json_t *ours = adopting_entry(live), *entry;
    if (!ours)
        return NULL;
    json_t *made = json_array();
    size_t i;
    json_array_append_new(made, ours);
    json_array_foreach(entries_of(live), i, entry) {
        if (!is_ours(entry) && !is_moved(entry))
            json_array_append(made, entry);
    }
    return made;
}

json_t *ownership_adopted_fields(const json_t *live)
{
    json_t *entry = adopting_entry(live);
    json_t *fields = json_incref(json_object_get(entry, "fieldsV1"));
    json_decref(entry);
    return fields;
}

/* What server-side apply has noted as ours, NULL: nothing. */
static const json_t *applied_fields(const json_t *object)
{
    size_t i;
    json_t *entry;
    json_array_foreach(entries_of(object), i, entry) {
        if (is_ours(entry))
            return json_object_get(entry, "fieldsV1");
    }
    return NULL;
}

bool ownership_is_same(const json_t *live, const json_t *after)
{
    return json_equal(applied_fields(live), applied_fields(after));
}

#include "release/inventory.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"
#include "release/recall.h"

#define TOOLING         "bkdeploy/v1"
#define TOOLING_KEY     "applyset.kubernetes.io/tooling"
#define GROUP_KINDS_KEY "applyset.kubernetes.io/contains-group-kinds"
#define NAMESPACES_KEY  "applyset.kubernetes.io/additional-namespaces"
#define KEEP_KEY        "bkdeploy/keep"

enum { PAGE = 50, HTTP_NOT_FOUND = 404, HTTP_GONE = 410 };

/* The parts of "a,b" as an array. A new reference. */
static json_t *split_list(const char *text)
{
    json_t *list = json_array();
    while (*text) {
        size_t length = strcspn(text, ",");
        if (length)
            json_array_append_new(list, json_stringn(text, length));
        text += length + (text[length] == ',');
    }
    return list;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The texts of an array as "a,b": ascending, each once, less `without`. The caller's to free. */
static char *join_list(const json_t *list, const char *without)
{
    size_t count = json_array_size(list), i;
    const char **texts = xcalloc(count + 1, sizeof *texts);
    json_t *entry;
    json_array_foreach((json_t *)list, i, entry)
        texts[i] = json_string_value(entry) ? json_string_value(entry) : "";
    qsort(texts, count, sizeof *texts, compare_texts);
    struct buf out = BUF_INIT;
    for (i = 0; i < count; i++)
        if (*texts[i] && strcmp(texts[i], without) != 0 &&
            (i == 0 || strcmp(texts[i], texts[i - 1]) != 0))
            buf_addf(&out, "%s%s", out.len ? "," : "", texts[i]);
    free(texts);
    return buf_detach(&out);
}

static char *parent_path(const struct identity *identity)
{
    return xasprintf("/api/v1/namespaces/%s/configmaps/%s", identity->namespace, identity->parent);
}

/* ---- reading ---- */

static int check_parent(const struct identity *identity, const json_t *parent, struct err *err)
{
    const char *tooling = meta_annotation(parent, TOOLING_KEY),
               *id = meta_label(parent, IDENTITY_SET_ID);
    if (strcmp(tooling, TOOLING) == 0) {
        if (!*id || strcmp(id, identity->set_id) == 0)
            return 0;
        return err_set(err, ERR_CONFLICT,
                       "ConfigMap %s/%s has the label %s=%s, which is not its own (%s); was it "
                       "copied from elsewhere?",
                       identity->namespace, identity->parent, IDENTITY_SET_ID, id,
                       identity->set_id);
    }
    return err_set(err, ERR_CONFLICT,
                   "ConfigMap %s/%s, which keeps account of release '%s', %s%s; this bkdeploy "
                   "leaves it alone",
                   identity->namespace, identity->parent, identity->name,
                   *tooling ? "belongs to " : "was not made by bkdeploy", tooling);
}

static int load_parent(struct kube_client *client, const struct identity *identity, json_t **parent,
                       struct err *err)
{
    char *path = parent_path(identity);
    struct kube_request request = { .method = "GET", .path = path };
    struct err refusal = ERR_INIT;
    json_t *answer;
    long status = kube_ask(client, &request, &answer, &refusal);
    free(path);
    if (status == HTTP_NOT_FOUND) {
        json_decref(answer);
        return 0;
    }
    if (refusal.kind != ERR_NONE) {
        json_decref(answer);
        *err = refusal;
        return err_wrap(err, "to know what release '%s' has", identity->name);
    }
    *parent = answer;
    return check_parent(identity, answer, err);
}

/* ---- listing ---- */

struct run {
    struct kube_client *client;
    struct kube_discovery *discovery;
    const struct identity *identity;
    const struct inventory_look *look; /* NULL: all, whole */
    struct inventory *inventory;
    json_t *seen; /* uids: an object may be served by two groups */
    size_t pending;
    bool finished;
    struct err err;
};

struct listing {
    struct run *run;
    const char *group_kind, *api_version, *namespace; /* namespace: "" of all there is */
    char *kind, *collection;
    bool whole;
    bool again; /* begun anew once, as its continuation was too old */
};

/* Whether a controller made the object for another one, whose labels it has copied: an
 * EndpointSlice of a Service. It comes and goes with that. */
static bool is_controlled(const json_t *object)
{
    const json_t *owners = json_object_get(json_object_get(object, "metadata"), "ownerReferences");
    size_t i;
    json_t *owner;
    json_array_foreach((json_t *)owners, i, owner) {
        if (json_is_true(json_object_get(owner, "controller")))
            return true;
    }
    return false;
}

/* What stays of a listed object. A new reference, or NULL. */
static json_t *kept_of(const struct listing *listing, json_t *object)
{
    bool whole = listing->whole || !listing->run->look->names;
    return whole || *meta_annotation(object, KEEP_KEY) ? json_incref(object) : NULL;
}

static void add_member(struct listing *listing, json_t *object)
{
    struct run *run = listing->run;
    struct inventory *inventory = run->inventory;
    const char *name = meta_text(object, "name"), *uid = meta_text(object, "uid");
    if (!*name || is_controlled(object) || json_object_get(run->seen, uid))
        return;
    json_object_set_new(object, "apiVersion", json_string(listing->api_version));
    json_object_set_new(object, "kind", json_string(listing->kind));
    if (run->look && run->look->take && run->look->take(object, run->look->arg))
        return;
    json_object_set_new(run->seen, uid, json_true());
    json_object_del(json_object_get(object, "metadata"), "managedFields"); /* most of its bytes */
    inventory->members =
        xrealloc(inventory->members, (inventory->count + 1) * sizeof *inventory->members);
    inventory->members[inventory->count++] = (struct member){
        .api_version = xstrdup(listing->api_version),
        .kind = xstrdup(listing->kind),
        .namespace = xstrdup(meta_text(object, "namespace")),
        .name = xstrdup(name),
        .uid = xstrdup(uid),
        .collection = xstrdup(listing->collection),
        .path = kube_object_path(listing->collection, name),
        .keep = strcmp(meta_annotation(object, KEEP_KEY), "true") == 0,
        .object = kept_of(listing, object),
    };
}

static void on_page(const struct kube_response *response, void *arg);

/* Asks for the page after `page`; the first when that is NULL. Nothing when there is none. */
static void ask_page(struct listing *listing, const json_t *page)
{
    struct run *run = listing->run;
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s?labelSelector=applyset.kubernetes.io%%2Fpart-of%%3D%s&limit=%d",
             listing->collection, run->identity->set_id, PAGE);
    bool there = !page || kube_list_next(page, &path);
    struct kube_request request = {
        .method = "GET",
        .path = buf_text(&path),
        .accept = listing->whole ? NULL : KUBE_METADATA_LIST,
        .done = on_page,
        .arg = listing,
    };
    if (there) {
        run->pending++;
        kube_send(run->client, &request);
    }
    buf_release(&path);
}

static void fail(struct listing *listing, const struct err *err)
{
    struct run *run = listing->run;
    if (run->err.kind != ERR_NONE)
        return;
    run->err = *err;
    err_wrap(&run->err, "to list the objects of release '%s' (%s%s%s)", run->identity->name,
             listing->group_kind, *listing->namespace ? " in namespace " : "", listing->namespace);
}

static void on_page(const struct kube_response *response, void *arg)
{
    struct listing *listing = arg;
    struct run *run = listing->run;
    size_t i;
    json_t *object;
    run->pending--;
    if (response->status == HTTP_GONE && !listing->again) {
        listing->again = true; /* what was seen is known by its uid */
        ask_page(listing, NULL);
    } else if (response->err && response->status != HTTP_NOT_FOUND) {
        fail(listing, response->err);
    } else if (!response->err) { /* else a kind that has just gone, and its objects with it */
        json_array_foreach(json_object_get(response->body, "items"), i, object)
            add_member(listing, object);
        ask_page(listing, response->body);
    }
    run->finished = run->pending == 0;
}

static void begin_listing(struct run *run, struct listing *listing, const char *group_kind,
                          const char *namespace)
{
    const char *version = kube_version_of(run->discovery, group_kind);
    char *kind = xstrndup(group_kind, strcspn(group_kind, "."));
    *listing = (struct listing){
        .run = run,
        .group_kind = group_kind,
        .api_version = version,
        .namespace = namespace,
        .kind = kind,
        .collection = kube_collection_path(run->discovery, version, kind, namespace),
        .whole = !run->look || run->look->whole(version, kind, run->look->arg),
    };
    ask_page(listing, NULL);
}

/* One list for each kind and namespace, all at once. */
static int run_listings(struct run *run, const json_t *group_kinds, const json_t *namespaces,
                        struct err *err)
{
    size_t i, k, count = 0;
    json_t *group_kind, *namespace;
    size_t most = json_array_size(group_kinds) * json_array_size(namespaces);
    struct listing *listings = xcalloc(most + 1, sizeof *listings);
    json_array_foreach((json_t *)group_kinds, i, group_kind) {
        const char *name = json_string_value(group_kind);
        const char *version = kube_version_of(run->discovery, name);
        if (!version) {
            json_array_append(run->inventory->missing, group_kind);
            continue;
        }
        char *kind = xstrndup(name, strcspn(name, "."));
        bool namespaced = kube_is_namespaced(run->discovery, version, kind);
        free(kind);
        json_array_foreach((json_t *)namespaces, k, namespace) {
            if (namespaced || k == 0)
                begin_listing(run, &listings[count++], name,
                              namespaced ? json_string_value(namespace) : "");
        }
    }
    int result = run->pending ? kube_run(run->client, &run->finished, -1, err) : 0;
    if (result != 0)
        kube_drain(run->client, 0);
    for (i = 0; i < count; i++) {
        free(listings[i].kind);
        free(listings[i].collection);
    }
    free(listings);
    if (result == 0 && run->err.kind != ERR_NONE) {
        *err = run->err;
        result = -1;
    }
    return result;
}

static int compare_members(const void *a, const void *b)
{
    const struct member *one = a, *other = b;
    int order = strcmp(one->kind, other->kind);
    if (order == 0)
        order = strcmp(one->namespace, other->namespace);
    return order ? order : strcmp(one->name, other->name);
}

/* Lists what there is of these kinds in these namespaces. */
static int list_members(struct kube_client *client, struct kube_discovery *discovery,
                        const struct identity *identity, const struct inventory_look *look,
                        json_t *group_kinds, json_t *namespaces, struct inventory *inventory,
                        struct err *err)
{
    struct run run = {
        .client = client,
        .discovery = discovery,
        .identity = identity,
        .look = look,
        .inventory = inventory,
        .seen = json_object(),
        .err = ERR_INIT,
    };
    int result = kube_discovery_load_kinds(discovery, group_kinds, err);
    if (result == 0)
        result = run_listings(&run, group_kinds, namespaces, err);
    if (inventory->count)
        qsort(inventory->members, inventory->count, sizeof *inventory->members, compare_members);
    json_decref(run.seen);
    return result;
}

int inventory_load(struct kube_client *client, struct kube_discovery *discovery,
                   const struct identity *identity, const struct inventory_look *look,
                   struct inventory *inventory, struct err *err)
{
    *inventory = (struct inventory){ .missing = json_array() };
    if (load_parent(client, identity, &inventory->parent, err) != 0)
        return -1;
    json_t *group_kinds = split_list(meta_annotation(inventory->parent, GROUP_KINDS_KEY));
    json_t *namespaces = split_list(meta_annotation(inventory->parent, NAMESPACES_KEY));
    int result =
        inventory->parent ? 0 : recall_kinds(client, identity, group_kinds, namespaces, err);
    json_array_insert_new(namespaces, 0, json_string(identity->namespace));
    if (result == 0)
        result = list_members(client, discovery, identity, look, group_kinds, namespaces, inventory,
                              err);
    json_decref(group_kinds);
    json_decref(namespaces);
    return result;
}

static bool is_listed(const json_t *list, const char *text)
{
    size_t i;
    json_t *entry;
    json_array_foreach(list, i, entry) {
        if (strcmp(json_string_value(entry), text) == 0)
            return true;
    }
    return false;
}

static void add_once(json_t *list, char *text)
{
    if (!is_listed(list, text))
        json_array_append_new(list, json_string(text));
    free(text);
}

int inventory_complete(struct kube_client *client, struct kube_discovery *discovery,
                       const struct identity *identity, struct inventory *inventory,
                       struct err *err)
{
    json_t *group_kinds = json_array(), *namespaces = json_array(), *by_uid = json_object();
    struct inventory whole = { .missing = json_array() };
    for (size_t i = 0; i < inventory->count; i++) {
        const struct member *member = &inventory->members[i];
        const char *slash = strchr(member->api_version, '/');
        int length = slash ? (int)(slash - member->api_version) : 0;
        add_once(group_kinds, xasprintf("%s%s%.*s", member->kind, length ? "." : "", length,
                                        member->api_version));
        add_once(namespaces, xstrdup(*member->namespace ? member->namespace : identity->namespace));
    }
    int result =
        list_members(client, discovery, identity, NULL, group_kinds, namespaces, &whole, err);
    for (size_t i = 0; i < whole.count; i++)
        json_object_set(by_uid, whole.members[i].uid, whole.members[i].object);
    for (size_t i = 0; i < inventory->count; i++) {
        struct member *member = &inventory->members[i];
        json_t *object = json_object_get(by_uid, member->uid);
        if (!object)
            continue;
        json_decref(member->object);
        member->object = json_incref(object);
    }
    inventory_release(&whole);
    json_decref(by_uid);
    json_decref(group_kinds);
    json_decref(namespaces);
    return result;
}

/* ---- writing ---- */

int inventory_write(struct kube_client *client, const struct identity *identity,
                    const json_t *group_kinds, const json_t *namespaces, const json_t *info,
                    struct err *err)
{
    char *kinds = join_list(group_kinds, ""), *others = join_list(namespaces, identity->namespace);
    json_t *annotations = json_pack("{s:s, s:s, s:s}", TOOLING_KEY, TOOLING, GROUP_KINDS_KEY, kinds,
                                    NAMESPACES_KEY, others);
    json_object_update_missing(annotations, (json_t *)info);
    json_t *parent =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s, s:s}, s:o}}", "apiVersion", "v1", "kind",
                  "ConfigMap", "metadata", "name", identity->parent, "namespace",
                  identity->namespace, "labels", IDENTITY_SET_ID, identity->set_id,
                  IDENTITY_RELEASE, identity->name, "annotations", annotations);
    char *object = parent_path(identity);
    char *path = xasprintf("%s?fieldManager=%s&force=true", object, IDENTITY_MANAGER);
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/apply-patch+yaml",
        .body = json_dumps(parent, JSON_COMPACT),
        .accept = KUBE_METADATA,
    };
    long status = kube_ask(client, &request, NULL, err);
    free(path);
    free(object);
    free(kinds);
    free(others);
    json_decref(parent);
    if (status >= 200 && status <= 299)
        return 0;
    return err_wrap(err, "to keep account of release '%s'", identity->name);
}

void inventory_release(struct inventory *inventory)
{
    for (size_t i = 0; i < inventory->count; i++) {
        struct member *member = &inventory->members[i];
        free(member->api_version);
        free(member->kind);
        free(member->namespace);
        free(member->name);
        free(member->uid);
        free(member->collection);
        free(member->path);
        json_decref(member->object);
    }
    free(inventory->members);
    json_decref(inventory->parent);
    json_decref(inventory->missing);
    *inventory = (struct inventory){ .parent = NULL };
}

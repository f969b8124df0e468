#include "release/removal.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"

static const char claim_mark[] = "bkdeploy/claim-of"; /* annotation: the set_id */

enum { NAMED_MAX = 3, HTTP_NOT_FOUND = 404 };

static bool is_kind(const struct member *member, const char *api_version, const char *kind)
{
    return strcmp(member->kind, kind) == 0 && strcmp(member->api_version, api_version) == 0;
}

static bool is_own_namespace(const struct removal *removal, const struct member *member)
{
    return is_kind(member, "v1", "Namespace") &&
           strcmp(member->name, removal->identity->namespace) == 0;
}

/* All items of a collection, by their metadata; a server that does not have the kind has none of
 * it. The caller's reference, NULL with err. */
static json_t *list(struct kube_client *client, const char *collection, const char *query,
                    struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *items = NULL;
    char *path = xasprintf("%s%s", collection, query);
    long status = kube_list(client, path, KUBE_METADATA_LIST, &items, &refusal);
    free(path);
    if (status == HTTP_NOT_FOUND)
        return json_array();
    if (status != 200)
        *err = refusal;
    return items;
}

/* ---- claims of StatefulSets ---- */

/* Whether `name` is "<template>-<set>-<n>". */
static bool is_claim_name(const char *name, const char *template, const char *set)
{
    char *start = xasprintf("%s-%s-", template, set);
    size_t length = strlen(start);
    bool same = strncmp(name, start, length) == 0 && name[length];
    free(start);
    for (const char *c = name + length; same && *c; c++)
        same = isdigit((unsigned char)*c);
    return same;
}

/* The member that made the claim, or NULL. */
static const struct member *maker_of(const struct inventory *inventory, const json_t *claim)
{
    for (size_t i = 0; i < inventory->count; i++) {
        const struct member *member = &inventory->members[i];
        json_t *template;
        size_t k;
        if (!is_kind(member, "apps/v1", "StatefulSet") ||
            strcmp(member->namespace, meta_text(claim, "namespace")) != 0)
            continue;
        json_array_foreach(
            json_object_get(json_object_get(member->object, "spec"), "volumeClaimTemplates"), k,
            template)
            if (is_claim_name(meta_text(claim, "name"), meta_text(template, "name"), member->name))
                return member;
    }
    return NULL;
}

static bool is_member(const struct inventory *inventory, const json_t *object)
{
    for (size_t i = 0; i < inventory->count; i++)
        if (strcmp(inventory->members[i].uid, meta_text(object, "uid")) == 0)
            return true;
    return false;
}

static void add_claim(struct removal *removal, json_t *claim)
{
    size_t size = (removal->claims_count + 1) * sizeof *removal->claims;
    removal->claims = xrealloc(removal->claims, size);
    struct member *member = &removal->claims[removal->claims_count++];
    json_object_set_new(claim, "apiVersion", json_string("v1"));
    json_object_set_new(claim, "kind", json_string("PersistentVolumeClaim"));
    *member = (struct member){
        .api_version = xstrdup("v1"),
        .kind = xstrdup("PersistentVolumeClaim"),
        .namespace = xstrdup(meta_text(claim, "namespace")),
        .name = xstrdup(meta_text(claim, "name")),
        .uid = xstrdup(meta_text(claim, "uid")),
        .collection = xasprintf("/api/v1/namespaces/%s/persistentvolumeclaims",
                                meta_text(claim, "namespace")),
        .keep = strcmp(meta_annotation(claim, "bkdeploy/keep"), "true") == 0,
        .object = json_incref(claim),
    };
    member->path = kube_object_path(member->collection, member->name);
}

/* The namespaces that the release has objects in. */
static json_t *namespaces_of(const struct removal *removal, const struct inventory *inventory)
{
    json_t *namespaces = json_object();
    json_object_set_new(namespaces, removal->identity->namespace, json_true());
    for (size_t i = 0; i < inventory->count; i++) {
        const struct member *member = &inventory->members[i];
        if (is_kind(member, "v1", "Namespace"))
            json_object_set_new(namespaces, member->name, json_true());
        else if (*member->namespace)
            json_object_set_new(namespaces, member->namespace, json_true());
    }
    return namespaces;
}

static int find_claims(struct removal *removal, const struct inventory *inventory, struct err *err)
{
    json_t *namespaces = namespaces_of(removal, inventory), *unused, *claim;
    const char *namespace;
    int result = 0;
    size_t i;
    json_object_foreach(namespaces, namespace, unused) {
        char *collection = xasprintf("/api/v1/namespaces/%s/persistentvolumeclaims", namespace);
        json_t *claims = result == 0 ? list(removal->client, collection, "", err) : NULL;
        free(collection);
        if (!claims)
            result = -1;
        json_array_foreach(claims, i, claim)
            if (!is_member(inventory, claim) &&
                (maker_of(inventory, claim) ||
                 strcmp(meta_annotation(claim, claim_mark), removal->identity->set_id) == 0))
                add_claim(removal, claim);
        json_decref(claims);
    }
    json_decref(namespaces);
    return result;
}

/* ---- what is kept ---- */

/* Whether Kubernetes itself deletes the claim after its StatefulSet. */
static bool goes_with_its_set(const struct inventory *inventory, const struct member *claim)
{
    const struct member *maker = maker_of(inventory, claim->object);
    const json_t *spec = maker ? json_object_get(maker->object, "spec") : NULL;
    const json_t *policy = json_object_get(spec, "persistentVolumeClaimRetentionPolicy");
    return strcmp(object_text(policy, "whenDeleted"), "Delete") == 0;
}

static char *why_kept(const struct removal *removal, const struct inventory *inventory,
                      const struct member *member)
{
    if (member->keep)
        return xstrdup("it is annotated bkdeploy/keep");
    if (is_kind(member, "v1", "PersistentVolumeClaim") && !removal->with_data &&
        strcmp(meta_annotation(member->object, "bkdeploy/keep"), "false") != 0 &&
        !goes_with_its_set(inventory, member))
        return xstrdup("it is data; --with-data deletes it");
    return NULL;
}

static const struct removal_row *row_of(const struct removal *removal, const char *uid)
{
    for (size_t i = 0; i < removal->count; i++)
        if (strcmp(removal->rows[i].member->uid, uid) == 0)
            return &removal->rows[i];
    return NULL;
}

/* "PersistentVolumeClaim a, b and 3 more": what stands in the way of a namespace or a CRD. */
struct holders {
    struct buf words;
    size_t count;
};

static void add_holder(struct holders *holders, const char *kind, const char *name)
{
    if (holders->count++ < NAMED_MAX)
        buf_addf(&holders->words, "%s%s %s", holders->words.len ? ", " : "", kind, name);
}

/* "it holds ...", the caller's; NULL when it holds nothing. */
static char *finish_holders(struct holders *holders)
{
    if (holders->count > NAMED_MAX)
        buf_addf(&holders->words, " and %zu more", holders->count - NAMED_MAX);
    char *words = holders->count ? xasprintf("it holds %s", buf_text(&holders->words)) : NULL;
    buf_release(&holders->words);
    return words;
}

/* Objects of a kind that the removal leaves in a namespace, and that would go with it. What has an
 * owner goes and comes with that. */
static int find_holders(const struct removal *removal, const char *collection, const char *query,
                        const char *kind, struct holders *holders, struct err *err)
{
    json_t *items = list(removal->client, collection, query, err), *item;
    size_t i;
    json_array_foreach(items, i, item) {
        const struct removal_row *row = row_of(removal, meta_text(item, "uid"));
        const json_t *metadata = json_object_get(item, "metadata");
        bool owned = json_array_size(json_object_get(metadata, "ownerReferences")) > 0;
        if (row ? row->kept != NULL : !owned)
            add_holder(holders, kind, meta_text(item, "name"));
    }
    json_decref(items);
    return items ? 0 : -1;
}

/* Other releases whose records lie in the namespace: ApplySets, and those of helm. */
static int find_releases(const struct removal *removal, const char *namespace,
                         struct holders *holders, struct err *err)
{
    static const struct {
        const char *plural, *query;
    } places[] = {
        { "configmaps", "?labelSelector=applyset.kubernetes.io%2Fid" },
        { "secrets", "?labelSelector=applyset.kubernetes.io%2Fid" },
        { "secrets", "?labelSelector=owner%3Dhelm%2Cstatus%3Ddeployed" },
    };
    for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
        char *collection = xasprintf("/api/v1/namespaces/%s/%s", namespace, places[k].plural);
        json_t *items = list(removal->client, collection, places[k].query, err), *item;
        size_t i;
        free(collection);
        if (!items)
            return -1;
        json_array_foreach(items, i, item) {
            bool helm = *meta_label(item, "owner") != '\0';
            const char *name = meta_label(item, helm ? "name" : IDENTITY_RELEASE);
            if (strcmp(meta_label(item, IDENTITY_SET_ID), removal->identity->set_id) != 0)
                add_holder(holders, helm ? "helm release" : "release",
                           *name ? name : meta_text(item, "name"));
        }
        json_decref(items);
    }
    return 0;
}

static int hold_namespace(const struct removal *removal, struct removal_row *row, struct err *err)
{
    static const struct {
        const char *kind, *root, *plural;
    } kinds[] = {
        { "PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims" },
        { "Deployment", "/apis/apps/v1", "deployments" },
        { "StatefulSet", "/apis/apps/v1", "statefulsets" },
        { "DaemonSet", "/apis/apps/v1", "daemonsets" },
        { "CronJob", "/apis/batch/v1", "cronjobs" },
        { "Job", "/apis/batch/v1", "jobs" },
        { "Pod", "/api/v1", "pods" },
    };
    const char *namespace = row->member->name;
    struct holders holders = { .words = BUF_INIT };
    int result = 0;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && result == 0; i++) {
        char *collection =
            xasprintf("%s/namespaces/%s/%s", kinds[i].root, namespace, kinds[i].plural);
        result = find_holders(removal, collection, "", kinds[i].kind, &holders, err);
        free(collection);
    }
    /* Of the other kinds what the release itself keeps. */
    for (size_t i = 0; i < removal->count; i++) {
        const struct removal_row *other = &removal->rows[i];
        bool counted = false;
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
            counted |= strcmp(kinds[k].kind, other->member->kind) == 0;
        if (other->kept && !counted && strcmp(other->member->namespace, namespace) == 0)
            add_holder(&holders, other->member->kind, other->member->name);
    }
    if (result == 0)
        result = find_releases(removal, namespace, &holders, err);
    row->kept = finish_holders(&holders);
    return result;
}

/* Objects of a CRD's kind that the release does not have would go with the CRD. */
static int hold_crd(const struct removal *removal, struct removal_row *row, struct err *err)
{
    const json_t *spec = json_object_get(row->member->object, "spec");
    const json_t *names = json_object_get(spec, "names");
    struct holders holders = { .words = BUF_INIT };
    json_t *version;
    size_t i;
    int result = 0;
    json_array_foreach(json_object_get(spec, "versions"), i, version) {
        if (!json_is_true(json_object_get(version, "served")))
            continue;
        char *collection = xasprintf("/apis/%s/%s/%s", object_text(spec, "group"),
                                     object_text(version, "name"), object_text(names, "plural"));
        result = find_holders(removal, collection, "", object_text(names, "kind"), &holders, err);
        free(collection);
        break;
    }
    row->kept = finish_holders(&holders);
    return result;
}

static int hold(struct removal *removal, struct err *err)
{
    int result = 0;
    for (size_t i = 0; i < removal->count && result == 0; i++) {
        struct removal_row *row = &removal->rows[i];
        if (row->kept)
            continue;
        if (is_kind(row->member, "v1", "Namespace"))
            result = hold_namespace(removal, row, err);
        else if (is_kind(row->member, "apiextensions.k8s.io/v1", "CustomResourceDefinition"))
            result = hold_crd(removal, row, err);
    }
    return result;
}

/* ---- the plan ---- */

static int compare_rows(const void *a, const void *b)
{
    const struct member *one = ((const struct removal_row *)a)->member;
    const struct member *other = ((const struct removal_row *)b)->member;
    int order = prune_compare(one, other);
    order = order ? order : strcmp(one->kind, other->kind);
    order = order ? order : strcmp(one->namespace, other->namespace);
    return order ? order : strcmp(one->name, other->name);
}

int removal_plan(struct removal *removal, struct kube_client *client,
                 const struct identity *identity, const struct inventory *inventory, bool with_data,
                 struct err *err)
{
    *removal = (struct removal){ .client = client, .identity = identity, .with_data = with_data };
    int result = find_claims(removal, inventory, err);
    removal->count = inventory->count + removal->claims_count;
    removal->rows = xcalloc(removal->count, sizeof *removal->rows);
    for (size_t i = 0; i < removal->count; i++) {
        struct removal_row *row = &removal->rows[i];
        row->member =
            i < inventory->count ? &inventory->members[i] : &removal->claims[i - inventory->count];
        row->kept = why_kept(removal, inventory, row->member);
    }
    qsort(removal->rows, removal->count, sizeof *removal->rows, compare_rows);
    if (result == 0)
        result = hold(removal, err);
    for (size_t i = 0; i < removal->count; i++)
        removal->going += removal->rows[i].kept == NULL;
    return result;
}

bool removal_is_same(const struct removal *one, const struct removal *other)
{
    bool same = one->going == other->going;
    for (size_t i = 0; i < one->count && same; i++) {
        const struct removal_row *row = &one->rows[i];
        const struct removal_row *found = row_of(other, row->member->uid);
        same = row->kept || (found && !found->kept);
    }
    return same;
}

void removal_release(struct removal *removal)
{
    for (size_t i = 0; i < removal->count; i++)
        free(removal->rows[i].kept);
    free(removal->rows);
    for (size_t i = 0; i < removal->claims_count; i++) {
        struct member *claim = &removal->claims[i];
        free(claim->api_version);
        free(claim->kind);
        free(claim->namespace);
        free(claim->name);
        free(claim->uid);
        free(claim->collection);
        free(claim->path);
        json_decref(claim->object);
    }
    free(removal->claims);
    *removal = (struct removal){ .client = NULL };
}

/* ---- the work ---- */

static int mark_claim(const struct removal *removal, const struct member *claim, struct err *err)
{
    if (strcmp(meta_annotation(claim->object, claim_mark), removal->identity->set_id) == 0)
        return 0;
    json_t *patch = json_pack("{s:{s:s, s:{s:s}}}", "metadata", "uid", claim->uid, "annotations",
                              claim_mark, removal->identity->set_id);
    char *path = xasprintf("%s?fieldManager=" IDENTITY_MANAGER, claim->path);
    long status = kube_fetch(removal->client, "PATCH", path, "application/merge-patch+json",
                             json_dumps(patch, JSON_COMPACT), NULL, err);
    json_decref(patch);
    free(path);
    return status < 0 ? err_wrap(err, "PersistentVolumeClaim %s/%s", claim->namespace, claim->name)
                      : 0;
}

int removal_run(const struct removal *removal, const struct prune_options *options, size_t *deleted,
                struct err *err)
{
    const struct member **members = xcalloc(removal->count, sizeof(void *));
    size_t count = 0;
    int result = 0;
    *deleted = 0;
    for (size_t i = 0; i < removal->count; i++) {
        const struct member *member = removal->rows[i].member;
        if (!removal->rows[i].kept && !is_own_namespace(removal, member))
            members[count++] = member;
    }
    for (size_t i = 0; i < removal->claims_count && result == 0; i++) {
        const struct removal_row *row = row_of(removal, removal->claims[i].uid);
        if (row && !row->kept)
            result = mark_claim(removal, row->member, err);
    }
    if (result == 0 && count)
        result = prune_run(removal->client, members, count, options, deleted, err);
    free(members);
    return result;
}

/* Deletes by name, at once; what is not there is as good. */
static int delete_record(const struct removal *removal, const char *collection, const char *name,
                         struct err *err)
{
    char *path = kube_object_path(collection, name);
    struct kube_request request = { .method = "DELETE", .path = path };
    struct err refusal = ERR_INIT;
    long status = kube_ask(removal->client, &request, NULL, &refusal);
    free(path);
    if (refusal.kind == ERR_NONE || status == HTTP_NOT_FOUND)
        return 0;
    *err = refusal;
    return -1;
}

/* Revisions and key before the parent: as long as that is there the release is found again. */
static int delete_records(const struct removal *removal, struct err *err)
{
    const struct identity *identity = removal->identity;
    char *secrets = xasprintf("/api/v1/namespaces/%s/secrets", identity->namespace);
    char *configs = xasprintf("/api/v1/namespaces/%s/configmaps", identity->namespace);
    char *leases =
        xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", identity->namespace);
    /* Not those that a profile labels so: they are Opaque, or have other names. */
    char *query = xasprintf("?labelSelector=bkdeploy%%2Frelease%%3D%s&fieldSelector=type%%21%%3D"
                            "Opaque",
                            identity->name);
    char *start = xasprintf("%s.", identity->parent);
    json_t *records = list(removal->client, secrets, query, err), *record;
    size_t i;
    int result = records ? 0 : -1;
    json_array_foreach(records, i, record)
        if (result == 0 && strncmp(meta_text(record, "name"), start, strlen(start)) == 0)
            result = delete_record(removal, secrets, meta_text(record, "name"), err);
    if (result == 0)
        result = delete_record(removal, configs, identity->parent, err);
    if (result == 0)
        result = delete_record(removal, leases, identity->parent, err);
    json_decref(records);
    free(start);
    free(secrets);
    free(configs);
    free(leases);
    free(query);
    return result == 0 ? 0 : err_wrap(err, "the record of release '%s'", identity->name);
}

int removal_finish(const struct removal *removal, const struct prune_options *options,
                   size_t *deleted, struct err *err)
{
    *deleted = 0;
    for (size_t i = 0; i < removal->count; i++) {
        const struct member *member = removal->rows[i].member;
        if (!removal->rows[i].kept && is_own_namespace(removal, member))
            return prune_run(removal->client, &member, 1, options, deleted, err);
    }
    return delete_records(removal, err);
}

int removal_await_namespace(struct kube_client *client, const char *namespace,
                            const struct prune_options *options, struct err *err)
{
    char *query = xasprintf("?fieldSelector=metadata.name%%3D%s", namespace);
    json_t *found = list(client, "/api/v1/namespaces", query, err);
    json_t *object = json_array_get(found, 0);
    size_t deleted;
    int result = found ? 0 : -1;
    if (*meta_text(object, "deletionTimestamp")) {
        char api_version[] = "v1", kind[] = "Namespace", nowhere[] = "";
        char collection[] = "/api/v1/namespaces";
        struct member member = {
            .api_version = api_version,
            .kind = kind,
            .namespace = nowhere,
            .name = xstrdup(namespace),
            .uid = xstrdup(meta_text(object, "uid")),
            .collection = collection,
            .path = kube_object_path(collection, namespace),
            .object = object,
        };
        const struct member *pointer = &member;
        result = prune_run(client, &pointer, 1, options, &deleted, err) == 0 ? 1 : -1;
        free(member.name);
        free(member.uid);
        free(member.path);
    }
    json_decref(found);
    free(query);
    return result;
}

#include "release/stuck.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"

enum {
    NAMED_MAX = 3, /* objects that are named; of the others their number */
    WORD_MIN = 3,  /* letters of a word that tells something */
};

struct stuck {
    struct kube_client *client;
    json_t *answers; /* by path; null: could not be read */
};

struct stuck *stuck_new(struct kube_client *client)
{
    struct stuck *stuck = xcalloc(1, sizeof *stuck);
    stuck->client = client;
    stuck->answers = json_object();
    return stuck;
}

void stuck_free(struct stuck *stuck)
{
    if (!stuck)
        return;
    json_decref(stuck->answers);
    free(stuck);
}

/* ---- reading ---- */

/* The answer to a GET, or NULL; kept by `stuck`. `path` is taken over. */
static const json_t *ask(struct stuck *stuck, char *path)
{
    json_t *answer = json_object_get(stuck->answers, path);
    if (!answer) {
        struct err err = ERR_INIT;
        if (kube_fetch(stuck->client, "GET", path, NULL, NULL, &answer, &err) < 0 || !answer)
            answer = json_null();
        json_object_set_new(stuck->answers, path, answer);
    }
    free(path);
    return json_is_object(answer) ? answer : NULL;
}

static const json_t *ask_items(struct stuck *stuck, char *path)
{
    return json_object_get(ask(stuck, path), "items");
}

/* What `take` makes of a collection, as kube_list_taking() has it; NULL when it can't be read to
 * its end. Kept by `stuck`; `collection`, always with the same `take`, is taken over. */
static const json_t *ask_through(struct stuck *stuck, char *collection, const char *accept,
                                 json_t *(*take)(json_t *item))
{
    json_t *taken = json_object_get(stuck->answers, collection);
    struct err ignored = ERR_INIT;
    if (!taken) {
        if (kube_list_taking(stuck->client, collection, accept, take, &taken, &ignored) != 200)
            taken = json_null();
        json_object_set_new(stuck->answers, collection, taken);
    }
    free(collection);
    return json_is_array(taken) ? taken : NULL;
}

static const json_t *finalizers_of(const json_t *object)
{
    return json_object_get(json_object_get(object, "metadata"), "finalizers");
}

static const json_t *owner_of(const json_t *object)
{
    const json_t *owners = json_object_get(json_object_get(object, "metadata"), "ownerReferences");
    return json_array_get(owners, 0);
}

/* Seconds since a time of the API, at least 0. */
static long seconds_since(const char *when)
{
    struct tm parts = { 0 };
    if (!strptime(when, "%Y-%m-%dT%H:%M:%SZ", &parts))
        return 0;
    long seconds = (long)(time(NULL) - timegm(&parts));
    return seconds > 0 ? seconds : 0;
}

/* A list in words that names its first ones. */
struct names {
    struct buf text;
    size_t count;
};

static void add_name(struct names *names, const char *name)
{
    if (names->count++ < NAMED_MAX)
        buf_addf(&names->text, "%s%s", names->text.len ? ", " : "", name);
}

/* Adds "a, b, c and 4 more" to `words` and releases the list. */
static void finish_names(struct names *names, struct buf *words)
{
    buf_adds(words, buf_text(&names->text));
    if (names->count > NAMED_MAX)
        buf_addf(words, " and %zu more", names->count - NAMED_MAX);
    buf_release(&names->text);
}

/* ---- the controller of a finalizer ---- */

/* Words that every second controller or finalizer has in its name. */
static bool is_common(const char *word)
{
    static const char *const common[] = {
        "com",       "org",      "net",       "dev",       "app",        "k8s",      "x-k8s",
        "sigs",      "www",      "cluster",   "local",     "kubernetes", "cleanup",  "operator",
        "finalizer", "resource", "resources", "protected", "controller", "manager",  "delete",
        "api",       "core",     "cloud",     "apps",      "finalizers", "deletion", "foreground",
    };
    for (size_t i = 0; i < sizeof common / sizeof *common; i++)
        if (strcmp(word, common[i]) == 0)
            return true;
    return strstr(word, "finalizer") || strstr(word, "protection") || strstr(word, "cleanup");
}

/* Adds the telling parts of a name, "example" of "example.org/hold", to the set `words`. */
static void add_words(json_t *words, const char *text)
{
    while (*text) {
        size_t length = strcspn(text, "./_");
        char *word = xstrndup(text, length);
        for (char *c = word; *c; c++)
            *c = (char)tolower((unsigned char)*c);
        if (length >= WORD_MIN && !is_common(word))
            json_object_set_new(words, word, json_true());
        free(word);
        text += length + (text[length] != '\0');
    }
}

static bool has_word(const char *text, const char *word)
{
    const char *at = strstr(text, word);
    return at && (at == text || !isalnum((unsigned char)at[-1])) &&
           !isalnum((unsigned char)at[strlen(word)]);
}

/* What likeness() and lacks_controller() read of a workload. */
static json_t *take_workload(json_t *item)
{
    const json_t *metadata = json_object_get(item, "metadata");
    const json_t *spec = json_object_get(item, "spec");
    const json_t *pod = json_object_get(json_object_get(spec, "template"), "spec");
    json_t *images = json_array(), *status = json_object_get(item, "status"), *container;
    size_t i;
    json_array_foreach(json_object_get(pod, "containers"), i, container)
        json_array_append(images, json_object_get(container, "image"));
    json_object_del(status, "conditions");
    return json_pack("{s:{s:O, s:O, s:O*}, s:o, s:O*}", "metadata", "name",
                     json_object_get(metadata, "name"), "namespace",
                     json_object_get(metadata, "namespace"), "labels",
                     json_object_get(metadata, "labels"), "images", images, "status", status);
}

/* How much a workload looks like the controller that the words tell of. */
static int likeness(const json_t *workload, const json_t *words)
{
    const json_t *labels = json_object_get(json_object_get(workload, "metadata"), "labels");
    int score = 0;
    const char *word;
    json_t *unused, *image;
    size_t i;
    json_object_foreach((json_t *)words, word, unused) {
        score += 4 * has_word(meta_text(workload, "name"), word);
        score += 2 * has_word(object_text(labels, "app.kubernetes.io/name"), word);
        score += has_word(meta_text(workload, "namespace"), word);
        json_array_foreach(json_object_get(workload, "images"), i, image)
            score += 2 * has_word(json_string_value(image), word);
    }
    if (score && (strstr(meta_text(workload, "name"), "controller") ||
                  strstr(meta_text(workload, "name"), "operator")))
        score++;
    return score;
}

/* "Deployment ops/x looks like it and runs", into `words`. Returns whether it is certain that there
 * is none. */
static bool lacks_controller(struct stuck *stuck, const json_t *telling, struct buf *words)
{
    static const struct {
        const char *kind, *plural, *wanted, *ready;
    } kinds[] = {
        { "Deployment", "deployments", "replicas", "readyReplicas" },
        { "StatefulSet", "statefulsets", "replicas", "readyReplicas" },
        { "DaemonSet", "daemonsets", "desiredNumberScheduled", "numberReady" },
    };
    const json_t *best = NULL;
    size_t best_kind = 0, readable = 0, i;
    int best_score = 0;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const json_t *items =
            ask_through(stuck, xasprintf("/apis/apps/v1/%s", kinds[k].plural), NULL, take_workload);
        json_t *item;
        readable += items != NULL;
        json_array_foreach((json_t *)items, i, item) {
            int score = likeness(item, telling);
            if (score > best_score) {
                best_score = score;
                best = item;
                best_kind = k;
            }
        }
    }
    if (!best) {
        bool certain = json_object_size(telling) > 0 && readable == sizeof kinds / sizeof *kinds;
        if (certain)
            buf_adds(words, ", and no Deployment, StatefulSet or DaemonSet looks like it");
        return certain;
    }
    const json_t *status = json_object_get(best, "status");
    int ready = (int)json_integer_value(json_object_get(status, kinds[best_kind].ready));
    int wanted = (int)json_integer_value(json_object_get(status, kinds[best_kind].wanted));
    buf_addf(words, "; %s %s/%s looks like it and %s (%d of %d ready)", kinds[best_kind].kind,
             meta_text(best, "namespace"), meta_text(best, "name"),
             ready > 0 ? "runs" : "does not run", ready, wanted);
    return false;
}

/* "kubectl patch configmaps x -n shop ..." for what has lost its controller. */
static void add_by_hand(const struct member *member, struct buf *words)
{
    const char *plural = strrchr(member->collection, '/'),
               *slash = strchr(member->api_version, '/');
    bool namespaced = member->namespace && *member->namespace;
    buf_addf(words,
             "; by hand: kubectl patch %s%s%.*s/%s%s%s --type=merge "
             "-p '{\"metadata\":{\"finalizers\":null}}'",
             plural ? plural + 1 : member->kind, slash ? "." : "",
             slash ? (int)(slash - member->api_version) : 0, member->api_version, member->name,
             namespaced ? " -n " : "", namespaced ? member->namespace : "");
}

/* A finalizer that is known by its domain only. */
static void explain_foreign(struct stuck *stuck, const char *api_version, const char *finalizer,
                            const struct member *by_hand, struct buf *words)
{
    json_t *telling = json_object();
    const char *slash = strchr(finalizer, '/');
    size_t domain = slash ? (size_t)(slash - finalizer) : strlen(finalizer);
    char *group = xstrndup(api_version, strcspn(api_version, "/"));
    add_words(telling, finalizer);
    if (strchr(group, '.') && !strstr(group, ".k8s.io"))
        add_words(telling, group);
    free(group);
    if (memchr(finalizer, '.', domain))
        buf_addf(words, "the controller of %.*s has to take it away", (int)domain, finalizer);
    else
        buf_adds(words, "a controller has to take it away");
    if (lacks_controller(stuck, telling, words) && by_hand)
        add_by_hand(by_hand, words);
    json_decref(telling);
}

/* ---- pods ---- */

/* Why a pod that is being deleted is still there: "; its node n is not ready". */
static void explain_pod(struct stuck *stuck, const json_t *pod, struct buf *words)
{
    const char *deleted = meta_text(pod, "deletionTimestamp"), *node_name;
    const json_t *finalizers = finalizers_of(pod), *node;
    if (!*deleted)
        return;
    if (json_array_size(finalizers) > 0) {
        buf_addf(words, ", finalizer %s", json_string_value(json_array_get(finalizers, 0)));
        return;
    }
    long late = seconds_since(deleted); /* the timestamp is the end of the grace period */
    node_name = object_text(json_object_get(pod, "spec"), "nodeName");
    if (late > 0)
        buf_addf(words, ", its grace period over since %ld s", late);
    node = *node_name ? ask(stuck, xasprintf("/api/v1/nodes/%s", node_name)) : NULL;
    size_t i;
    json_t *condition;
    json_array_foreach(json_object_get(json_object_get(node, "status"), "conditions"), i, condition)
        if (strcmp(object_text(condition, "type"), "Ready") == 0 &&
            strcmp(object_text(condition, "status"), "True") != 0)
            buf_addf(words, ", its node %s is not ready", node_name);
}

static bool uses_claim(const json_t *pod, const char *claim)
{
    size_t i;
    json_t *volume;
    json_array_foreach(json_object_get(json_object_get(pod, "spec"), "volumes"), i, volume) {
        const json_t *source = json_object_get(volume, "persistentVolumeClaim");
        if (strcmp(object_text(source, "claimName"), claim) == 0)
            return true;
        if (json_object_get(volume, "ephemeral")) {
            char *name = xasprintf("%s-%s", meta_text(pod, "name"), object_text(volume, "name"));
            bool same = strcmp(name, claim) == 0;
            free(name);
            if (same)
                return true;
        }
    }
    return false;
}

static void explain_claim(struct stuck *stuck, const char *namespace, const char *claim,
                          struct buf *words)
{
    const json_t *pods =
        ask_items(stuck, xasprintf("/api/v1/namespaces/%s/pods?limit=1000", namespace));
    struct names names = { .text = BUF_INIT };
    json_t *pod;
    size_t i;
    json_array_foreach((json_t *)pods, i, pod) {
        struct buf one = BUF_INIT;
        const json_t *owner = owner_of(pod);
        if (!uses_claim(pod, claim))
            continue;
        buf_addf(&one, "%s (%s", meta_text(pod, "name"),
                 *meta_text(pod, "deletionTimestamp")
                     ? "being deleted"
                     : object_text(json_object_get(pod, "status"), "phase"));
        if (owner)
            buf_addf(&one, ", of %s %s", object_text(owner, "kind"), object_text(owner, "name"));
        explain_pod(stuck, pod, &one);
        buf_adds(&one, ")");
        add_name(&names, buf_text(&one));
        buf_release(&one);
    }
    if (!names.count) {
        buf_adds(words, pods
                            ? "no pod uses the claim any more: the controller manager has to see it"
                            : "pods that use the claim have to go");
        return;
    }
    buf_addf(words, "the claim is used by pod%s ", names.count == 1 ? "" : "s");
    finish_names(&names, words);
}

/* ---- children ---- */

static json_t *take_owned(json_t *item)
{
    json_object_del(json_object_get(item, "metadata"), "managedFields"); /* half of it */
    return owner_of(item) ? json_incref(item) : NULL;
}

/* The children of a kind that an object with the finalizer foregroundDeletion waits for. */
static void add_children(struct stuck *stuck, const char *namespace, const char *uid,
                         struct names *names)
{
    static const struct {
        const char *kind, *root, *plural;
    } kinds[] = {
        { "ReplicaSet", "/apis/apps/v1", "replicasets" },
        { "StatefulSet", "/apis/apps/v1", "statefulsets" },
        { "Deployment", "/apis/apps/v1", "deployments" },
        { "DaemonSet", "/apis/apps/v1", "daemonsets" },
        { "Job", "/apis/batch/v1", "jobs" },
        { "Pod", "/api/v1", "pods" },
        { "Service", "/api/v1", "services" },
        { "ConfigMap", "/api/v1", "configmaps" },
        { "PersistentVolumeClaim", "/api/v1", "persistentvolumeclaims" },
    };
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        bool is_pod = strcmp(kinds[k].kind, "Pod") == 0; /* its status tells more */
        const json_t *items = ask_through(
            stuck, xasprintf("%s/namespaces/%s/%s", kinds[k].root, namespace, kinds[k].plural),
            is_pod ? NULL : KUBE_METADATA_LIST, take_owned);
        json_t *item;
        size_t i;
        json_array_foreach((json_t *)items, i, item) {
            struct buf one = BUF_INIT;
            const json_t *owner = owner_of(item), *finalizers = finalizers_of(item);
            if (!*uid || strcmp(object_text(owner, "uid"), uid) != 0)
                continue;
            bool waits =
                json_array_size(finalizers) > 0 &&
                strcmp(json_string_value(json_array_get(finalizers, 0)), "foregroundDeletion") == 0;
            buf_addf(&one, "%s %s", kinds[k].kind, meta_text(item, "name"));
            if (!*meta_text(item, "deletionTimestamp"))
                buf_adds(&one, " (not being deleted)");
            else if (is_pod)
                explain_pod(stuck, item, &one);
            else if (!waits && json_array_size(finalizers) > 0)
                buf_addf(&one, " (finalizer %s)", json_string_value(json_array_get(finalizers, 0)));
            if (waits) /* what it waits for tells more */
                add_children(stuck, namespace, meta_text(item, "uid"), names);
            else
                add_name(names, buf_text(&one));
            buf_release(&one);
        }
    }
}

static void explain_children(struct stuck *stuck, const struct member *member, const json_t *object,
                             struct buf *words)
{
    struct names names = { .text = BUF_INIT };
    if (member->namespace && *member->namespace)
        add_children(stuck, member->namespace, meta_text(object, "uid"), &names);
    if (!names.count) {
        buf_adds(words, "what it owns is being deleted by the garbage collector");
        return;
    }
    buf_adds(words, "what it owns is still there: ");
    finish_names(&names, words);
}

/* ---- one finalizer ---- */

static void explain_instances(struct stuck *stuck, const json_t *crd, struct buf *words)
{
    const json_t *spec = json_object_get(crd, "spec");
    const char *group = object_text(spec, "group");
    struct names names = { .text = BUF_INIT };
    const char *finalizer = NULL;
    char *api_version = NULL;
    json_t *version, *item;
    size_t i;
    json_array_foreach(json_object_get(spec, "versions"), i, version)
        if (!api_version && json_is_true(json_object_get(version, "served")))
            api_version = xasprintf("%s/%s", group, object_text(version, "name"));
    const json_t *items =
        api_version
            ? ask_items(stuck, xasprintf("/apis/%s/%s?limit=500", api_version,
                                         object_text(json_object_get(spec, "names"), "plural")))
            : NULL;
    json_array_foreach((json_t *)items, i, item) {
        const json_t *own = finalizers_of(item);
        const char *namespace = meta_text(item, "namespace");
        char *name =
            xasprintf("%s%s%s%s%s%s", namespace, *namespace ? "/" : "", meta_text(item, "name"),
                      json_array_size(own) ? " (finalizer " : "",
                      json_array_size(own) ? json_string_value(json_array_get(own, 0)) : "",
                      json_array_size(own) ? ")" : "");
        add_name(&names, name);
        if (!finalizer && json_array_size(own))
            finalizer = json_string_value(json_array_get(own, 0));
        free(name);
    }
    if (names.count) {
        buf_addf(words, "objects of the kind are left: ");
        finish_names(&names, words);
    } else {
        buf_adds(words, "its objects are being deleted");
    }
    if (finalizer) {
        buf_adds(words, "; ");
        explain_foreign(stuck, api_version, finalizer, NULL, words);
    }
    free(api_version);
}

static void explain_volume(const json_t *volume, struct buf *words)
{
    const json_t *claim = json_object_get(json_object_get(volume, "spec"), "claimRef");
    const char *phase = object_text(json_object_get(volume, "status"), "phase");
    if (claim)
        buf_addf(words, "the volume is %s to claim %s/%s", *phase ? phase : "bound",
                 object_text(claim, "namespace"), object_text(claim, "name"));
    else
        buf_adds(words, "the controller manager has to see that no claim is bound to it");
}

static void explain_finalizer(struct stuck *stuck, const struct member *member,
                              const json_t *object, const char *finalizer, struct buf *words)
{
    buf_addf(words, "finalizer %s: ", finalizer);
    if (strcmp(finalizer, "kubernetes.io/pvc-protection") == 0) {
        explain_claim(stuck, member->namespace, member->name, words);
    } else if (strcmp(finalizer, "kubernetes.io/pv-protection") == 0) {
        explain_volume(object, words);
    } else if (strcmp(finalizer, "foregroundDeletion") == 0) {
        explain_children(stuck, member, object, words);
    } else if (strcmp(finalizer, "orphan") == 0) {
        buf_adds(words, "the garbage collector has to let go of what it owns");
    } else if (strcmp(finalizer, "customresourcecleanup.apiextensions.k8s.io") == 0) {
        explain_instances(stuck, object, words);
    } else if (strcmp(finalizer, "service.kubernetes.io/load-balancer-cleanup") == 0) {
        json_t *telling = json_pack("{s:b}", "cloud-controller-manager", 1);
        buf_adds(words, "the cloud's controller has to take the load balancer down");
        lacks_controller(stuck, telling, words);
        json_decref(telling);
    } else if (strcmp(finalizer, "batch.kubernetes.io/job-tracking") == 0) {
        buf_adds(words, "the Job controller has to count the pod");
    } else {
        explain_foreign(stuck, member->api_version, finalizer, member, words);
    }
}

/* ---- a namespace ---- */

static const json_t *true_condition(const json_t *object, const char *type)
{
    const json_t *conditions = json_object_get(json_object_get(object, "status"), "conditions");
    json_t *condition;
    size_t i;
    json_array_foreach((json_t *)conditions, i, condition)
        if (strcmp(object_text(condition, "type"), type) == 0 &&
            strcmp(object_text(condition, "status"), "True") == 0)
            return condition;
    return NULL;
}

/* The objects of one resource that are left, "configmaps" or "widgets.example.org". */
static void add_left(struct stuck *stuck, const char *namespace, const char *resource,
                     struct names *names, json_t *finalizers)
{
    const char *dot = strchr(resource, '.');
    const char *group = dot && dot[1] ? dot + 1 : NULL;
    char *plural = xstrndup(resource, dot ? (size_t)(dot - resource) : strlen(resource));
    char *root = NULL;
    json_t *item;
    size_t i;
    if (group) {
        const json_t *served = ask(stuck, xasprintf("/apis/%s", group));
        const char *version =
            object_text(json_object_get(served, "preferredVersion"), "groupVersion");
        root = *version ? xasprintf("/apis/%s", version) : NULL;
    } else {
        root = xstrdup("/api/v1");
    }
    const json_t *items =
        root ? ask_items(stuck, xasprintf("%s/namespaces/%s/%s?limit=500", root, namespace, plural))
             : NULL;
    json_array_foreach((json_t *)items, i, item) {
        const json_t *own = finalizers_of(item);
        const char *first = json_string_value(json_array_get(own, 0));
        struct buf one = BUF_INIT;
        buf_addf(&one, "%s/%s", plural, meta_text(item, "name"));
        if (first)
            buf_addf(&one, " (finalizer %s)", first);
        else if (strcmp(plural, "pods") == 0)
            explain_pod(stuck, item, &one);
        add_name(names, buf_text(&one));
        buf_release(&one);
        if (first)
            json_object_set_new(finalizers, first,
                                json_string(root + strlen(group ? "/apis/" : "/api/")));
    }
    free(root);
    free(plural);
}

/* "Some resources are remaining: configmaps. has 1 resource instances, ..." */
static void explain_content(struct stuck *stuck, const char *namespace, const char *message,
                            struct buf *words)
{
    struct names names = { .text = BUF_INIT };
    json_t *finalizers = json_object(), *group;
    const char *at = strstr(message, ": "), *finalizer;
    for (at = at ? at + 2 : NULL; at && *at; at = strstr(at, ", ") ? strstr(at, ", ") + 2 : NULL) {
        char *resource = xstrndup(at, strcspn(at, " "));
        add_left(stuck, namespace, resource, &names, finalizers);
        free(resource);
    }
    if (names.count) {
        buf_adds(words, "still in it: ");
        finish_names(&names, words);
    } else {
        buf_addf(words, "%s", message);
    }
    json_object_foreach(finalizers, finalizer, group) {
        static const char own[] = "kubernetes.io/";
        if (strncmp(finalizer, own, strlen(own)) == 0 || !strchr(finalizer, '.'))
            continue; /* they go when their objects may */
        buf_addf(words, "; finalizer %s: ", finalizer);
        explain_foreign(stuck, json_string_value(group), finalizer, NULL, words);
    }
    json_decref(finalizers);
}

/* An aggregated API that does not answer keeps every namespace from going. */
static void explain_discovery(struct stuck *stuck, const char *message, struct buf *words)
{
    const json_t *items =
        ask_items(stuck, xasprintf("/apis/apiregistration.k8s.io/v1/apiservices?limit=500"));
    bool any = false;
    json_t *item, *condition;
    size_t i, k;
    json_array_foreach((json_t *)items, i, item) {
        const json_t *service = json_object_get(json_object_get(item, "spec"), "service");
        json_array_foreach(json_object_get(json_object_get(item, "status"), "conditions"), k,
                           condition) {
            if (strcmp(object_text(condition, "type"), "Available") != 0 ||
                strcmp(object_text(condition, "status"), "True") == 0)
                continue;
            buf_addf(words,
                     "%sAPIService %s of Service %s/%s does not answer, so nobody knows what "
                     "is in the namespace (`kubectl delete apiservice %s` unblocks)",
                     any ? "; " : "", meta_text(item, "name"), object_text(service, "namespace"),
                     object_text(service, "name"), meta_text(item, "name"));
            any = true;
        }
    }
    if (!any)
        buf_adds(words, message);
}

static void explain_namespace(struct stuck *stuck, const struct member *member,
                              const json_t *namespace, struct buf *words)
{
    const json_t *found;
    if ((found = true_condition(namespace, "NamespaceDeletionDiscoveryFailure")))
        explain_discovery(stuck, object_text(found, "message"), words);
    else if ((found = true_condition(namespace, "NamespaceContentRemaining")))
        explain_content(stuck, member->name, object_text(found, "message"), words);
    else if ((found = true_condition(namespace, "NamespaceFinalizersRemaining")) ||
             (found = true_condition(namespace, "NamespaceDeletionContentFailure")))
        buf_adds(words, object_text(found, "message"));
    else
        buf_adds(words, "what is in it is being deleted");
}

/* ---- a webhook that can't be called ---- */

/* "Service ops/hook is not there", or has no pods; false when it looks well. */
static bool explain_service(struct stuck *stuck, const json_t *service, struct buf *words)
{
    const char *namespace = object_text(service, "namespace"), *name = object_text(service, "name");
    const json_t *found = ask_items(
        stuck, xasprintf("/api/v1/namespaces/%s/services?fieldSelector=metadata.name%%3D%s",
                         namespace, name));
    json_t *slice, *endpoint;
    size_t i, k, ready = 0;
    if (!found)
        return false;
    if (json_array_size(found) == 0) {
        buf_addf(words, "Service %s/%s is not there", namespace, name);
        return true;
    }
    const json_t *slices = ask_items(
        stuck, xasprintf("/apis/discovery.k8s.io/v1/namespaces/%s/endpointslices?labelSelector="
                         "kubernetes.io%%2Fservice-name%%3D%s",
                         namespace, name));
    json_array_foreach((json_t *)slices, i, slice)
        json_array_foreach(json_object_get(slice, "endpoints"), k, endpoint)
            ready +=
                !json_is_false(json_object_get(json_object_get(endpoint, "conditions"), "ready"));
    if (!slices)
        return false;
    if (ready)
        buf_addf(words, "Service %s/%s has %zu ready endpoint%s, but the call fails", namespace,
                 name, ready, ready == 1 ? "" : "s");
    else
        buf_addf(words, "Service %s/%s has no ready endpoints", namespace, name);
    return true;
}

/* Looks for the webhook's configuration; true when it was found and told. */
static bool explain_webhook(struct stuck *stuck, const char *webhook, const char *refusal,
                            struct buf *words)
{
    static const struct {
        const char *kind, *plural;
    } kinds[] = {
        { "ValidatingWebhookConfiguration", "validatingwebhookconfigurations" },
        { "MutatingWebhookConfiguration", "mutatingwebhookconfigurations" },
    };
    json_t *configuration, *one;
    size_t i, n;
    for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        const json_t *items =
            ask_items(stuck, xasprintf("/apis/admissionregistration.k8s.io/v1/%s?limit=500",
                                       kinds[k].plural));
        json_array_foreach((json_t *)items, i, configuration)
            json_array_foreach(json_object_get(configuration, "webhooks"), n, one) {
                if (strcmp(object_text(one, "name"), webhook) != 0)
                    continue;
                const json_t *client = json_object_get(one, "clientConfig");
                const json_t *service = json_object_get(client, "service");
                buf_addf(words,
                         "the DELETE has to pass webhook %s of %s %s, which can't be called: ",
                         webhook, kinds[k].kind, meta_text(configuration, "name"));
                if (!service || !explain_service(stuck, service, words))
                    buf_adds(words, refusal);
                buf_addf(words, "; deleting the configuration unblocks: kubectl delete %s %s",
                         kinds[k].plural, meta_text(configuration, "name"));
                return true;
            }
    }
    return false;
}

static void explain_refusal(struct stuck *stuck, const char *refusal, struct buf *words)
{
    const char *marker = "failed calling webhook \"";
    const char *name = strstr(refusal, marker);
    bool told = false;
    if (name) {
        name += strlen(marker);
        char *webhook = xstrndup(name, strcspn(name, "\""));
        told = explain_webhook(stuck, webhook, refusal, words);
        free(webhook);
    }
    if (!told)
        buf_addf(words, "the API server refuses the DELETE: %s", refusal);
}

/* ---- the whole ---- */

char *stuck_explain(struct stuck *stuck, const struct member *member, const json_t *object,
                    const char *refusal)
{
    struct buf words = BUF_INIT;
    const json_t *finalizers = finalizers_of(object);
    json_t *finalizer;
    size_t i;
    if (refusal)
        explain_refusal(stuck, refusal, &words);
    else if (strcmp(member->kind, "Namespace") == 0 && strcmp(member->api_version, "v1") == 0 &&
             json_array_size(finalizers) == 0)
        explain_namespace(stuck, member, object, &words);
    else if (strcmp(member->kind, "Pod") == 0 && json_array_size(finalizers) == 0) {
        buf_adds(&words, "is being deleted");
        explain_pod(stuck, object, &words);
    } else
        json_array_foreach((json_t *)finalizers, i, finalizer) {
            if (words.len)
                buf_adds(&words, "; ");
            explain_finalizer(stuck, member, object, json_string_value(finalizer), &words);
        }
    if (!words.len)
        buf_adds(&words, *meta_text(object, "deletionTimestamp") ? "is being deleted"
                                                                 : "no answer to the DELETE yet");
    for (char *c = words.data; *c; c++) /* one line, whatever the server wrote */
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    return buf_detach(&words);
}

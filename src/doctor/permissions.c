#include "doctor/permissions.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

/* ---- the list ---- */

void permissions_add(json_t *list, const char *verb, const char *group, const char *resource,
                     const char *namespace)
{
    json_t *permission = json_pack("{s:s, s:s, s:s, s:s}", "verb", verb, "group", group, "resource",
                                   resource, "namespace", namespace);
    size_t i;
    json_t *other;
    json_array_foreach(list, i, other) {
        if (json_equal(permission, other)) {
            json_decref(permission);
            return;
        }
    }
    json_array_append_new(list, permission);
}

/* "/apis/<group>/<version>[/namespaces/<name>]/<resource>", "/api/<version>/...". */
void permissions_add_path(json_t *list, const char *verb, const char *collection)
{
    static const char in[] = "/namespaces/";
    const char *resource = strrchr(collection, '/'), *place = strstr(collection, in);
    char *group = xstrdup(""), *namespace = xstrdup("");
    if (strncmp(collection, "/apis/", 6) == 0) {
        free(group);
        group = xstrndup(collection + 6, strcspn(collection + 6, "/"));
    }
    if (place && place + sizeof in - 1 < resource) {
        free(namespace);
        place += sizeof in - 1;
        namespace = xstrndup(place, strcspn(place, "/"));
    }
    if (resource)
        permissions_add(list, verb, group, resource + 1, namespace);
    free(group);
    free(namespace);
}

void permissions_add_bookkeeping(json_t *list, const char *namespace)
{
    static const struct {
        const char *group, *resource, *verbs[6];
    } rows[] = {
        { "coordination.k8s.io", "leases", { "get", "create", "update", NULL } },
        { "", "configmaps", { "get", "create", "patch", NULL } },
        { "", "secrets", { "get", "list", "create", "patch", "delete", NULL } },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t k = 0; rows[i].verbs[k]; k++)
            permissions_add(list, rows[i].verbs[k], rows[i].group, rows[i].resource, namespace);
}

json_t *permissions_by_resource(const json_t *lacking)
{
    json_t *rows = json_array(), *one, *row;
    size_t i, k;
    json_array_foreach((json_t *)lacking, i, one) {
        bool known = false;
        json_array_foreach(rows, k, row) {
            if (!json_equal(json_object_get(row, "group"), json_object_get(one, "group")) ||
                !json_equal(json_object_get(row, "resource"), json_object_get(one, "resource")) ||
                !json_equal(json_object_get(row, "namespace"), json_object_get(one, "namespace")))
                continue;
            known = true;
            json_object_set_new(
                row, "verbs",
                json_sprintf("%s,%s", object_text(row, "verbs"), object_text(one, "verb")));
            break;
        }
        if (!known)
            json_array_append_new(rows, json_pack("{s:O, s:O, s:O, s:O}", "verbs",
                                                  json_object_get(one, "verb"), "group",
                                                  json_object_get(one, "group"), "resource",
                                                  json_object_get(one, "resource"), "namespace",
                                                  json_object_get(one, "namespace")));
    }
    return rows;
}

/* ---- rules ---- */

static bool lists(const json_t *list, const char *word)
{
    size_t i;
    json_t *one;
    json_array_foreach((json_t *)list, i, one) {
        const char *text = json_string_value(one);
        if (text && (strcmp(text, "*") == 0 || strcmp(text, word) == 0))
            return true;
    }
    return false;
}

bool permissions_allow(const json_t *status, const json_t *permission, bool *incomplete)
{
    size_t i;
    json_t *rule;
    *incomplete = json_is_true(json_object_get(status, "incomplete"));
    json_array_foreach(json_object_get(status, "resourceRules"), i, rule) {
        if (lists(json_object_get(rule, "verbs"), object_text(permission, "verb")) &&
            lists(json_object_get(rule, "apiGroups"), object_text(permission, "group")) &&
            lists(json_object_get(rule, "resources"), object_text(permission, "resource")))
            return true;
    }
    return false;
}

/* ---- asking ---- */

struct asking {
    size_t pending;
    bool finished;
    struct err first; /* why there was no answer */
};

struct review {
    struct asking *asking;
    const char *namespace;    /* of the rules */
    const json_t *permission; /* of one access */
    json_t *status;           /* the answer, NULL: there was none */
};

static void on_review(const struct kube_response *response, void *arg)
{
    struct review *review = arg;
    struct asking *asking = review->asking;
    if (!response->err)
        review->status = json_incref(json_object_get(response->body, "status"));
    else if (asking->first.kind == ERR_NONE)
        asking->first = *response->err;
    asking->finished = --asking->pending == 0;
}

static void send_review(struct kube_client *client, struct review *review, const char *kind,
                        const char *resource, json_t *spec)
{
    char *path = xasprintf("/apis/authorization.k8s.io/v1/%s", resource);
    json_t *body = json_pack("{s:s, s:s, s:o}", "apiVersion", "authorization.k8s.io/v1", "kind",
                             kind, "spec", spec);
    struct kube_request request = {
        .method = "POST",
        .path = path,
        .content_type = "application/json",
        .body = json_dumps(body, JSON_COMPACT),
        .done = on_review,
        .arg = review,
    };
    review->asking->pending++;
    kube_send(client, &request);
    json_decref(body);
    free(path);
}

static int wait(struct kube_client *client, struct asking *asking, struct err *err)
{
    int result = asking->pending ? kube_run(client, &asking->finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    asking->finished = false;
    return result;
}

/* The rules of each namespace of the list. */
static size_t ask_rules(struct kube_client *client, const json_t *list, struct asking *asking,
                        struct review *reviews)
{
    size_t i, k, count = 0;
    json_t *one;
    json_array_foreach((json_t *)list, i, one) {
        const char *namespace = object_text(one, "namespace");
        for (k = 0; k < count && strcmp(reviews[k].namespace, namespace) != 0;)
            k++;
        if (!*namespace || k < count)
            continue;
        reviews[count] = (struct review){ .asking = asking, .namespace = namespace };
        send_review(client, &reviews[count++], "SelfSubjectRulesReview", "selfsubjectrulesreviews",
                    json_pack("{s:s}", "namespace", namespace));
    }
    return count;
}

/* Whether the rules leave it open. */
static bool is_open(const struct review *rules, size_t count, const json_t *permission,
                    json_t *lacking)
{
    const char *namespace = object_text(permission, "namespace");
    for (size_t i = 0; i < count; i++) {
        bool incomplete;
        if (strcmp(rules[i].namespace, namespace) != 0)
            continue;
        if (!rules[i].status || permissions_allow(rules[i].status, permission, &incomplete))
            return false;
        if (!incomplete)
            json_array_append(lacking, (json_t *)permission);
        return incomplete;
    }
    return true;
}

static void ask_access(struct kube_client *client, struct review *review)
{
    const json_t *permission = review->permission;
    json_t *attributes = json_pack("{s:O, s:O, s:O}", "verb", json_object_get(permission, "verb"),
                                   "group", json_object_get(permission, "group"), "resource",
                                   json_object_get(permission, "resource"));
    const char *namespace = object_text(permission, "namespace");
    if (*namespace)
        json_object_set_new(attributes, "namespace", json_string(namespace));
    send_review(client, review, "SelfSubjectAccessReview", "selfsubjectaccessreviews",
                json_pack("{s:o}", "resourceAttributes", attributes));
}

json_t *permissions_lacking(struct kube_client *client, const json_t *list, struct err *unknown,
                            struct err *err)
{
    struct asking asking = { .first = ERR_INIT };
    size_t size = json_array_size(list) + 1, i, open_count = 0;
    struct review *rules = xcalloc(size, sizeof *rules), *open = xcalloc(size, sizeof *open);
    json_t *lacking = json_array(), *one;
    size_t count = ask_rules(client, list, &asking, rules);
    int result = wait(client, &asking, err);
    json_array_foreach((json_t *)list, i, one) {
        if (result != 0 || !is_open(rules, count, one, lacking))
            continue;
        open[open_count] = (struct review){ .asking = &asking, .permission = one };
        ask_access(client, &open[open_count++]);
    }
    if (result == 0)
        result = wait(client, &asking, err);
    for (i = 0; i < open_count && result == 0; i++)
        if (open[i].status && !json_is_true(json_object_get(open[i].status, "allowed")))
            json_array_append(lacking, (json_t *)open[i].permission);
    if (unknown)
        *unknown = asking.first;
    for (i = 0; i < size; i++) {
        json_decref(rules[i].status);
        json_decref(open[i].status);
    }
    free(rules);
    free(open);
    if (result == 0)
        return lacking;
    json_decref(lacking);
    return NULL;
}

#include "doctor/preflight.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/fit.h"
#include "doctor/listing.h"
#include "doctor/permissions.h"
#include "doctor/quota.h"
#include "object/meta.h"

enum { HTTP_OK = 200 };

/* ---- rights ---- */

/* What the survey has not tried: its dry run has shown what may be read and written. */
static json_t *needs_of(const struct plan *plan, const struct identity *identity)
{
    json_t *list = json_array();
    permissions_add_bookkeeping(list, identity->namespace);
    for (size_t i = 0; i < plan->work->count; i++) {
        const char *collection = plan->work->items[i].collection;
        enum survey_action action = plan->items[i].action;
        if (collection && (action == SURVEY_REPLACE || action == SURVEY_GROW))
            permissions_add_path(list, "delete", collection);
    }
    for (size_t i = 0; i < plan->leavers_count; i++)
        if (plan->leavers[i].fate == PLAN_DELETE)
            permissions_add_path(list, "delete", plan->leavers[i].member->collection);
    return list;
}

static int check_rights(struct kube_client *client, const struct plan *plan,
                        const struct identity *identity, struct err *err)
{
    json_t *needs = needs_of(plan, identity);
    json_t *lacking = permissions_lacking(client, needs, NULL, err), *row;
    json_decref(needs);
    if (!lacking)
        return -1;
    json_t *rows = permissions_by_resource(lacking);
    struct buf text = BUF_INIT;
    size_t i;
    json_array_foreach(rows, i, row) {
        const char *group = object_text(row, "group"), *namespace = object_text(row, "namespace");
        buf_addf(&text, "%s%s %s%s%s%s%s", i ? "; " : "", object_text(row, "verbs"),
                 object_text(row, "resource"), *group ? "." : "", group,
                 *namespace ? " in namespace " : "", namespace);
    }
    int result = 0;
    if (text.len)
        result =
            err_set(err, ERR_UNREACHABLE,
                    "this user lacks rights that the apply will need: %s; bkdeploy doctor tells "
                    "how they are granted",
                    buf_text(&text));
    buf_release(&text);
    json_decref(rows);
    json_decref(lacking);
    return result;
}

/* ---- quotas and nodes ---- */

static size_t replicas_of(const json_t *object)
{
    const json_t *count = json_object_get(json_object_get(object, "spec"), "replicas");
    return json_is_integer(count) ? (size_t)json_integer_value(count) : 1;
}

/* What the plan makes anew in the namespace: objects in `objects`, their pods in `pods`. */
static void add_new(const struct plan *plan, const char *namespace, json_t *objects, json_t *pods)
{
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct work_item *item = &plan->work->items[i];
        if (plan->items[i].action != SURVEY_CREATE || strcmp(item->namespace, namespace) != 0)
            continue;
        bool each_node = strcmp(item->kind, "DaemonSet") == 0 || strcmp(item->kind, "CronJob") == 0;
        quota_add(objects, item->object, item->collection, 0);
        quota_add(pods, item->object, NULL, each_node ? 0 : replicas_of(item->object));
    }
}

static char *shortage(const json_t *quota, const char *name, double left, double needed)
{
    const char *dot = strchr(name, '.');
    const char *resource = strncmp(name, "count/", 6) == 0 || !dot ? name : dot + 1;
    char *has = fit_amount(resource, left > 0 ? left : 0), *wants = fit_amount(resource, needed);
    char *text =
        xasprintf("quota '%s' of namespace %s has %s %s left, and the apply makes %s more",
                  meta_text(quota, "name"), meta_text(quota, "namespace"), has, name, wants);
    free(has);
    free(wants);
    return text;
}

static int check_quotas(const struct plan *plan, const json_t *quotas, json_t *warnings,
                        struct err *err)
{
    size_t i;
    json_t *quota;
    json_array_foreach((json_t *)quotas, i, quota) {
        json_t *objects = json_object(), *pods = json_object();
        double left, needed;
        add_new(plan, meta_text(quota, "namespace"), objects, pods);
        const char *name = quota_short(quota, objects, &left, &needed);
        char *text = name ? shortage(quota, name, left, needed) : NULL;
        if (text)
            err_set(err, ERR_REFUSED, "%s", text);
        free(text);
        const char *of_pods = name ? NULL : quota_short(quota, pods, &left, &needed);
        if (of_pods) {
            text = shortage(quota, of_pods, left, needed);
            json_array_append_new(warnings, json_string(text));
            free(text);
        }
        json_decref(objects);
        json_decref(pods);
        if (name)
            return -1;
    }
    return 0;
}

/* Why no node would take a pod even if it were empty; NULL when one would. The caller's. */
static char *misfit(const json_t *nodes, const json_t *spec)
{
    json_t *requests = fit_requests(spec), *node;
    char *why = NULL;
    size_t i;
    bool fits = false;
    json_array_foreach((json_t *)nodes, i, node) {
        char *reason = fit_refusal(node, spec);
        if (!reason) {
            double lack;
            json_t *all =
                fit_amounts(json_object_get(json_object_get(node, "status"), "allocatable"));
            const char *resource = fit_lacking(requests, all, &lack);
            char *amount = fit_amount(resource ? resource : "", resource ? lack : 0);
            reason = resource ? xasprintf("has %s %s too little", amount, resource) : NULL;
            free(amount);
            json_decref(all);
        }
        fits |= reason == NULL;
        if (reason && !why)
            why = xasprintf("%s, for one, %s", meta_text(node, "name"), reason);
        free(reason);
    }
    json_decref(requests);
    if (!fits && why)
        return why;
    free(why);
    return NULL;
}

static void look_at_nodes(const struct plan *plan, const json_t *nodes, json_t *warnings)
{
    for (size_t i = 0; i < plan->work->count; i++) {
        const struct work_item *item = &plan->work->items[i];
        const json_t *template = world_template(item->object);
        if (!template || plan->items[i].action == SURVEY_SAME)
            continue;
        char *why = misfit(nodes, json_object_get(template, "spec"));
        if (why)
            json_array_append_new(warnings, json_sprintf("no node takes a pod of %s %s: %s",
                                                         item->kind, item->name, why));
        free(why);
    }
}

static bool has_new_workload(const struct plan *plan)
{
    for (size_t i = 0; i < plan->work->count; i++)
        if (plan->items[i].action != SURVEY_SAME && world_template(plan->work->items[i].object))
            return true;
    return false;
}

/* The namespaces that the plan makes something in. A new reference. */
static json_t *namespaces_of(const struct plan *plan)
{
    json_t *names = json_object();
    for (size_t i = 0; i < plan->work->count; i++)
        if (plan->items[i].action == SURVEY_CREATE)
            json_object_set_new(names, plan->work->items[i].namespace, json_true());
    return names;
}

static int check_room(struct kube_client *client, const struct plan *plan, json_t *warnings,
                      struct err *err)
{
    json_t *names = namespaces_of(plan), *ignored;
    const char *name;
    size_t count = 0;
    struct listing *list = xcalloc(json_object_size(names) + 1, sizeof *list);
    json_object_foreach(names, name, ignored)
        list[count++] = (struct listing){
            .kind = "ResourceQuota",
            .version = "v1",
            .path = xasprintf("/api/v1/namespaces/%s/resourcequotas", name),
        };
    bool wants_nodes = has_new_workload(plan);
    if (wants_nodes)
        list[count++] =
            (struct listing){ .kind = "Node", .version = "v1", .path = xstrdup("/api/v1/nodes") };
    int result = listing_run(client, list, count, err);
    for (size_t i = 0; i < count && result == 0; i++) {
        if (list[i].status != HTTP_OK)
            continue;
        if (wants_nodes && i == count - 1)
            look_at_nodes(plan, list[i].items, warnings);
        else
            result = check_quotas(plan, list[i].items, warnings, err);
    }
    listing_release(list, count);
    free(list);
    json_decref(names);
    return result;
}

int preflight(struct kube_client *client, const struct plan *plan, const struct identity *identity,
              json_t **warnings, struct err *err)
{
    *warnings = json_array();
    if (plan_is_empty(plan))
        return 0;
    if (check_rights(client, plan, identity, err) != 0)
        return -1;
    return check_room(client, plan, *warnings, err);
}

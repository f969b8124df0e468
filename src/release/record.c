#include "release/record.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"

int record_open(struct record *record, struct kube_client *client, const struct identity *identity,
                struct err *err)
{
    *record = (struct record){ .client = client, .identity = identity };
    return revision_list(client, identity, &record->revisions, &record->count, err);
}

void record_release(struct record *record)
{
    revision_list_free(record->revisions, record->count);
    *record = (struct record){ .client = NULL };
}

const struct revision *record_last(const struct record *record)
{
    return record->count ? &record->revisions[record->count - 1] : NULL;
}

const struct revision *record_last_done(const struct record *record, int below)
{
    for (size_t i = record->count; i-- > 0;)
        if (record->revisions[i].number < below &&
            strcmp(record->revisions[i].outcome, "done") == 0)
            return &record->revisions[i];
    return NULL;
}

bool record_is_due(const struct record *record, const struct plan *plan)
{
    const struct revision *last = record_last(record);
    return !plan_is_empty(plan) || !plan->inventory.parent || !last ||
           (strcmp(last->outcome, "done") != 0 && strcmp(last->outcome, "applied") != 0);
}

/* ---- the inventory ---- */

static void add_group_kind(json_t *kinds, const char *api_version, const char *kind)
{
    const char *slash = strchr(api_version, '/');
    char *name =
        slash ? xasprintf("%s.%.*s", kind, (int)(slash - api_version), api_version) : xstrdup(kind);
    json_object_set_new(kinds, name, json_true());
    free(name);
}

/* The keys of an object as an array, ascending. */
static json_t *sorted_keys(json_t *set)
{
    char *text = json_dumps(set, JSON_SORT_KEYS | JSON_COMPACT);
    json_t *sorted = json_loads(text, 0, NULL), *keys = json_array(), *value;
    const char *key;
    json_object_foreach(sorted, key, value)
        json_array_append_new(keys, json_string(key));
    json_decref(sorted);
    free(text);
    return keys;
}

static void add_listed(json_t *set, const char *list)
{
    while (list && *list) {
        size_t length = strcspn(list, ",");
        char *name = xstrndup(list, length);
        if (*name)
            json_object_set_new(set, name, json_true());
        free(name);
        list += length + (list[length] == ',');
    }
}

static const char *parent_annotation(const struct plan *plan, const char *key)
{
    const json_t *metadata = json_object_get(plan->inventory.parent, "metadata");
    return json_string_value(json_object_get(json_object_get(metadata, "annotations"), key));
}

/* Writes the inventory for the profile's objects and what stays of those that have left; `wide`:
 * and all that it had. Nothing is sent when it is so already. */
static int write_inventory(struct record *record, const struct plan *plan, bool wide,
                           struct err *err)
{
    static const char group_kinds[] = "applyset.kubernetes.io/contains-group-kinds";
    static const char namespaces_key[] = "applyset.kubernetes.io/additional-namespaces";
    const struct work *work = plan->work;
    json_t *kinds = json_object(), *namespaces = json_object();
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        add_group_kind(kinds, item->api_version, item->kind);
        if (!item->collection || strstr(item->collection, "/namespaces/"))
            json_object_set_new(namespaces, item->namespace, json_true());
    }
    for (size_t i = 0; i < plan->leavers_count; i++) {
        const struct member *member = plan->leavers[i].member;
        if (!wide && plan->leavers[i].fate == PLAN_DELETE)
            continue;
        add_group_kind(kinds, member->api_version, member->kind);
        if (*member->namespace)
            json_object_set_new(namespaces, member->namespace, json_true());
    }
    if (wide) {
        add_listed(kinds, parent_annotation(plan, group_kinds));
        add_listed(namespaces, parent_annotation(plan, namespaces_key));
    }
    json_object_del(namespaces, record->identity->namespace);
    json_t *kind_list = sorted_keys(kinds), *namespace_list = sorted_keys(namespaces);
    char number[24], *now = moment_now();
    snprintf(number, sizeof number, "%d", record->number);
    json_t *info =
        json_pack("{s:s, s:s, s:s, s:s, s:s}", "bkdeploy/profile", work->profile->name,
                  "bkdeploy/environment", work->profile->environment, "bkdeploy/revision", number,
                  "bkdeploy/when", now, "bkdeploy/outcome", wide ? "applying" : "done");
    free(now);
    int result =
        inventory_write(record->client, record->identity, kind_list, namespace_list, info, err);
    json_decref(info);
    json_decref(kind_list);
    json_decref(namespace_list);
    json_decref(kinds);
    json_decref(namespaces);
    return result;
}

int record_begin(struct record *record, const struct plan *plan, const struct revision *about,
                 const json_t *source, int keep, struct err *err)
{
    const struct revision *last = record_last(record);
    struct revision revision = *about;
    char outcome[] = "applying";
    revision.number = last ? last->number + 1 : 1;
    revision.outcome = outcome;
    if (last && strcmp(last->outcome, "applying") == 0 &&
        revision_set_outcome(record->client, record->identity, last->number, "interrupted", NULL,
                             err) != 0)
        return -1;
    if (revision_trim(record->client, record->identity, keep - 1, err) != 0 ||
        revision_write(record->client, record->identity, &revision, source, err) != 0)
        return -1;
    record->number = revision.number;
    return write_inventory(record, plan, true, err);
}

int record_narrow(struct record *record, const struct plan *plan, struct err *err)
{
    return write_inventory(record, plan, false, err);
}

int record_end(struct record *record, const char *outcome, const char *summary, struct err *err)
{
    const struct revision *last = record_last(record);
    int number = record->number;
    /* Nothing had to be sent: then what was only applied has come up now. */
    if (!number && last && strcmp(last->outcome, "applied") == 0 && strcmp(outcome, "done") == 0)
        number = last->number;
    return number ? revision_set_outcome(record->client, record->identity, number, outcome, summary,
                                         err)
                  : 0;
}

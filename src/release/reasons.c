#include "release/reasons.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/clock.h"
#include "base/mem.h"
#include "object/mask.h"
#include "rollout/lookout.h"

enum {
    LOOK_AFTER_MS = 1000, /* what is ready before, and what goes on, is never looked at */
    POD_MS = 3,           /* later for each pod that is waited for */
    LOOK_EVERY_MS = 250,  /* if there is news */
};

struct row {
    long long waits_since; /* clock_ms(), 0: does not wait */
    long long certain_since;
    json_int_t most;             /* how far it has come: the most that its status has counted */
    struct diagnosis *diagnosis; /* the last one that was found, or NULL */
};

struct reasons {
    const struct work *work;
    struct reasons_ways ways;
    long grace_ms;
    struct lookout *lookout;
    struct row *rows;
    long long moved_at; /* when something last came further */
    size_t lost;        /* items that will never be sent */
    json_t *secrets;
};

/* ---- what is secret ---- */

/* Also line by line: so do certificates come out in logs. */
static void add_secret(json_t *list, const char *value)
{
    while (*value) {
        size_t length = strcspn(value, "\r\n");
        if (length)
            json_array_append_new(list, json_stringn(value, length));
        value += length + strspn(value + length, "\r\n");
    }
}

static void add_secrets(json_t *list, const json_t *secret)
{
    const char *key;
    json_t *value;
    json_object_foreach(json_object_get(secret, "stringData"), key, value) {
        if (json_is_string(value))
            add_secret(list, json_string_value(value));
    }
    json_object_foreach(json_object_get(secret, "data"), key, value) {
        size_t length = 0;
        char *plain =
            json_is_string(value) ? base64_decode(json_string_value(value), &length) : NULL;
        if (!plain)
            continue;
        add_secret(list, json_string_value(value));
        if (strlen(plain) == length)
            add_secret(list, plain);
        xfree_secret(plain);
    }
}

static json_t *secrets_of(const struct work *work)
{
    json_t *list = json_array();
    for (size_t i = 0; i < work->count; i++)
        if (strcmp(work->items[i].kind, "Secret") == 0)
            add_secrets(list, work->items[i].object);
    return list;
}

/* ---- life ---- */

struct reasons *reasons_new(struct kube_client *client, const struct work *work,
                            const struct reasons_ways *ways, long grace_ms)
{
    struct reasons *reasons = xcalloc(1, sizeof *reasons);
    reasons->work = work;
    reasons->ways = *ways;
    reasons->grace_ms = grace_ms;
    reasons->lookout = lookout_new(client);
    reasons->rows = xcalloc(work->count, sizeof *reasons->rows);
    return reasons;
}

void reasons_free(struct reasons *reasons)
{
    if (!reasons)
        return;
    for (size_t i = 0; i < reasons->work->count; i++)
        free(reasons->rows[i].diagnosis);
    free(reasons->rows);
    lookout_free(reasons->lookout);
    json_decref(reasons->secrets);
    free(reasons);
}

const json_t *reasons_secrets(const struct reasons *reasons)
{
    struct reasons *own = (struct reasons *)reasons;
    if (!own->secrets) /* most applies never ask */
        own->secrets = secrets_of(reasons->work);
    return own->secrets;
}

const json_t *reasons_notes(const struct reasons *reasons)
{
    return lookout_notes(reasons->lookout);
}

const struct diagnosis *reasons_of(const struct reasons *reasons, size_t index)
{
    return reasons->rows[index].diagnosis;
}

/* ---- what is on its way ---- */

struct asker {
    const struct reasons *reasons;
    const struct work_item *item;
};

static bool is_cluster_scoped(const char *kind)
{
    return strcmp(kind, "StorageClass") == 0 || strcmp(kind, "PriorityClass") == 0 ||
           strcmp(kind, "PersistentVolume") == 0;
}

static bool has_key(const json_t *object, const char *key)
{
    static const char *const maps[] = { "data", "stringData", "binaryData" };
    for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
        if (json_object_get(json_object_get(object, maps[i]), key))
            return true;
    return !*key;
}

/* What the profile brings is not missing: it is to come, or who looks for it has not seen it yet.
 * But for what never comes, or only after the one that waits for it. */
static bool is_coming(const char *kind, const char *name, const char *key, void *arg)
{
    const struct asker *asker = arg;
    const struct work *work = asker->reasons->work;
    for (size_t i = 0; i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        if (strcmp(item->kind, kind) != 0 || (*name && strcmp(item->name, name) != 0) ||
            (!is_cluster_scoped(kind) && strcmp(item->namespace, asker->item->namespace) != 0) ||
            !has_key(item->object, key))
            continue;
        enum reasons_state state = asker->reasons->ways.state(i, asker->reasons->ways.arg);
        if (state == REASONS_NEVER)
            continue;
        if (state != REASONS_UNSENT ||
            !profile_is_behind(work->profile, item->component, asker->item->component))
            return true;
    }
    return false;
}

/* ---- looking ---- */

static void mask_diagnosis(const struct reasons *reasons, struct diagnosis *diagnosis)
{
    mask_text(diagnosis->message, reasons_secrets(reasons));
}

/* Diagnoses one item; whether the outcome is another one than before. */
static bool look_at(struct reasons *reasons, size_t index, long long now)
{
    struct row *row = &reasons->rows[index];
    struct asker asker = { reasons, &reasons->work->items[index] };
    struct diagnosis_world world = { .is_coming = is_coming, .arg = &asker };
    struct diagnosis found;
    const json_t *live = reasons->ways.live(index, reasons->ways.arg);
    if (!live)
        return false;
    lookout_world(reasons->lookout, asker.item->namespace, &world);
    if (!diagnosis_of(live, &world, &found)) {
        bool had = row->diagnosis != NULL;
        free(row->diagnosis);
        row->diagnosis = NULL;
        row->certain_since = 0;
        return had;
    }
    if (found.kind == DIAGNOSIS_UNSCHEDULABLE && strstr(found.message, "taint"))
        lookout_ask_nodes(reasons->lookout);
    mask_diagnosis(reasons, &found);
    /* A crash loop is uncertain while it runs for once, but stays one. */
    if (row->diagnosis && row->diagnosis->kind != found.kind)
        row->certain_since = 0;
    if (found.certain && !row->certain_since)
        row->certain_since = now;
    bool changed = !row->diagnosis || strcmp(row->diagnosis->message, found.message) != 0;
    if (!row->diagnosis)
        row->diagnosis = xmalloc(sizeof *row->diagnosis);
    *row->diagnosis = found;
    return changed;
}

static bool is_doomed(const struct reasons *reasons, size_t index, long long now)
{
    const struct row *row = &reasons->rows[index];
    const struct work *work = reasons->work;
    long own = work->profile->components[work->items[index].component].grace_ms;
    return row->diagnosis && row->diagnosis->certain && row->certain_since &&
           now - row->certain_since >= (own >= 0 ? own : reasons->grace_ms);
}

/* Forgets an item that no longer waits. */
static void rest(struct row *row)
{
    free(row->diagnosis);
    *row = (struct row){ .waits_since = 0 };
}

static bool is_in_state(const struct reasons *reasons, size_t index, enum reasons_state state)
{
    return diagnosis_covers(reasons->work->items[index].kind) &&
           reasons->ways.state(index, reasons->ways.arg) == state;
}

/* Whether more of what was to come will not come, which makes other diagnoses. */
static bool more_is_lost(struct reasons *reasons)
{
    size_t before = reasons->lost;
    reasons->lost = 0;
    for (size_t i = 0; i < reasons->work->count; i++)
        reasons->lost += reasons->ways.state(i, reasons->ways.arg) == REASONS_NEVER;
    return reasons->lost != before;
}

/* Whether the item has come further than ever. A pod that flaps makes a status change, but not
 * that. */
static bool has_moved(const struct reasons *reasons, size_t index)
{
    static const char *const counts[] = {
        "replicas",          "updatedReplicas",        "readyReplicas",
        "availableReplicas", "currentNumberScheduled", "updatedNumberScheduled",
        "numberReady",       "numberAvailable",        "ready",
        "succeeded"
    };
    struct row *row = &reasons->rows[index];
    const json_t *status = json_object_get(reasons->ways.live(index, reasons->ways.arg), "status");
    json_int_t sum = 0;
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        sum += json_integer_value(json_object_get(status, counts[i]));
    if (sum <= row->most)
        return false;
    row->most = sum;
    return true;
}

static json_int_t pods_of(const struct reasons *reasons, size_t index)
{
    const json_t *live = reasons->ways.live(index, reasons->ways.arg);
    return json_integer_value(json_object_get(json_object_get(live, "spec"), "replicas"));
}

/* Keeps the times; whether nothing has come further for a while, which is longer where ten thousand
 * pods are to come up: then a control plane pauses, too. */
static bool is_calm(struct reasons *reasons, long long now)
{
    long long pods = 0;
    for (size_t i = 0; i < reasons->work->count; i++) {
        struct row *row = &reasons->rows[i];
        bool waits = is_in_state(reasons, i, REASONS_WAITS);
        if (is_in_state(reasons, i, REASONS_FAILED))
            continue; /* what it failed by stays */
        bool turns = waits != (row->waits_since != 0);
        if (turns || (waits && has_moved(reasons, i)))
            reasons->moved_at = now;
        if (!waits)
            rest(row);
        else if (turns)
            row->waits_since = now;
        pods += waits ? pods_of(reasons, i) : 0;
    }
    return now - reasons->moved_at >= LOOK_AFTER_MS + POD_MS * pods;
}

size_t reasons_look(struct reasons *reasons, bool *changed)
{
    long long now = clock_ms();
    bool news = lookout_has_news(reasons->lookout);
    bool calm = is_calm(reasons, now);
    news |= more_is_lost(reasons);
    size_t doomed = reasons->work->count;
    *changed = false;
    for (size_t i = 0; i < reasons->work->count; i++) {
        const struct row *row = &reasons->rows[i];
        const char *namespace = reasons->work->items[i].namespace;
        if (is_in_state(reasons, i, REASONS_FAILED) || !row->waits_since ||
            now - row->waits_since < LOOK_AFTER_MS)
            continue;
        lookout_listen(reasons->lookout, namespace);
        if (calm || lookout_is_alarmed(reasons->lookout, namespace))
            lookout_open(reasons->lookout, namespace);
        if (news)
            *changed |= look_at(reasons, i, now);
        if (doomed == reasons->work->count && is_doomed(reasons, i, now))
            doomed = i;
    }
    return doomed;
}

long reasons_due(const struct reasons *reasons)
{
    (void)reasons;
    return LOOK_EVERY_MS;
}

void reasons_stop(struct reasons *reasons)
{
    if (reasons)
        lookout_stop(reasons->lookout);
}

static bool is_told(const struct reasons *reasons, size_t index)
{
    return is_in_state(reasons, index, REASONS_WAITS) ||
           is_in_state(reasons, index, REASONS_FAILED);
}

void reasons_settle(struct reasons *reasons)
{
    long long now = clock_ms();
    const char *settled = NULL; /* most releases have one namespace */
    for (size_t i = 0; i < reasons->work->count; i++) {
        const char *namespace = reasons->work->items[i].namespace;
        if (!is_told(reasons, i) || (settled && strcmp(settled, namespace) == 0))
            continue;
        lookout_settle(reasons->lookout, namespace);
        settled = namespace;
    }
    for (size_t i = 0; i < reasons->work->count; i++) {
        struct row *row = &reasons->rows[i];
        if (!is_told(reasons, i))
            continue;
        struct diagnosis *before = row->diagnosis;
        row->diagnosis = NULL;
        look_at(reasons, i, now);
        /* What ended the wait is told, though it may look better at this very moment. */
        bool better = row->diagnosis && (row->diagnosis->certain || !before || !before->certain);
        if (better || !before) {
            free(before);
        } else {
            free(row->diagnosis);
            row->diagnosis = before;
        }
    }
}

json_t *reasons_events(const struct reasons *reasons, size_t index)
{
    const json_t *live = reasons->ways.live(index, reasons->ways.arg);
    struct diagnosis_world world = { .is_coming = NULL };
    if (!live)
        return json_array();
    lookout_world(reasons->lookout, reasons->work->items[index].namespace, &world);
    json_t *events = diagnosis_events(live, &world), *event;
    size_t i;
    json_array_foreach(events, i, event) {
        char *message = xstrdup(json_string_value(json_object_get(event, "message")));
        mask_text(message, reasons_secrets(reasons));
        json_object_set_new(event, "message", json_string(message));
        free(message);
    }
    return events;
}

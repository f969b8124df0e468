#include "release/report.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "object/mask.h"
#include "release/blame.h"

enum { LOG_LINES = 20, LOG_LINE_MAX = 500, LOGS_MAX = 10, CHANGES_MAX = 10 };

struct report {
    struct kube_client *client;
    const struct report_outcome *outcome;
    const struct report_options *options;
    const struct work *work;
    const struct profile *profile;
    bool *failed;   /* for each item: it is told */
    bool *affected; /* for each component: one of its items is */
    bool *direct;   /* for each pair of components: the first waits for the second */
    bool *behind;   /* and the same through others */
    size_t logs;    /* that were asked for */
};

/* ---- who waits for whom ---- */

static enum reasons_state state_of(const struct report *report, size_t index)
{
    return report->outcome->ways.state(index, report->outcome->ways.arg);
}

static bool is_unsent(const struct report *report, size_t index)
{
    enum reasons_state state = state_of(report, index);
    return state == REASONS_UNSENT || state == REASONS_NEVER;
}

static const struct verdict *verdict_of_item(const struct report *report, size_t index)
{
    return item_verdict(&report->outcome->items->list[index]);
}

/* That of the component that this item has failed by; NULL when it has not. */
static const struct part *part_failed_by(const struct report *report, size_t index)
{
    const struct part *part = &report->outcome->parts[report->work->items[index].component];
    return part->culprit == &report->outcome->items->list[index] ? part : NULL;
}

/* The item of the profile that a diagnosis says is missing; the count of items if there is none. */
static size_t find_missing(const struct report *report, const struct diagnosis *diagnosis)
{
    size_t i = 0;
    for (; i < report->work->count; i++) {
        const struct work_item *item = &report->work->items[i];
        if (*diagnosis->missing.kind && strcmp(item->kind, diagnosis->missing.kind) == 0 &&
            strcmp(item->name, diagnosis->missing.name) == 0)
            break;
    }
    return i;
}

/* Marks in a row of `direct` those that the component can't go on before: it comes after them. */
static void mark_before(const struct report *report, size_t index)
{
    const struct component *component = &report->profile->components[index];
    for (size_t i = 0; i < component->before_count; i++)
        report->direct[index * report->profile->count + component->before[i]] = true;
}

/* And the one that brings what an item of it lacks. */
static void mark_lack(const struct report *report, size_t index)
{
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    size_t missing = report->work->count, component = report->work->items[index].component;
    if (diagnosis && *diagnosis->missing.kind)
        missing = find_missing(report, diagnosis);
    if (missing == report->work->count || !is_unsent(report, missing))
        return;
    size_t other = report->work->items[missing].component;
    if (other != component)
        report->direct[component * report->profile->count + other] = true;
}

/* Fills both tables of who waits for whom: `direct`, and `behind` with what follows from it. */
static void find_waits(struct report *report)
{
    size_t count = report->profile->count;
    bool *open = xcalloc(count, sizeof *open);
    report->direct = xcalloc(count * count, sizeof *report->direct);
    report->behind = xcalloc(count * count, sizeof *report->behind);
    for (size_t i = 0; i < report->work->count; i++)
        open[report->work->items[i].component] |= state_of(report, i) != REASONS_READY;
    for (size_t i = 0; i < count; i++)
        if (open[i])
            mark_before(report, i);
    for (size_t i = 0; i < report->work->count; i++)
        mark_lack(report, i);
    free(open);
    memcpy(report->behind, report->direct, count * count * sizeof *report->behind);
    for (size_t k = 0; k < count; k++)
        for (size_t i = 0; i < count; i++)
            for (size_t j = 0; j < count && report->behind[i * count + k]; j++)
                report->behind[i * count + j] |= report->behind[k * count + j];
}

static bool is_behind(const struct report *report, size_t component, size_t other)
{
    return component != other && report->behind[component * report->profile->count + other];
}

static size_t count_blocked(const struct report *report, size_t root)
{
    size_t count = 0;
    for (size_t i = 0; i < report->profile->count; i++)
        count += is_behind(report, i, root);
    return count;
}

/* Whether the component is of the next level: it waits for one of `level`, and was in none yet. */
static bool is_next(const struct report *report, size_t component, const size_t *levels,
                    size_t level)
{
    size_t count = report->profile->count;
    for (size_t j = 0; j < count && !levels[component]; j++)
        if (levels[j] == level && report->direct[component * count + j])
            return true;
    return false;
}

/* [[names of those that wait], [of those that wait for these], ...] */
static json_t *blocks_of(const struct report *report, size_t root)
{
    size_t count = report->profile->count, *levels = xcalloc(count, sizeof *levels);
    json_t *blocks = json_array();
    bool more = true;
    levels[root] = 1; /* 0: none */
    for (size_t level = 1; more; level++) {
        json_t *names = json_array();
        for (size_t i = 0; i < count; i++) {
            if (!is_next(report, i, levels, level))
                continue;
            levels[i] = level + 1;
            json_array_append_new(names, json_string(report->profile->components[i].name));
        }
        more = json_array_size(names) > 0;
        if (more)
            json_array_append(blocks, names);
        json_decref(names);
    }
    free(levels);
    return blocks;
}

/* ---- which cause is the root ---- */

static bool is_same_lack(const struct diagnosis *one, const struct diagnosis *other)
{
    return *one->missing.kind && strcmp(one->missing.kind, other->missing.kind) == 0 &&
           strcmp(one->missing.name, other->missing.name) == 0 &&
           strcmp(one->missing.key, other->missing.key) == 0;
}

/* The items, told or not, that lack what the diagnosis says. */
static size_t count_alike(const struct report *report, const struct diagnosis *diagnosis)
{
    size_t count = 0;
    for (size_t i = 0; diagnosis && i < report->work->count; i++) {
        const struct diagnosis *other = reasons_of(report->outcome->reasons, i);
        count += other && other != diagnosis && is_same_lack(diagnosis, other);
    }
    return count;
}

/* Whether the component itself waits for another one that is told. In a ring none does. */
static bool is_consequence(const struct report *report, size_t component)
{
    for (size_t i = 0; i < report->profile->count; i++)
        if (report->affected[i] && is_behind(report, component, i) &&
            !is_behind(report, i, component))
            return true;
    return false;
}

enum { CONSEQUENCE = 100000 }; /* weighs more than all that speaks for an item */

/* How much speaks for an item as the root: what waits for it, then that it is certain. */
static long weigh(const struct report *report, size_t index)
{
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    size_t component = report->work->items[index].component;
    long weight = 10 * (long)(count_blocked(report, component) + count_alike(report, diagnosis));
    if (is_consequence(report, component))
        weight -= CONSEQUENCE;
    if (diagnosis ? diagnosis->certain : part_failed_by(report, index) != NULL)
        weight += 5;
    if (part_failed_by(report, index))
        weight += 2;
    /* A claim rather than the workload that waits for it. */
    char *label =
        xasprintf("%s %s", report->work->items[index].kind, report->work->items[index].name);
    weight += diagnosis && strcmp(diagnosis->object, label) == 0;
    free(label);
    return weight;
}

/* Whether the component has failed by no object of its own. */
static bool is_failed_by_hook(const struct report *report, size_t component)
{
    const struct part *part = &report->outcome->parts[component];
    return part->state == PROGRESS_FAILED && !part->culprit;
}

static size_t find_root(const struct report *report, long *weight)
{
    size_t best = report->work->count;
    for (size_t i = 0; i < report->work->count; i++) {
        long own = report->failed[i] ? weigh(report, i) : 0;
        if (report->failed[i] && (best == report->work->count || own > *weight)) {
            best = i;
            *weight = own;
        }
    }
    return best;
}

/* The component whose hook failed that outweighs every item; the count of components if none does.
 */
static size_t find_hook_root(const struct report *report, bool any, long weight)
{
    size_t best = report->profile->count;
    for (size_t i = 0; i < report->profile->count; i++) {
        long own = 10 * (long)count_blocked(report, i) + 5 + 2;
        if (is_consequence(report, i))
            own -= CONSEQUENCE;
        if (!is_failed_by_hook(report, i) || (any && own <= weight))
            continue;
        best = i;
        weight = own;
        any = true;
    }
    return best;
}

/* ---- lines of the profile ---- */

static const char *origin_at(const struct report *report, const struct work_item *item,
                             json_t *path)
{
    const char *line = report->options->origin && path
                           ? report->options->origin(item, path, report->options->origin_arg)
                           : NULL;
    json_decref(path);
    return line;
}

/* ---- the root cause ---- */

static const char *component_origin(const struct report *report, const struct work_item *item)
{
    return report->profile->components[item->component].origin;
}

/* Why the component that brings what is missing has not done so. */
static void tell_owner(const struct report *report, size_t owner, size_t asker, struct buf *reason,
                       json_t *root)
{
    const struct component *all = report->profile->components;
    enum progress_state state = report->outcome->parts[owner].state;
    buf_addf(reason, ": it comes with component %s, which ", all[owner].name);
    if (profile_is_behind(report->profile, owner, asker)) {
        buf_addf(reason, "%s %s", component_waits_by(&all[owner], asker), all[asker].name);
        json_object_set_new(root, "try", json_string("move it to a component that comes before"));
    } else {
        buf_adds(reason, state == PROGRESS_FAILED    ? "failed"
                         : state == PROGRESS_BLOCKED ? "is blocked"
                                                     : "is not there yet");
    }
}

/* "Secret shop/mysql-auth" and what is wrong with it, for something that is missing. */
static void tell_lack(const struct report *report, size_t index, const struct diagnosis *diagnosis,
                      json_t *root)
{
    const struct work_item *item = &report->work->items[index];
    size_t missing = find_missing(report, diagnosis);
    struct buf reason = BUF_INIT;
    json_t *readers = json_array();
    bool cluster_scoped = strcmp(diagnosis->missing.kind, "StorageClass") == 0 ||
                          strcmp(diagnosis->missing.kind, "PriorityClass") == 0;
    char *object =
        xasprintf("%s %s%s%s", diagnosis->missing.kind, cluster_scoped ? "" : item->namespace,
                  cluster_scoped ? "" : "/", diagnosis->missing.name);
    if (*diagnosis->missing.key)
        buf_addf(&reason, "has no key \"%s\"", diagnosis->missing.key);
    else
        buf_adds(&reason, "is not there");
    if (missing < report->work->count && is_unsent(report, missing)) {
        const struct work_item *owner = &report->work->items[missing];
        tell_owner(report, owner->component, item->component, &reason, root);
    }
    for (size_t i = 0; i < report->work->count; i++) {
        const struct diagnosis *other = reasons_of(report->outcome->reasons, i);
        if (!other || !is_same_lack(diagnosis, other))
            continue;
        json_array_append_new(readers, json_string(""));
        char *reader = blame_reader(&report->work->items[i], other);
        json_array_set_new(readers, json_array_size(readers) - 1, json_string(reader));
        free(reader);
    }
    json_object_set_new(root, "object", json_string(object));
    json_object_set_new(root, "reason", json_string(buf_text(&reason)));
    json_object_set_new(root, "readers", readers);
    free(object);
    buf_release(&reason);
}

/* The line of what is missing where the profile has it, else of who asks for it. */
static const char *root_origin(const struct report *report, size_t index,
                               const struct diagnosis *diagnosis)
{
    const struct work_item *item = &report->work->items[index];
    const char *line = NULL;
    if (diagnosis) {
        size_t missing = find_missing(report, diagnosis);
        if (missing < report->work->count && *diagnosis->missing.key) {
            const struct work_item *owner = &report->work->items[missing];
            line = origin_at(report, owner, json_pack("[s]", "data"));
            if (!line)
                line = component_origin(report, owner);
        }
        if (!line)
            line = origin_at(report, item, blame_field(item, diagnosis));
    }
    return line ? line : component_origin(report, item);
}

/* What is known of the cause, or said by who refused it. The caller's to free. */
static char *reason_of(const struct report *report, size_t index)
{
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    const struct part *part = part_failed_by(report, index);
    char *reason = xstrdup(diagnosis ? diagnosis->message
                           : part    ? part->why
                                     : verdict_of_item(report, index)->message);
    mask_text(reason, reasons_secrets(report->outcome->reasons));
    return reason;
}

static json_t *root_of(const struct report *report, size_t index)
{
    const struct work_item *item = &report->work->items[index];
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    char *label = work_item_label(item), *reason = reason_of(report, index);
    json_t *root = json_pack(
        "{s:s, s:s, s:s, s:s}", "component", report->profile->components[item->component].name,
        "origin", root_origin(report, index, diagnosis), "object", label, "reason", reason);
    if (diagnosis && *diagnosis->hint)
        json_object_set_new(root, "try", json_string(diagnosis->hint));
    if (diagnosis && *diagnosis->since)
        json_object_set_new(root, "since", json_string(diagnosis->since));
    if (diagnosis && *diagnosis->missing.kind)
        tell_lack(report, index, diagnosis, root);
    json_object_set_new(root, "blocks", blocks_of(report, item->component));
    free(label);
    free(reason);
    return root;
}

/* ---- logs ---- */

struct log {
    json_t *lines;
    const json_t *secrets;
    bool done;
    struct err err; /* why there is none */
};

/* Text of any bytes: what is no UTF-8 or would steer a terminal becomes a question mark. */
static char *printable(const char *bytes, size_t length)
{
    char *text = xstrndup(bytes, length < LOG_LINE_MAX ? length : LOG_LINE_MAX);
    json_t *probe = json_string(text);
    for (char *c = text; *c; c++)
        if (((unsigned char)*c < ' ' && *c != '\t') || *c == 0x7f ||
            (!probe && (unsigned char)*c >= 0x80))
            *c = '?';
    json_decref(probe);
    return text;
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct log *log = arg;
    (void)whole;
    char *whole_text = xstrndup(bytes, length); /* masked before it is cut */
    mask_text(whole_text, log->secrets);
    char *text = printable(whole_text, strlen(whole_text));
    if (json_array_size(log->lines) >= LOG_LINES)
        json_array_remove(log->lines, 0);
    json_array_append_new(log->lines, json_string(text));
    free(text);
    free(whole_text);
}

static void on_log(const struct kube_response *response, void *arg)
{
    struct log *log = arg;
    log->done = true;
    if (response->err)
        log->err = *response->err;
}

/* The last lines of a container's log. After an interrupt there is none. */
static json_t *log_of(const struct report *report, const struct work_item *item,
                      const struct diagnosis *diagnosis, bool previous)
{
    enum { LOG_WAIT_MS = 5000 };
    struct log log = { .lines = json_array(),
                       .secrets = reasons_secrets(report->outcome->reasons),
                       .err = ERR_INIT };
    char *path = xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s&tailLines=%d%s",
                           item->namespace, diagnosis->pod, diagnosis->container, LOG_LINES,
                           previous ? "&previous=true" : "");
    struct kube_request request = {
        .method = "GET",
        .path = path,
        .accept = "*/*",
        .line = on_line,
        .done = on_log,
        .arg = &log,
    };
    struct kube_call *call = kube_send(report->client, &request);
    int result = kube_run(report->client, &log.done, LOG_WAIT_MS, &log.err);
    if (!log.done) {
        kube_cancel(report->client, call);
        if (result >= 0)
            err_set(&log.err, ERR_TIMEOUT, "the log does not come");
    }
    free(path);
    json_t *found = json_pack("{s:s, s:b, s:o}", "container", diagnosis->container, "previous",
                              previous, "lines", log.lines);
    if (log.err.kind != ERR_NONE)
        json_object_set_new(found, "note", json_string(log.err.message));
    return found;
}

/* That of the run before, where it is to be had. */
static json_t *any_log_of(const struct report *report, const struct work_item *item,
                          const struct diagnosis *diagnosis)
{
    json_t *log = log_of(report, item, diagnosis, diagnosis->previous);
    if (!diagnosis->previous || json_array_size(json_object_get(log, "lines")) > 0)
        return log;
    json_t *other = log_of(report, item, diagnosis, false);
    if (json_array_size(json_object_get(other, "lines")) > 0) {
        json_decref(log);
        return other;
    }
    json_decref(other);
    return log;
}

/* ---- components ---- */

/* What this apply did to the objects of a component. */
static json_t *changed_by(const struct report *report, size_t component)
{
    const struct plan *plan = report->outcome->plan;
    json_t *list = json_array();
    for (size_t i = 0; i < report->work->count; i++) {
        const struct work_item *item = &report->work->items[i];
        if (item->component != component || plan->items[i].action == SURVEY_SAME)
            continue;
        json_t *changes = plan_changes(plan, report->options->schemas, i);
        while (json_array_size(changes) > CHANGES_MAX)
            json_array_remove(changes, json_array_size(changes) - 1);
        char *label = xasprintf("%s %s", item->kind, item->name);
        json_array_append_new(list, json_pack("{s:s, s:s, s:o}", "object", label, "action",
                                              plan_action_name(plan->items[i].action), "changes",
                                              changes));
        free(label);
    }
    return list;
}

static void set_text(json_t *object, const char *key, const char *text)
{
    if (*text)
        json_object_set_new(object, key, json_string(text));
}

/* One word for a cause that no diagnosis is of: the verdict's, or that it was refused. */
static const char *cause_word(const struct report *report, size_t index)
{
    const struct part *part = part_failed_by(report, index);
    return !part || part->kind == ERR_ROLLOUT ? verdict_of_item(report, index)->reason
           : part->kind == ERR_CONFLICT       ? "Conflict"
                                              : "Refused";
}

static json_t *entry_of(struct report *report, size_t index)
{
    const struct work_item *item = &report->work->items[index];
    const struct component *component = &report->profile->components[item->component];
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    char *label = work_item_label(item), *reason = reason_of(report, index);
    json_t *entry = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:b}", "component", component->name, "origin", component->origin,
        "object", label, "cause",
        diagnosis ? diagnosis_word(diagnosis->kind) : cause_word(report, index), "reason", reason,
        "certain", diagnosis ? diagnosis->certain : part_failed_by(report, index) != NULL);
    if (diagnosis) {
        set_text(entry, "pod", diagnosis->pod);
        set_text(entry, "container", diagnosis->container);
        set_text(entry, "since", diagnosis->since);
        set_text(entry, "try", diagnosis->hint);
        if (report->logs < LOGS_MAX && diagnosis->has_log && *diagnosis->pod &&
            *diagnosis->container) {
            report->logs++;
            json_object_set_new(entry, "log", any_log_of(report, item, diagnosis));
        }
    }
    json_object_set_new(entry, "events", reasons_events(report->outcome->reasons, index));
    json_object_set_new(entry, "changed", changed_by(report, item->component));
    free(label);
    free(reason);
    return entry;
}

/* Whether the item is told: what is doomed; when the time was over, all that was waited for. */
static bool is_failed(const struct report *report, size_t index)
{
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    enum reasons_state state = state_of(report, index);
    if (part_failed_by(report, index))
        return true;
    if (state != REASONS_WAITS && state != REASONS_FAILED)
        return false;
    return (state == REASONS_WAITS && report->outcome->late) || (diagnosis && diagnosis->certain) ||
           verdict_of_item(report, index)->state == VERDICT_FAILED;
}

static json_t *hook_entry_of(const struct report *report, size_t index)
{
    const struct component *component = &report->profile->components[index];
    return json_pack("{s:s, s:s, s:s, s:s, s:b}", "component", component->name, "origin",
                     component->origin, "cause", "HookFailed", "reason",
                     report->outcome->parts[index].why, "certain", 1);
}

static json_t *blocked_of(const struct report *report)
{
    json_t *list = json_array();
    for (size_t i = 0; i < report->profile->count; i++) {
        const struct component *all = report->profile->components;
        const struct part *part = &report->outcome->parts[i];
        if (part->state == PROGRESS_BLOCKED)
            json_array_append_new(list,
                                  json_pack("{s:s, s:s, s:s}", "component", all[i].name, "origin",
                                            all[i].origin, "by", all[part->blocker].name));
    }
    return list;
}

static json_t *find_and_tell_root(const struct report *report)
{
    long weight = 0;
    size_t item = find_root(report, &weight);
    bool any = item < report->work->count;
    size_t component = find_hook_root(report, any, weight);
    if (component < report->profile->count) {
        json_t *root = hook_entry_of(report, component);
        json_object_set_new(root, "blocks", blocks_of(report, component));
        return root;
    }
    return any ? root_of(report, item) : NULL;
}

json_t *report_make(struct kube_client *client, const struct report_outcome *outcome,
                    const struct report_options *options)
{
    struct report report = {
        .client = client,
        .outcome = outcome,
        .options = options,
        .work = outcome->plan->work,
        .profile = outcome->plan->work->profile,
    };
    json_t *components = json_array(), *result = NULL;
    report.failed = xcalloc(report.work->count, sizeof *report.failed);
    report.affected = xcalloc(report.profile->count, sizeof *report.affected);
    for (size_t i = 0; i < report.work->count; i++) {
        report.failed[i] = is_failed(&report, i);
        report.affected[report.work->items[i].component] |= report.failed[i];
    }
    for (size_t i = 0; i < report.profile->count; i++)
        report.affected[i] |= is_failed_by_hook(&report, i);
    find_waits(&report);
    json_t *root = find_and_tell_root(&report);
    for (size_t i = 0; i < report.work->count; i++)
        if (report.failed[i])
            json_array_append_new(components, entry_of(&report, i));
    for (size_t i = 0; i < report.profile->count; i++)
        if (is_failed_by_hook(&report, i))
            json_array_append_new(components, hook_entry_of(&report, i));
    if (root)
        result =
            json_pack("{s:o, s:O, s:o, s:O}", "root", root, "components", components, "blocked",
                      blocked_of(&report), "notes", reasons_notes(outcome->reasons));
    json_decref(components);
    free(report.failed);
    free(report.affected);
    free(report.direct);
    free(report.behind);
    return result;
}

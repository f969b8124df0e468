#include "release/report.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "object/mask.h"

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

static bool is_unsent(const struct report *report, size_t index)
{
    return report->outcome->ways.state(index, report->outcome->ways.arg) == REASONS_UNSENT;
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

/* Whether a component can't go on before another one: it needs it, or lacks what comes with it. */
static bool waits_for(const struct report *report, size_t component, size_t other)
{
    const struct component *from = &report->profile->components[component];
    for (size_t i = 0; i < from->needs_count; i++)
        if (from->needs[i] == other)
            return true;
    for (size_t i = 0; i < report->work->count; i++) {
        const struct diagnosis *diagnosis = report->work->items[i].component == component
                                                ? reasons_of(report->outcome->reasons, i)
                                                : NULL;
        if (!diagnosis || !*diagnosis->missing.kind)
            continue;
        size_t missing = find_missing(report, diagnosis);
        if (missing < report->work->count && report->work->items[missing].component == other &&
            other != component && is_unsent(report, missing))
            return true;
    }
    return false;
}

static bool is_done(const struct report *report, size_t component)
{
    for (size_t i = 0; i < report->work->count; i++)
        if (report->work->items[i].component == component &&
            report->outcome->ways.state(i, report->outcome->ways.arg) != REASONS_READY)
            return false;
    return true;
}

/* Fills both tables of who waits for whom: `direct`, and `behind` with what follows from it. */
static void find_waits(struct report *report)
{
    size_t count = report->profile->count;
    report->direct = xcalloc(count * count, sizeof *report->direct);
    report->behind = xcalloc(count * count, sizeof *report->behind);
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < count && !is_done(report, i); j++)
            report->direct[i * count + j] = i != j && waits_for(report, i, j);
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

/* How much speaks for an item as the root: what waits for it, then that it is certain. */
static long weigh(const struct report *report, size_t index)
{
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    size_t component = report->work->items[index].component;
    long weight = 10 * (long)(count_blocked(report, component) + count_alike(report, diagnosis));
    if (is_consequence(report, component))
        weight -= 100000;
    if (diagnosis && diagnosis->certain)
        weight += 5;
    if (index == report->outcome->culprit)
        weight += 2;
    /* A claim rather than the workload that waits for it. */
    char *label =
        xasprintf("%s %s", report->work->items[index].kind, report->work->items[index].name);
    weight += diagnosis && strcmp(diagnosis->object, label) == 0;
    free(label);
    return weight;
}

static size_t find_root(const struct report *report)
{
    size_t best = report->work->count;
    long best_weight = 0;
    for (size_t i = 0; i < report->work->count; i++) {
        long weight = report->failed[i] ? weigh(report, i) : 0;
        if (report->failed[i] && (best == report->work->count || weight > best_weight)) {
            best = i;
            best_weight = weight;
        }
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

static bool text_is(const json_t *value, const char *word)
{
    const char *text = json_string_value(value);
    return text && strcmp(text, word) == 0;
}

/* The path of the pod's template in an object of the kind, a new reference. */
static json_t *template_path(const struct work_item *item)
{
    return strcmp(item->kind, "Pod") == 0 ? json_array() : json_pack("[s, s]", "spec", "template");
}

static const json_t *walk(const json_t *value, const json_t *path)
{
    size_t i;
    json_t *key;
    json_array_foreach(path, i, key)
        value = json_is_integer(key) ? json_array_get(value, (size_t)json_integer_value(key))
                                     : json_object_get(value, json_string_value(key));
    return value;
}

static json_t *child(const json_t *path, const char *key, long index)
{
    json_t *longer = json_copy((json_t *)path);
    json_array_append_new(longer, json_string(key));
    if (index >= 0)
        json_array_append_new(longer, json_integer(index));
    return longer;
}

/* Whether a value refers to the Secret or ConfigMap: env, envFrom and volumes, whatever their form.
 */
static bool refers_to(const json_t *value, const struct diagnosis *diagnosis)
{
    static const char *const forms[][3] = {
        { "Secret", "secretKeyRef", "name" },
        { "ConfigMap", "configMapKeyRef", "name" },
        { "Secret", "secretRef", "name" },
        { "ConfigMap", "configMapRef", "name" },
        { "Secret", "secret", "secretName" },
        { "ConfigMap", "configMap", "name" },
        { "Secret", "secret", "name" },
        { "PersistentVolumeClaim", "persistentVolumeClaim", "claimName" },
    };
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        const json_t *reference = json_object_get(value, forms[i][1]);
        const json_t *key = json_object_get(reference, "key");
        if (strcmp(diagnosis->missing.kind, forms[i][0]) == 0 &&
            text_is(json_object_get(reference, forms[i][2]), diagnosis->missing.name) &&
            (!key || !*diagnosis->missing.key || text_is(key, diagnosis->missing.key)))
            return true;
    }
    return false;
}

/* The path of the element of a list at `path` that refers to what is missing, or NULL. */
static json_t *find_reference(const json_t *object, const json_t *path, const char *list,
                              const struct diagnosis *diagnosis)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(walk(object, path), list), i, row) {
        if (refers_to(row, diagnosis) || refers_to(json_object_get(row, "valueFrom"), diagnosis))
            return child(path, list, (long)i);
    }
    return NULL;
}

/* The path of the container that is spoken of, or NULL. A new reference. */
static json_t *container_path(const struct work_item *item, const json_t *spec_path,
                              const char *name)
{
    static const char *const lists[] = { "initContainers", "containers" };
    for (size_t l = 0; l < sizeof lists / sizeof *lists; l++) {
        size_t i;
        json_t *container;
        json_array_foreach(json_object_get(walk(item->object, spec_path), lists[l]), i, container) {
            if (text_is(json_object_get(container, "name"), name))
                return child(spec_path, lists[l], (long)i);
        }
    }
    return NULL;
}

/* The fields that a cause comes from, those that say most first. */
static const struct field {
    enum diagnosis_kind kind;
    bool of_container;
    const char *keys[3];
} fields[] = {
    { DIAGNOSIS_IMAGE, true, { "image" } },
    { DIAGNOSIS_OUT_OF_MEMORY, true, { "resources", "limits", "memory" } },
    { DIAGNOSIS_PROBE, true, { "readinessProbe" } },
    { DIAGNOSIS_CRASH, true, { "command" } },
    { DIAGNOSIS_CRASH, true, { "image" } },
    { DIAGNOSIS_CONTAINER_REFUSED, true, { "command" } },
    { DIAGNOSIS_JOB_FAILED, true, { "command" } },
    { DIAGNOSIS_JOB_FAILED, true, { "image" } },
    { DIAGNOSIS_UNSCHEDULABLE, false, { "nodeSelector" } },
    { DIAGNOSIS_UNSCHEDULABLE, false, { "affinity" } },
    { DIAGNOSIS_PODS_REFUSED, false, { "serviceAccountName" } },
};

/* The path of the field of the item that the cause comes from, or NULL. A new reference. */
static json_t *field_of(const struct work_item *item, const struct diagnosis *diagnosis)
{
    json_t *template = template_path(item), *spec = child(template, "spec", -1), *found = NULL;
    json_t *container =
        *diagnosis->container ? container_path(item, spec, diagnosis->container) : NULL;
    if (*diagnosis->missing.kind && container)
        found = find_reference(item->object, container, "env", diagnosis);
    if (!found && *diagnosis->missing.kind && container)
        found = find_reference(item->object, container, "envFrom", diagnosis);
    if (!found && *diagnosis->missing.kind)
        found = find_reference(item->object, spec, "volumes", diagnosis);
    for (size_t i = 0; !found && i < sizeof fields / sizeof *fields; i++) {
        if (fields[i].kind != diagnosis->kind || (fields[i].of_container && !container))
            continue;
        json_t *path = json_copy(fields[i].of_container ? container : spec);
        for (size_t k = 0; k < 3 && fields[i].keys[k]; k++)
            json_array_append_new(path, json_string(fields[i].keys[k]));
        if (walk(item->object, path))
            found = path;
        else
            json_decref(path);
    }
    json_decref(template);
    json_decref(spec);
    json_decref(container);
    return found;
}

/* ---- the root cause ---- */

static const char *component_origin(const struct report *report, const struct work_item *item)
{
    return report->profile->components[item->component].origin;
}

/* "Deployment web, env PASSWORD": who reads what is missing. */
static char *reader_of(const struct work_item *item, const struct diagnosis *diagnosis)
{
    json_t *path = field_of(item, diagnosis);
    const char *name =
        json_string_value(json_object_get(walk(item->object, path ? path : json_null()), "name"));
    const char *list =
        json_string_value(json_array_get(path, path ? json_array_size(path) - 2 : 0));
    char *text = name && list && strcmp(list, "env") == 0
                     ? xasprintf("%s %s, env %s", item->kind, item->name, name)
                     : xasprintf("%s %s", item->kind, item->name);
    json_decref(path);
    return text;
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
        const char *name = report->profile->components[owner->component].name;
        buf_addf(&reason, ": it comes with component %s, which needs %s", name,
                 report->profile->components[item->component].name);
        json_object_set_new(root, "try", json_string("move it to a component that comes before"));
    }
    for (size_t i = 0; i < report->work->count; i++) {
        const struct diagnosis *other = reasons_of(report->outcome->reasons, i);
        if (!other || !is_same_lack(diagnosis, other))
            continue;
        json_array_append_new(readers, json_string(""));
        char *reader = reader_of(&report->work->items[i], other);
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
            line = origin_at(report, item, field_of(item, diagnosis));
    }
    return line ? line : component_origin(report, item);
}

static json_t *root_of(const struct report *report, size_t index)
{
    const struct work_item *item = &report->work->items[index];
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    const struct verdict *verdict = report->outcome->verdict(index, report->outcome->ways.arg);
    char *label = work_item_label(item);
    char *reason = xstrdup(diagnosis ? diagnosis->message : verdict->message);
    mask_text(reason, reasons_secrets(report->outcome->reasons));
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

static json_t *entry_of(struct report *report, size_t index)
{
    const struct work_item *item = &report->work->items[index];
    const struct component *component = &report->profile->components[item->component];
    const struct diagnosis *diagnosis = reasons_of(report->outcome->reasons, index);
    const struct verdict *verdict = report->outcome->verdict(index, report->outcome->ways.arg);
    char *label = work_item_label(item);
    char *reason = xstrdup(diagnosis ? diagnosis->message : verdict->message);
    mask_text(reason, reasons_secrets(report->outcome->reasons));
    json_t *entry =
        json_pack("{s:s, s:s, s:s, s:s, s:s, s:b}", "component", component->name, "origin",
                  component->origin, "object", label, "cause",
                  diagnosis ? diagnosis_word(diagnosis->kind) : verdict->reason, "reason", reason,
                  "certain", diagnosis ? diagnosis->certain : index == report->outcome->culprit);
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
    const struct report_outcome *outcome = report->outcome;
    const struct diagnosis *diagnosis = reasons_of(outcome->reasons, index);
    if (index == outcome->culprit)
        return true;
    if (outcome->ways.state(index, outcome->ways.arg) != REASONS_WAITS)
        return false;
    return outcome->culprit == SIZE_MAX || (diagnosis && diagnosis->certain);
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
    find_waits(&report);
    size_t root = find_root(&report);
    for (size_t i = 0; i < report.work->count; i++)
        if (report.failed[i])
            json_array_append_new(components, entry_of(&report, i));
    if (root < report.work->count)
        result = json_pack("{s:o, s:O, s:O}", "root", root_of(&report, root), "components",
                           components, "notes", reasons_notes(outcome->reasons));
    json_decref(components);
    free(report.failed);
    free(report.affected);
    free(report.direct);
    free(report.behind);
    return result;
}

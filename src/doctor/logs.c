#include "doctor/logs.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "doctor/finding.h"
#include "doctor/likeness.h"
#include "kube/discovery.h"
#include "object/meta.h"

enum {
    SINCE_SECONDS = 600,
    CONTAINERS_MAX = 300,
    LINES_MAX = 5000,    /* the last of each container */
    BYTES_MAX = 4 << 20, /* of each container */
    GROUPS_SHOWN = 15,
    STAMP_MAX = 40,
    TIMEOUT_MS = 20000,
};

struct reading {
    json_t *groups, *section;
    size_t pending, failed, lines, bytes;
    bool finished;
    struct err first; /* why one can't be read */
};

struct container {
    struct reading *reading;
    const char *component, *pod;
    struct buf line; /* the beginning of the line that comes */
};

static void end_line(struct container *container)
{
    const char *line = buf_text(&container->line);
    size_t stamp = 0;
    long long time = moment_parse(line, &stamp);
    char *moment = xstrndup(line, time < 0 ? 0 : stamp);
    if (time >= 0)
        line += stamp + (line[stamp] == ' ');
    container->reading->lines++;
    if (likeness_is_error(line))
        likeness_add(container->reading->groups, line, moment, container->component,
                     container->pod);
    free(moment);
    buf_clear(&container->line);
}

static void on_line(const char *bytes, size_t length, bool whole, void *arg)
{
    struct container *container = arg;
    size_t room = LIKENESS_LINE + STAMP_MAX - container->line.len;
    container->reading->bytes += length;
    buf_add(&container->line, bytes, length < room ? length : room);
    if (whole)
        end_line(container);
}

static void on_end(const struct kube_response *response, void *arg)
{
    struct container *container = arg;
    struct reading *reading = container->reading;
    if (response->err && reading->failed++ == 0)
        reading->first = *response->err;
    reading->finished = --reading->pending == 0;
}

static void ask(struct kube_client *client, struct container *container, const json_t *pod,
                const char *name)
{
    char *escaped = kube_object_path("", name);
    char *path = xasprintf("/api/v1/namespaces/%s/pods/%s/log?container=%s&timestamps=true"
                           "&sinceSeconds=%d&tailLines=%d&limitBytes=%d",
                           meta_text(pod, "namespace"), meta_text(pod, "name"), escaped + 1,
                           SINCE_SECONDS, LINES_MAX, BYTES_MAX);
    struct kube_request request = {
        .method = "GET",
        .path = path,
        .accept = "*/*",
        .timeout_ms = TIMEOUT_MS,
        .line = on_line,
        .done = on_end,
        .arg = container,
    };
    container->reading->pending++;
    kube_send(client, &request);
    free(path);
    free(escaped);
}

static bool has_started(const json_t *status)
{
    const json_t *state = json_object_get(status, "state");
    return json_object_get(state, "running") || json_object_get(state, "terminated");
}

/* Asks for all containers; how many there are. `list` is NULL to count only. */
static size_t each_container(const struct doctor_world *world, struct kube_client *client,
                             struct reading *reading, struct container *list)
{
    static const char *const statuses[] = { "initContainerStatuses", "containerStatuses" };
    size_t i, k, count = 0;
    json_t *pod, *status;
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        const json_t *entry = world_owner(world, pod);
        for (size_t n = 0; n < sizeof statuses / sizeof *statuses && entry; n++) {
            json_array_foreach(json_object_get(json_object_get(pod, "status"), statuses[n]), k,
                               status) {
                if (!has_started(status) || count >= CONTAINERS_MAX)
                    continue;
                if (list) {
                    list[count] = (struct container){ reading, object_text(entry, "component"),
                                                      meta_text(pod, "name"), BUF_INIT };
                    ask(client, &list[count], pod, object_text(status, "name"));
                }
                count++;
            }
        }
    }
    return count;
}

/* ---- what to say ---- */

static int by_count(const void *a, const void *b)
{
    const json_t *one = *(json_t *const *)a, *other = *(json_t *const *)b;
    json_int_t first = json_integer_value(json_object_get(one, "count"));
    json_int_t second = json_integer_value(json_object_get(other, "count"));
    return (second > first) - (second < first);
}

/* "web, api and 3 more". The caller's. */
static char *names_of(const json_t *components)
{
    enum { SHOWN = 3 };
    struct buf text = BUF_INIT;
    size_t count = 0;
    const char *name;
    json_t *ignored;
    json_object_foreach((json_t *)components, name, ignored) {
        if (count++ < SHOWN)
            buf_addf(&text, "%s%s", text.len ? ", " : "", name);
    }
    if (count > SHOWN)
        buf_addf(&text, " and %zu more", count - SHOWN);
    return buf_detach(&text);
}

static void tell_group(const struct doctor_world *world, json_t *group, json_t *section)
{
    const json_t *components = json_object_get(group, "components");
    json_int_t count = json_integer_value(json_object_get(group, "count"));
    size_t pods = json_object_size(json_object_get(group, "pods"));
    const char *last = object_text(group, "last");
    char *line = world_without_secrets(world, object_text(group, "line")), *ago = moment_ago(last);
    char *names = names_of(components);
    bool one = json_object_size(components) == 1;
    json_t *finding =
        finding_add(section, "warning",
                    "%" JSON_INTEGER_FORMAT " line%s like this in %zu pod%s of %s, the last %s: %s",
                    count, count == 1 ? "" : "s", pods, pods == 1 ? "" : "s", names, ago, line);
    if (one)
        finding_component(finding, names);
    finding_evidence(finding, "line", json_string(line));
    finding_evidence(finding, "count", json_integer(count));
    finding_evidence(finding, "first", json_incref(json_object_get(group, "first")));
    finding_evidence(finding, "last", json_incref(json_object_get(group, "last")));
    finding_evidence(finding, "pods", json_integer((json_int_t)pods));
    finding_remedy(finding, "read around it: bkdeploy logs RELEASE%s%s --since 10m", one ? " " : "",
                   one ? names : "");
    free(names);
    free(line);
    free(ago);
}

static void tell_groups(const struct doctor_world *world, const json_t *groups, json_t *section)
{
    size_t count = 0;
    json_t **list = xcalloc(json_object_size(groups) + 1, sizeof(void *)), *group;
    const char *key;
    json_object_foreach((json_t *)groups, key, group)
        list[count++] = group;
    if (count)
        qsort(list, count, sizeof(void *), by_count);
    for (size_t i = 0; i < count && i < GROUPS_SHOWN; i++)
        tell_group(world, list[i], section);
    if (count > GROUPS_SHOWN)
        section_note(section, "%zu more kinds of error lines", count - GROUPS_SHOWN);
    free(list);
}

int logs_look(const struct doctor_world *world, struct kube_client *client, json_t *section,
              struct err *err)
{
    struct reading reading = { .groups = json_object(), .section = section, .first = ERR_INIT };
    size_t count = each_container(world, client, &reading, NULL);
    struct container *list = xcalloc(count + 1, sizeof *list);
    each_container(world, client, &reading, list);
    int result = count ? kube_run(client, &reading.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    for (size_t i = 0; i < count; i++) {
        if (list[i].line.len && result == 0)
            end_line(&list[i]);
        buf_release(&list[i].line);
    }
    tell_groups(world, reading.groups, section);
    section_checked(section, "%zu lines of %zu container%s, of the last 10 minutes", reading.lines,
                    count - reading.failed, count - reading.failed == 1 ? "" : "s");
    if (reading.failed)
        section_note(section, "the logs of %zu of %zu containers can't be read: %s", reading.failed,
                     count, reading.first.message);
    if (reading.failed == count)
        section_left_out(section);
    if (count == 0)
        section_note(section, "no container of the release has started yet");
    json_decref(reading.groups);
    free(list);
    return result;
}

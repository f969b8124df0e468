#include "doctor/doctor.h"

#include <stdlib.h>
#include <string.h>

#include "doctor/access.h"
#include "doctor/finding.h"
#include "doctor/gather.h"
#include "doctor/logs.h"
#include "doctor/probe.h"
#include "doctor/sections.h"
#include "object/meta.h"
#include "object/path.h"

enum { ACCESS, CONFIGURATION, RESOURCES, NETWORK, LOGS, SECTION_COUNT };

static json_t *sections_new(void)
{
    static const char *const names[] = { "Access", "Configuration", "Resources", "Network",
                                         "Logs" };
    json_t *sections = json_array();
    for (size_t i = 0; i < SECTION_COUNT; i++)
        json_array_append_new(sections, section_new(names[i]));
    return sections;
}

/* Where an object of the check lies on the cluster; `work` NULL: not known. */
static const char *namespace_of(const struct work *work, const json_t *object)
{
    for (size_t i = 0; work && i < work->count; i++) {
        const struct work_item *item = &work->items[i];
        bool namespaced = !item->collection || strstr(item->collection, "/namespaces/");
        if (strcmp(item->kind, object_text(object, "kind")) == 0 &&
            strcmp(item->name, object_text(object, "name")) == 0)
            return namespaced ? item->namespace : "";
    }
    return object_text(object, "namespace");
}

/* The errors of a check; warnings are check's own to tell. */
static void tell_check(const json_t *check, const struct work *work, json_t *section)
{
    size_t i;
    json_t *row;
    json_array_foreach((json_t *)check, i, row) {
        const json_t *object = json_object_get(row, "object");
        if (strcmp(object_text(row, "severity"), "error") != 0)
            continue;
        char *path = path_format(json_object_get(row, "path"));
        json_t *finding = finding_add(section, "error", "%s%s%s [%s]", path, *path ? ": " : "",
                                      object_text(row, "message"), object_text(row, "rule"));
        finding_component(finding, object_text(row, "component"));
        if (object)
            finding_named(finding, object_text(object, "apiVersion"), object_text(object, "kind"),
                          namespace_of(work, object), object_text(object, "name"));
        if (*object_text(row, "where"))
            json_object_set(finding, "origin", json_object_get(row, "where"));
        finding_remedy(finding, "correct the profile at that line");
        free(path);
    }
}

/* ---- the whole ---- */

static void look_at_drift(const struct doctor_request *request, const struct gathered *gathered,
                          json_t *section)
{
    if (!gathered->world.applied)
        section_note(section, "nothing of it is on the cluster yet: there is nothing to compare");
    else if (!request->plan)
        section_note(section, "the profile can't be compared with the cluster: %s",
                     request->no_plan->message);
    else
        drift_look(request->plan, &request->drift, section);
}

static int look(const struct doctor_request *request, json_t *sections, struct err *err)
{
    json_t *configuration = json_array_get(sections, CONFIGURATION);
    json_t *resources = json_array_get(sections, RESOURCES);
    json_t *network = json_array_get(sections, NETWORK);
    struct gather_sections places = { configuration, resources, network };
    struct gathered gathered;
    if (access_look(request->client, request->work, request->identity,
                    json_array_get(sections, ACCESS), err) != 0)
        return -1;
    int result = gather(&gathered, request->client, request->work, &places, err);
    if (result == 0) {
        const struct doctor_world *world = &gathered.world;
        tell_check(request->check, request->work, configuration);
        look_at_drift(request, &gathered, configuration);
        configuration_look(world, sections, configuration);
        section_checked(configuration, "%zu objects, against the cluster field by field",
                        request->work->count);
        /* Capacity and quotas first: they are why workloads don't come up. */
        resources_look(world, resources);
        workloads_look(world, sections, configuration, resources, network);
        restarts_look(world, sections, resources);
        network_look(world, sections, network);
        if (request->probe_image)
            result = probe_look(world, request->client, request->identity->namespace,
                                request->probe_image, network, err);
        if (result == 0)
            result = logs_look(world, request->client, json_array_get(sections, LOGS), err);
    }
    gather_release(&gathered);
    return result;
}

/* Commands of remedies name RELEASE: who runs them wants the name. */
static void name_release(json_t *sections, const struct identity *identity)
{
    static const char word[] = "RELEASE";
    size_t i, k;
    json_t *section, *finding;
    json_array_foreach(sections, i, section) {
        json_array_foreach(json_object_get(section, "findings"), k, finding) {
            const char *remedy = object_text(finding, "remedy"), *at = strstr(remedy, word);
            if (at)
                json_object_set_new(finding, "remedy",
                                    json_sprintf("%.*s%s%s -n %s", (int)(at - remedy), remedy,
                                                 identity->name, at + sizeof word - 1,
                                                 identity->namespace));
        }
    }
}

json_t *doctor_run(const struct doctor_request *request, struct err *err)
{
    json_t *sections = sections_new();
    if (look(request, sections, err) != 0) {
        json_decref(sections);
        return NULL;
    }
    sections_finish(sections);
    name_release(sections, request->identity);
    return sections;
}

json_t *doctor_offline(const json_t *check, const struct err *why)
{
    json_t *sections = sections_new();
    json_t *finding = finding_add(json_array_get(sections, ACCESS), "error", "%s", why->message);
    finding_remedy(finding, "see whether kubectl version answers with the same kubeconfig and "
                            "context");
    tell_check(check, NULL, json_array_get(sections, CONFIGURATION));
    for (size_t i = CONFIGURATION; i < SECTION_COUNT; i++) {
        json_t *section = json_array_get(sections, i);
        if (i == CONFIGURATION && check) {
            section_checked(section, "the profile alone");
            section_note(section, "nothing on the cluster was compared");
        } else {
            section_left_out(section);
            section_note(section, "the cluster can't be asked");
        }
    }
    sections_finish(sections);
    return sections;
}

bool doctor_has_findings(const json_t *sections)
{
    size_t i;
    json_t *section;
    json_array_foreach((json_t *)sections, i, section) {
        if (json_array_size(json_object_get(section, "findings")))
            return true;
    }
    return false;
}

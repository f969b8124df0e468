#include "command/problems.h"

#include <string.h>

#include "object/validate.h"

/* Where the problems of one object go. */
struct collection {
    json_t *problems;
    size_t component, object;
};

static void collect(const struct validate_problem *problem, void *data)
{
    struct collection *into = data;
    json_array_append_new(into->problems,
                          json_pack("{s:I, s:I, s:O, s:O*, s:s, s:s, s:s}", "component",
                                    (json_int_t)into->component, "object", (json_int_t)into->object,
                                    "path", problem->path, "other", problem->other, "severity",
                                    problem->severity == VALIDATE_ERROR ? "error" : "warning",
                                    "rule", problem->rule, "message", problem->message));
}

static bool is_crd(const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    return kind && strcmp(kind, "CustomResourceDefinition") == 0;
}

/* The kinds that the profile brings along; a definition that is broken is a problem itself. */
static void add_crds(struct schema_set *set, const json_t *components, json_t *problems)
{
    struct collection into = { .problems = problems };
    json_t *component, *object;
    json_array_foreach(components, into.component, component) {
        json_array_foreach(json_object_get(component, "objects"), into.object, object) {
            struct err err = ERR_INIT;
            if (!is_crd(object) || schema_set_add_crd(set, object, &err) == 0)
                continue;
            json_t *path = json_pack("[s, s]", "spec", "versions");
            struct validate_problem problem = {
                .rule = "bad-crd", .severity = VALIDATE_ERROR, .path = path, .message = err.message
            };
            collect(&problem, &into);
            json_decref(path);
        }
    }
}

json_t *problems_of(const json_t *made, struct schema_set *own)
{
    struct collection into = { .problems = json_array() };
    const json_t *components = json_object_get(made, "components");
    struct schema_set *set = own ? own : schema_set_new();
    json_t *component, *object;
    add_crds(set, components, into.problems);
    json_array_foreach(components, into.component, component) {
        json_array_foreach(json_object_get(component, "objects"), into.object, object)
            validate_object(set, object, collect, &into);
    }
    if (!own)
        schema_set_free(set);
    return into.problems;
}

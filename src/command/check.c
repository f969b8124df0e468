#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/command.h"
#include "command/problems.h"
#include "ui/findings.h"

/* Whether a finding stands before another: by file and line. */
static bool is_before(const json_t *finding, const json_t *other)
{
    const char *a = json_string_value(json_object_get(finding, "where")),
               *b = json_string_value(json_object_get(other, "where"));
    const char *a_end = a ? strrchr(a, ':') : NULL, *b_end = b ? strrchr(b, ':') : NULL;
    if (!a_end || !b_end)
        return false;
    size_t a_length = (size_t)(a_end - a), b_length = (size_t)(b_end - b);
    int order = strncmp(a, b, a_length < b_length ? a_length : b_length);
    if (order == 0 && a_length != b_length)
        order = a_length < b_length ? -1 : 1;
    return order ? order < 0 : strtol(a_end + 1, NULL, 10) < strtol(b_end + 1, NULL, 10);
}

/* The findings of one environment, added to those of others, in the order of their lines; an equal
 * one gets one more name. */
static void merge(json_t *all, const json_t *findings, const char *environment)
{
    size_t i, k;
    json_t *finding, *other;
    json_array_foreach(findings, i, finding) {
        bool known = false;
        json_array_foreach(all, k, other) {
            json_t *names = json_incref(json_object_get(other, "environments"));
            json_object_del(other, "environments");
            known = json_equal(finding, other);
            json_object_set(other, "environments", names);
            if (known)
                json_array_append_new(names, json_string(environment));
            json_decref(names);
            if (known)
                break;
        }
        if (!known) {
            json_object_set_new(finding, "environments", json_pack("[s]", environment));
            for (k = json_array_size(all); k > 0; k--)
                if (!is_before(finding, json_array_get(all, k - 1)))
                    break;
            json_array_insert(all, k, finding);
        }
    }
}

/* Checks one environment (NULL: the default one). Returns 0 or -1. */
static int check_one(const struct script_request *request, json_t *all, struct err *err)
{
    struct script *script = script_open(request, SCRIPT_CHECK, err);
    if (!script)
        return -1;
    const json_t *made = script_made(script);
    json_t *problems = problems_of(made, NULL);
    json_t *findings = script_review(script, problems, err);
    json_decref(problems);
    if (findings) {
        const char *name = json_string_value(json_object_get(made, "environment"));
        merge(all, findings, name ? name : request->environment ? request->environment : "default");
        json_decref(findings);
    }
    script_close(script);
    return findings ? 0 : -1;
}

static int check_all(const struct options *options, json_t *all, size_t *environments,
                     struct err *err)
{
    struct script_request request = options->script;
    struct err ignored = ERR_INIT;
    json_t *names = options->all_environments ? script_environments(&request, &ignored) : NULL;
    size_t i;
    json_t *name;
    int result = 0;
    *environments = json_array_size(names) ? json_array_size(names) : 1;
    if (json_array_size(names) == 0) /* or it has a mistake, which the check tells */
        result = check_one(&request, all, err);
    json_array_foreach(names, i, name) {
        request.environment = json_string_value(name);
        if (result == 0)
            result = check_one(&request, all, err);
    }
    json_decref(names);
    return result;
}

int command_check(const struct options *options, struct err *err)
{
    json_t *all = json_array();
    size_t environments = 1;
    if (options->all_environments && options->script.environment) {
        json_decref(all);
        return err_set(err, ERR_USAGE, "--environment and --all-environments exclude each other");
    }
    int result = check_all(options, all, &environments, err);
    if (result == 0) {
        const char *format = options->output ? options->output : "text";
        if (findings_print(all, environments, format, err) != 0)
            result = -1;
        else
            result = findings_have(all, "error") ? 2 : json_array_size(all) ? 1 : 0;
    }
    json_decref(all);
    return result;
}

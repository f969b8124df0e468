#include "ui/findings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "object/meta.h"
#include "object/path.h"
#include "ui/ci.h"
#include "ui/terminal.h"

static size_t count(const json_t *findings, const char *severity)
{
    size_t i, found = 0;
    json_t *finding;
    json_array_foreach(findings, i, finding)
        found += strcmp(object_text(finding, "severity"), severity) == 0;
    return found;
}

bool findings_have(const json_t *findings, const char *severity)
{
    return count(findings, severity) > 0;
}

/* "Deployment/web spec.replicas: ", or nothing where the message itself says what it is about. */
static void add_place(struct buf *out, const json_t *finding)
{
    const json_t *object = json_object_get(finding, "object");
    if (!object)
        return;
    char *path = path_format(json_object_get(finding, "path"));
    buf_addf(out, "%s/%s%s%s: ", object_text(object, "kind"), object_text(object, "name"),
             *path ? " " : "", path);
    free(path);
}

static void add_environments(struct buf *out, const json_t *finding, size_t environments)
{
    const json_t *names = json_object_get(finding, "environments");
    size_t i;
    json_t *name;
    if (json_array_size(names) >= environments)
        return;
    json_array_foreach(names, i, name)
        buf_addf(out, "%s%s", i ? ", " : " (in ", json_string_value(name));
    buf_adds(out, ")");
}

static void add_text(struct buf *out, const json_t *findings, size_t environments, bool colour)
{
    size_t i;
    json_t *finding;
    json_array_foreach(findings, i, finding) {
        const char *severity = object_text(finding, "severity"), *on = "", *off = "";
        if (colour) {
            on = strcmp(severity, "error") == 0 ? "\x1b[31m" : "\x1b[33m";
            off = "\x1b[0m";
        }
        buf_addf(out, "%s: %s%s%s: ", object_text(finding, "where"), on, severity, off);
        add_place(out, finding);
        buf_adds(out, object_text(finding, "message"));
        buf_addf(out, " [%s]", object_text(finding, "rule"));
        add_environments(out, finding, environments);
        buf_adds(out, "\n");
    }
}

static json_t *with_path_text(const json_t *finding)
{
    json_t *copy = json_deep_copy(finding), *path = json_object_get(copy, "path");
    if (path) {
        char *text = path_format(path);
        json_object_set_new(copy, "field", json_string(text));
        free(text);
    }
    return copy;
}

static json_t *as_json(const json_t *findings)
{
    json_t *list = json_array();
    size_t i;
    json_t *finding;
    json_array_foreach(findings, i, finding)
        json_array_append_new(list, with_path_text(finding));
    return json_pack("{s:I, s:I, s:o}", "errors", (json_int_t)count(findings, "error"), "warnings",
                     (json_int_t)count(findings, "warning"), "findings", list);
}

/* SARIF */

static json_t *sarif_location(const json_t *finding)
{
    const char *where = object_text(finding, "where"), *colon = strrchr(where, ':');
    long line = colon ? strtol(colon + 1, NULL, 10) : 0;
    json_t *logical = json_array(), *location = json_object();
    const json_t *object = json_object_get(finding, "object");
    if (line > 0)
        json_object_set_new(location, "physicalLocation",
                            json_pack("{s:{s:s%}, s:{s:I}}", "artifactLocation", "uri", where,
                                      (int)(colon - where), "region", "startLine",
                                      (json_int_t)line));
    if (object) {
        struct buf name = BUF_INIT;
        char *path = path_format(json_object_get(finding, "path"));
        buf_addf(&name, "%s/%s%s%s", object_text(object, "kind"), object_text(object, "name"),
                 *path ? " " : "", path);
        json_array_append_new(logical, json_pack("{s:s, s:s}", "fullyQualifiedName",
                                                 buf_text(&name), "kind", "member"));
        json_object_set(location, "logicalLocations", logical);
        buf_release(&name);
        free(path);
    }
    json_decref(logical);
    return location;
}

static json_t *as_sarif(const json_t *findings)
{
    json_t *results = json_array(), *rules = json_array(), *seen = json_object(), *finding;
    size_t i;
    json_array_foreach(findings, i, finding) {
        const char *rule = object_text(finding, "rule");
        if (!json_object_get(seen, rule)) {
            json_object_set_new(seen, rule, json_true());
            json_array_append_new(rules, json_pack("{s:s}", "id", rule));
        }
        struct buf text = BUF_INIT;
        add_place(&text, finding);
        buf_adds(&text, object_text(finding, "message"));
        json_array_append_new(results,
                              json_pack("{s:s, s:s, s:{s:s}, s:[o]}", "ruleId", rule, "level",
                                        object_text(finding, "severity"), "message", "text",
                                        buf_text(&text), "locations", sarif_location(finding)));
        buf_release(&text);
    }
    json_decref(seen);
    return json_pack("{s:s, s:s, s:[{s:{s:{s:s, s:o}}, s:o}]}", "$schema",
                     "https://json.schemastore.org/sarif-2.1.0.json", "version", "2.1.0", "runs",
                     "tool", "driver", "name", "bkdeploy", "rules", rules, "results", results);
}

/* For the log of a CI that shows findings beside the lines that they are of. */
static void mark_all(FILE *out, const json_t *findings)
{
    size_t i;
    json_t *finding;
    json_array_foreach(findings, i, finding)
        ci_mark(out, object_text(finding, "severity"), object_text(finding, "where"),
                object_text(finding, "message"));
}

int findings_print(const json_t *findings, size_t environments, const char *format, struct err *err)
{
    struct buf out = BUF_INIT;
    if (strcmp(format, "text") == 0) {
        add_text(&out, findings, environments, terminal_colour(stdout));
    } else {
        json_t *report = strcmp(format, "json") == 0 ? as_json(findings) : as_sarif(findings);
        char *text = json_dumps(report, JSON_INDENT(2));
        buf_adds(&out, text);
        buf_adds(&out, "\n");
        free(text);
        json_decref(report);
    }
    int result = 0;
    if (fwrite(buf_text(&out), 1, out.len, stdout) != out.len || fflush(stdout))
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    buf_release(&out);
    size_t errors = count(findings, "error"), warnings = count(findings, "warning");
    if (strcmp(format, "text") == 0 && errors + warnings)
        fprintf(stderr, "%zu error%s, %zu warning%s\n", errors, errors == 1 ? "" : "s", warnings,
                warnings == 1 ? "" : "s");
    mark_all(stderr, findings);
    return result;
}

void findings_list(FILE *out, const json_t *findings)
{
    struct buf text = BUF_INIT;
    add_text(&text, findings, 0, terminal_colour(out));
    fputs(buf_text(&text), out);
    buf_release(&text);
    mark_all(out, findings);
}

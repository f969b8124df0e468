#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/target.h"
#include "release/directory.h"
#include "ui/table.h"

static void print_table(const struct directory_entry *list, size_t count)
{
    static const char *const headings[] = { "NAMESPACE", "RELEASE", "REVISION",   "UPDATED",
                                            "OUTCOME",   "PROFILE", "ENVIRONMENT" };
    struct table *table = table_new(headings, sizeof headings / sizeof *headings);
    for (size_t i = 0; i < count; i++) {
        const struct directory_entry *entry = &list[i];
        char *number = entry->revision > 0 ? xasprintf("%d", entry->revision) : xstrdup("");
        char *ago = moment_ago(entry->when);
        table_add(table,
                  (const char *const[]){ entry->namespace, entry->name, number, ago, entry->outcome,
                                         entry->profile, entry->environment });
        free(number);
        free(ago);
    }
    table_print(table, stdout);
    table_free(table);
}

static void print_json(const struct directory_entry *list, size_t count)
{
    json_t *releases = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct directory_entry *entry = &list[i];
        json_array_append_new(
            releases, json_pack("{s:s, s:s, s:i, s:s, s:s, s:s, s:s}", "namespace",
                                entry->namespace, "release", entry->name, "revision",
                                entry->revision, "updated", entry->when, "outcome", entry->outcome,
                                "profile", entry->profile, "environment", entry->environment));
    }
    json_t *report = json_pack("{s:o}", "releases", releases);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}

int command_list(const struct options *options, struct err *err)
{
    struct target target;
    struct directory_entry *list;
    size_t count;
    int result = target_connect(&target, options, err);
    if (result == 0)
        result = directory_list(target.client, options->namespace, &list, &count, err);
    if (result == 0) {
        if (options->output)
            print_json(list, count);
        else if (count)
            print_table(list, count);
        else
            fprintf(stderr, "no releases %s%s on %s\n", options->namespace ? "in namespace " : "",
                    options->namespace ? options->namespace : "at all", target.cluster);
        directory_free(list, count);
        if (fflush(stdout) != 0)
            result = err_set(err, ERR_FAILED, "cannot write to standard output");
    }
    target_close(&target);
    return result;
}

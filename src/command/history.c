#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/target.h"
#include "command/words.h"
#include "object/diff.h"
#include "object/meta.h"
#include "release/revision.h"
#include "ui/changes.h"
#include "ui/table.h"
#include "ui/terminal.h"

enum { COMMIT_SHOWN = 10 };

static void print_table(const struct revision *list, size_t count)
{
    static const char *const headings[] = { "REVISION",    "UPDATED", "OUTCOME", "BY",
                                            "ENVIRONMENT", "COMMIT",  "SUMMARY", "MESSAGE" };
    struct table *table = table_new(headings, sizeof headings / sizeof *headings);
    for (size_t i = 0; i < count; i++) {
        const struct revision *row = &list[i];
        char *number = xasprintf("%d", row->number), *ago = moment_ago(row->when);
        char *commit = xstrndup(row->commit, COMMIT_SHOWN);
        table_add(table,
                  (const char *const[]){ number, ago, row->outcome, row->who, row->environment,
                                         commit, row->summary, row->message });
        free(number);
        free(ago);
        free(commit);
    }
    table_print(table, stdout);
    table_free(table);
}

static json_t *row_json(const struct revision *row)
{
    return json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "revision", row->number,
                     "when", row->when, "outcome", row->outcome, "who", row->who, "profile",
                     row->profile, "environment", row->environment, "commit", row->commit,
                     "summary", row->summary, "message", row->message);
}

static void print_json(const struct target *target, const struct revision *list, size_t count)
{
    json_t *rows = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, row_json(&list[i]));
    json_t *report = json_pack("{s:s, s:s, s:o}", "release", target->identity.name, "namespace",
                               target->identity.namespace, "revisions", rows);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
}

/* ---- one revision beside the one before ---- */

/* The objects of a source by "Deployment.apps/namespace/name". A new reference; the objects are the
 * source's. */
static json_t *objects_of(const json_t *source)
{
    json_t *found = json_object(), *component, *object;
    size_t i, k;
    const char *own = json_string_value(json_object_get(source, "namespace"));
    json_array_foreach(json_object_get(source, "components"), i, component) {
        json_array_foreach(json_object_get(component, "objects"), k, object) {
            const char *kind = json_string_value(json_object_get(object, "kind"));
            const char *version = json_string_value(json_object_get(object, "apiVersion"));
            const char *namespace = meta_text(object, "namespace");
            const char *slash = version ? strchr(version, '/') : NULL;
            char *key = xasprintf("%s%s%.*s/%s/%s", kind ? kind : "", slash ? "." : "",
                                  slash ? (int)(slash - version) : 0, version ? version : "",
                                  *namespace ? namespace : own, meta_text(object, "name"));
            json_object_set(found, key, object);
            free(key);
        }
    }
    return found;
}

/* "Deployment/web", with the namespace where it is not the release's. The caller's. */
static char *label_of(const json_t *source, const json_t *object)
{
    const char *own = json_string_value(json_object_get(source, "namespace"));
    const char *namespace = meta_text(object, "namespace");
    bool elsewhere = *namespace && own && strcmp(namespace, own) != 0;
    const char *kind = json_string_value(json_object_get(object, "kind"));
    return xasprintf("%s/%s%s%s", kind ? kind : "", elsewhere ? namespace : "",
                     elsewhere ? "/" : "", meta_text(object, "name"));
}

static void add_label(json_t *list, const json_t *source, const json_t *object)
{
    char *label = label_of(source, object);
    json_array_append_new(list, json_string(label));
    free(label);
}

/* What one object of the newer source is beside the older one: a label, and its changes where both
 * have it, less the values of a Secret. */
static json_t *changed_row(const json_t *source, const json_t *before, const json_t *after)
{
    const char *kind = json_string_value(json_object_get(after, "kind"));
    json_t *changes = diff_objects(NULL, before, after);
    char *label = label_of(source, after);
    diff_mask_secret(kind, changes);
    json_t *row = json_pack("{s:s, s:o}", "object", label, "changes", changes);
    free(label);
    return row;
}

/* { created, changed, deleted }: objects from one source to the other. A new reference. */
static json_t *history_diff(const json_t *before, const json_t *after)
{
    json_t *old = objects_of(before), *new = objects_of(after), *object;
    json_t *created = json_array(), *changed = json_array(), *deleted = json_array();
    const char *key;
    json_object_foreach(new, key, object) {
        json_t *other = json_object_get(old, key);
        if (!other)
            add_label(created, after, object);
        else if (!json_equal(other, object))
            json_array_append_new(changed, changed_row(after, other, object));
    }
    json_object_foreach(old, key, object) {
        if (!json_object_get(new, key))
            add_label(deleted, before, object);
    }
    json_decref(old);
    json_decref(new);
    return json_pack("{s:o, s:o, s:o}", "created", created, "changed", changed, "deleted", deleted);
}

static void print_names(const json_t *names, char sign)
{
    size_t i;
    json_t *name;
    json_array_foreach((json_t *)names, i, name) {
        char *text = table_clean(json_string_value(name));
        printf("%c %s\n", sign, text);
        free(text);
    }
}

/* Each object that both have and that is another one now, in full. */
static void print_changed(const json_t *before, const json_t *after)
{
    struct changes_style style = { .colour = terminal_colour(stdout) };
    json_t *old = objects_of(before), *new = objects_of(after), *object;
    const char *key;
    json_object_foreach(new, key, object) {
        json_t *other = json_object_get(old, key);
        if (!other || json_equal(other, object))
            continue;
        char *label = label_of(after, object), *text = table_clean(label);
        printf("~ %s\n", text);
        changes_print(stdout, NULL, other, object, &style);
        free(text);
        free(label);
    }
    json_decref(old);
    json_decref(new);
}

static void print_revision(const struct revision *row, const struct revision *previous,
                           const json_t *before, const json_t *after, const json_t *diff)
{
    print_table(row, 1);
    if (previous)
        printf("\nagainst revision %d:\n", previous->number);
    else
        printf("\nno earlier revision is kept; all of it:\n");
    print_names(json_object_get(diff, "created"), '+');
    print_changed(before, after);
    print_names(json_object_get(diff, "deleted"), '-');
}

/* One revision and what it changed. */
static int show_revision(struct target *target, const struct options *options,
                         const struct revision *list, size_t count, int number, struct err *err)
{
    json_t *after = NULL, *before = NULL;
    size_t index = 0;
    while (index < count && list[index].number != number)
        index++;
    if (index == count)
        return err_set(err, ERR_USAGE,
                       "release '%s' has no revision %d; the oldest is %d, the "
                       "newest %d",
                       target->identity.name, number, list[0].number, list[count - 1].number);
    int result = revision_read(target->client, &target->identity, number, &after, err);
    if (result == 0 && index > 0)
        result =
            revision_read(target->client, &target->identity, list[index - 1].number, &before, err);
    if (result == 0) {
        json_t *diff = history_diff(before, after);
        const struct revision *previous = index > 0 ? &list[index - 1] : NULL;
        if (options->output) {
            json_t *report = row_json(&list[index]);
            json_object_set_new(report, "before",
                                previous ? json_integer(previous->number) : json_null());
            json_object_update(report, diff);
            json_dumpf(report, stdout, JSON_INDENT(2));
            putchar('\n');
            json_decref(report);
        } else {
            print_revision(&list[index], previous, before, after, diff);
        }
        json_decref(diff);
    }
    json_decref(after);
    json_decref(before);
    return result;
}

static int show(struct target *target, const struct options *options, int number, struct err *err)
{
    struct revision *list;
    size_t count;
    if (revision_list(target->client, &target->identity, &list, &count, err) != 0)
        return -1;
    int result = 0;
    if (count == 0)
        result = err_set(err, ERR_USAGE, "release '%s' in namespace '%s' has no revisions",
                         target->identity.name, target->identity.namespace);
    else if (number)
        result = show_revision(target, options, list, count, number, err);
    else if (options->output)
        print_json(target, list, count);
    else
        print_table(list, count);
    revision_list_free(list, count);
    if (result == 0 && fflush(stdout) != 0)
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    return result;
}

int command_history(const struct options *options, struct err *err)
{
    struct target target;
    int number = 0;
    if (options->words_count && words_revision(options->words[0], &number, err) != 0)
        return -1;
    if (target_open(&target, options, err) != 0)
        return -1;
    int result = show(&target, options, number, err);
    target_close(&target);
    return result;
}

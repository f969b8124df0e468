#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/manifests.h"
#include "command/readiness.h"
#include "rollout/verdict.h"
#include "ui/terminal.h"

struct row {
    const char *api_version, *kind, *namespace, *name; /* of the object */
    struct verdict verdict;
};

/* What was read. The StorageClasses are there for the claims beside them. */
struct input {
    json_t *objects;
    json_t *classes; /* by name */
    struct health *health;
};

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

static int add_object(void *data, const struct manifest *manifest, struct err *err)
{
    struct input *input = data;
    json_t *object = manifest->object;
    (void)err;
    json_array_append(input->objects, object);
    if (strcmp(text(object, "kind"), "StorageClass") == 0)
        json_object_set(input->classes, text(json_object_get(object, "metadata"), "name"), object);
    return 0;
}

static const json_t *find_object(const char *group, const char *kind, const char *name, void *arg)
{
    const struct input *input = arg;
    (void)group; /* verdicts ask for StorageClasses only */
    (void)kind;
    return json_object_get(input->classes, name);
}

static bool ask_scripts(const json_t *object, struct verdict *verdict, void *arg)
{
    const struct input *input = arg;
    const struct readiness readiness = { NULL, input->health };
    return readiness_of(&readiness, NULL, object, verdict);
}

static void fill_row(struct input *input, const json_t *object, struct row *row)
{
    const struct verdict_extra extra = { ask_scripts, find_object, input };
    const json_t *metadata = json_object_get(object, "metadata");
    row->api_version = text(object, "apiVersion");
    row->kind = text(object, "kind");
    row->namespace = text(metadata, "namespace");
    row->name = text(metadata, "name");
    if (!*row->name) /* of an answer of the API server */
        row->name = text(json_object_get(object, "details"), "name");
    verdict_with(object, &extra, &row->verdict);
}

static const char *label_of(const struct row *row, char **label)
{
    free(*label);
    return *label = xasprintf("%s/%s", row->kind, row->name);
}

/* Names come from a file: nothing in them goes to the terminal but text. */
static void print_cell(const char *cell, int width)
{
    int used = 0;
    for (const char *at = cell; *at; at++, used++)
        putchar((unsigned char)*at < ' ' || *at == 0x7f ? '?' : *at);
    printf("%*s  ", used < width ? width - used : 0, "");
}

static int widest(int width, const char *cell)
{
    int length = (int)strlen(cell);
    return length > width ? length : width;
}

static void print_table(const struct row *rows, size_t count)
{
    bool colour = terminal_colour(stdout);
    char *label = NULL;
    int namespaces = 0, labels = 6; /* the heading's own width */
    for (size_t i = 0; i < count; i++) {
        labels = widest(labels, label_of(&rows[i], &label));
        if (*rows[i].namespace)
            namespaces = widest(widest(namespaces, "NAMESPACE"), rows[i].namespace);
    }
    if (namespaces)
        print_cell("NAMESPACE", namespaces);
    print_cell("OBJECT", labels);
    puts("STATUS       REASON");
    for (size_t i = 0; i < count; i++) {
        const struct verdict *verdict = &rows[i].verdict;
        const char *on = "", *off = "", *word = verdict_word(verdict->state);
        const char *reason = *verdict->message ? verdict->message : verdict->reason;
        if (colour) {
            on = verdict->state == VERDICT_CURRENT ? "\x1b[32m" : "\x1b[31m";
            off = "\x1b[0m";
        }
        if (namespaces)
            print_cell(rows[i].namespace, namespaces);
        print_cell(label_of(&rows[i], &label), labels);
        printf("%s%s%s", on, word, off);
        if (*reason)
            printf("%*s  %s", 11 - (int)strlen(word), "", reason);
        putchar('\n');
    }
    free(label);
}

static void print_json(const struct row *rows, size_t count)
{
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        const struct row *row = &rows[i];
        json_array_append_new(
            list, json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "apiVersion", row->api_version,
                            "kind", row->kind, "namespace", row->namespace, "name", row->name,
                            "status", verdict_word(row->verdict.state), "reason",
                            row->verdict.reason, "message", verdict_detail(&row->verdict)));
    }
    json_dumpf(list, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(list);
}

static int read_files(const struct options *options, struct input *input, struct err *err)
{
    const struct manifest_reader reader = { add_object, input, true };
    for (size_t i = 0; i < options->files_count; i++) {
        int documents = manifests_read(options->files[i], &reader, err);
        if (documents < 0)
            return -1;
        if (documents == 0) /* an empty List has one */
            return err_set(err, ERR_PROFILE, "%s: has no objects",
                           manifests_name(options->files[i]));
    }
    return 0;
}

int command_status_files(const struct options *options, struct err *err)
{
    struct input input = { json_array(), json_object(), NULL };
    int result = 0;
    if (options->health_dir) {
        input.health = health_open(options->health_dir, &options->script.limits, err);
        result = input.health ? 0 : -1;
    }
    if (result == 0)
        result = read_files(options, &input, err);
    if (result == 0) {
        size_t count = json_array_size(input.objects);
        struct row *rows = xcalloc(count ? count : 1, sizeof *rows);
        for (size_t i = 0; i < count; i++) {
            fill_row(&input, json_array_get(input.objects, i), &rows[i]);
            if (rows[i].verdict.state != VERDICT_CURRENT)
                result = 1;
        }
        if (interrupt_pending())
            result = err_set(err, ERR_INTERRUPTED, "interrupted");
        else if (options->output)
            print_json(rows, count);
        else
            print_table(rows, count);
        free(rows);
    }
    health_close(input.health);
    json_decref(input.objects);
    json_decref(input.classes);
    return result;
}

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/file.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/manifests.h"
#include "script/import.h"

/* What was read, and from where. */
struct input {
    json_t *objects;
    json_t *places; /* [{ document, line, file }] */
};

static int add_object(void *data, const struct manifest *manifest, struct err *err)
{
    struct input *input = data;
    (void)err;
    json_array_append(input->objects, manifest->object);
    json_array_append_new(input->places,
                          json_pack("{s:I, s:I, s:s}", "document", (json_int_t)manifest->document,
                                    "line", (json_int_t)manifest->line, "file", manifest->file));
    return 0;
}

/* The last part of a path without its ending. The caller's to free. */
static char *base_name(const char *path)
{
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    const char *start = path + length;
    while (start > path && start[-1] != '/')
        start--;
    char *name = xstrndup(start, (size_t)(path + length - start)), *dot = strrchr(name, '.');
    if (dot && dot != name)
        *dot = '\0';
    if (strcmp(path, "-") == 0 || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
        free(name);
        return xstrdup("imported");
    }
    return name;
}

static int print_json(const char *key, json_t *value, struct err *err)
{
    json_t *document = json_pack("{s:O}", key, value);
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
    return fflush(stdout) ? err_set(err, ERR_FAILED, "cannot write to standard output") : 0;
}

/* Writes all files or, where one is there already, none. */
static int write_files(const struct options *options, const json_t *files, struct err *err)
{
    const char *folder = options->folder;
    json_t *written = json_array();
    const char *name;
    json_t *text;
    struct stat st;
    json_object_foreach((json_t *)files, name, text) {
        char *path = xasprintf("%s/%s", folder, name);
        int there = lstat(path, &st) == 0;
        if (there)
            err_set(err, ERR_USAGE, "%s: is there already; it is not changed", path);
        free(path);
        if (there) {
            json_decref(written);
            return -1;
        }
    }
    int result = 0;
    json_object_foreach((json_t *)files, name, text) {
        char *path = xasprintf("%s/%s", folder, name);
        if (result == 0)
            result = file_create(path, json_string_value(text), json_string_length(text), err);
        if (result == 0)
            json_array_append_new(written, json_string(path));
        if (result == 0 && !options->output)
            printf("%s\n", path);
        free(path);
    }
    if (result == 0 && options->output)
        result = print_json("files", written, err);
    json_decref(written);
    return result;
}

int command_import(const struct options *options, struct err *err)
{
    const char *path = options->script.path;
    struct input input = { json_array(), json_array() };
    struct manifest_reader reader = { add_object, &input, false };
    char *name = base_name(path);
    json_t *made = NULL;
    int result = manifests_read(path, &reader, err) < 0 ? -1 : 0;
    if (result == 0 && json_array_size(input.objects) == 0)
        result = err_set(err, ERR_PROFILE, "%s: has no objects", manifests_name(path));
    if (result == 0) {
        made = import_write(input.objects, input.places, name, manifests_name(path), err);
        result = made ? 0 : -1;
    }
    if (result == 0 && options->folder) {
        result = write_files(options, json_object_get(made, "files"), err);
    } else if (result == 0 && options->output) {
        result = print_json("profile", json_object_get(made, "text"), err);
    } else if (result == 0) {
        const json_t *text = json_object_get(made, "text");
        size_t length = json_string_length(text);
        if (fwrite(json_string_value(text), 1, length, stdout) != length || fflush(stdout))
            result = err_set(err, ERR_FAILED, "cannot write to standard output");
    }
    json_decref(made);
    json_decref(input.objects);
    json_decref(input.places);
    free(name);
    return result;
}

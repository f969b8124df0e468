#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "command/command.h"
#include "object/yaml.h"
#include "script/import.h"

enum { INPUT_MAX = 16 << 20 };

/* What was read, and from where. */
struct input {
    json_t *objects;
    json_t *places; /* [{ document, line, file }] */
    const char *file;
};

static int add_document(void *data, const struct yaml_document *document, struct err *err)
{
    struct input *input = data;
    if (!json_is_object(document->value))
        return err_set(err, ERR_PROFILE,
                       "%s:%zu: document %zu: is no object with apiVersion and kind", input->file,
                       document->line, document->number);
    json_array_append(input->objects, document->value);
    json_array_append_new(input->places,
                          json_pack("{s:I, s:I, s:s}", "document", (json_int_t)document->number,
                                    "line", (json_int_t)document->line, "file", input->file));
    return 0;
}

static int read_file(struct input *input, const char *path, struct err *err)
{
    struct buf text = { .max = INPUT_MAX };
    struct yaml_reader reader = { add_document, input };
    input->file = strcmp(path, "-") == 0 ? "standard input" : path;
    int result = file_read(path, &text, err);
    if (result == 0)
        result =
            yaml_parse_stream(buf_text(&text), text.len, input->file, ERR_PROFILE, &reader, err);
    buf_release(&text);
    return result;
}

static int is_manifest(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

/* The manifests right in a folder, in the order of their names, as kubectl takes them. */
static int read_folder(struct input *input, const char *folder, struct err *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_manifest, alphasort), result = 0;
    if (count < 0)
        return err_set(err, ERR_USAGE, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
        if (result == 0)
            result = read_file(input, path, err);
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (result == 0 && count == 0)
        return err_set(err, ERR_USAGE, "%s: has no .yaml, .yml or .json file", folder);
    return result;
}

static int read_input(struct input *input, const char *path, struct err *err)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return read_folder(input, path, err);
    return read_file(input, path, err);
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

/* Writes all files or, where one is there already, none. */
static int write_files(const char *folder, const json_t *files, struct err *err)
{
    const char *name;
    json_t *text;
    struct stat st;
    json_object_foreach((json_t *)files, name, text) {
        char *path = xasprintf("%s/%s", folder, name);
        int there = lstat(path, &st) == 0;
        if (there)
            err_set(err, ERR_USAGE, "%s: is there already; it is not changed", path);
        free(path);
        if (there)
            return -1;
    }
    int result = 0;
    json_object_foreach((json_t *)files, name, text) {
        char *path = xasprintf("%s/%s", folder, name);
        if (result == 0)
            result = file_create(path, json_string_value(text), json_string_length(text), err);
        if (result == 0)
            printf("%s\n", path);
        free(path);
    }
    return result;
}

int command_import(const struct options *options, struct err *err)
{
    const char *path = options->script.path;
    struct input input = { json_array(), json_array(), path };
    char *name = base_name(path);
    json_t *made = NULL;
    int result = read_input(&input, path, err);
    if (result == 0 && json_array_size(input.objects) == 0)
        result = err_set(err, ERR_PROFILE, "%s: has no objects", input.file);
    if (result == 0) {
        made = import_write(input.objects, input.places, name,
                            strcmp(path, "-") == 0 ? "standard input" : path, err);
        result = made ? 0 : -1;
    }
    if (result == 0 && options->folder) {
        result = write_files(options->folder, json_object_get(made, "files"), err);
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

#include "command/manifests.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"
#include "object/yaml.h"

enum { INPUT_MAX = 16 << 20 };

struct reading {
    const struct manifest_reader *reader;
    const char *file;
    int count;
};

static const char *word(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

/* The items of `kubectl get -o json`, or of what the API server itself answers: there a PodList has
 * the kind of its items in its own. NULL when it is no list. */
static const json_t *items_of(const json_t *object)
{
    const char *kind = word(object, "kind");
    size_t length = strlen(kind);
    const json_t *items = json_object_get(object, "items");
    bool is_list = length >= 4 && strcmp(kind + length - 4, "List") == 0;
    return is_list && json_is_array(items) ? items : NULL;
}

static void complete_item(const json_t *list, json_t *item)
{
    const char *kind = word(list, "kind");
    if (strcmp(kind, "List") == 0 || !json_is_object(item))
        return;
    if (!json_object_get(item, "kind"))
        json_object_set_new(item, "kind", json_stringn(kind, strlen(kind) - 4));
    if (!json_object_get(item, "apiVersion"))
        json_object_set(item, "apiVersion", json_object_get(list, "apiVersion"));
}

static int add(const struct reading *reading, struct manifest *manifest, struct err *err)
{
    json_t *object = manifest->object;
    if (!json_is_object(object) ||
        (reading->reader->items && (!*word(object, "apiVersion") || !*word(object, "kind")))) {
        char item[48] = "";
        if (manifest->item)
            snprintf(item, sizeof item, " item %zu:", manifest->item);
        return err_set(err, ERR_PROFILE,
                       "%s:%zu: document %zu:%s is no object with apiVersion and kind",
                       manifest->file, manifest->line, manifest->document, item);
    }
    const json_t *items = reading->reader->items && !manifest->item ? items_of(object) : NULL;
    if (!items)
        return reading->reader->each(reading->reader->data, manifest, err);
    size_t i;
    json_t *item;
    json_array_foreach(items, i, item) {
        struct manifest inner = *manifest;
        complete_item(object, item);
        inner.object = item;
        inner.item = i + 1;
        if (add(reading, &inner, err) != 0)
            return -1;
    }
    return 0;
}

static int add_document(void *data, const struct yaml_document *document, struct err *err)
{
    struct reading *reading = data;
    reading->count++;
    struct manifest manifest = { document->value, reading->file, document->number, document->line,
                                 0 };
    return add(reading, &manifest, err);
}

static int read_file(const char *path, const struct manifest_reader *reader, struct err *err)
{
    struct buf text = { .max = INPUT_MAX };
    struct reading reading = { reader, manifests_name(path), 0 };
    struct yaml_reader documents = { add_document, &reading };
    int result = file_read(path, &text, err);
    if (result == 0)
        result = yaml_parse_stream(buf_text(&text), text.len, reading.file, ERR_PROFILE, &documents,
                                   err);
    buf_release(&text);
    return result == 0 ? reading.count : -1;
}

static int is_manifest(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && dot != entry->d_name &&
           (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0 || strcmp(dot, ".json") == 0);
}

static int read_folder(const char *folder, const struct manifest_reader *reader, struct err *err)
{
    struct dirent **entries;
    int count = scandir(folder, &entries, is_manifest, alphasort), result = 0;
    if (count < 0)
        return err_set(err, ERR_USAGE, "%s: %s", folder, strerror(errno));
    for (int i = 0; i < count; i++) {
        char *path = xasprintf("%s/%s", folder, entries[i]->d_name);
        int read = result < 0 ? -1 : read_file(path, reader, err);
        result = read < 0 ? -1 : result + read;
        free(path);
        free(entries[i]);
    }
    free(entries);
    if (count == 0)
        return err_set(err, ERR_USAGE, "%s: has no .yaml, .yml or .json file", folder);
    return result;
}

const char *manifests_name(const char *path)
{
    return strcmp(path, "-") == 0 ? "standard input" : path;
}

int manifests_read(const char *path, const struct manifest_reader *reader, struct err *err)
{
    struct stat st;
    if (strcmp(path, "-") != 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return read_folder(path, reader, err);
    return read_file(path, reader, err);
}

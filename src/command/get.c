#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "command/command.h"
#include "command/target.h"
#include "command/words.h"
#include "object/mask.h"
#include "object/meta.h"
#include "object/yaml.h"
#include "release/revision.h"
#include "ui/table.h"

static const char *kind_of(const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind"));
    return kind ? kind : "";
}

/* The objects that a word, "kind/name" or NULL for all, names; those of `names` are of its kind
 * otherwise. A new reference. */
static json_t *choose(const json_t *source, const char *word, struct buf *names)
{
    json_t *chosen = json_array(), *component, *object;
    size_t i, k;
    const char *slash = word ? strchr(word, '/') : NULL;
    json_array_foreach(json_object_get(source, "components"), i, component) {
        json_array_foreach(json_object_get(component, "objects"), k, object) {
            const char *name = meta_text(object, "name");
            if (!word)
                json_array_append(chosen, object);
            else if (!words_name_kind(word, (size_t)(slash - word), kind_of(object)))
                continue;
            else if (strcmp(slash + 1, name) == 0)
                json_array_append(chosen, object);
            else
                buf_addf(names, "%s%s", names->len ? ", " : "", name);
        }
    }
    return chosen;
}

static int print_yaml(struct buf *out, const json_t *objects, struct err *err)
{
    size_t i;
    json_t *object;
    json_array_foreach((json_t *)objects, i, object) {
        if (yaml_emit(out, object, err) != 0)
            return -1;
    }
    return 0;
}

/* One object by itself, several as a v1 List. */
static void print_json(struct buf *out, json_t *objects, bool one)
{
    json_t *value =
        one && json_array_size(objects) == 1
            ? json_incref(json_array_get(objects, 0))
            : json_pack("{s:s, s:s, s:O}", "apiVersion", "v1", "kind", "List", "items", objects);
    char *text = json_dumps(value, JSON_INDENT(2) | JSON_REAL_PRECISION(17));
    buf_adds(out, text);
    buf_adds(out, "\n");
    free(text);
    json_decref(value);
}

static int print(const struct target *target, const struct options *options, int number,
                 const json_t *source, struct err *err)
{
    struct buf out = BUF_INIT, names = BUF_INIT;
    const char *word = options->words_count ? options->words[0] : NULL;
    json_t *objects = choose(source, word, &names), *object;
    size_t i;
    int result = 0;
    json_array_foreach(objects, i, object)
        mask_secret(object, options->show_secrets);
    if (word && json_array_size(objects) == 0)
        result = err_set(err, ERR_USAGE, "revision %d of release '%s' has no object '%s'%s%s",
                         number, target->identity.name, word,
                         names.len ? "; of that kind it has: " : "", buf_text(&names));
    else if (options->output && strcmp(options->output, "json") == 0)
        print_json(&out, objects, word != NULL);
    else
        result = print_yaml(&out, objects, err);
    if (result == 0 && (fwrite(buf_text(&out), 1, out.len, stdout) != out.len || fflush(stdout)))
        result = err_set(err, ERR_FAILED, "cannot write to standard output");
    json_decref(objects);
    buf_release(&out);
    buf_release(&names);
    return result;
}

/* The newest revision; one that did not end well is told of. */
static int find_newest(struct target *target, int *number, struct err *err)
{
    struct revision *list;
    size_t count;
    const struct identity *identity = &target->identity;
    if (revision_list(target->client, identity, &list, &count, err) != 0)
        return -1;
    int result = 0;
    if (count == 0) {
        result = err_set(err, ERR_USAGE, "release '%s' in namespace '%s' has no revisions",
                         identity->name, identity->namespace);
    } else {
        const struct revision *newest = &list[count - 1];
        *number = newest->number;
        if (strcmp(newest->outcome, "done") != 0) {
            char *ago = moment_ago(newest->when);
            char *words = xasprintf("revision %d of release '%s' (%s) is not done: %s",
                                    newest->number, identity->name, ago, newest->outcome);
            char *line = table_clean(words);
            fprintf(stderr, "%s\n", line);
            free(line);
            free(words);
            free(ago);
        }
    }
    revision_list_free(list, count);
    return result;
}

int command_get(const struct options *options, struct err *err)
{
    struct target target;
    json_t *source = NULL;
    int number = options->revision;
    if (options->words_count) {
        const char *slash = strchr(options->words[0], '/');
        if (!slash || !slash[1])
            return err_set(err, ERR_USAGE, "'%s' is no object; write kind/name, as deployment/web",
                           options->words[0]);
    }
    if (target_open(&target, options, err) != 0)
        return -1;
    const struct identity *identity = &target.identity;
    int result = number ? 0 : find_newest(&target, &number, err);
    if (result == 0) /* what is masked need not be unsealed */
        result = options->show_secrets
                     ? revision_read(target.client, identity, number, &source, err)
                     : revision_read_sealed(target.client, identity, number, &source, err);
    if (result == 0)
        result = print(&target, options, number, source, err);
    json_decref(source);
    target_close(&target);
    return result;
}

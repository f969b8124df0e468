#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/words.h"
#include "object/keys.h"
#include "object/mask.h"
#include "object/meta.h"
#include "object/path.h"
#include "object/yaml.h"

enum { LINE_MAX_SHOWN = 100 };

struct found {
    size_t component, object;
    json_t *value; /* borrowed */
};

static int find_object(const json_t *made, const char *wanted, struct found *found, struct err *err)
{
    const char *slash = strchr(wanted, '/');
    struct buf names = BUF_INIT;
    size_t i, k;
    json_t *component, *object;
    if (!slash || !slash[1])
        return err_set(err, ERR_USAGE, "'%s' is no object; write kind/name, as deployment/web",
                       wanted);
    json_array_foreach(json_object_get(made, "components"), i, component) {
        json_array_foreach(json_object_get(component, "objects"), k, object) {
            const char *kind = object_text(object, "kind"),
                       *name = object_text(json_object_get(object, "metadata"), "name");
            bool kind_fits = words_name_kind(wanted, (size_t)(slash - wanted), kind);
            if (kind_fits && strcmp(slash + 1, name) == 0) {
                *found = (struct found){ i, k, object };
                buf_release(&names);
                return 0;
            }
            if (kind_fits)
                buf_addf(&names, "%s%s", names.len ? ", " : "", name);
        }
    }
    err_set(err, ERR_PROFILE, "profile '%s', environment '%s', has no object '%s'%s%s",
            object_text(made, "name"), object_text(made, "environment"), wanted,
            names.len ? "; of that kind it has: " : "", buf_text(&names));
    buf_release(&names);
    return -1;
}

static json_t *value_at(json_t *object, const json_t *path)
{
    size_t i;
    json_t *step;
    json_array_foreach(path, i, step)
        object = json_is_integer(step) ? json_array_get(object, (size_t)json_integer_value(step))
                                       : json_object_get(object, json_string_value(step));
    return object;
}

/* The text of "file:line", without the blanks around it; "" when it can't be read. The caller's to
 * free. */
static char *source_of(const char *where)
{
    const char *colon = strrchr(where, ':');
    char *name = colon ? xstrndup(where, (size_t)(colon - where)) : xstrdup(where), *line = NULL;
    long wanted = colon ? strtol(colon + 1, NULL, 10) : 0, number = 0;
    size_t size = 0;
    FILE *file = wanted > 0 ? fopen(name, "r") : NULL;
    while (file && number < wanted && getline(&line, &size, file) != -1)
        number++;
    char *text = xstrdup("");
    if (file && number == wanted && line) {
        char *first = line + strspn(line, " \t");
        size_t length = strcspn(first, "\r\n");
        free(text);
        text = xstrndup(first, length > LINE_MAX_SHOWN ? LINE_MAX_SHOWN : length);
    }
    if (file)
        fclose(file);
    free(line);
    free(name);
    return text;
}

static int print_text(const struct found *found, const json_t *path, json_t *value,
                      const json_t *lines, bool hide, struct err *err)
{
    struct buf out = BUF_INIT;
    char *path_text = path_format(path);
    size_t i;
    json_t *line;
    int width = 0;
    buf_addf(&out, "%s/%s%s%s", object_text(found->value, "kind"),
             object_text(json_object_get(found->value, "metadata"), "name"), *path_text ? " " : "",
             path_text);
    free(path_text);
    if (json_is_object(value) || json_is_array(value)) {
        json_t *ordered = keys_ordered(value);
        struct buf yaml = BUF_INIT;
        if (yaml_emit(&yaml, ordered, err) != 0) {
            json_decref(ordered);
            buf_release(&yaml);
            buf_release(&out);
            return -1;
        }
        const char *text = buf_text(&yaml);
        buf_addf(&out, "\n\n%s\n", strncmp(text, "---\n", 4) == 0 ? text + 4 : text);
        buf_release(&yaml);
        json_decref(ordered);
    } else {
        char *text = json_dumps(value, JSON_ENCODE_ANY);
        buf_addf(&out, " = %s\n\n", text);
        free(text);
    }
    json_array_foreach(lines, i, line) {
        int length = (int)json_string_length(line);
        width = length > width ? length : width;
    }
    json_array_foreach(lines, i, line) {
        char *source = hide ? xstrdup("") : source_of(json_string_value(line));
        buf_addf(&out, "%-*s%s%s\n", *source ? width : 0, json_string_value(line),
                 *source ? "  " : "", source);
        free(source);
    }
    fwrite(buf_text(&out), 1, out.len, stdout);
    buf_release(&out);
    return fflush(stdout) ? err_set(err, ERR_FAILED, "cannot write to standard output") : 0;
}

static int print_json(const struct found *found, const json_t *path, json_t *value,
                      const json_t *lines, bool hide, struct err *err)
{
    json_t *list = json_array(), *line;
    char *path_text = path_format(path);
    size_t i;
    json_array_foreach(lines, i, line) {
        char *source = hide ? xstrdup("") : source_of(json_string_value(line));
        json_array_append_new(list, json_pack("{s:O, s:s}", "where", line, "text", source));
        free(source);
    }
    json_t *report = json_pack("{s:{s:s, s:s}, s:s, s:O, s:o}", "object", "kind",
                               object_text(found->value, "kind"), "name",
                               object_text(json_object_get(found->value, "metadata"), "name"),
                               "path", path_text, "value", value, "lines", list);
    json_dumpf(report, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(report);
    free(path_text);
    return fflush(stdout) ? err_set(err, ERR_FAILED, "cannot write to standard output") : 0;
}

/* The path of the command line, with the names of items as indexes. A new reference, or NULL. */
static json_t *read_path(const struct options *options, const json_t *object, struct err *err)
{
    json_t *named = path_parse(options->words_count > 1 ? options->words[1] : "", err);
    json_t *path = named ? path_resolve(object, named, err) : NULL;
    json_decref(named);
    return path;
}

int command_explain(const struct options *options, struct err *err)
{
    struct script *script = script_open(&options->script, SCRIPT_EXPLAIN, err);
    struct found found;
    json_t *path = NULL, *lines = NULL;
    int result = -1;
    if (!script)
        return -1;
    if (find_object(script_made(script), options->words[0], &found, err) == 0)
        path = read_path(options, found.value, err);
    if (path)
        lines = script_origin(script, found.component, found.object, path, err);
    if (lines) {
        /* The text of a line may hold the value itself. */
        bool hide =
            !options->show_secrets && strcmp(object_text(found.value, "kind"), "Secret") == 0;
        mask_secret(found.value, options->show_secrets);
        json_t *value = value_at(found.value, path);
        bool as_json = options->output && strcmp(options->output, "json") == 0;
        result = (as_json ? print_json : print_text)(&found, path, value, lines, hide, err);
    }
    json_decref(path);
    json_decref(lines);
    script_close(script);
    return result;
}

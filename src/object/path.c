#include "object/path.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

static bool is_plain(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
}

static size_t plain_length(const char *text)
{
    size_t length = 0;
    while (is_plain(text[length]))
        length++;
    return length;
}

static void add_element(struct buf *out, const json_t *element)
{
    const char *key = json_string_value(element);
    if (!key) {
        buf_addf(out, "[%" JSON_INTEGER_FORMAT "]", json_integer_value(element));
        return;
    }
    if (*key && key[plain_length(key)] == '\0') {
        buf_addf(out, "%s%s", out->len > 0 ? "." : "", key);
        return;
    }
    char *quoted = json_dumps(element, JSON_ENCODE_ANY);
    buf_addf(out, "[%s]", quoted ? quoted : "\"?\"");
    free(quoted);
}

/* Of the first `count` elements. */
static char *format_part(const json_t *path, size_t count)
{
    struct buf out = BUF_INIT;
    buf_adds(&out, "");
    for (size_t i = 0; i < count; i++)
        add_element(&out, json_array_get(path, i));
    return out.data ? buf_detach(&out) : xstrdup("");
}

char *path_format(const json_t *path)
{
    return format_part(path, json_array_size(path));
}

/* What stands between brackets, from behind the '[' on; `*end` is behind the ']'. NULL when it is
 * nothing of the kind. */
static json_t *read_bracket(const char *text, const char **end)
{
    json_t *element = NULL;
    const char *close;
    if (*text == '"') {
        /* To the quote that no backslash stands before. */
        for (close = text + 1; *close && *close != '"'; close++)
            if (*close == '\\' && close[1])
                close++;
        if (*close == '"' && close[1] == ']')
            element = json_loadb(text, (size_t)(++close - text), JSON_DECODE_ANY, NULL);
    } else if (*text == '\'') {
        close = strchr(text + 1, '\'');
        if (close && close[1] == ']') {
            element = json_stringn(text + 1, (size_t)(close - text) - 1);
            close++;
        }
    } else {
        close = strchr(text, ']');
        size_t length = close ? (size_t)(close - text) : 0;
        if (length > 0 && strspn(text, "0123456789") == length) {
            long long index = strtoll(text, NULL, 10);
            if (index <= INT_MAX)
                element = json_integer(index);
        } else if (length > 0 && strcspn(text, "[\"'") >= length) {
            element = json_stringn(text, length);
        }
    }
    if (element)
        *end = close + 1;
    return element;
}

json_t *path_parse(const char *text, struct err *err)
{
    json_t *path = json_array();
    const char *at = text;
    while (*at) {
        json_t *element = NULL;
        if (*at == '[') {
            element = read_bracket(at + 1, &at);
        } else {
            /* A dot stands between a key and what is before it, and nowhere else. */
            const char *key = at > text && *at == '.' ? at + 1 : at;
            size_t length = plain_length(key);
            if (length > 0 && (at == text) == (key == at)) {
                element = json_stringn(key, length);
                at = key + length;
            }
        }
        if (!element) {
            err_set(err, ERR_PROFILE,
                    "the path '%.200s' is not understood from '%.60s' on; a path is like "
                    "spec.containers[0].image or metadata.labels[\"a/b\"]",
                    text, at);
            json_decref(path);
            return NULL;
        }
        json_array_append_new(path, element);
    }
    return path;
}

static bool is_value(const json_t *value, const char *text)
{
    char number[32];
    if (json_is_string(value))
        return strcmp(json_string_value(value), text) == 0;
    if (!json_is_integer(value))
        return false;
    snprintf(number, sizeof number, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    return strcmp(number, text) == 0;
}

/* By what the elements of Kubernetes' lists are told apart, most usual first. */
static const char *const identities[] = { "name", "containerPort", "mountPath",   "key",
                                          "port", "devicePath",    "ip",          "host",
                                          "path", "type",          "topologyKey", "uid" };

const char *path_identity(size_t index)
{
    return index < sizeof identities / sizeof *identities ? identities[index] : NULL;
}

/* The index of the element of that name, -1 for none, -2 for several. */
static long find_element(const json_t *list, const char *name)
{
    size_t i;
    json_t *item;
    for (size_t k = 0; k < sizeof identities / sizeof *identities; k++) {
        long found = -1;
        json_array_foreach(list, i, item) {
            const json_t *value =
                json_is_object(item) ? json_object_get(item, identities[k]) : item;
            if (is_value(value, name))
                found = found == -1 ? (long)i : -2;
        }
        if (found != -1)
            return found;
    }
    return -1;
}

/* Adds what is in `value`, for the reader of a message. */
static void add_content(struct buf *out, const json_t *value)
{
    const char *key, *separator = "; there is: ";
    size_t i;
    json_t *child;
    if (json_is_object(value) && json_object_size(value) == 0)
        buf_adds(out, "; it is empty");
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, child) {
            buf_addf(out, "%s%.100s", separator, key);
            separator = ", ";
        }
        return;
    }
    if (!json_is_array(value)) {
        buf_adds(out, "; it is neither a map nor a list");
        return;
    }
    size_t count = json_array_size(value);
    buf_addf(out, "; the list has %zu element%s", count, count == 1 ? "" : "s");
    separator = ": ";
    json_array_foreach(value, i, child) {
        const char *name = json_string_value(json_object_get(child, "name"));
        if (name) {
            buf_addf(out, "%s%.100s", separator, name);
            separator = ", ";
        }
    }
}

static void not_there(const json_t *value, const json_t *path, size_t index, bool several,
                      struct err *err)
{
    struct buf content = { .max = 1200 };
    json_t *last = json_array();
    json_array_append(last, json_array_get(path, index));
    char *part = path_format(last), *before = format_part(path, index);
    if (!several)
        add_content(&content, value);
    err_set(err, ERR_PROFILE, "%s'%.200s' %s%.300s%s", several ? "more than one element is " : "",
            part, several ? "in " : "is not in ", *before ? before : "the object",
            buf_text(&content));
    free(part);
    free(before);
    json_decref(last);
    buf_release(&content);
}

json_t *path_resolve(const json_t *object, const json_t *path, struct err *err)
{
    json_t *resolved = json_array(), *element;
    const json_t *value = object;
    size_t i;
    json_array_foreach(path, i, element) {
        const char *key = json_string_value(element);
        const json_t *next = NULL;
        long index = -1;
        if (json_is_array(value)) {
            index = key ? find_element(value, key) : (long)json_integer_value(element);
            next = index >= 0 ? json_array_get(value, (size_t)index) : NULL;
        } else if (key) {
            next = json_object_get(value, key);
        }
        if (!next) {
            not_there(value, path, i, index == -2, err);
            json_decref(resolved);
            return NULL;
        }
        if (json_is_array(value))
            json_array_append_new(resolved, json_integer(index));
        else
            json_array_append(resolved, element);
        value = next;
    }
    return resolved;
}

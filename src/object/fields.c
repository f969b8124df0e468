#include "object/fields.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/path.h"

static bool is_own(const char *key)
{
    return strcmp(key, ".") == 0;
}

static bool is_member(const json_t *node)
{
    return json_object_size(node) == 0 || json_object_get(node, ".");
}

/* Without what the nodes are themselves: that is of the one above them. */
static void add_children(json_t *into, const json_t *more)
{
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)more, key, child) {
        json_t *mine = json_object_get(into, key);
        if (is_own(key))
            continue;
        if (!mine) {
            json_object_set_new(into, key, json_deep_copy(child));
            continue;
        }
        bool member = is_member(mine) || is_member(child);
        add_children(mine, child);
        if (member && json_object_size(mine) > 0)
            json_object_set_new(mine, ".", json_object());
    }
}

json_t *fields_union(const json_t *a, const json_t *b)
{
    json_t *made = a ? json_deep_copy(a) : json_object();
    add_children(made, b);
    return made;
}

/* What stands in "k:.." or "v:..". A new reference, NULL when it is no JSON. */
static json_t *value_of(const char *element)
{
    return json_loads(element + 2, JSON_DECODE_ANY, NULL);
}

/* Two elements of paths: the server escapes more in JSON than is necessary. */
static bool is_same(const char *a, const char *b)
{
    if (strcmp(a, b) == 0)
        return true;
    if (a[0] != b[0] || (a[0] != 'k' && a[0] != 'v') || a[1] != ':' || b[1] != ':')
        return false;
    json_t *first = value_of(a), *second = value_of(b);
    bool same = first && second && json_equal(first, second);
    json_decref(first);
    json_decref(second);
    return same;
}

static const json_t *child_of(const json_t *node, const char *element)
{
    const char *key;
    json_t *child = json_object_get(node, element);
    if (child || element[0] == 'f')
        return child;
    json_object_foreach((json_t *)node, key, child) {
        if (is_same(key, element))
            return child;
    }
    return NULL;
}

bool fields_contain(const json_t *fields, const json_t *path)
{
    size_t i;
    json_t *element;
    json_array_foreach(path, i, element) {
        fields = child_of(fields, json_string_value(element));
        if (!fields)
            return false;
        if (json_object_size(fields) == 0)
            return true;
    }
    return i > 0 && is_member(fields);
}

/* Whether a list element has the values of a "k:"; a field that it leaves to its default is not
 * there to compare. */
static bool has_values(const json_t *item, const json_t *values, bool *exact)
{
    const char *name;
    json_t *wanted;
    size_t found = 0;
    if (!json_is_object(item))
        return false;
    json_object_foreach((json_t *)values, name, wanted) {
        const json_t *value = json_object_get(item, name);
        if (value && !json_equal(value, wanted))
            return false;
        found += value != NULL;
    }
    *exact = found == json_object_size(values);
    return found > 0;
}

static long find_by_values(const json_t *list, const json_t *values)
{
    long found = -1;
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        bool exact;
        if (!has_values(item, values, &exact))
            continue;
        if (exact)
            return (long)i;
        if (found < 0)
            found = (long)i;
    }
    return found;
}

static long find_value(const json_t *list, const json_t *wanted)
{
    size_t i;
    json_t *item;
    json_array_foreach(list, i, item) {
        if (json_equal(item, wanted))
            return (long)i;
    }
    return -1;
}

/* The index of a list's element, or -1. */
static long index_of(const json_t *list, const char *element)
{
    if (!json_is_array(list) || !element[0] || element[1] != ':')
        return -1;
    if (element[0] == 'i') {
        long index = strtol(element + 2, NULL, 10);
        return index >= 0 && (size_t)index < json_array_size(list) ? index : -1;
    }
    json_t *wanted = value_of(element);
    long index = -1;
    if (wanted && element[0] == 'k' && json_is_object(wanted))
        index = find_by_values(list, wanted);
    else if (wanted && element[0] == 'v')
        index = find_value(list, wanted);
    json_decref(wanted);
    return index;
}

/* What lies in `value` at an element of a path, borrowed, and the step there for object/path.h (a
 * new reference; not wanted with NULL). NULL when there is nothing. */
static json_t *step(const json_t *value, const char *element, json_t **made)
{
    json_t *found;
    if (strncmp(element, "f:", 2) == 0) {
        found = json_object_get(value, element + 2);
        if (found && made)
            *made = json_string(element + 2);
    } else {
        long index = index_of(value, element);
        found = index >= 0 ? json_array_get(value, (size_t)index) : NULL;
        if (found && made)
            *made = json_integer(index);
    }
    return found;
}

json_t *fields_path_in(const json_t *object, const json_t *path)
{
    json_t *made = json_array(), *element;
    size_t i;
    json_array_foreach(path, i, element) {
        json_t *next = NULL;
        object = step(object, json_string_value(element), &next);
        if (!object) {
            json_decref(made);
            return NULL;
        }
        json_array_append_new(made, next);
    }
    return made;
}

static void remove_at(json_t *parent, const json_t *key)
{
    if (json_is_object(parent))
        json_object_del(parent, json_string_value(key));
    else
        json_array_remove(parent, (size_t)json_integer_value(key));
}

static bool is_empty(const json_t *value)
{
    return json_is_object(value) ? json_object_size(value) == 0 : json_array_size(value) == 0;
}

/* Whether `parent` is to go, too. */
static void remove_below(json_t *parent, const json_t *path, size_t depth)
{
    const json_t *key = json_array_get(path, depth);
    if (depth + 1 < json_array_size(path)) {
        json_t *child = json_is_object(parent)
                            ? json_object_get(parent, json_string_value(key))
                            : json_array_get(parent, (size_t)json_integer_value(key));
        remove_below(child, path, depth + 1);
        if (!is_empty(child))
            return;
    }
    remove_at(parent, key);
}

bool fields_remove_from(json_t *object, const json_t *path)
{
    json_t *place = fields_path_in(object, path);
    bool found = json_array_size(place) > 0;
    if (found)
        remove_below(object, place, 0);
    json_decref(place);
    return found;
}

static void add_left_over(const json_t *fields, const json_t *object, json_t *path, json_t *found)
{
    const char *element;
    json_t *child;
    json_object_foreach((json_t *)fields, element, child) {
        if (is_own(element))
            continue;
        const json_t *value = step(object, element, NULL);
        bool is_leaf = json_object_size(child) == 0;
        json_array_append_new(path, json_string(element));
        if (!value && (is_leaf || (element[0] != 'f' && is_member(child))))
            json_array_append_new(found, json_copy(path));
        else
            add_left_over(child, value, path, found);
        json_array_remove(path, json_array_size(path) - 1);
    }
}

json_t *fields_left_over(const json_t *fields, const json_t *object)
{
    json_t *path = json_array(), *found = json_array();
    add_left_over(fields, object, path, found);
    json_decref(path);
    return found;
}

/* Text of paths. */

static void add_utf8(struct buf *out, unsigned long code)
{
    char bytes[4];
    size_t length = 0;
    if (code < 0x80) {
        bytes[length++] = (char)code;
    } else if (code < 0x800) {
        bytes[length++] = (char)(0xC0 | code >> 6);
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    } else if (code < 0x10000) {
        bytes[length++] = (char)(0xE0 | code >> 12);
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    } else {
        bytes[length++] = (char)(0xF0 | (code >> 18 & 0x07));
        bytes[length++] = (char)(0x80 | (code >> 12 & 0x3F));
        bytes[length++] = (char)(0x80 | (code >> 6 & 0x3F));
        bytes[length++] = (char)(0x80 | (code & 0x3F));
    }
    buf_add(out, bytes, length);
}

/* What stands behind a backslash in a Go string; NULL when it is none of what Go writes. */
static const char *read_escape(const char *at, struct buf *out)
{
    static const char letters[] = "abfnrtv\\\"'", meant[] = "\a\b\f\n\r\t\v\\\"'";
    const char *letter = *at ? strchr(letters, *at) : NULL;
    if (letter) {
        buf_add(out, &meant[letter - letters], 1);
        return at + 1;
    }
    size_t digits = *at == 'x' ? 2 : *at == 'u' ? 4 : *at == 'U' ? 8 : 0;
    char text[9] = "";
    if (digits == 0 || strspn(at + 1, "0123456789abcdefABCDEF") < digits)
        return NULL;
    memcpy(text, at + 1, digits);
    add_utf8(out, strtoul(text, NULL, 16));
    return at + 1 + digits;
}

/* A string as Go's %q writes it, from its quote on. A new reference, and `*end` behind it. */
static json_t *read_quoted(const char *text, const char **end)
{
    struct buf out = BUF_INIT;
    const char *at = text + 1;
    while (at && *at && *at != '"') {
        if (*at == '\\')
            at = read_escape(at + 1, &out);
        else
            buf_add(&out, at++, 1);
    }
    json_t *made = at && *at == '"' ? json_stringn(buf_text(&out), out.len) : NULL;
    if (made)
        *end = at + 1;
    buf_release(&out);
    return made;
}

static json_t *read_value(const char *text, const char **end)
{
    if (*text == '"')
        return read_quoted(text, end);
    size_t length = strcspn(text, ",]");
    *end = text + length;
    return json_loadb(text, length, JSON_DECODE_ANY, NULL);
}

/* name=value,name=value */
static json_t *read_values(const char *text, const char **end)
{
    json_t *values = json_object();
    const char *at = text;
    do {
        size_t length = strcspn(at, "=,]");
        json_t *value = at[length] == '=' && length > 0 ? read_value(at + length + 1, end) : NULL;
        if (!value) {
            json_decref(values);
            return NULL;
        }
        char *name = xstrndup(at, length);
        json_object_set_new(values, name, value);
        free(name);
        at = *end + 1;
    } while (**end == ',');
    return values;
}

/* The element of a path in brackets, from behind the '[' on; `*end` is behind the ']'. The caller's
 * to free; NULL when it is none. */
static char *read_bracket(const char *text, const char **end)
{
    size_t digits = strspn(text, "0123456789");
    if (digits > 0 && text[digits] == ']') {
        *end = text + digits + 1;
        return xasprintf("i:%.*s", (int)digits, text);
    }
    const char *close = text;
    char kind = *text == '=' ? 'v' : 'k';
    json_t *value = kind == 'v' ? read_value(text + 1, &close) : read_values(text, &close);
    char *json = value && *close == ']'
                     ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS)
                     : NULL;
    char *made = json ? xasprintf("%c:%s", kind, json) : NULL;
    free(json);
    json_decref(value);
    if (made)
        *end = close + 1;
    return made;
}

static bool is_end(char c)
{
    return c == '\0' || c == '.' || c == '[';
}

/* The longest key of an object that the text goes on with and that is shorter than `below`; 0 for
 * none. */
static size_t longest_key(const json_t *object, const char *text, size_t below)
{
    const char *key;
    json_t *value;
    size_t best = 0;
    json_object_foreach((json_t *)object, key, value) {
        size_t length = strlen(key);
        if (length > best && length < below && strncmp(text, key, length) == 0 &&
            is_end(text[length]))
            best = length;
    }
    return best;
}

/* Adds what the text says; false, with the path as it was, when it is not understood or, with
 * `strict`, when the object does not have it. */
static bool read_path(const char *text, const json_t *object, bool strict, json_t *path)
{
    if (!*text)
        return true;
    size_t tried = (size_t)-1;
    while (tried > 0) {
        const char *end = text;
        char *element = NULL;
        if (*text == '[') {
            tried = 0;
            element = read_bracket(text + 1, &end);
        } else if (*text == '.') {
            tried = longest_key(object, text + 1, tried);
            size_t length = tried;
            if (length == 0 && !strict && text[1]) /* a key may begin with a dot */
                length = 1 + strcspn(text + 2, ".[");
            element = length > 0 ? xasprintf("f:%.*s", (int)length, text + 1) : NULL;
            end = text + 1 + length;
        }
        if (!element)
            return false;
        const json_t *value = step(object, element, NULL);
        bool fits = value || !strict;
        json_array_append_new(path, json_string(element));
        free(element);
        if (fits && read_path(end, value, strict, path))
            return true;
        json_array_remove(path, json_array_size(path) - 1);
    }
    return false;
}

json_t *fields_parse_path(const char *text, const json_t *object, struct err *err)
{
    json_t *path = json_array();
    if (read_path(text, object, true, path) || read_path(text, object, false, path))
        return path;
    json_decref(path);
    err_set(err, ERR_FAILED, "the API server's name of a field is not understood: %.500s", text);
    return NULL;
}

static void add_value(struct buf *out, const json_t *value)
{
    char *json = json_is_string(value) ? NULL : json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    buf_adds(out, json ? json : json_is_string(value) ? json_string_value(value) : "?");
    free(json);
}

static void add_name(struct buf *out, const char *name)
{
    json_t *one = json_array();
    json_array_append_new(one, json_string(name));
    char *text = path_format(one);
    buf_addf(out, "%s%s", out->len > 0 && *text != '[' ? "." : "", text);
    free(text);
    json_decref(one);
}

/* [web], or the values of several keys as [80/TCP]. */
static void add_element(struct buf *out, const char *element)
{
    const char *name, *separator = "";
    json_t *value = element[0] == 'i' ? NULL : value_of(element), *part;
    buf_adds(out, "[");
    if (element[0] == 'k') {
        json_object_foreach(value, name, part) {
            buf_adds(out, separator);
            add_value(out, part);
            separator = "/";
        }
    } else if (value) {
        add_value(out, value);
    } else {
        buf_adds(out, element + 2);
    }
    buf_adds(out, "]");
    json_decref(value);
}

char *fields_format_path(const json_t *path)
{
    struct buf out = BUF_INIT;
    size_t i;
    json_t *element;
    buf_adds(&out, "");
    json_array_foreach(path, i, element) {
        const char *text = json_string_value(element);
        if (text && strncmp(text, "f:", 2) == 0)
            add_name(&out, text + 2);
        else if (text && *text && text[1] == ':')
            add_element(&out, text);
    }
    return buf_detach(&out);
}

/* The value at a path of object/path.h, less its last `less` steps; borrowed. */
static json_t *value_at(json_t *object, const json_t *path, size_t less)
{
    json_t *value = object;
    for (size_t i = 0; i + less < json_array_size(path); i++) {
        const json_t *key = json_array_get(path, i);
        value = json_is_string(key) ? json_object_get(value, json_string_value(key))
                                    : json_array_get(value, (size_t)json_integer_value(key));
    }
    return value;
}

json_t *fields_value_in(const json_t *object, const json_t *path)
{
    json_t *place = fields_path_in(object, path);
    json_t *value = place ? json_incref(value_at((json_t *)object, place, 0)) : NULL;
    json_decref(place);
    return value;
}

bool fields_set_in(json_t *object, const json_t *path, json_t *value)
{
    json_t *place = fields_path_in(object, path);
    const json_t *last = json_array_get(place, json_array_size(place) - 1);
    json_t *parent = place ? value_at(object, place, 1) : NULL;
    int result = -1;
    if (json_is_string(last))
        result = json_object_set(parent, json_string_value(last), value);
    else if (last)
        result = json_array_set(parent, (size_t)json_integer_value(last), value);
    json_decref(place);
    return result == 0;
}

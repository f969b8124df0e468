#include "ui/changes.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/align.h"
#include "base/buf.h"
#include "base/mem.h"
#include "object/diff.h"
#include "object/keys.h"
#include "object/path.h"
#include "object/yaml.h"
#include "ui/shown.h"

enum {
    INDENT = 2,
    CONTEXT = 3, /* lines of a text around its changes */
    LINE_MAX_CHARS = 2000,
    FOCUS_CHARS = 1000, /* two lines that are the same for so long are shown from shortly before */
    FOCUS_BEFORE = 80,  /* where they differ */
    ORIGIN_COLUMN = 60,
    ORIGIN_COLUMN_MAX = 100,
};

struct line {
    char sign;
    char *text;
    char *origin; /* or NULL */
};

struct printer {
    const struct changes_style *style;
    bool secret;
    json_t *path; /* in the object after; of what is removed it tells nothing */
    int dashes;   /* of list items, which the next line begins with */
    struct line *lines;
    size_t count, size;
};

/* ---- text on a terminal ---- */

/* The character at `text`, which is valid UTF-8, and its length. */
static uint32_t decode(const char *text, size_t *length)
{
    const unsigned char *c = (const unsigned char *)text;
    *length = *c < 0xC0 ? 1 : *c < 0xE0 ? 2 : *c < 0xF0 ? 3 : 4;
    uint32_t code = *length == 1 ? *c : *c & (0x7Fu >> *length);
    for (size_t i = 1; i < *length; i++) {
        if ((c[i] & 0xC0) != 0x80) {
            *length = i;
            return 0xFFFD;
        }
        code = code << 6 | (c[i] & 0x3F);
    }
    return code;
}

struct range {
    uint32_t first, last;
};

static bool in_ranges(const struct range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++)
        if (code >= ranges[i].first && code <= ranges[i].last)
            return true;
    return false;
}

/* Columns of a character; the wide ones are those of East Asia and pictures
 * (unicode.org/reports/tr11), roughly. */
static size_t columns_of(uint32_t code, size_t column)
{
    static const struct range wide[] = {
        { 0x1100, 0x115F },   { 0x2E80, 0x303E },   { 0x3041, 0xA4CF },   { 0xAC00, 0xD7A3 },
        { 0xF900, 0xFAFF },   { 0xFE30, 0xFE6F },   { 0xFF00, 0xFF60 },   { 0xFFE0, 0xFFE6 },
        { 0x1F300, 0x1F64F }, { 0x1F680, 0x1F6FF }, { 0x1F900, 0x1F9FF }, { 0x20000, 0x3FFFD },
    };
    if (code == '\t')
        return 8 - column % 8;
    if (code >= 0x0300 && code <= 0x036F) /* accents of the character before */
        return 0;
    return in_ranges(wide, sizeof wide / sizeof *wide, code) ? 2 : 1;
}

static size_t width_of(const char *text)
{
    size_t width = 0, length;
    for (; *text; text += length)
        width += columns_of(decode(text, &length), width);
    return width;
}

static size_t characters_in(const char *text)
{
    size_t count = 0;
    for (; *text; text++)
        count += ((unsigned char)*text & 0xC0) != 0x80;
    return count;
}

/* Adds text with what a terminal would obey as escapes, up to the most that a line has. */
static void add_shown(struct buf *out, const char *text)
{
    size_t length, count = 0;
    for (; *text; text += length) {
        if (count++ == LINE_MAX_CHARS) {
            buf_addf(out, "… (%zu more characters)", characters_in(text));
            return;
        }
        uint32_t code = decode(text, &length);
        if (!shown_is_unsafe(code))
            buf_add(out, text, length);
        else
            shown_add_escape(out, code);
    }
}

/* ---- lines ---- */

static char *origin_here(const struct printer *printer)
{
    const struct changes_style *style = printer->style;
    const char *text = style && style->origin ? style->origin(printer->path, style->arg) : NULL;
    struct buf shown = BUF_INIT;
    if (!text || !*text)
        return NULL;
    add_shown(&shown, text);
    return buf_detach(&shown);
}

/* Adds a line, `indent` columns in; with the dashes that are due before it. */
static struct line *put(struct printer *printer, char sign, int indent, const char *text)
{
    struct buf shown = BUF_INIT;
    if (printer->count == printer->size) {
        printer->size = printer->size ? 2 * printer->size : 64;
        printer->lines = xrealloc(printer->lines, printer->size * sizeof *printer->lines);
    }
    struct line *line = &printer->lines[printer->count++];
    buf_addf(&shown, "%*s", indent - INDENT * printer->dashes, "");
    for (; printer->dashes > 0; printer->dashes--)
        buf_adds(&shown, "- ");
    add_shown(&shown, text);
    *line = (struct line){ sign, buf_detach(&shown), NULL };
    return line;
}

/* The same for a value at the path. */
static void put_value(struct printer *printer, char sign, int indent, const char *text)
{
    struct line *line = put(printer, sign, indent, text);
    if (sign == '+')
        line->origin = origin_here(printer);
}

static void print_lines(const struct printer *printer, FILE *out)
{
    bool colour = printer->style && printer->style->colour;
    size_t column = ORIGIN_COLUMN;
    for (size_t i = 0; i < printer->count; i++) {
        const struct line *line = &printer->lines[i];
        size_t wanted = line->origin ? width_of(line->text) + 4 : 0;
        if (wanted > column && wanted <= ORIGIN_COLUMN_MAX)
            column = wanted;
    }
    for (size_t i = 0; i < printer->count; i++) {
        const struct line *line = &printer->lines[i];
        const char *on = line->sign == '-' ? "\x1b[31m" : line->sign == '+' ? "\x1b[32m" : "";
        bool coloured = colour && *on;
        fprintf(out, "%s%c %s%s", coloured ? on : "", line->sign, line->text,
                coloured ? "\x1b[0m" : "");
        if (line->origin) {
            size_t width = width_of(line->text) + 2;
            int blanks = width + 2 < column ? (int)(column - width) : 2;
            fprintf(out, "%*s%s◂ %s%s", blanks, "", colour ? "\x1b[2m" : "", line->origin,
                    colour ? "\x1b[0m" : "");
        }
        fputc('\n', out);
    }
}

/* ---- whole values ---- */

static void enter(struct printer *printer, json_t *element)
{
    json_array_append_new(printer->path, element);
}

static void leave(struct printer *printer)
{
    json_array_remove(printer->path, json_array_size(printer->path) - 1);
}

/* "key:", or "key: text"; the text alone where there is no key. The caller's to free. */
static char *entry(const char *key, const char *text)
{
    struct buf made = BUF_INIT;
    if (key) {
        json_t *name = json_string(key);
        yaml_emit_inline(&made, name);
        json_decref(name);
        buf_adds(&made, text ? ": " : ":");
    }
    buf_adds(&made, text ? text : "");
    return buf_detach(&made);
}

static char *inline_text(const struct printer *printer, const json_t *scalar)
{
    struct buf made = BUF_INIT;
    const char *text = json_string_value(scalar);
    bool hidden = printer->secret && text &&
                  (strcmp(text, DIFF_HIDDEN) == 0 || strcmp(text, DIFF_HIDDEN_CHANGED) == 0);
    if (hidden)
        buf_adds(&made, text);
    else
        yaml_emit_inline(&made, scalar);
    return buf_detach(&made);
}

static bool is_block(const json_t *value)
{
    const char *text = json_string_value(value);
    return text && *text && strchr(text + 1, '\n');
}

/* How YAML writes what a literal block ends and begins with. */
static const char *block_header(const char *text)
{
    size_t length = strlen(text);
    bool blank = *text == ' ' || *text == '\n';
    if (text[length - 1] != '\n')
        return blank ? "|2-" : "|-";
    if (length > 1 && text[length - 2] == '\n')
        return blank ? "|2+" : "|+";
    return blank ? "|2" : "|";
}

struct text_lines {
    char **lines;
    size_t count;
};

static struct text_lines split(const char *text)
{
    struct text_lines made = { NULL, 0 };
    size_t room = 1;
    for (const char *c = text; *c; c++)
        room += *c == '\n';
    made.lines = xcalloc(room, sizeof *made.lines);
    while (*text) {
        const char *end = strchrnul(text, '\n');
        made.lines[made.count++] = xstrndup(text, (size_t)(end - text));
        text = *end ? end + 1 : end;
    }
    return made;
}

static void free_lines(struct text_lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        free(lines->lines[i]);
    free(lines->lines);
}

/* A line of a block, which is indented unless it is empty. */
static struct line *put_text(struct printer *printer, char sign, int indent, const char *text)
{
    return put(printer, sign, *text ? indent : 0, text);
}

static bool is_container(const json_t *value)
{
    return json_is_object(value) || json_is_array(value);
}

static bool is_empty(const json_t *value)
{
    return json_is_object(value) ? json_object_size(value) == 0 : json_array_size(value) == 0;
}

/* All of a value, with the same sign before each line; `key` is NULL for an item of a list. */
static void put_whole(struct printer *printer, char sign, int indent, const char *key,
                      const json_t *value)
{
    char *text = NULL;
    const char *name;
    json_t *child;
    size_t i;
    int inside = indent + (key ? INDENT : 0);
    if (is_container(value) && is_empty(value))
        text = entry(key, json_is_object(value) ? "{}" : "[]");
    else if (is_container(value) && key)
        text = entry(key, NULL);
    else if (is_block(value))
        text = entry(key, block_header(json_string_value(value)));
    else if (!is_container(value)) {
        char *scalar = inline_text(printer, value);
        text = entry(key, scalar);
        free(scalar);
    }
    if (text)
        put_value(printer, sign, indent, text);
    free(text);
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, name, child) {
            enter(printer, json_string(name));
            put_whole(printer, sign, inside, name, child);
            leave(printer);
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child) {
            enter(printer, json_integer((json_int_t)i));
            printer->dashes++;
            put_whole(printer, sign, indent + INDENT, NULL, child);
            leave(printer);
        }
    } else if (is_block(value)) {
        struct text_lines lines = split(json_string_value(value));
        for (i = 0; i < lines.count; i++)
            put_text(printer, sign, inside, lines.lines[i]);
        free_lines(&lines);
    }
}

/* ---- what differs ---- */

/* How many bytes of two long texts to leave out, because both begin with them. */
static size_t same_for_long(const char *before, const char *after)
{
    size_t same = 0, back = 0;
    while (before[same] && before[same] == after[same])
        same++;
    while (same > 0 && back < FOCUS_BEFORE)
        back += ((unsigned char)before[--same] & 0xC0) != 0x80;
    return same > FOCUS_CHARS ? same : 0;
}

static char *without_same(const char *text, size_t same)
{
    char *left_out = xstrndup(text, same);
    char *made = same ? xasprintf("(%zu characters) …%s", characters_in(left_out), text + same)
                      : xstrdup(text);
    free(left_out);
    return made;
}

/* A changed line of a text; blanks at its end are shown, as they may be what changed. */
static void put_changed_text(struct printer *printer, char sign, int indent, const char *text,
                             size_t same, bool *origin_due)
{
    struct buf shown = BUF_INIT;
    char *rest = without_same(text, same);
    size_t length = strlen(rest), end = length;
    while (end > 0 && (rest[end - 1] == ' ' || rest[end - 1] == '\t'))
        end--;
    buf_add(&shown, rest, end);
    for (size_t i = end; i < length; i++)
        buf_adds(&shown, rest[i] == ' ' ? "\\x20" : "\\t");
    struct line *line = put_text(printer, sign, indent, buf_text(&shown));
    if (sign == '+' && *origin_due) {
        line->origin = origin_here(printer);
        *origin_due = false;
    }
    buf_release(&shown);
    free(rest);
}

static size_t *numbers_of(const struct text_lines *lines, json_t *known)
{
    size_t *numbers = xcalloc(lines->count + 1, sizeof *numbers);
    for (size_t i = 0; i < lines->count; i++) {
        const json_t *number = json_object_get(known, lines->lines[i]);
        numbers[i] = number ? (size_t)json_integer_value(number) : json_object_size(known);
        if (!number)
            json_object_set_new(known, lines->lines[i], json_integer((json_int_t)numbers[i]));
    }
    return numbers;
}

/* `count` lines that stay: those next to a change, and how many are between. */
static void put_context(struct printer *printer, int indent, char *const *lines, size_t count,
                        bool first, bool last)
{
    size_t head = first ? 0 : CONTEXT, tail = last ? 0 : CONTEXT;
    if (head + tail + 1 >= count) { /* also where the words would take the one line's place */
        head = count;
        tail = 0;
    }
    for (size_t i = 0; i < head; i++)
        put_text(printer, ' ', indent, lines[i]);
    if (head + tail < count) {
        char *words = xasprintf("… (%zu lines)", count - head - tail);
        put(printer, ' ', indent, words);
        free(words);
    }
    for (size_t i = count - tail; i < count; i++)
        put_text(printer, ' ', indent, lines[i]);
}

static void differ_lines(struct printer *printer, int indent, const struct text_lines *before,
                         const struct text_lines *after, bool origin_due)
{
    json_t *known = json_object();
    size_t *a = numbers_of(before, known), *b = numbers_of(after, known);
    bool *a_kept = xcalloc(before->count + 1, sizeof *a_kept);
    bool *b_kept = xcalloc(after->count + 1, sizeof *b_kept);
    align(a, before->count, b, after->count, a_kept, b_kept);
    size_t i = 0, k = 0;
    while (i < before->count || k < after->count) {
        size_t from = i, to = k;
        while (i < before->count && k < after->count && a_kept[i] && b_kept[k])
            i++, k++;
        if (i > from)
            put_context(printer, indent, before->lines + from, i - from, from == 0 && to == 0,
                        i == before->count && k == after->count);
        size_t gone = i, come = k;
        while (gone < before->count && !a_kept[gone])
            gone++;
        while (come < after->count && !b_kept[come])
            come++;
        size_t pairs = gone - i < come - k ? gone - i : come - k;
        for (size_t n = 0; i + n < gone; n++)
            put_changed_text(printer, '-', indent, before->lines[i + n],
                             n < pairs ? same_for_long(before->lines[i + n], after->lines[k + n])
                                       : 0,
                             &origin_due);
        for (size_t n = 0; k + n < come; n++)
            put_changed_text(printer, '+', indent, after->lines[k + n],
                             n < pairs ? same_for_long(before->lines[i + n], after->lines[k + n])
                                       : 0,
                             &origin_due);
        i = gone;
        k = come;
    }
    json_decref(known);
    free(a);
    free(b);
    free(a_kept);
    free(b_kept);
}

static void differ_texts(struct printer *printer, int indent, const char *key, const char *before,
                         const char *after)
{
    char *old = entry(key, block_header(before)), *new = entry(key, block_header(after));
    struct text_lines a = split(before), b = split(after);
    bool same = strcmp(old, new) == 0;
    if (same) {
        put(printer, ' ', indent, old);
    } else {
        put(printer, '-', indent, old);
        put_value(printer, '+', indent, new);
    }
    differ_lines(printer, indent + (key ? INDENT : 0), &a, &b, same);
    free_lines(&a);
    free_lines(&b);
    free(old);
    free(new);
}

static void put_scalars(struct printer *printer, int indent, const char *key, const json_t *before,
                        const json_t *after)
{
    char *old = inline_text(printer, before), *new = inline_text(printer, after);
    size_t same = same_for_long(old, new);
    char *texts[] = { without_same(old, same), without_same(new, same) };
    int dashes = printer->dashes;
    for (int i = 0; i < 2; i++) {
        char *line = entry(key, texts[i]);
        printer->dashes = dashes;
        put_value(printer, "-+"[i], indent, line);
        free(line);
        free(texts[i]);
    }
    free(old);
    free(new);
}

static void differ(struct printer *printer, int indent, const char *key, struct schema schema,
                   const json_t *before, const json_t *after);

static void differ_maps(struct printer *printer, int indent, struct schema schema,
                        const json_t *before, const json_t *after)
{
    bool root = json_array_size(printer->path) == 0;
    size_t count;
    const char **keys = diff_keys(before, after, &count);
    for (size_t i = 0; i < count; i++) {
        enter(printer, json_string(keys[i]));
        differ(printer, indent, keys[i], diff_field(schema, root, keys[i]),
               json_object_get(before, keys[i]), json_object_get(after, keys[i]));
        leave(printer);
    }
    free(keys);
}

/* A line that tells which item of a list it is; true when both have that. */
static bool put_identity(struct printer *printer, int indent, const char *key, const json_t *before,
                         const json_t *after)
{
    const json_t *value = json_object_get(after, key), *old = json_object_get(before, key);
    if (!value || !old || is_container(value) || is_block(value) || !json_equal(value, old))
        return false;
    char *text = inline_text(printer, value), *line = entry(key, text);
    put(printer, ' ', indent, line);
    free(text);
    free(line);
    return true;
}

static void put_identities(struct printer *printer, int indent, const struct diff_match *match,
                           const struct diff_pair *pair, const json_t *before, const json_t *after)
{
    bool told = false;
    const char *key;
    for (size_t i = 0; i < match->key_count; i++)
        told = put_identity(printer, indent, match->keys[i], before, after) || told;
    for (size_t i = 0; !told && (key = path_identity(i)) != NULL; i++)
        told = put_identity(printer, indent, key, before, after);
    if (told)
        return;
    char *words = xasprintf("# [%ld]", pair->after);
    put(printer, ' ', indent, words);
    free(words);
}

static void put_order(struct printer *printer, char sign, int indent, const json_t *keys)
{
    struct buf words = BUF_INIT;
    size_t i;
    json_t *key, *part;
    const char *name;
    buf_adds(&words, "# order:");
    json_array_foreach(keys, i, key) {
        const char *separator = "";
        buf_adds(&words, i ? ", " : " ");
        if (!json_is_object(key))
            yaml_emit_inline(&words, key);
        json_object_foreach(key, name, part) {
            buf_adds(&words, separator);
            yaml_emit_inline(&words, part);
            separator = "/";
        }
    }
    put(printer, sign, indent, buf_text(&words));
    buf_release(&words);
}

static void differ_order(struct printer *printer, int indent, const struct diff_match *match,
                         const json_t *before)
{
    json_t *old, *new;
    diff_order(match, before, &old, &new, NULL);
    put_order(printer, '-', indent, old);
    put_order(printer, '+', indent, new);
    json_decref(old);
    json_decref(new);
}

static void differ_lists(struct printer *printer, int indent, struct schema schema,
                         const json_t *before, const json_t *after)
{
    struct diff_match match;
    struct schema items = schema_items(schema);
    int inside = indent + INDENT;
    diff_match(&match, schema, before, after);
    if (match.moved)
        differ_order(printer, indent, &match, before);
    for (size_t i = 0; i < match.count; i++) {
        const struct diff_pair *pair = &match.pairs[i];
        const json_t *old = pair->before < 0 ? NULL : json_array_get(before, (size_t)pair->before);
        const json_t *new = pair->after < 0 ? NULL : json_array_get(after, (size_t)pair->after);
        if (old && new &&json_equal(old, new))
            continue;
        enter(printer, json_integer(pair->after));
        printer->dashes++;
        bool nested = old && new &&json_typeof(old) == json_typeof(new) && is_container(old) &&
                      !is_empty(old) && !is_empty(new);
        if (nested)
            put_identities(printer, inside, &match, pair, old, new);
        differ(printer, inside, NULL, items, old, new);
        leave(printer);
    }
    diff_match_release(&match);
}

/* What is different between two values; `key` is NULL for an item of a list, and the root. */
static void differ(struct printer *printer, int indent, const char *key, struct schema schema,
                   const json_t *before, const json_t *after)
{
    if (before && after && json_equal(before, after))
        return;
    bool nested = before && after && json_typeof(before) == json_typeof(after) &&
                  is_container(before) && !is_empty(before) && !is_empty(after);
    if (nested) {
        bool map = json_is_object(before);
        if (key) {
            char *line = entry(key, NULL);
            put(printer, ' ', indent, line);
            free(line);
        }
        (map ? differ_maps : differ_lists)(printer, indent + (key && map ? INDENT : 0), schema,
                                           before, after);
    } else if (before && after && is_block(before) && is_block(after)) {
        differ_texts(printer, indent, key, json_string_value(before), json_string_value(after));
    } else if (before && after && !is_container(before) && !is_container(after) &&
               !is_block(before) && !is_block(after)) {
        put_scalars(printer, indent, key, before, after);
    } else {
        int dashes = printer->dashes;
        if (before)
            put_whole(printer, '-', indent, key, before);
        printer->dashes = dashes;
        if (after)
            put_whole(printer, '+', indent, key, after);
        printer->dashes = 0;
    }
}

void changes_print(FILE *out, const struct schema_set *set, const json_t *before,
                   const json_t *after, const struct changes_style *style)
{
    const json_t *object = after ? after : before;
    if (!object || (before && after && json_equal(before, after)))
        return;
    struct printer printer = { .style = style, .path = json_array() };
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_t *old = before ? keys_ordered(before) : NULL, *new = after ? keys_ordered(after) : NULL;
    printer.secret = kind && strcmp(kind, "Secret") == 0;
    diff_hide_secret(old, new);
    differ(&printer, 0, NULL, diff_root(set, object), old, new);
    print_lines(&printer, out);
    for (size_t i = 0; i < printer.count; i++) {
        free(printer.lines[i].text);
        free(printer.lines[i].origin);
    }
    free(printer.lines);
    json_decref(printer.path);
    json_decref(old);
    json_decref(new);
}

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/buf.h"
#include "object/yaml.h"
#include "object/yaml_scalar.h"

#define BINARY_TAG "tag:yaml.org,2002:binary"
#define MERGE_TAG  "tag:yaml.org,2002:merge"

enum {
    DEPTH_MAX = 64,
    REPEATED_MAX = 16 << 20, /* bytes that aliases may repeat: bounds what a small file becomes */
    NODE_COST = 32,          /* of them for each value, beside its text */
    STREAM_MAX = 16 << 20,
};

struct parse {
    yaml_parser_t parser;
    const char *text;
    size_t len, served;
    const char *name;
    enum err_kind kind;
    struct err *err;
    json_t *anchors; /* name: [value], [] while the value is being read */
    size_t repeated;
    bool manifest;   /* read as kubectl does, not by the core schema */
    size_t line;     /* lines of the stream before `text` */
    size_t document; /* its number for messages; 0: none */
};

/* A key of a mapping, and where it stands. */
struct key {
    struct buf text;
    yaml_mark_t mark;
    bool merge; /* << */
};

/* ---- errors ---- */

static void fail(struct parse *parse, size_t line, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static void fail(struct parse *parse, size_t line, const char *fmt, ...)
{
    struct buf text = BUF_INIT;
    char what[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(what, sizeof what, fmt, args);
    va_end(args);
    buf_addf(&text, "%s:%zu: ", parse->name, parse->line + line + 1);
    if (parse->document)
        buf_addf(&text, "document %zu: ", parse->document);
    err_set(parse->err, parse->kind, "%s%s", buf_text(&text), what);
    buf_release(&text);
}

static json_t *parse_fail(struct parse *parse, const yaml_mark_t *mark, const char *what)
{
    fail(parse, mark->line, "%s", what);
    return NULL;
}

/* libyaml's messages that say little to who wrote the file. */
static const struct {
    const char *problem, *words;
    bool opening; /* the line where it began helps */
} explanations[] = {
    { "found unexpected end of stream", "a quoted text is never closed", true },
    { "found unexpected document indicator", "a quoted text is never closed", true },
    { "did not find expected ',' or ']'", "a [ is never closed, or a ',' is missing in it", true },
    { "did not find expected ',' or '}'", "a { is never closed, or a ',' is missing in it", true },
    { "did not find expected node content", "a value is missing", false },
    { "did not find expected key",
      "a line doesn't fit the mapping that it stands in; check the indentation", true },
    { "did not find expected '-' indicator",
      "a line doesn't fit the list that it stands in; check the indentation", true },
    { "mapping values are not allowed in this context",
      "a ':' can't stand here; check the indentation, or quote the text", false },
    { "could not find expected ':'", "a key has no ':'", true },
    { "block sequence entries are not allowed in this context",
      "a '-' can't stand here; a list begins in a line of its own", false },
    { "did not find expected <document start>",
      "a line doesn't belong to what stands before it; check the indentation", false },
    { "found undefined tag handle", "an unknown tag", false },
    { "found unknown escape character",
      "an unknown escape in a double-quoted text; a backslash itself is written \\\\", false },
    { "found a tab character that violates indentation", "a tab can't indent; use spaces", false },
    { "found a tab character where an indentation space is expected",
      "a tab can't indent; use spaces", false },
};

/* The position of a line and column of the text, its length when they lie beyond it. */
static size_t position(const struct parse *parse, size_t line, size_t column)
{
    const char *c = parse->text, *end = parse->text + parse->len;
    for (; line > 0 && c < end; line--) {
        const char *newline = memchr(c, '\n', (size_t)(end - c));
        c = newline ? newline + 1 : end;
    }
    for (; column > 0 && c < end && *c != '\n'; column--) {
        c++;
        while (c < end && ((unsigned char)*c & 0xC0) == 0x80)
            c++;
    }
    return (size_t)(c - parse->text);
}

static bool indented_by_tab(const struct parse *parse, size_t line)
{
    size_t i = position(parse, line, 0);
    while (i < parse->len && parse->text[i] == ' ')
        i++;
    return i < parse->len && parse->text[i] == '\t';
}

/* What the bytes are that libyaml stops at before it looks at any YAML. */
static void fail_reader(struct parse *parse)
{
    size_t line = 0;
    for (size_t i = 0; i < parse->parser.problem_offset && i < parse->len; i++)
        line += parse->text[i] == '\n';
    if (strcmp(parse->parser.problem, "control characters are not allowed") == 0)
        fail(parse, line, "not YAML: the control character U+%04X",
             (unsigned)parse->parser.problem_value);
    else
        fail(parse, line, "not YAML: the text is not UTF-8");
}

static void fail_parser(struct parse *parse)
{
    const yaml_parser_t *parser = &parse->parser;
    size_t line = parser->problem_mark.line;
    const char *problem = parser->problem ? parser->problem : "cannot be read";
    const char *context = parser->context;
    if (parser->error == YAML_READER_ERROR) {
        fail_reader(parse);
        return;
    }
    if (parser->flow_level == 0 && indented_by_tab(parse, line)) {
        fail(parse, line, "not YAML: a tab can't indent; use spaces");
        return;
    }
    if (parse->manifest && parse->len && *parse->text == '%') {
        fail(parse, 0, "not YAML: kubectl reads no %% directives");
        return;
    }
    size_t at = position(parse, line, parser->problem_mark.column);
    if (at < parse->len && strcmp(problem, "found character that cannot start any token") == 0) {
        fail(parse, line, "not YAML: a value can't start with '%c'; quote it", parse->text[at]);
        return;
    }
    for (size_t i = 0; i < sizeof explanations / sizeof *explanations; i++) {
        if (strcmp(problem, explanations[i].problem) != 0)
            continue;
        if (explanations[i].opening && context && parser->context_mark.line != line)
            fail(parse, line, "not YAML: %s (it begins in line %zu)", explanations[i].words,
                 parse->line + parser->context_mark.line + 1);
        else
            fail(parse, line, "not YAML: %s", explanations[i].words);
        return;
    }
    fail(parse, line, "not YAML: %s%s%s", context ? context : "", context ? ", " : "", problem);
}

static bool next_event(struct parse *parse, yaml_event_t *event)
{
    if (yaml_parser_parse(&parse->parser, event))
        return true;
    fail_parser(parse);
    return false;
}

/* ---- scalars ---- */

/* A plain scalar by the core schema of YAML 1.2. */
static json_t *plain_value(const char *text)
{
    static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };
    static const char *const trues[] = { "true", "True", "TRUE" };
    static const char *const falses[] = { "false", "False", "FALSE" };
    for (size_t i = 0; i < sizeof nulls / sizeof *nulls; i++)
        if (strcmp(text, nulls[i]) == 0)
            return json_null();
    for (size_t i = 0; i < 3; i++) {
        if (strcmp(text, trues[i]) == 0)
            return json_true();
        if (strcmp(text, falses[i]) == 0)
            return json_false();
    }
    const char *digits = text + (*text == '-' || *text == '+');
    char *end;
    errno = 0;
    if (*digits && strspn(digits, "0123456789") == strlen(digits)) {
        long long integer = strtoll(text, &end, 10);
        if (errno == 0)
            return json_integer(integer);
    }
    if (*digits && strspn(digits, "0123456789.eE+-") == strlen(digits) &&
        strcspn(digits, "0123456789") < strlen(digits) && (digits[0] != 'e' && digits[0] != 'E')) {
        double real = strtod(text, &end);
        if (*end == '\0' && isfinite(real))
            return json_real(real);
    }
    return json_string(text);
}

static bool is_plain(const yaml_event_t *event)
{
    return event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
}

/* What a scalar says to kubectl; NULL after an error. */
static json_t *manifest_value(struct parse *parse, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag, *problem = NULL;
    struct yaml_scalar scalar;
    json_t *value = NULL;
    if (tag && strcmp(tag, BINARY_TAG) == 0) {
        value = yaml_scalar_binary(text, &problem);
    } else {
        problem = yaml_scalar_read(text, tag, is_plain(event), &scalar);
        if (!problem)
            value = yaml_scalar_value(&scalar, text, &problem);
    }
    return value ? value : parse_fail(parse, &event->start_mark, problem);
}

static json_t *scalar_value(struct parse *parse, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    json_t *value = NULL;
    if (strlen(text) != event->data.scalar.length)
        return parse_fail(parse, &event->start_mark, "a NUL character in a value");
    if (parse->manifest)
        return manifest_value(parse, event);
    bool quoted = !is_plain(event);
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return parse_fail(parse, &event->start_mark, "an unknown tag");
    value = quoted || tag ? json_string(text) : plain_value(text);
    if (!value)
        return parse_fail(parse, &event->start_mark, "not UTF-8");
    return value;
}

/* ---- anchors ---- */

/* Starts a value that has a name. Returns what remember() completes; NULL for no name. */
static json_t *announce(struct parse *parse, const yaml_char_t *name)
{
    if (!name)
        return NULL;
    json_t *holder = json_array();
    json_object_set(parse->anchors, (const char *)name, holder);
    return holder;
}

static void remember(json_t *holder, json_t *value)
{
    if (holder && value)
        json_array_append(holder, value);
    json_decref(holder);
}

/* Adds what a copy of the value costs, and returns how deep it is: 0 for a scalar. */
static int measure(const json_t *value, size_t *cost)
{
    int deepest = -1;
    size_t i;
    const char *key;
    json_t *child;
    *cost += NODE_COST + (json_is_string(value) ? json_string_length(value) : 0);
    if (json_is_object(value)) {
        json_object_foreach((json_t *)value, key, child) {
            int depth = measure(child, cost);
            *cost += strlen(key);
            deepest = depth > deepest ? depth : deepest;
        }
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child) {
            int depth = measure(child, cost);
            deepest = depth > deepest ? depth : deepest;
        }
    }
    return deepest + 1;
}

/* A borrowed reference to what an alias stands for; NULL after an error. */
static const json_t *alias_target(struct parse *parse, const yaml_event_t *event)
{
    const json_t *holder = json_object_get(parse->anchors, (const char *)event->data.alias.anchor);
    if (holder && json_array_size(holder) == 0)
        return parse_fail(parse, &event->start_mark,
                          "an alias within the value that it stands for");
    if (!holder)
        return parse_fail(parse, &event->start_mark, "an alias of no anchor before it");
    return json_array_get(holder, 0);
}

static json_t *alias_value(struct parse *parse, const yaml_event_t *event, int depth)
{
    const json_t *target = alias_target(parse, event);
    if (!target)
        return NULL;
    int height = measure(target, &parse->repeated);
    if (parse->repeated > REPEATED_MAX)
        return parse_fail(parse, &event->start_mark, "aliases that explode");
    if (depth + height > DEPTH_MAX)
        return parse_fail(parse, &event->start_mark, "nested too deeply");
    return json_deep_copy(target);
}

/* ---- lists and mappings ---- */

static json_t *node_value(struct parse *parse, yaml_event_t *event, int depth);

static json_t *sequence_value(struct parse *parse, int depth)
{
    json_t *list = json_array();
    for (;;) {
        yaml_event_t event;
        if (!next_event(parse, &event))
            break;
        bool end = event.type == YAML_SEQUENCE_END_EVENT;
        json_t *child = end ? NULL : node_value(parse, &event, depth);
        yaml_event_delete(&event);
        if (end)
            return list;
        if (!child)
            break;
        json_array_append_new(list, child);
    }
    json_decref(list);
    return NULL;
}

/* kubectl's key for a scalar that is one: numbers and booleans become text. */
static int manifest_key(struct parse *parse, const yaml_event_t *event, struct key *key)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    struct yaml_scalar scalar;
    key->merge = strcmp(text, "<<") == 0 &&
                 ((!tag && is_plain(event)) || (tag && strcmp(tag, MERGE_TAG) == 0));
    if (key->merge) {
        buf_adds(&key->text, text);
        return 0;
    }
    const char *problem = yaml_scalar_read(text, tag, is_plain(event), &scalar);
    if (!problem)
        problem = yaml_scalar_key(&scalar, text, &key->text);
    if (!problem)
        return 0;
    parse_fail(parse, &event->start_mark, problem);
    return -1;
}

/* Returns 1 with a key, 0 at the mapping's end, -1 on an error. */
static int next_key(struct parse *parse, struct key *key)
{
    yaml_event_t event;
    const json_t *target = NULL;
    int result = -1;
    if (!next_event(parse, &event))
        return -1;
    key->mark = event.start_mark;
    if (event.type == YAML_MAPPING_END_EVENT) {
        result = 0;
    } else if (parse->manifest && event.type == YAML_ALIAS_EVENT) {
        target = alias_target(parse, &event);
        if (json_is_string(target)) {
            buf_adds(&key->text, json_string_value(target));
            result = 1;
        } else if (target) {
            parse_fail(parse, &event.start_mark, "a key that is not a string");
        }
    } else if (event.type != YAML_SCALAR_EVENT) {
        parse_fail(parse, &event.start_mark, "a key that is not a string");
    } else if (strlen((const char *)event.data.scalar.value) != event.data.scalar.length) {
        parse_fail(parse, &event.start_mark, "a NUL character in a key");
    } else if (!parse->manifest) {
        buf_adds(&key->text, (const char *)event.data.scalar.value);
        result = 1;
    } else if (manifest_key(parse, &event, key) == 0) {
        json_t *holder = announce(parse, event.data.scalar.anchor);
        json_t *value = holder ? json_string(buf_text(&key->text)) : NULL;
        remember(holder, value);
        json_decref(value);
        result = 1;
    }
    yaml_event_delete(&event);
    return result;
}

/* One mapping of a << into `map`. `lines` has for each key the line where it is written, 0 for one
 * that came by <<. */
static int merge_one(struct parse *parse, json_t *map, json_t *lines, const json_t *source,
                     const struct key *key)
{
    const char *name;
    json_t *value;
    json_object_foreach((json_t *)source, name, value) {
        json_int_t line = json_integer_value(json_object_get(lines, name));
        /* To kubectl the << wins then, by YAML's rules the key: nobody is to find out which. */
        if (line > 0 && !json_equal(json_object_get(map, name), value)) {
            fail(parse, key->mark.line,
                 "a << changes the key \"%.100s\" of line %lld to kubectl, but not to other "
                 "readers; "
                 "write the << first",
                 name, (long long)line);
            return -1;
        }
        if (line == 0) {
            json_object_set(map, name, value);
            json_object_set_new(lines, name, json_integer(0));
        }
    }
    return 0;
}

/* The value of a <<: a mapping, or a list of them of which the earlier win. */
static int merge(struct parse *parse, json_t *map, json_t *lines, yaml_event_t *event, int depth,
                 const struct key *key)
{
    bool alias = event->type == YAML_ALIAS_EVENT;
    json_t *value = node_value(parse, event, depth);
    int result = value ? 0 : -1;
    size_t count = json_is_array(value) && !alias ? json_array_size(value) : 0;
    bool right = json_is_object(value) || (json_is_array(value) && !alias);
    for (size_t i = 0; i < count; i++)
        right = right && json_is_object(json_array_get(value, i));
    if (value && !right) {
        parse_fail(parse, &key->mark, "a << with something else than mappings");
        result = -1;
    }
    if (result == 0 && json_is_object(value))
        result = merge_one(parse, map, lines, value, key);
    for (size_t i = count; i > 0 && result == 0; i--)
        result = merge_one(parse, map, lines, json_array_get(value, i - 1), key);
    json_decref(value);
    return result;
}

/* The value of a key into `map`. */
static int mapping_entry(struct parse *parse, json_t *map, json_t *lines, int depth,
                         const struct key *key)
{
    const char *name = buf_text(&key->text);
    json_int_t before = json_integer_value(json_object_get(lines, name));
    yaml_event_t event;
    int result = -1;
    if (before > 0) {
        fail(parse, key->mark.line, "the key \"%.100s\" stands twice, first in line %lld", name,
             (long long)before);
        return -1;
    }
    if (!next_event(parse, &event))
        return -1;
    size_t line = parse->line + key->mark.line + 1;
    if (key->merge) {
        result = merge(parse, map, lines, &event, depth, key);
    } else {
        json_t *child = node_value(parse, &event, depth);
        result = child ? json_object_set_new(map, name, child) : -1;
        if (child && result != 0)
            parse_fail(parse, &key->mark, "a key that is not UTF-8");
    }
    yaml_event_delete(&event);
    json_object_set_new(lines, name, json_integer((json_int_t)line));
    return result;
}

static json_t *mapping_value(struct parse *parse, int depth)
{
    json_t *map = json_object(), *lines = json_object();
    int result;
    do {
        struct key key = { .text = BUF_INIT };
        result = next_key(parse, &key);
        if (result == 1 && mapping_entry(parse, map, lines, depth, &key) != 0)
            result = -1;
        buf_release(&key.text);
    } while (result == 1);
    json_decref(lines);
    if (result == 0)
        return map;
    json_decref(map);
    return NULL;
}

/* kubectl ignores tags of lists and mappings; those that say what is there anyway may stay. */
static bool is_tag(const yaml_char_t *tag, const char *allowed)
{
    return !tag || strcmp((const char *)tag, "!") == 0 || strcmp((const char *)tag, allowed) == 0;
}

static json_t *node_value(struct parse *parse, yaml_event_t *event, int depth)
{
    json_t *value, *holder;
    bool known = true;
    if (depth > DEPTH_MAX)
        return parse_fail(parse, &event->start_mark, "nested too deeply");
    switch (event->type) {
    case YAML_ALIAS_EVENT: return alias_value(parse, event, depth);
    case YAML_SCALAR_EVENT:
        holder = announce(parse, event->data.scalar.anchor);
        value = scalar_value(parse, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        known = is_tag(event->data.sequence_start.tag, YAML_SEQ_TAG);
        holder = announce(parse, event->data.sequence_start.anchor);
        value = known ? sequence_value(parse, depth + 1) : NULL;
        break;
    case YAML_MAPPING_START_EVENT:
        known = is_tag(event->data.mapping_start.tag, YAML_MAP_TAG);
        holder = announce(parse, event->data.mapping_start.anchor);
        value = known ? mapping_value(parse, depth + 1) : NULL;
        break;
    default: return parse_fail(parse, &event->start_mark, "not YAML: a value is missing");
    }
    if (!known)
        parse_fail(parse, &event->start_mark, "an unknown tag");
    remember(holder, value);
    return value;
}

/* ---- documents ---- */

/* The first document; JSON null when there is none. `line` (may be NULL) is where it starts, below
 * the first line of the text. */
static json_t *document_value(struct parse *parse, size_t *line)
{
    yaml_event_t event;
    json_t *value = NULL;
    bool done = false;
    while (!done && next_event(parse, &event)) {
        switch (event.type) {
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_START_EVENT: break;
        case YAML_STREAM_END_EVENT:
            value = json_null();
            done = true;
            break;
        default:
            if (line)
                *line = event.start_mark.line;
            value = node_value(parse, &event, 0);
            done = true;
        }
        yaml_event_delete(&event);
    }
    return value;
}

static int start_parser(struct parse *parse)
{
    if (!yaml_parser_initialize(&parse->parser))
        return err_set(parse->err, ERR_FAILED, "cannot start the YAML parser");
    parse->anchors = json_object();
    return 0;
}

static void end_parser(struct parse *parse)
{
    json_decref(parse->anchors);
    yaml_parser_delete(&parse->parser);
}

json_t *yaml_parse(const char *text, size_t len, const char *name, enum err_kind kind,
                   struct err *err)
{
    struct parse parse = { .text = text, .len = len, .name = name, .kind = kind, .err = err };
    if (start_parser(&parse) != 0)
        return NULL;
    yaml_parser_set_input_string(&parse.parser, (const unsigned char *)text, len);
    json_t *value = document_value(&parse, NULL);
    end_parser(&parse);
    return value;
}

/* ---- streams of manifests ---- */

/* kubectl ends each line, also the last of a file: a block text that ends there has its newline. */
static int read_chunk(void *data, unsigned char *bytes, size_t size, size_t *got)
{
    struct parse *parse = data;
    bool unended = parse->len > 0 && parse->text[parse->len - 1] != '\n';
    if (parse->served < parse->len) {
        size_t left = parse->len - parse->served;
        *got = left < size ? left : size;
        memcpy(bytes, parse->text + parse->served, *got);
    } else {
        *got = unended && parse->served == parse->len ? 1 : 0;
        *bytes = '\n';
    }
    parse->served += *got;
    return 1;
}

/* After the value nothing may follow: kubectl skips, without a word, what stands below a "...". */
static int nothing_more(struct parse *parse)
{
    yaml_event_t event;
    enum yaml_event_type_e type;
    bool ended = false; /* by a "..." */
    do {
        size_t line = parse->parser.mark.line;
        if (!next_event(parse, &event)) {
            if (ended)
                fail(parse, line, "kubectl skips what follows a '...'; write '---' instead");
            return -1;
        }
        type = event.type;
        ended = ended || (type == YAML_DOCUMENT_END_EVENT && !event.data.document_end.implicit);
        if (type == YAML_DOCUMENT_START_EVENT)
            parse_fail(parse, &event.start_mark,
                       "kubectl skips what follows a '...'; write '---' instead");
        yaml_event_delete(&event);
    } while (type == YAML_DOCUMENT_END_EVENT);
    /* After the stream's end there is no event at all. */
    return type == YAML_STREAM_END_EVENT || type == YAML_NO_EVENT ? 0 : -1;
}

/* The one document between two separators. Returns a new reference, JSON null for none. */
static json_t *chunk_value(struct parse *parse, size_t *line)
{
    if (start_parser(parse) != 0)
        return NULL;
    parse->served = 0;
    yaml_parser_set_encoding(&parse->parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input(&parse->parser, read_chunk, parse);
    json_t *value = document_value(parse, line);
    if (value && nothing_more(parse) != 0) {
        json_decref(value);
        value = NULL;
    }
    end_parser(parse);
    return value;
}

/* Whether the next that is no white space is a {. */
static bool begins_object(const char *text, const char *end)
{
    while (text < end && strchr(" \t\r\n", *text) && *text)
        text++;
    return text < end && *text == '{';
}

/* Reals without a fraction as YAML's are read: kubectl makes the same numbers of both. */
static json_t *with_integers(json_t *value)
{
    size_t i;
    const char *key;
    json_t *child;
    if (json_is_object(value)) {
        json_object_foreach(value, key, child)
            json_object_set_new(value, key, with_integers(json_incref(child)));
    } else if (json_is_array(value)) {
        json_array_foreach(value, i, child)
            json_array_set_new(value, i, with_integers(json_incref(child)));
    } else if (json_is_real(value)) {
        json_t *real = yaml_scalar_real(json_real_value(value));
        json_decref(value);
        return real;
    }
    return value;
}

/* kubectl takes a stream for JSON as long as it is: objects one after the other, without
 * separators, with JSON's own escapes. NULL when there is none at `text`: YAML's reader takes over
 * then, and has the messages. */
static json_t *json_document(const char *text, size_t len, size_t *used)
{
    json_error_t problem;
    size_t cost = 0;
    json_t *value =
        json_loadb(text, len, JSON_DISABLE_EOF_CHECK | JSON_REJECT_DUPLICATES, &problem);
    if (value && measure(value, &cost) > DEPTH_MAX) {
        json_decref(value);
        return NULL;
    }
    *used = value ? (size_t)problem.position : 0;
    return value ? with_integers(value) : NULL;
}

static size_t count_lines(const char *text, const char *end)
{
    size_t lines = 0;
    while (text < end && (text = memchr(text, '\n', (size_t)(end - text)))) {
        text++;
        lines++;
    }
    return lines;
}

/* The first line from `text` on that begins with ---, or `end`. */
static const char *find_separator(const char *text, const char *end)
{
    while (text < end) {
        if (end - text >= 3 && memcmp(text, "---", 3) == 0)
            return text;
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        text = newline ? newline + 1 : end;
    }
    return end;
}

/* Whether beside the --- there is a comment at most; `*next` is the line after it. */
static bool is_separator(const char *line, const char *end, const char **next)
{
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    *next = newline ? newline + 1 : end;
    for (line += 3; line < *next && (*line == ' ' || *line == '\t' || *line == '\r'); line++)
        ;
    return line == *next || *line == '\n' || *line == '#';
}

/* Consumes a value: hands it on, unless it is nothing to kubectl. */
static int hand_on(struct parse *parse, json_t *value, size_t line,
                   const struct yaml_reader *reader)
{
    struct yaml_document document = { .value = value,
                                      .number = parse->document,
                                      .line = parse->line + line + 1 };
    int result = 0;
    if (!json_is_null(value)) {
        result = reader->each(reader->data, &document, parse->err);
        parse->document++;
    }
    json_decref(value);
    return result;
}

static int read_json(struct parse *parse, const char **text, const char *end,
                     const struct yaml_reader *reader)
{
    int result = 0;
    while (result == 0 && begins_object(*text, end)) {
        const char *start = memchr(*text, '{', (size_t)(end - *text));
        size_t used;
        json_t *value = json_document(start, (size_t)(end - start), &used);
        if (!value)
            break;
        parse->line += count_lines(*text, start);
        result = hand_on(parse, value, 0, reader);
        *text = start + used;
        parse->line += count_lines(start, *text);
    }
    return result;
}

static int read_yaml(struct parse *parse, const char *text, const char *end,
                     const struct yaml_reader *reader)
{
    int result = 0;
    while (result == 0 && text < end) {
        const char *separator = find_separator(text, end), *next = end;
        size_t line = 0;
        parse->text = text;
        parse->len = (size_t)(separator - text);
        json_t *value = chunk_value(parse, &line);
        result = value ? hand_on(parse, value, line, reader) : -1;
        parse->line += count_lines(text, separator);
        if (result == 0 && separator < end && !is_separator(separator, end, &next)) {
            fail(parse, 0, "kubectl allows nothing but a comment after '---'");
            return -1;
        }
        parse->line++;
        text = next;
    }
    return result;
}

int yaml_parse_stream(const char *text, size_t len, const char *name, enum err_kind kind,
                      const struct yaml_reader *reader, struct err *err)
{
    struct parse parse = {
        .name = name, .kind = kind, .err = err, .manifest = true, .document = 1
    };
    const char *end = text + len;
    if (len > STREAM_MAX)
        return err_set(err, kind, "%s: larger than 16 MiB", name);
    if (len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    int result = read_json(&parse, &text, end, reader);
    return result == 0 ? read_yaml(&parse, text, end, reader) : result;
}

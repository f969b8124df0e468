#include "object/yaml.h"

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"

/* ---- out ---- */

/* Words that some reader of YAML 1.1 takes for a boolean or null (yaml.org/type/bool.html). */
static const char *const reserved[] = {
    "y", "n", "yes", "no", "true", "false", "on", "off", "null"
};

static bool is_reserved(const char *text)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        const char *a = text, *b = reserved[i];
        while (*a && *b && (*a | 0x20) == *b)
            a++, b++;
        if (!*a && !*b)
            return true;
    }
    return false;
}

/* Digits, perhaps a fraction, and a unit that no reader takes for a number: 500m, 1.5Gi, 10s. */
static bool is_quantity(const char *text)
{
    static const char *const units[] = { "m", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "s" };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0)
        return false;
    text += digits;
    if (*text == '.') {
        digits = strspn(text + 1, "0123456789");
        if (digits == 0)
            return false;
        text += 1 + digits;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text, units[i]) == 0)
            return true;
    return false;
}

/* Only what no YAML 1.1 or 1.2 reader can take for anything but this string. */
static bool is_plain(const char *text)
{
    if (is_quantity(text))
        return true;
    char first = *text;
    bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    if (!letter && first != '_' && first != '/')
        return false;
    for (const char *c = text; *c; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr("_./-@+", *c);
        bool inner = (*c == ':' || *c == ' ') && c[1] != '\0' && c[1] != ' ' && c[1] != ':';
        if (!word && !inner)
            return false;
    }
    return !is_reserved(text);
}

static bool is_literal(const char *text)
{
    if (!strchr(text, '\n') || *text == ' ' || *text == '\n' || *text == '\t')
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool control = *c < 0x20 && *c != '\n' && *c != '\t';
        /* U+0085, U+2028 and U+2029 are line ends to YAML 1.1 only; U+FEFF is eaten by some. */
        bool line_end = (*c == 0xC2 && c[1] == 0x85) ||
                        (*c == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9)) ||
                        (*c == 0xEF && c[1] == 0xBB && c[2] == 0xBF);
        bool trailing = *c == ' ' && (c[1] == '\n' || c[1] == '\0');
        if (control || line_end || trailing || *c == 0x7F)
            return false;
    }
    return true;
}

struct emission {
    yaml_emitter_t emitter;
    bool failed;
};

static void emit_event(struct emission *out, yaml_event_t *event, int made)
{
    /* yaml_emitter_emit() owns the event even when it fails: it is never deleted here. */
    if (!made || !yaml_emitter_emit(&out->emitter, event))
        out->failed = true;
}

static void emit_scalar(struct emission *out, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int plain = style == YAML_PLAIN_SCALAR_STYLE;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), plain, !plain, style);
    emit_event(out, &event, made);
}

static void emit_string(struct emission *out, const char *text)
{
    if (is_plain(text))
        emit_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
    else if (is_literal(text))
        emit_scalar(out, text, YAML_LITERAL_SCALAR_STYLE);
    else
        emit_scalar(out, text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void emit_real(struct emission *out, double number)
{
    char text[64];
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    /* YAML 1.1 wants a point in every float: 1e+20 is a string to its readers. */
    char *exponent = strchr(text, 'e');
    if (!strchr(text, '.')) {
        char tail[32];
        snprintf(tail, sizeof tail, "%s", exponent ? exponent : "");
        size_t head = exponent ? (size_t)(exponent - text) : strlen(text);
        snprintf(text + head, sizeof text - head, ".0%s", tail);
    }
    emit_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
}

static void emit_value(struct emission *out, const json_t *value)
{
    yaml_event_t event;
    char text[32];
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *child;
        yaml_mapping_style_t style =
            json_object_size(value) ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE;
        emit_event(out, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));
        json_object_foreach((json_t *)value, key, child) {
            if (out->failed)
                return;
            emit_string(out, key);
            emit_value(out, child);
        }
        emit_event(out, &event, yaml_mapping_end_event_initialize(&event));
        break;
    }
    case JSON_ARRAY: {
        size_t i;
        json_t *child;
        yaml_sequence_style_t style =
            json_array_size(value) ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE;
        emit_event(out, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
        json_array_foreach(value, i, child) {
            if (out->failed)
                return;
            emit_value(out, child);
        }
        emit_event(out, &event, yaml_sequence_end_event_initialize(&event));
        break;
    }
    case JSON_STRING: emit_string(out, json_string_value(value)); break;
    case JSON_INTEGER:
        snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
        emit_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
        break;
    case JSON_REAL: emit_real(out, json_real_value(value)); break;
    case JSON_TRUE: emit_scalar(out, "true", YAML_PLAIN_SCALAR_STYLE); break;
    case JSON_FALSE: emit_scalar(out, "false", YAML_PLAIN_SCALAR_STYLE); break;
    case JSON_NULL: emit_scalar(out, "null", YAML_PLAIN_SCALAR_STYLE); break;
    }
}

static int write_buf(void *data, unsigned char *bytes, size_t size)
{
    struct buf *buf = data;
    buf_add(buf, bytes, size);
    return !buf->overflow;
}

int yaml_emit(struct buf *out, const json_t *value, struct err *err)
{
    struct emission emission = { .failed = false };
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emission.emitter))
        return err_set(err, ERR_FAILED, "cannot start the YAML emitter");
    yaml_emitter_set_output(&emission.emitter, write_buf, out);
    yaml_emitter_set_unicode(&emission.emitter, 1);
    yaml_emitter_set_width(&emission.emitter, -1);
    emit_event(&emission, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit_event(&emission, &event,
               yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 0));
    emit_value(&emission, value);
    if (!emission.failed)
        emit_event(&emission, &event, yaml_document_end_event_initialize(&event, 1));
    if (!emission.failed)
        emit_event(&emission, &event, yaml_stream_end_event_initialize(&event));
    int result = 0;
    if (emission.failed)
        result = err_set(err, ERR_FAILED, "cannot write YAML: %s",
                         emission.emitter.problem ? emission.emitter.problem : "out of memory");
    yaml_emitter_delete(&emission.emitter);
    return result;
}

/* ---- in ---- */

enum { DEPTH_MAX = 64, NODES_MAX = 1000000 };

struct anchor {
    char *name;
    json_t *value;
    struct anchor *next;
};

struct parse {
    yaml_parser_t parser;
    const char *name;
    enum err_kind kind;
    struct err *err;
    struct anchor *anchors;
    size_t nodes; /* values made or repeated by aliases: bounds what a small file can become */
};

static json_t *parse_fail(struct parse *parse, const yaml_mark_t *mark, const char *what)
{
    err_set(parse->err, parse->kind, "%s:%zu: %s", parse->name, mark->line + 1, what);
    return NULL;
}

static bool next_event(struct parse *parse, yaml_event_t *event)
{
    if (yaml_parser_parse(&parse->parser, event))
        return true;
    yaml_mark_t mark = parse->parser.problem_mark;
    char what[256];
    const char *problem = parse->parser.problem ? parse->parser.problem : "cannot be read";
    const char *context = parse->parser.context;
    snprintf(what, sizeof what, "not YAML: %s%s%s", context ? context : "", context ? ", " : "",
             problem);
    parse_fail(parse, &mark, what);
    return false;
}

static size_t count_nodes(const json_t *value)
{
    size_t count = 1, i;
    const char *key;
    json_t *child;
    if (json_is_object(value))
        json_object_foreach((json_t *)value, key, child)
            count += count_nodes(child);
    else if (json_is_array(value))
        json_array_foreach(value, i, child)
            count += count_nodes(child);
    return count;
}

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

static json_t *scalar_value(struct parse *parse, const yaml_event_t *event)
{
    const char *text = (const char *)event->data.scalar.value;
    const char *tag = (const char *)event->data.scalar.tag;
    json_t *value = NULL;
    if (strlen(text) != event->data.scalar.length)
        return parse_fail(parse, &event->start_mark, "a NUL character in a value");
    bool quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (tag && strcmp(tag, "!") != 0 && strcmp(tag, YAML_STR_TAG) != 0)
        return parse_fail(parse, &event->start_mark, "an unknown tag");
    value = quoted || tag ? json_string(text) : plain_value(text);
    if (!value)
        return parse_fail(parse, &event->start_mark, "not UTF-8");
    return value;
}

static void remember(struct parse *parse, const yaml_char_t *name, json_t *value)
{
    if (!name)
        return;
    struct anchor *anchor = xmalloc(sizeof *anchor);
    anchor->name = xstrdup((const char *)name);
    anchor->value = json_incref(value);
    anchor->next = parse->anchors;
    parse->anchors = anchor;
}

static json_t *alias_value(struct parse *parse, const yaml_event_t *event)
{
    const char *name = (const char *)event->data.alias.anchor;
    for (struct anchor *anchor = parse->anchors; anchor; anchor = anchor->next) {
        if (strcmp(anchor->name, name) != 0)
            continue;
        parse->nodes += count_nodes(anchor->value);
        if (parse->nodes > NODES_MAX)
            return parse_fail(parse, &event->start_mark, "aliases that explode");
        return json_deep_copy(anchor->value);
    }
    return parse_fail(parse, &event->start_mark, "an alias of no anchor before it");
}

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

/* One key and its value into `map`. Returns 1, 0 at the map's end, -1 on an error. */
static int mapping_entry(struct parse *parse, json_t *map, int depth)
{
    yaml_event_t key, event;
    int result = -1;
    if (!next_event(parse, &key))
        return -1;
    if (key.type == YAML_MAPPING_END_EVENT) {
        result = 0;
    } else if (key.type != YAML_SCALAR_EVENT) {
        parse_fail(parse, &key.start_mark, "a key that is not a string");
    } else if (json_object_get(map, (const char *)key.data.scalar.value)) {
        char what[200];
        snprintf(what, sizeof what, "the key \"%s\" stands twice",
                 (const char *)key.data.scalar.value);
        parse_fail(parse, &key.start_mark, what);
    } else if (next_event(parse, &event)) {
        json_t *child = node_value(parse, &event, depth);
        yaml_event_delete(&event);
        if (child && json_object_set_new(map, (const char *)key.data.scalar.value, child) == 0)
            result = 1;
        else if (child)
            parse_fail(parse, &key.start_mark, "a key that is not UTF-8");
    }
    yaml_event_delete(&key);
    return result;
}

static json_t *mapping_value(struct parse *parse, int depth)
{
    json_t *map = json_object();
    int result;
    while ((result = mapping_entry(parse, map, depth)) == 1)
        ;
    if (result == 0)
        return map;
    json_decref(map);
    return NULL;
}

static json_t *node_value(struct parse *parse, yaml_event_t *event, int depth)
{
    json_t *value;
    const yaml_char_t *anchor = NULL;
    if (depth > DEPTH_MAX)
        return parse_fail(parse, &event->start_mark, "nested too deeply");
    parse->nodes++;
    switch (event->type) {
    case YAML_ALIAS_EVENT: return alias_value(parse, event);
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        value = scalar_value(parse, event);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        value = sequence_value(parse, depth + 1);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        value = mapping_value(parse, depth + 1);
        break;
    default: return parse_fail(parse, &event->start_mark, "not YAML: a value is missing");
    }
    if (value)
        remember(parse, anchor, value);
    return value;
}

static json_t *document_value(struct parse *parse)
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
        default: value = node_value(parse, &event, 0); done = true;
        }
        yaml_event_delete(&event);
    }
    return value;
}

json_t *yaml_parse(const char *text, size_t len, const char *name, enum err_kind kind,
                   struct err *err)
{
    struct parse parse = { .name = name, .kind = kind, .err = err };
    if (!yaml_parser_initialize(&parse.parser)) {
        err_set(err, ERR_FAILED, "cannot start the YAML parser");
        return NULL;
    }
    yaml_parser_set_input_string(&parse.parser, (const unsigned char *)text, len);
    json_t *value = document_value(&parse);
    while (parse.anchors) {
        struct anchor *anchor = parse.anchors;
        parse.anchors = anchor->next;
        json_decref(anchor->value);
        free(anchor->name);
        free(anchor);
    }
    yaml_parser_delete(&parse.parser);
    return value;
}

#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/mem.h"
#include "object/yaml.h"

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

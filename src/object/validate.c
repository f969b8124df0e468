#include "object/validate.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/syntax.h"

/* Deeper than any real object; schemas may contain themselves. */
#define MAX_DEPTH 128

struct walk {
    const struct schema_set *set;
    validate_report *report;
    void *data;
    struct schema_kind kind;
    bool secret; /* the object is one: values stay out of messages */
    bool status; /* below the field that controllers write: nothing is required there */
};

/* Where the walk is; on the stack, so that a path is only made for a report. */
struct place {
    const struct place *above; /* NULL: the object itself */
    const char *key;           /* NULL: an index */
    size_t index;
    unsigned depth;
};

static struct place at_key(const struct place *above, const char *key)
{
    return (struct place){ above, key, 0, above->depth + 1 };
}

static struct place at_index(const struct place *above, size_t index)
{
    return (struct place){ above, NULL, index, above->depth + 1 };
}

static json_t *path_to(const struct place *place)
{
    if (!place->above)
        return json_array();
    json_t *path = path_to(place->above);
    json_array_append_new(path, place->key ? json_string(place->key)
                                           : json_integer((json_int_t)place->index));
    return path;
}

static void hand_on(const struct walk *walk, const struct place *place, const struct place *other,
                    struct validate_problem problem)
{
    json_t *path = path_to(place), *other_path = other ? path_to(other) : NULL;
    problem.path = path;
    problem.other = other_path;
    walk->report(&problem, walk->data);
    json_decref(path);
    json_decref(other_path);
}

__attribute__((format(printf, 5, 6))) static void tell(const struct walk *walk,
                                                       const struct place *place, const char *rule,
                                                       enum validate_severity severity,
                                                       const char *fmt, ...)
{
    char message[2048];
    va_list args;
    va_start(args, fmt);
    vsnprintf(message, sizeof message, fmt, args);
    va_end(args);
    hand_on(walk, place, NULL,
            (struct validate_problem){ .rule = rule, .severity = severity, .message = message });
}

/* Text of the profile for a message: in quotes, on one line, cut when long. */
struct quoted {
    char text[88];
};

static struct quoted quote(const char *text)
{
    struct quoted quoted;
    size_t length = 0;
    quoted.text[length++] = '\'';
    for (; *text && length < 80; text++)
        quoted.text[length++] = (char)((unsigned char)*text < ' ' || *text == 127 ? '?' : *text);
    if (*text) {
        /* No half of a character. */
        while (length > 1 && ((unsigned char)*text & 0xC0) == 0x80) {
            text--;
            length--;
        }
        memcpy(quoted.text + length, "...", 3);
        length += 3;
    }
    quoted.text[length++] = '\'';
    quoted.text[length] = '\0';
    return quoted;
}

/* Suggestions */

/* The candidate that is most like a word, if one is near. */
struct nearest {
    const char *word;
    const char *best; /* NULL: none is near */
    unsigned distance;
};

static unsigned least(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The number of letters to change, add, drop or exchange with the next, whatever their case. */
static unsigned distance(const char *a, const char *b)
{
    enum { LONGEST = 64 };
    unsigned rows[3][LONGEST + 1];
    size_t length_a = strlen(a), length_b = strlen(b);
    if (length_a > LONGEST || length_b > LONGEST)
        return UINT32_MAX;
    for (size_t k = 0; k <= length_b; k++)
        rows[0][k] = (unsigned)k;
    for (size_t i = 1; i <= length_a; i++) {
        unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3], *before = rows[(i + 1) % 3];
        row[0] = (unsigned)i;
        for (size_t k = 1; k <= length_b; k++) {
            int x = tolower((unsigned char)a[i - 1]), y = tolower((unsigned char)b[k - 1]);
            row[k] = least(least(row[k - 1], last[k]) + 1, last[k - 1] + (x != y));
            if (i > 1 && k > 1 && x == tolower((unsigned char)b[k - 2]) &&
                y == tolower((unsigned char)a[i - 2]))
                row[k] = least(row[k], before[k - 2] + 1);
        }
    }
    return rows[length_a % 3][length_b];
}

static struct nearest nearest_init(const char *word)
{
    size_t length = strlen(word);
    unsigned limit = length < 3 ? 1 : length < 6 ? 2 : 3;
    return (struct nearest){ word, NULL, limit + 1 };
}

static void nearest_offer(struct nearest *nearest, const char *candidate)
{
    unsigned far = distance(nearest->word, candidate);
    /* As much changed as there is tells nothing. */
    if (far < nearest->distance && far < strlen(candidate)) {
        nearest->best = candidate;
        nearest->distance = far;
    }
}

/* Types */

static const char *wanted(enum schema_type type)
{
    switch (type) {
    case SCHEMA_STRING:
    case SCHEMA_BYTES: return "a string";
    case SCHEMA_TIME: return "a time, as a string";
    case SCHEMA_INTEGER: return "an integer";
    case SCHEMA_NUMBER: return "a number";
    case SCHEMA_BOOLEAN: return "true or false";
    case SCHEMA_OBJECT:
    case SCHEMA_MAP: return "a map";
    case SCHEMA_ARRAY: return "a list";
    case SCHEMA_QUANTITY: return "a quantity, as a string or number";
    case SCHEMA_INT_OR_STRING: return "an integer or a string";
    case SCHEMA_ANY: break;
    }
    return "a value";
}

static const char *given(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT: return "a map";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    case JSON_INTEGER: return "an integer";
    case JSON_REAL: return "a number with a fraction";
    case JSON_TRUE: return "true";
    case JSON_FALSE: return "false";
    case JSON_NULL: break;
    }
    return "null";
}

static bool fits(enum schema_type type, const json_t *value)
{
    switch (type) {
    case SCHEMA_STRING:
    case SCHEMA_BYTES:
    case SCHEMA_TIME: return json_is_string(value);
    case SCHEMA_INTEGER: return json_is_integer(value);
    case SCHEMA_NUMBER: return json_is_number(value);
    case SCHEMA_BOOLEAN: return json_is_boolean(value);
    case SCHEMA_OBJECT:
    case SCHEMA_MAP: return json_is_object(value);
    case SCHEMA_ARRAY: return json_is_array(value);
    case SCHEMA_QUANTITY: return json_is_string(value) || json_is_number(value);
    case SCHEMA_INT_OR_STRING: return json_is_string(value) || json_is_integer(value);
    case SCHEMA_ANY: break;
    }
    return true;
}

static void tell_wrong_type(const struct walk *walk, const struct place *place,
                            enum schema_type type, const json_t *value)
{
    /* Of a field the API server takes it for nothing, of a list it does not, or makes it "". */
    if (json_is_null(value) && (place->key || !place->above)) {
        tell(walk, place, VALIDATE_NULL_VALUE, VALIDATE_WARNING,
             "null is no value; leave the field out");
        return;
    }
    bool text = type == SCHEMA_STRING || type == SCHEMA_BYTES || type == SCHEMA_TIME;
    const char *hint = "";
    if (text && (json_is_number(value) || json_is_boolean(value)))
        hint = "; write it in quotes";
    else if (json_is_string(value) &&
             (type == SCHEMA_INTEGER || type == SCHEMA_NUMBER || type == SCHEMA_BOOLEAN))
        hint = "; write it without quotes";
    tell(walk, place, VALIDATE_WRONG_TYPE, VALIDATE_ERROR, "must be %s, not %s%s", wanted(type),
         given(value), hint);
}

/* Values */

static void check_word(const struct walk *walk, const struct place *place, struct schema schema,
                       const char *text)
{
    size_t count = schema_word_count(schema);
    struct nearest nearest = nearest_init(text);
    struct buf list = { .max = 900 };
    for (size_t i = 0; i < count; i++) {
        const char *word = schema_word_at(schema, i);
        if (strcmp(word, text) == 0) {
            buf_release(&list);
            return;
        }
        nearest_offer(&nearest, word);
        buf_addf(&list, "%s%s", i ? ", " : "", *word ? word : "''");
    }
    if (count > 0)
        tell(walk, place, VALIDATE_NOT_IN_ENUM, VALIDATE_ERROR,
             "%s is not allowed; it must be %s%s%s%s%s",
             walk->secret ? "this value" : quote(text).text, count > 1 ? "one of: " : "",
             buf_text(&list), nearest.best ? "; did you mean '" : "",
             nearest.best ? nearest.best : "", nearest.best ? "'?" : "");
    buf_release(&list);
}

static void check_integer(const struct walk *walk, const struct place *place, struct schema schema,
                          enum schema_check check, json_int_t number)
{
    bool zero = check == SCHEMA_CHECK_PORT_OR_ZERO;
    if (zero || check == SCHEMA_CHECK_PORT || check == SCHEMA_CHECK_PORT_REF) {
        if (number > 65535 || number < (zero ? 0 : 1))
            tell(walk, place, VALIDATE_BAD_PORT, VALIDATE_ERROR,
                 "%" JSON_INTEGER_FORMAT " is no port; it must be 1 to 65535", number);
    } else if (schema_int32(schema) && (number > INT32_MAX || number < INT32_MIN)) {
        tell(walk, place, VALIDATE_BAD_NUMBER, VALIDATE_ERROR,
             "%" JSON_INTEGER_FORMAT " is too %s; it must fit 32 bits (%d to %d)", number,
             number > 0 ? "large" : "small", INT32_MIN, INT32_MAX);
    }
}

static void check_text(const struct walk *walk, const struct place *place, struct schema schema,
                       enum schema_check check, const char *text)
{
    const char *rule = NULL, *right = NULL;
    switch (schema_type(schema)) {
    case SCHEMA_QUANTITY:
        rule = VALIDATE_BAD_QUANTITY;
        right = syntax_quantity(text);
        break;
    case SCHEMA_TIME:
        rule = VALIDATE_WRONG_TYPE;
        right = syntax_time(text);
        break;
    case SCHEMA_BYTES:
        if (syntax_base64(text))
            tell(walk, place, VALIDATE_BAD_BASE64, VALIDATE_ERROR, "must be base64%s",
                 walk->secret ? "; plain text goes into stringData" : "");
        return;
    case SCHEMA_STRING: check_word(walk, place, schema, text); break;
    default: break;
    }
    switch (check) {
    case SCHEMA_CHECK_LABEL_KEY:
        rule = VALIDATE_BAD_LABEL;
        right = syntax_label_key(text);
        break;
    case SCHEMA_CHECK_DNS_LABEL:
        rule = VALIDATE_BAD_NAME;
        /* The empty text is as good as none, where none is allowed. */
        right = *text ? syntax_dns_label(text) : NULL;
        break;
    case SCHEMA_CHECK_ENV_NAME:
        rule = VALIDATE_BAD_NAME;
        right = syntax_env_name(text);
        break;
    case SCHEMA_CHECK_PORT_NAME:
    case SCHEMA_CHECK_PORT_REF:
        rule = VALIDATE_BAD_PORT;
        right = *text ? syntax_port_name(text) : NULL;
        break;
    default: break;
    }
    if (right)
        tell(walk, place, rule, VALIDATE_ERROR, "%s must be %s",
             walk->secret ? "this value" : quote(text).text, right);
}

static void check_value(struct walk *walk, const struct place *place, const json_t *value,
                        struct schema schema, enum schema_check check);

static void check_map_key(const struct walk *walk, const struct place *place,
                          enum schema_check check, const json_t *value)
{
    const char *right = NULL, *rule = VALIDATE_BAD_LABEL, *key = place->key;
    if (check == SCHEMA_CHECK_LABELS) {
        right = syntax_label_key(key);
    } else if (check == SCHEMA_CHECK_ANNOTATIONS) {
        right = syntax_annotation_key(key);
    } else if (check == SCHEMA_CHECK_DATA_KEYS) {
        rule = VALIDATE_BAD_KEY;
        right = syntax_data_key(key);
    }
    if (right)
        tell(walk, place, rule, VALIDATE_ERROR, "the key %s must be %s", quote(key).text, right);
    if (check == SCHEMA_CHECK_LABELS && json_is_string(value)) {
        const char *text = json_string_value(value);
        right = syntax_label_value(text);
        if (right)
            tell(walk, place, rule, VALIDATE_ERROR, "the value %s must be %s", quote(text).text,
                 right);
    }
}

static void check_map(struct walk *walk, const struct place *place, const json_t *value,
                      struct schema schema, enum schema_check check)
{
    struct schema values = schema_items(schema);
    const char *key;
    json_t *child;
    json_object_foreach((json_t *)value, key, child) {
        struct place inside = at_key(place, key);
        check_map_key(walk, &inside, check, child);
        check_value(walk, &inside, child, values, SCHEMA_CHECK_NONE);
    }
}

/* Fields */

static void tell_unknown_field(const struct walk *walk, const struct place *place,
                               struct schema schema)
{
    enum { LISTED = 12 };
    size_t count = schema_field_count(schema);
    const char *name = place->key, *within = NULL;
    struct schema_field field, inner;
    struct nearest nearest = nearest_init(name);
    struct buf hint = { .max = 1200 };
    for (size_t i = 0; i < count; i++) {
        schema_field_at(schema, i, &field);
        nearest_offer(&nearest, field.name);
        if (strcmp(field.name, "status") != 0 && schema_field_find(field.schema, name, &inner) &&
            (!within || strcmp(field.name, "spec") == 0))
            within = field.name;
    }
    if (nearest.best && (nearest.distance <= 1 || !within)) {
        buf_addf(&hint, "; did you mean '%s'?", nearest.best);
    } else if (within) {
        buf_addf(&hint, "; did you mean '%s.%s'?", within, name);
    } else if (count == 0) {
        buf_adds(&hint, "; no fields are known here");
    } else if (count <= LISTED) {
        buf_adds(&hint, "; the fields are: ");
        for (size_t i = 0; i < count; i++) {
            schema_field_at(schema, i, &field);
            buf_addf(&hint, "%s%s", i ? ", " : "", field.name);
        }
    }
    tell(walk, place, VALIDATE_UNKNOWN_FIELD, VALIDATE_ERROR, "unknown field %s%s",
         quote(name).text, buf_text(&hint));
    buf_release(&hint);
}

static void check_missing(const struct walk *walk, const struct place *place, const json_t *value,
                          struct schema schema)
{
    if (walk->status || !schema_has_required(schema))
        return;
    size_t count = schema_field_count(schema);
    struct schema_field field;
    for (size_t i = 0; i < count; i++) {
        schema_field_at(schema, i, &field);
        if (field.required && !json_object_get(value, field.name))
            tell(walk, place, VALIDATE_MISSING_FIELD, VALIDATE_ERROR, "the field '%s' is missing",
                 field.name);
    }
}

/* Names of whole objects */

static const struct naming {
    const char *group, *kind; /* NULL: every one of the group */
    const char *(*check)(const char *);
    size_t longest; /* 0: as the check says */
} namings[] = {
    { "", "Namespace", syntax_dns_label, 0 },
    { "", "Service", syntax_dns_1035_label, 0 },
    { "", "ComponentStatus", syntax_path_segment, 0 },
    { "apps", "StatefulSet", syntax_dns_label, 0 },
    /* The names of its Jobs get 11 more characters. */
    { "batch", "CronJob", syntax_dns_subdomain, 52 },
    { "rbac.authorization.k8s.io", NULL, syntax_path_segment, 0 },
    { "certificates.k8s.io", NULL, syntax_path_segment, 0 },
    { "apiregistration.k8s.io", NULL, syntax_path_segment, 0 },
    { "networking.k8s.io", "IPAddress", syntax_path_segment, 0 },
};

static void check_name(const struct walk *walk, const struct place *place, const char *name)
{
    struct naming naming = { NULL, NULL, syntax_dns_subdomain, 0 };
    for (size_t i = 0; i < sizeof namings / sizeof *namings; i++)
        if (!walk->kind.custom && strcmp(namings[i].group, walk->kind.group) == 0 &&
            (!namings[i].kind || strcmp(namings[i].kind, walk->kind.kind) == 0))
            naming = namings[i];
    /* To a generated name characters are added, which may go on after a '-'. */
    bool generated = strcmp(place->key, "generateName") == 0;
    char *whole = xasprintf("%s%s", name, generated ? "x" : "");
    const char *right = naming.check(whole);
    if (right)
        tell(walk, place, VALIDATE_BAD_NAME, VALIDATE_ERROR, "the name %s must be %s",
             quote(name).text, right);
    else if (naming.longest > 0 && strlen(name) > naming.longest)
        tell(walk, place, VALIDATE_BAD_NAME, VALIDATE_ERROR,
             "the name %s is too long; that of a %s must be at most %zu characters",
             quote(name).text, walk->kind.kind, naming.longest);
    free(whole);
}

/* Requests rather than objects: they are answered, not kept. */
static bool is_request(const char *kind)
{
    size_t length = strlen(kind);
    return (length > 6 && strcmp(kind + length - 6, "Review") == 0) ||
           strcmp(kind, "TokenRequest") == 0 || strcmp(kind, "Binding") == 0;
}

static void check_named(const struct walk *walk, const struct place *place, const json_t *metadata)
{
    if (!json_object_get(metadata, "name") && !json_object_get(metadata, "generateName") &&
        !is_request(walk->kind.kind))
        tell(walk, place, VALIDATE_MISSING_FIELD, VALIDATE_ERROR, "the field '%s' is missing",
             place->above ? "name" : "metadata.name");
}

static void check_fields(struct walk *walk, const struct place *place, const json_t *value,
                         struct schema schema)
{
    const char *key;
    json_t *child;
    struct schema_field field;
    bool root = place->depth == 0;
    bool metadata = place->depth == 1 && place->key && strcmp(place->key, "metadata") == 0;
    check_missing(walk, place, value, schema);
    if (metadata || (root && !json_is_object(json_object_get(value, "metadata"))))
        check_named(walk, place, value);
    json_object_foreach((json_t *)value, key, child) {
        struct place inside = at_key(place, key);
        if (!schema_field_find(schema, key, &field)) {
            if (!schema_open(schema))
                tell_unknown_field(walk, &inside, schema);
            continue;
        }
        if (metadata && json_is_string(child) &&
            (strcmp(key, "name") == 0 || strcmp(key, "generateName") == 0))
            check_name(walk, &inside, json_string_value(child));
        walk->status = walk->status || (root && strcmp(key, "status") == 0);
        check_value(walk, &inside, child, field.schema, field.check);
        if (root)
            walk->status = false;
    }
}

/* What tells an item of a list from the others, or NULL when it lacks some of it. The caller's to
 * free. */
static char *item_key(const json_t *item, struct schema list)
{
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < schema_word_count(list); i++) {
        const json_t *part = json_object_get(item, schema_word_at(list, i));
        char *shown = part ? json_dumps(part, JSON_ENCODE_ANY) : NULL;
        /* The API server gives ports a protocol before it looks. */
        if (!part && strcmp(schema_word_at(list, i), "protocol") == 0)
            shown = strdup("\"TCP\"");
        if (!shown) {
            buf_release(&text);
            return NULL;
        }
        buf_addf(&text, "%s%s %s", i ? ", " : "", schema_word_at(list, i), shown);
        free(shown);
    }
    return buf_detach(&text);
}

static void tell_duplicate(const struct walk *walk, const struct place *place, size_t index,
                           const char *key)
{
    char message[512];
    struct place other = at_index(place->above, index);
    snprintf(message, sizeof message, "stands twice in this list, also as item %zu (%s)", index,
             key);
    hand_on(walk, place, &other,
            (struct validate_problem){
                .rule = VALIDATE_DUPLICATE_ITEM, .severity = VALIDATE_ERROR, .message = message });
}

/* Server-side apply refuses a list that holds two items of one key
 * (kubernetes.io/docs/reference/using-api/server-side-apply/#merge-strategy). */
static void check_duplicates(const struct walk *walk, const struct place *place,
                             const json_t *value, struct schema list)
{
    if (schema_word_count(list) == 0 || json_array_size(value) < 2)
        return;
    json_t *seen = json_object();
    size_t i;
    json_t *item;
    json_array_foreach(value, i, item) {
        char *key = item_key(item, list);
        const json_t *other = key ? json_object_get(seen, key) : NULL;
        struct place inside = at_index(place, i);
        if (other)
            tell_duplicate(walk, &inside, (size_t)json_integer_value(other), key);
        else if (key)
            json_object_set_new(seen, key, json_integer((json_int_t)i));
        free(key);
    }
    json_decref(seen);
}

static void check_value(struct walk *walk, const struct place *place, const json_t *value,
                        struct schema schema, enum schema_check check)
{
    enum schema_type type = schema_type(schema);
    if (json_is_null(value) && schema_nullable(schema))
        return;
    if (place->depth > MAX_DEPTH) {
        tell(walk, place, VALIDATE_WRONG_TYPE, VALIDATE_ERROR, "is nested deeper than %d levels",
             MAX_DEPTH);
        return;
    }
    if (type == SCHEMA_BYTES && walk->secret && json_is_string(json_object_get(value, "generate")))
        return;
    if (!fits(type, value)) {
        tell_wrong_type(walk, place, type, value);
        return;
    }
    if (type == SCHEMA_OBJECT) {
        check_fields(walk, place, value, schema);
    } else if (type == SCHEMA_MAP) {
        check_map(walk, place, value, schema, check);
    } else if (type == SCHEMA_ARRAY) {
        struct schema items = schema_items(schema);
        size_t i;
        json_t *item;
        json_array_foreach(value, i, item) {
            struct place inside = at_index(place, i);
            check_value(walk, &inside, item, items, SCHEMA_CHECK_NONE);
        }
        check_duplicates(walk, place, value, schema);
    } else if (type != SCHEMA_ANY && json_is_integer(value)) {
        check_integer(walk, place, schema, check, json_integer_value(value));
    } else if (type != SCHEMA_ANY && json_is_string(value)) {
        check_text(walk, place, schema, check, json_string_value(value));
    }
}

/* Kinds and versions */

/* "apps/v1", "v1" */
struct group_version {
    char text[640];
};

static struct group_version name_version(const struct schema_kind *kind)
{
    struct group_version name;
    snprintf(name.text, sizeof name.text, "%s%s%s", kind->group, *kind->group ? "/" : "",
             kind->version);
    return name;
}

/* The preferred version of a kind, in the group or, with NULL, in any. */
static bool best_version(const struct schema_set *set, const char *group, const char *name,
                         struct schema_kind *best)
{
    bool found = false;
    struct schema_kind kind;
    for (size_t cursor = 0; schema_next(set, name, &cursor, &kind);) {
        if (group && strcmp(kind.group, group) != 0)
            continue;
        if (!found || schema_version_compare(kind.version, best->version) > 0)
            *best = kind;
        found = true;
    }
    return found;
}

/* Of the kinds that are gone, or about to go, the ones that are still met. */
static const struct {
    const char *group, *version, *kind, *instead;
} deprecated[] = {
    { "", "v1", "Endpoints",
      "is deprecated since Kubernetes 1.33; use EndpointSlice of discovery.k8s.io/v1" },
    { "", "v1", "ComponentStatus",
      "is deprecated since Kubernetes 1.19; use the components' own health checks" },
};

static void check_deprecated(const struct walk *walk, const struct place *place)
{
    const struct schema_kind *kind = &walk->kind;
    struct schema_kind best;
    for (size_t i = 0; i < sizeof deprecated / sizeof *deprecated; i++)
        if (strcmp(deprecated[i].group, kind->group) == 0 &&
            strcmp(deprecated[i].version, kind->version) == 0 &&
            strcmp(deprecated[i].kind, kind->kind) == 0)
            tell(walk, place, VALIDATE_DEPRECATED_VERSION, VALIDATE_WARNING, "%s %s", kind->kind,
                 deprecated[i].instead);
    bool better = best_version(walk->set, kind->group, kind->kind, &best) &&
                  schema_version_compare(best.version, kind->version) > 0;
    if (kind->deprecated || (better && schema_version_unstable(kind->version)))
        tell(walk, place, VALIDATE_DEPRECATED_VERSION, VALIDATE_WARNING,
             "%s of %s is deprecated%s%s", kind->kind, name_version(kind).text,
             better ? "; use " : "", better ? name_version(&best).text : "");
}

/* Whether there was something to report. */
static bool tell_unknown_kind(const struct walk *walk, const char *version, const char *kind)
{
    const char *slash = strchr(version, '/');
    char *group = xstrndup(version, slash ? (size_t)(slash - version) : 0);
    struct place root = { NULL, NULL, 0, 0 };
    struct place at_version = at_key(&root, "apiVersion"), at_kind = at_key(&root, "kind");
    struct schema_kind best;
    /* A group without a dot is Kubernetes' own, or there is none of that name. */
    bool own = schema_group_builtin(group) || !strchr(group, '.'), told = true;
    if (best_version(walk->set, group, kind, &best)) {
        tell(walk, &at_version, VALIDATE_REMOVED_VERSION, VALIDATE_ERROR,
             "there is no %s in %s; use %s", kind, quote(version).text, name_version(&best).text);
    } else if (strcmp(group, "extensions") == 0 && best_version(walk->set, NULL, kind, &best)) {
        tell(walk, &at_version, VALIDATE_REMOVED_VERSION, VALIDATE_ERROR,
             "the group 'extensions' is gone since Kubernetes 1.22; use %s",
             name_version(&best).text);
    } else if (strcmp(group, "policy") == 0 && strcmp(kind, "PodSecurityPolicy") == 0) {
        tell(walk, &at_version, VALIDATE_REMOVED_VERSION, VALIDATE_ERROR,
             "PodSecurityPolicy is gone since Kubernetes 1.25; use labels of Pod Security "
             "Admission on the namespace");
    } else if (own && best_version(walk->set, NULL, kind, &best)) {
        tell(walk, &at_version, VALIDATE_UNKNOWN_KIND, VALIDATE_ERROR,
             "there is no %s in %s; did you mean '%s'?", kind, quote(version).text,
             name_version(&best).text);
    } else if (own) {
        struct nearest nearest = nearest_init(kind);
        struct schema_kind candidate;
        for (size_t cursor = 0; schema_next(walk->set, NULL, &cursor, &candidate);)
            nearest_offer(&nearest, candidate.kind);
        bool near = nearest.best && best_version(walk->set, NULL, nearest.best, &best);
        tell(walk, &at_kind, VALIDATE_UNKNOWN_KIND, VALIDATE_ERROR,
             "there is no kind %s in %s%s%s%s%s%s", quote(kind).text, quote(version).text,
             near ? "; did you mean '" : "", near ? nearest.best : "", near ? "' of " : "",
             near ? name_version(&best).text : "", near ? "?" : "");
    } else {
        told = false;
    }
    free(group);
    return told;
}

/* apiVersion or kind; NULL after a report. */
static const char *read_type(const struct walk *walk, const json_t *object, const char *key)
{
    struct place root = { NULL, NULL, 0, 0 }, place = at_key(&root, key);
    const json_t *value = json_object_get(object, key);
    const char *text = json_string_value(value);
    if (text && *text)
        return text;
    if (value && !text)
        tell_wrong_type(walk, &place, SCHEMA_STRING, value);
    else
        tell(walk, &root, VALIDATE_MISSING_FIELD, VALIDATE_ERROR, "the field '%s' is missing", key);
    return NULL;
}

void validate_object(const struct schema_set *set, const json_t *object, validate_report *report,
                     void *data)
{
    struct walk walk = { .set = set, .report = report, .data = data };
    struct place root = { NULL, NULL, 0, 0 };
    if (!json_is_object(object)) {
        tell_wrong_type(&walk, &root, SCHEMA_OBJECT, object);
        return;
    }
    const char *version = read_type(&walk, object, "apiVersion");
    const char *kind = read_type(&walk, object, "kind");
    if (!version || !kind)
        return;
    if (schema_find(set, version, kind, &walk.kind)) {
        struct place at_version = at_key(&root, "apiVersion");
        walk.secret = strcmp(walk.kind.kind, "Secret") == 0 && *walk.kind.group == '\0';
        check_deprecated(&walk, &at_version);
        check_value(&walk, &root, object, walk.kind.root, SCHEMA_CHECK_NONE);
        return;
    }
    walk.kind = (struct schema_kind){ .group = "", .version = version, .kind = "", .custom = true };
    if (tell_unknown_kind(&walk, version, kind))
        return;
    const json_t *metadata = json_object_get(object, "metadata");
    struct place place = at_key(&root, "metadata");
    if (metadata)
        check_value(&walk, &place, metadata, schema_object_meta(), SCHEMA_CHECK_NONE);
}

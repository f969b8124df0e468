#include "object/schema.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"
#include "object/schema_table.h"

/* Of the schema of one version: more than any real one has, and little memory. */
#define MAX_NODES  60000
#define MAX_BUDGET 200000 /* schemas, fields, words */
#define MAX_DEPTH  64

/* One version of a CustomResourceDefinition. Its tables are its own. */
struct custom {
    struct schema_table table; /* first: what handles point to */
    struct schema_kind_entry entry;
    struct schema_node *nodes;
    struct schema_entry *entries;
    uint32_t *words;
    size_t node_count, entry_count, word_count;
    size_t node_size, entry_size, word_size;
    size_t spent;
    struct buf pool;
    uint16_t scalars[SCHEMA_BYTES + 1][2]; /* nodes without anything of their own, by nullable */
};

struct schema_set {
    struct custom **customs; /* ascending by kind, group, version */
    size_t count;
};

/* Handles */

static const struct schema_node *node_of(struct schema schema)
{
    static const struct schema_node any = { 0, 0, 0, SCHEMA_ANY, SCHEMA_NULLABLE };
    return schema.table ? &schema.table->nodes[schema.node] : &any;
}

static struct schema at(const struct schema_table *table, unsigned node)
{
    if (table->nodes[node].flags & SCHEMA_OBJECT_META)
        return schema_object_meta();
    return (struct schema){ table, node };
}

enum schema_type schema_type(struct schema schema)
{
    return (enum schema_type)node_of(schema)->type;
}

bool schema_nullable(struct schema schema)
{
    const struct schema_node *node = node_of(schema);
    return node->type == SCHEMA_ANY || node->flags & SCHEMA_NULLABLE;
}

bool schema_int32(struct schema schema)
{
    return node_of(schema)->flags & SCHEMA_INT32;
}

bool schema_open(struct schema schema)
{
    return node_of(schema)->flags & SCHEMA_OPEN;
}

bool schema_has_required(struct schema schema)
{
    return node_of(schema)->flags & SCHEMA_HAS_REQUIRED;
}

size_t schema_field_count(struct schema schema)
{
    const struct schema_node *node = node_of(schema);
    return node->type == SCHEMA_OBJECT ? node->count : 0;
}

static void fill_field(const struct schema_table *table, const struct schema_entry *entry,
                       struct schema_field *field)
{
    field->name = table->pool + entry->name;
    field->schema = at(table, entry->node);
    field->required = entry->required;
    field->check = (enum schema_check)entry->check;
}

void schema_field_at(struct schema schema, size_t index, struct schema_field *field)
{
    fill_field(schema.table, &schema.table->entries[node_of(schema)->first + index], field);
}

bool schema_field_find(struct schema schema, const char *name, struct schema_field *field)
{
    size_t low = 0, high = schema_field_count(schema);
    if (high == 0)
        return false;
    const struct schema_entry *entries = schema.table->entries + node_of(schema)->first;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(name, schema.table->pool + entries[middle].name);
        if (order == 0) {
            fill_field(schema.table, &entries[middle], field);
            return true;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return false;
}

struct schema schema_items(struct schema schema)
{
    const struct schema_node *node = node_of(schema);
    if (node->type != SCHEMA_ARRAY && node->type != SCHEMA_MAP)
        return (struct schema){ NULL, 0 };
    return at(schema.table, node->child);
}

size_t schema_word_count(struct schema schema)
{
    const struct schema_node *node = node_of(schema);
    return node->type == SCHEMA_OBJECT ? 0 : node->count;
}

const char *schema_word_at(struct schema schema, size_t index)
{
    return schema.table->pool + schema.table->words[node_of(schema)->first + index];
}

/* Kinds */

static void fill_kind(const struct schema_table *table, const struct schema_kind_entry *entry,
                      struct schema_kind *kind)
{
    kind->group = table->pool + entry->group;
    kind->version = table->pool + entry->version;
    kind->kind = table->pool + entry->kind;
    kind->namespaced = entry->flags & SCHEMA_NAMESPACED;
    kind->deprecated = entry->flags & SCHEMA_DEPRECATED;
    kind->custom = entry->flags & SCHEMA_CUSTOM;
    kind->root = at(table, entry->node);
}

static void kind_at(const struct schema_set *set, size_t index, struct schema_kind *kind)
{
    size_t builtin = schema_builtin.kind_count;
    if (index < builtin)
        fill_kind(&schema_builtin, &schema_builtin.kinds[index], kind);
    else
        fill_kind(&set->customs[index - builtin]->table, &set->customs[index - builtin]->entry,
                  kind);
}

static const char *kind_name_at(const struct schema_set *set, size_t index)
{
    struct schema_kind kind;
    kind_at(set, index, &kind);
    return kind.kind;
}

/* The first index in [low, high) whose kind is not less than `kind`. */
static size_t first_of(const struct schema_set *set, const char *kind, size_t low, size_t high)
{
    while (low < high) {
        size_t middle = (low + high) / 2;
        if (strcmp(kind_name_at(set, middle), kind) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

bool schema_next(const struct schema_set *set, const char *kind, size_t *cursor,
                 struct schema_kind *found)
{
    size_t builtin = schema_builtin.kind_count, all = builtin + (set ? set->count : 0);
    size_t index = *cursor;
    if (kind && index == 0)
        index = first_of(set, kind, 0, builtin);
    /* Past the built-in ones of that name, the custom ones are to be found in the same way. */
    if (kind && index <= builtin &&
        (index == builtin || strcmp(kind_name_at(set, index), kind) != 0))
        index = first_of(set, kind, builtin, all);
    if (index >= all || (kind && strcmp(kind_name_at(set, index), kind) != 0))
        return false;
    kind_at(set, index, found);
    *cursor = index + 1;
    return true;
}

bool schema_find(const struct schema_set *set, const char *api_version, const char *kind,
                 struct schema_kind *found)
{
    const char *slash = strchr(api_version, '/');
    size_t group = slash ? (size_t)(slash - api_version) : 0;
    const char *version = slash ? slash + 1 : api_version;
    struct schema_kind candidate;
    for (size_t cursor = 0; schema_next(set, kind, &cursor, &candidate);) {
        if (strlen(candidate.group) == group && memcmp(candidate.group, api_version, group) == 0 &&
            strcmp(candidate.version, version) == 0) {
            *found = candidate;
            return true;
        }
    }
    return false;
}

struct schema schema_object_meta(void)
{
    return (struct schema){ &schema_builtin, schema_builtin.object_meta };
}

bool schema_group_builtin(const char *group)
{
    for (size_t i = 0; i < schema_builtin.kind_count; i++)
        if (strcmp(schema_builtin.pool + schema_builtin.kinds[i].group, group) == 0)
            return true;
    return false;
}

/* Reads v1, v1beta2, ...: `rank` is 3 for a stable one, 2 beta, 1 alpha, 0 for any other name. */
static void read_version(const char *version, int *rank, long *major, long *minor)
{
    char *end;
    *rank = 0;
    *major = *minor = 0;
    if (version[0] != 'v' || version[1] < '1' || version[1] > '9')
        return;
    *major = strtol(version + 1, &end, 10);
    if (*end == '\0') {
        *rank = 3;
        return;
    }
    int found = strncmp(end, "beta", 4) == 0 ? 2 : strncmp(end, "alpha", 5) == 0 ? 1 : 0;
    end += found == 2 ? 4 : 5;
    if (found == 0 || *end < '1' || *end > '9')
        return;
    *minor = strtol(end, &end, 10);
    *rank = *end == '\0' ? found : 0;
}

int schema_version_compare(const char *a, const char *b)
{
    int rank_a, rank_b;
    long major_a, major_b, minor_a, minor_b;
    read_version(a, &rank_a, &major_a, &minor_a);
    read_version(b, &rank_b, &major_b, &minor_b);
    if (rank_a != rank_b)
        return rank_a - rank_b;
    if (rank_a == 0)
        return strcmp(b, a);
    if (major_a != major_b)
        return major_a > major_b ? 1 : -1;
    return (minor_a > minor_b) - (minor_a < minor_b);
}

bool schema_version_unstable(const char *version)
{
    int rank;
    long major, minor;
    read_version(version, &rank, &major, &minor);
    return rank == 1 || rank == 2;
}

/* CustomResourceDefinitions, compiled to tables */

/* Where compile() is, for messages; on the stack. */
struct place {
    const struct place *above;
    const char *key;
    unsigned depth;
};

static void add_place(struct buf *out, const struct place *place)
{
    if (place->above) {
        add_place(out, place->above);
        buf_adds(out, ".");
    }
    buf_addf(out, "%.100s", place->key);
}

static int broken(const struct place *place, struct err *err, const char *what)
{
    struct buf path = BUF_INIT;
    path.max = 1500;
    add_place(&path, place);
    err_set(err, ERR_PROFILE, "%s: %s", buf_text(&path), what);
    buf_release(&path);
    return -1;
}

/* Makes room for `more` elements behind `count`. */
static void *grown(void *array, size_t count, size_t more, size_t *size, size_t element)
{
    if (count + more <= *size)
        return array;
    *size = (count + more) * 2;
    return xrealloc(array, *size * element);
}

/* Whether the work on this schema may go on: also what is shared in memory counts each time. */
static bool spend(struct custom *custom, size_t amount)
{
    custom->spent += amount;
    return custom->spent <= MAX_BUDGET && custom->node_count < MAX_NODES;
}

static uint32_t add_text(struct custom *custom, const char *text)
{
    uint32_t offset = (uint32_t)custom->pool.len;
    buf_add(&custom->pool, text, strlen(text) + 1);
    return offset;
}

static int add_node(struct custom *custom, struct schema_node node)
{
    custom->nodes =
        grown(custom->nodes, custom->node_count, 1, &custom->node_size, sizeof *custom->nodes);
    custom->nodes[custom->node_count] = node;
    return (int)custom->node_count++;
}

/* Most nodes are a type and nothing else, so those are shared. */
static int add_scalar(struct custom *custom, enum schema_type type, uint8_t flags)
{
    if (flags & ~SCHEMA_NULLABLE)
        return add_node(custom, (struct schema_node){ .type = (uint8_t)type, .flags = flags });
    uint16_t *shared = &custom->scalars[type][flags ? 1 : 0];
    if (*shared == 0)
        *shared = (uint16_t)add_node(custom,
                                     (struct schema_node){ .type = (uint8_t)type, .flags = flags });
    return *shared;
}

/* Adds an array's strings; -1 when one is no string. */
static int add_words(struct custom *custom, const json_t *list, struct schema_node *node)
{
    size_t i, count = json_array_size(list);
    json_t *word;
    json_array_foreach(list, i, word)
        if (!json_is_string(word))
            return -1;
    custom->words =
        grown(custom->words, custom->word_count, count, &custom->word_size, sizeof *custom->words);
    node->first = (uint32_t)custom->word_count;
    node->count = (uint16_t)count;
    json_array_foreach(list, i, word)
        custom->words[custom->word_count++] = add_text(custom, json_string_value(word));
    return 0;
}

static int compile(struct custom *custom, const json_t *schema, const struct place *above,
                   const char *key, struct err *err);

static int compare_keys(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

/* The fields that an object has without saying so. */
static int implied_field(struct custom *custom, const char *name)
{
    if (strcmp(name, "metadata") != 0)
        return add_scalar(custom, SCHEMA_STRING, 0);
    return add_scalar(custom, SCHEMA_OBJECT, SCHEMA_OBJECT_META);
}

static bool is_implied(const char *name)
{
    return strcmp(name, "apiVersion") == 0 || strcmp(name, "kind") == 0 ||
           strcmp(name, "metadata") == 0;
}

/* Marks the fields that `required` names, `keys` being their names in order. */
static void mark_required(const json_t *required, const char *const *keys,
                          struct schema_entry *fields, size_t count)
{
    size_t i;
    json_t *entry;
    json_array_foreach(required, i, entry) {
        const char *name = json_string_value(entry);
        const char *const *found =
            name ? bsearch(&name, keys, count, sizeof *keys, compare_keys) : NULL;
        if (found)
            fields[found - keys].required = 1;
    }
}

/* `whole`: an object of the API itself, with apiVersion, kind and metadata. */
static int compile_object(struct custom *custom, const json_t *schema, bool whole, uint8_t flags,
                          const struct place *place, struct err *err)
{
    static const char *const implied[] = { "apiVersion", "kind", "metadata" };
    json_t *properties = json_object_get(schema, "properties"), *child;
    const json_t *required = json_object_get(schema, "required");
    if (properties && !json_is_object(properties))
        return broken(place, err, "'properties' must be a map of schemas");
    if (required && !json_is_array(required))
        return broken(place, err, "'required' must be a list of field names");
    size_t count = 0, i, size = json_object_size(properties) + 3;
    if (!spend(custom, size + json_array_size(required)))
        return broken(place, err, "the schema is too large");
    const char *key, **keys = xcalloc(size, sizeof *keys);
    json_object_foreach(properties, key, child) {
        if (!whole || !is_implied(key))
            keys[count++] = key;
    }
    for (i = 0; whole && i < 3; i++)
        keys[count++] = implied[i];
    qsort(keys, count, sizeof *keys, compare_keys);

    struct schema_entry *fields = xcalloc(count + 1, sizeof *fields);
    struct place inside = { place, "properties", place->depth };
    int node = 0;
    for (i = 0; i < count && node >= 0; i++) {
        bool own = whole && is_implied(keys[i]);
        node = own ? implied_field(custom, keys[i])
                   : compile(custom, json_object_get(properties, keys[i]), &inside, keys[i], err);
        fields[i].name = add_text(custom, keys[i]);
        fields[i].node = (uint16_t)node;
    }
    mark_required(required, keys, fields, count);
    for (i = 0; i < count; i++)
        if (fields[i].required)
            flags |= SCHEMA_HAS_REQUIRED;
    free(keys);
    if (node >= 0) {
        custom->entries = grown(custom->entries, custom->entry_count, count, &custom->entry_size,
                                sizeof *custom->entries);
        if (count > 0)
            memcpy(custom->entries + custom->entry_count, fields, count * sizeof *fields);
        node = add_node(custom, (struct schema_node){ .first = (uint32_t)custom->entry_count,
                                                      .count = (uint16_t)count,
                                                      .type = SCHEMA_OBJECT,
                                                      .flags = flags });
        custom->entry_count += count;
    }
    free(fields);
    return node;
}

static int compile_array(struct custom *custom, const json_t *schema, uint8_t flags,
                         const struct place *place, struct err *err)
{
    const json_t *items = json_object_get(schema, "items");
    int child =
        items ? compile(custom, items, place, "items", err) : add_scalar(custom, SCHEMA_ANY, 0);
    if (child < 0)
        return -1;
    struct schema_node node = { .child = (uint16_t)child, .type = SCHEMA_ARRAY, .flags = flags };
    const json_t *keys = json_object_get(schema, "x-kubernetes-list-map-keys");
    if (keys &&
        (!json_is_array(keys) || json_array_size(keys) > 64 || add_words(custom, keys, &node) != 0))
        return broken(place, err, "'x-kubernetes-list-map-keys' must be a list of field names");
    return add_node(custom, node);
}

static int compile_string(struct custom *custom, const json_t *schema, uint8_t flags,
                          const struct place *place, struct err *err)
{
    const json_t *words = json_object_get(schema, "enum");
    const char *format = json_string_value(json_object_get(schema, "format"));
    if (words) {
        struct schema_node node = { .type = SCHEMA_STRING, .flags = flags };
        if (!json_is_array(words))
            return broken(place, err, "'enum' must be a list");
        if (!spend(custom, json_array_size(words)))
            return broken(place, err, "the schema is too large");
        if (add_words(custom, words, &node) == 0)
            return add_node(custom, node);
    }
    enum schema_type type = format && strcmp(format, "byte") == 0        ? SCHEMA_BYTES
                            : format && strcmp(format, "date-time") == 0 ? SCHEMA_TIME
                                                                         : SCHEMA_STRING;
    return add_scalar(custom, type, flags);
}

static bool says(const json_t *schema, const char *key)
{
    return json_is_true(json_object_get(schema, key));
}

/* A map, or an object by its fields, or one of which nothing is said. */
static int compile_fields(struct custom *custom, const json_t *schema, uint8_t flags,
                          const struct place *place, struct err *err)
{
    json_t *values = json_object_get(schema, "additionalProperties");
    bool whole = says(schema, "x-kubernetes-embedded-resource") || !place->above;
    if (says(schema, "x-kubernetes-preserve-unknown-fields"))
        flags |= SCHEMA_OPEN;
    if (!values || json_is_false(values))
        return compile_object(custom, schema, whole, flags, place, err);
    if (json_object_get(schema, "properties"))
        return broken(place, err, "has both 'properties' and 'additionalProperties'");
    int child = json_is_true(values) ? add_scalar(custom, SCHEMA_ANY, 0)
                                     : compile(custom, values, place, "additionalProperties", err);
    if (child < 0)
        return -1;
    return add_node(custom, (struct schema_node){
                                .child = (uint16_t)child, .type = SCHEMA_MAP, .flags = flags });
}

/* Adds the node of a schema and of all it contains. Returns its index, or -1 with err. */
static int compile(struct custom *custom, const json_t *schema, const struct place *above,
                   const char *key, struct err *err)
{
    struct place place = { above, key, above ? above->depth + 1 : 0 };
    if (place.depth > MAX_DEPTH)
        return broken(&place, err, "is nested deeper than 64 levels");
    if (!spend(custom, 1))
        return broken(&place, err, "the schema is too large");
    if (!json_is_object(schema))
        return broken(&place, err, "a schema must be a map");
    if (json_object_get(schema, "$ref"))
        return broken(&place, err, "'$ref' is not allowed in a CustomResourceDefinition");
    const json_t *given = json_object_get(schema, "type");
    const char *type = json_string_value(given);
    if (given && !type)
        return broken(&place, err, "'type' must be a string");
    uint8_t flags = says(schema, "nullable") ? SCHEMA_NULLABLE : 0;
    if (says(schema, "x-kubernetes-int-or-string"))
        return add_scalar(custom, SCHEMA_INT_OR_STRING, flags);
    if (!type) {
        if (!above || json_object_get(schema, "properties") ||
            json_object_get(schema, "additionalProperties"))
            type = "object";
        else
            return add_scalar(custom, SCHEMA_ANY, 0);
    }
    if (strcmp(type, "object") == 0)
        return compile_fields(custom, schema, flags, &place, err);
    if (!above)
        return broken(&place, err, "the type of the whole must be 'object'");
    if (strcmp(type, "array") == 0)
        return compile_array(custom, schema, flags, &place, err);
    if (strcmp(type, "string") == 0)
        return compile_string(custom, schema, flags, &place, err);
    if (strcmp(type, "integer") == 0) {
        const char *format = json_string_value(json_object_get(schema, "format"));
        if (format && strcmp(format, "int32") == 0)
            flags |= SCHEMA_INT32;
        return add_scalar(custom, SCHEMA_INTEGER, flags);
    }
    if (strcmp(type, "number") == 0)
        return add_scalar(custom, SCHEMA_NUMBER, flags);
    if (strcmp(type, "boolean") == 0)
        return add_scalar(custom, SCHEMA_BOOLEAN, flags);
    return broken(&place, err, "'type' must be object, array, string, integer, number or boolean");
}

static void custom_free(struct custom *custom)
{
    if (!custom)
        return;
    free(custom->nodes);
    free(custom->entries);
    free(custom->words);
    buf_release(&custom->pool);
    free(custom);
}

struct crd {
    const char *name, *group, *kind;
    bool namespaced;
    bool open; /* spec.preserveUnknownFields */
};

static struct custom *compile_version(const struct crd *crd, const json_t *version, size_t index,
                                      struct err *err)
{
    const char *name = json_string_value(json_object_get(version, "name"));
    const json_t *schema = json_object_get(json_object_get(version, "schema"), "openAPIV3Schema");
    char *where =
        xasprintf("CustomResourceDefinition '%.253s': spec.versions[%zu]", crd->name, index);
    struct custom *custom = xcalloc(1, sizeof *custom);
    /* Index 0 is never a shared scalar's. */
    add_node(custom, (struct schema_node){ .type = SCHEMA_ANY });
    int root = -1;
    if (!name || !*name) {
        err_set(err, ERR_PROFILE, "%s: has no 'name'", where);
    } else if (!schema) {
        err_set(err, ERR_PROFILE, "%s: has no 'schema.openAPIV3Schema'", where);
    } else {
        root = compile(custom, schema, NULL, "schema.openAPIV3Schema", err);
        if (root < 0)
            err_wrap(err, "%s", where);
    }
    free(where);
    if (root < 0) {
        custom_free(custom);
        return NULL;
    }
    if (crd->open)
        custom->nodes[root].flags |= SCHEMA_OPEN;
    custom->entry = (struct schema_kind_entry){
        .group = add_text(custom, crd->group),
        .version = add_text(custom, name),
        .kind = add_text(custom, crd->kind),
        .node = (uint16_t)root,
        .flags = SCHEMA_CUSTOM | (crd->namespaced ? SCHEMA_NAMESPACED : 0) |
                 (says(version, "deprecated") ? SCHEMA_DEPRECATED : 0),
    };
    custom->table = (struct schema_table){ .pool = custom->pool.data,
                                           .nodes = custom->nodes,
                                           .entries = custom->entries,
                                           .words = custom->words };
    return custom;
}

static const char *text_in(const struct custom *custom, uint32_t offset)
{
    return custom->table.pool + offset;
}

static int compare_customs(const void *left, const void *right)
{
    const struct custom *a = *(struct custom *const *)left, *b = *(struct custom *const *)right;
    int order = strcmp(text_in(a, a->entry.kind), text_in(b, b->entry.kind));
    if (order == 0)
        order = strcmp(text_in(a, a->entry.group), text_in(b, b->entry.group));
    if (order == 0)
        order = strcmp(text_in(a, a->entry.version), text_in(b, b->entry.version));
    return order;
}

/* Drops what an earlier definition of that group and kind has added. */
static void drop_kind(struct schema_set *set, const struct crd *crd)
{
    size_t kept = 0;
    for (size_t i = 0; i < set->count; i++) {
        struct custom *custom = set->customs[i];
        if (strcmp(text_in(custom, custom->entry.kind), crd->kind) == 0 &&
            strcmp(text_in(custom, custom->entry.group), crd->group) == 0)
            custom_free(custom);
        else
            set->customs[kept++] = custom;
    }
    set->count = kept;
}

int schema_set_add_crd(struct schema_set *set, const json_t *crd, struct err *err)
{
    const json_t *spec = json_object_get(crd, "spec"),
                 *versions = json_object_get(spec, "versions");
    struct crd about = {
        .name = object_text(json_object_get(crd, "metadata"), "name"),
        .group = object_text(spec, "group"),
        .kind = object_text(json_object_get(spec, "names"), "kind"),
        .namespaced = strcmp(object_text(spec, "scope"), "Cluster") != 0,
        .open = says(spec, "preserveUnknownFields"),
    };
    const char *missing = !*about.group              ? "spec.group"
                          : !*about.kind             ? "spec.names.kind"
                          : !json_is_array(versions) ? "spec.versions"
                                                     : NULL;
    if (missing)
        return err_set(err, ERR_PROFILE, "CustomResourceDefinition '%.253s': %s is missing",
                       about.name, missing);
    size_t count = 0, i;
    json_t *version;
    struct custom **made = xcalloc(json_array_size(versions) + 1, sizeof(struct custom *));
    json_array_foreach(versions, i, version) {
        if (json_is_false(json_object_get(version, "served")))
            continue;
        made[count] = compile_version(&about, version, i, err);
        if (!made[count])
            break;
        count++;
    }
    bool whole = i == json_array_size(versions);
    if (whole) {
        drop_kind(set, &about);
        set->customs = xrealloc(set->customs, (set->count + count + 1) * sizeof(struct custom *));
        memcpy(set->customs + set->count, made, count * sizeof(struct custom *));
        set->count += count;
        qsort(set->customs, set->count, sizeof(struct custom *), compare_customs);
    } else {
        while (count > 0)
            custom_free(made[--count]);
    }
    free(made);
    return whole ? 0 : -1;
}

struct schema_set *schema_set_new(void)
{
    return xcalloc(1, sizeof(struct schema_set));
}

void schema_set_free(struct schema_set *set)
{
    if (!set)
        return;
    for (size_t i = 0; i < set->count; i++)
        custom_free(set->customs[i]);
    free(set->customs);
    free(set);
}

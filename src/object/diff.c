#include "object/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/align.h"
#include "base/mem.h"
#include "object/path.h"

/* ---- objects without bookkeeping, and without secrets ---- */

static const char last_applied[] = "kubectl.kubernetes.io/last-applied-configuration";

static json_t *cleaned_metadata(const json_t *metadata)
{
    static const char *const own[] = { "managedFields", "uid",      "resourceVersion",
                                       "generation",    "selfLink", "creationTimestamp" };
    static const char *const annotations[] = { last_applied, "deployment.kubernetes.io/revision" };
    json_t *copy = json_copy((json_t *)metadata);
    for (size_t i = 0; i < sizeof own / sizeof *own; i++)
        json_object_del(copy, own[i]);
    const json_t *given = json_object_get(copy, "annotations");
    json_t *kept = json_is_object(given) ? json_copy((json_t *)given) : NULL;
    for (size_t i = 0; kept && i < sizeof annotations / sizeof *annotations; i++)
        json_object_del(kept, annotations[i]);
    if (kept && json_object_size(kept) == 0 && json_object_size(given) > 0)
        json_object_del(copy, "annotations");
    else if (kept)
        json_object_set(copy, "annotations", kept);
    json_decref(kept);
    return copy;
}

json_t *diff_cleaned(const json_t *object)
{
    if (!json_is_object(object))
        return json_deep_copy(object);
    json_t *kept = json_copy((json_t *)object);
    const json_t *metadata = json_object_get(object, "metadata");
    json_object_del(kept, "status");
    if (json_is_object(metadata))
        json_object_set_new(kept, "metadata", cleaned_metadata(metadata));
    json_t *copy = json_deep_copy(kept);
    json_decref(kept);
    return copy;
}

static bool is_secret(const char *kind)
{
    return kind && strcmp(kind, "Secret") == 0;
}

static const char *const secret_fields[] = { "data", "stringData" };
enum { SECRET_FIELDS = sizeof secret_fields / sizeof *secret_fields };

static bool is_secret_field(const char *key)
{
    for (size_t i = 0; key && i < SECRET_FIELDS; i++)
        if (strcmp(key, secret_fields[i]) == 0)
            return true;
    return false;
}

/* What stands for `value`, which is `other` on the other side (NULL: not there). */
static const char *hidden(const json_t *value, const json_t *other, bool tell)
{
    return tell && other && !json_equal(value, other) ? DIFF_HIDDEN_CHANGED : DIFF_HIDDEN;
}

/* Hides the value of a key of a map, or each value in it when that is a map. */
static void hide_field(json_t *map, const char *field, const json_t *others, bool tell)
{
    const char *key;
    json_t *values = json_object_get(map, field), *value;
    const json_t *there = json_object_get(others, field);
    if (!values)
        return;
    if (!json_is_object(values)) {
        json_object_set_new(map, field, json_string(hidden(values, there, tell)));
        return;
    }
    json_t *masked = json_object();
    json_object_foreach(values, key, value) {
        const char *text = hidden(value, json_object_get(there, key), tell);
        json_object_set_new(masked, key, json_string(text));
    }
    json_object_set_new(map, field, masked);
}

/* Takes out what kubectl has written of the whole Secret into its annotation, too. */
static void hide_last_applied(json_t *annotations)
{
    if (json_object_get(annotations, last_applied))
        json_object_set_new(annotations, last_applied, json_string(DIFF_HIDDEN));
}

static void hide_in_object(json_t *object, const json_t *other, bool tell)
{
    for (size_t i = 0; i < SECRET_FIELDS; i++)
        hide_field(object, secret_fields[i], other, tell);
    hide_last_applied(json_object_get(json_object_get(object, "metadata"), "annotations"));
}

void diff_hide_secret(json_t *before, json_t *after)
{
    const json_t *object = after ? after : before;
    if (!is_secret(json_string_value(json_object_get(object, "kind"))))
        return;
    json_t *plain = json_deep_copy(before);
    hide_in_object(before, NULL, false);
    hide_in_object(after, plain, true);
    json_decref(plain);
}

static bool is_at(const json_t *path, size_t index, const char *key)
{
    const char *there = json_string_value(json_array_get(path, index));
    return there && strcmp(there, key) == 0;
}

/* The value of a change at `path`, without what is secret. A new reference. */
static json_t *without_secrets(const json_t *path, const json_t *value)
{
    size_t depth = json_array_size(path);
    json_t *copy = json_deep_copy(value);
    if (depth == 0) {
        hide_in_object(copy, NULL, false);
        return copy;
    }
    if (is_secret_field(json_string_value(json_array_get(path, 0)))) {
        json_t *wrapped = depth == 1 ? json_pack("{s:O}", "data", copy) : NULL;
        json_decref(copy);
        if (!wrapped)
            return json_string(DIFF_HIDDEN);
        hide_field(wrapped, "data", NULL, false);
        copy = json_incref(json_object_get(wrapped, "data"));
        json_decref(wrapped);
        return copy;
    }
    if (!is_at(path, 0, "metadata"))
        return copy;
    if (depth == 1)
        hide_last_applied(json_object_get(copy, "annotations"));
    else if (depth == 2 && is_at(path, 1, "annotations"))
        hide_last_applied(copy);
    else if (is_at(path, 1, "annotations") && is_at(path, 2, last_applied)) {
        json_decref(copy);
        copy = json_string(DIFF_HIDDEN);
    }
    return copy;
}

void diff_mask_secret(const char *kind, json_t *changes)
{
    static const char *const sides[] = { "before", "after" };
    size_t i;
    json_t *change;
    if (!is_secret(kind))
        return;
    json_array_foreach(changes, i, change) {
        for (size_t side = 0; side < 2; side++) {
            const json_t *value = json_object_get(change, sides[side]);
            if (value)
                json_object_set_new(change, sides[side],
                                    without_secrets(json_object_get(change, "path"), value));
        }
    }
}

/* ---- which items belong together ---- */

const char **diff_keys(const json_t *before, const json_t *after, size_t *count)
{
    size_t room = json_object_size(before) + json_object_size(after);
    const char **keys = xcalloc(room ? room : 1, sizeof *keys), *key;
    json_t *from = (json_t *)before, *value;
    *count = 0;
    void *at = json_object_iter(from);
    for (; at && !json_object_get(after, json_object_iter_key(at));
         at = json_object_iter_next(from, at))
        keys[(*count)++] = json_object_iter_key(at);
    json_object_foreach((json_t *)after, key, value) {
        keys[(*count)++] = key;
        at = json_object_iter_at(from, key);
        if (at)
            at = json_object_iter_next(from, at);
        for (; at && !json_object_get(after, json_object_iter_key(at));
             at = json_object_iter_next(from, at))
            keys[(*count)++] = json_object_iter_key(at);
    }
    return keys;
}

static json_t *item_key(const struct diff_match *match, const json_t *item)
{
    if (match->key_count == 1)
        return json_incref(json_object_get(item, match->keys[0]));
    json_t *key = json_object();
    for (size_t i = 0; i < match->key_count; i++) {
        json_t *part = json_object_get(item, match->keys[i]);
        if (part)
            json_object_set(key, match->keys[i], part);
    }
    return key;
}

static char *text_of(const json_t *value)
{
    char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS);
    return text ? text : xstrdup("");
}

/* What tells an item from the others as a text, NULL when it lacks it. */
static char *item_text(const struct diff_match *match, const json_t *item)
{
    json_t *parts = json_array();
    bool whole = json_is_object(item);
    for (size_t i = 0; whole && i < match->key_count; i++) {
        json_t *part = json_object_get(item, match->keys[i]);
        if (part && !json_is_object(part) && !json_is_array(part))
            json_array_append(parts, part);
        else if (!part && strcmp(match->keys[i], "protocol") == 0)
            json_array_append_new(parts, json_string("TCP")); /* as the server has it */
        else
            whole = false;
    }
    char *text = whole ? text_of(parts) : NULL;
    json_decref(parts);
    return text;
}

/* The index of each item by its key's text; NULL when one has none, or two have the same. */
static json_t *index_of(const struct diff_match *match, const json_t *list)
{
    json_t *indexes = json_object(), *item;
    size_t i;
    json_array_foreach(list, i, item) {
        char *text = item_text(match, item);
        bool fresh = text && !json_object_get(indexes, text);
        if (fresh)
            json_object_set_new(indexes, text, json_integer((json_int_t)i));
        free(text);
        if (!fresh) {
            json_decref(indexes);
            return NULL;
        }
    }
    return indexes;
}

static void add_pair(struct diff_match *match, long before, long after)
{
    match->pairs[match->count++] = (struct diff_pair){ before, after };
}

/* Fills the pairs, `origin` being where each item of `after` was before, or -1. */
static void order_pairs(struct diff_match *match, const long *origin, size_t before_count,
                        size_t after_count)
{
    bool *kept = xcalloc(before_count + 1, sizeof *kept);
    long last = -1;
    for (size_t i = 0; i < after_count; i++) {
        if (origin[i] < 0)
            continue;
        kept[origin[i]] = true;
        match->moved = match->moved || origin[i] < last;
        last = origin[i];
    }
    size_t next = 0;
    for (; next < before_count && !kept[next]; next++)
        add_pair(match, (long)next, -1);
    for (size_t i = 0; i < after_count; i++) {
        add_pair(match, origin[i], (long)i);
        if (origin[i] < 0)
            continue;
        for (next = (size_t)origin[i] + 1; next < before_count && !kept[next]; next++)
            add_pair(match, (long)next, -1);
    }
    free(kept);
}

/* By the fields in match->keys; false when these don't tell the items apart. */
static bool match_by_keys(struct diff_match *match, const json_t *before, const json_t *after)
{
    json_t *there = index_of(match, before), *here = there ? index_of(match, after) : NULL, *item;
    size_t count = json_array_size(after), i;
    bool told = there && here;
    if (told) {
        long *origin = xcalloc(count + 1, sizeof *origin);
        json_array_foreach(after, i, item) {
            char *text = item_text(match, item);
            const json_t *index = json_object_get(there, text);
            origin[i] = index ? (long)json_integer_value(index) : -1;
            free(text);
        }
        order_pairs(match, origin, json_array_size(before), count);
        free(origin);
    }
    json_decref(there);
    json_decref(here);
    return told;
}

/* A number for each item, the same for equal ones. */
static size_t *numbers_of(const json_t *list, json_t *known)
{
    size_t *numbers = xcalloc(json_array_size(list) + 1, sizeof *numbers), i;
    json_t *item;
    json_array_foreach(list, i, item) {
        char *text = text_of(item);
        const json_t *number = json_object_get(known, text);
        numbers[i] = number ? (size_t)json_integer_value(number) : json_object_size(known);
        if (!number)
            json_object_set_new(known, text, json_integer((json_int_t)numbers[i]));
        free(text);
    }
    return numbers;
}

/* How much two items are alike; 0: one is not the other one, changed. */
static int likeness(const json_t *before, const json_t *after)
{
    const char *key;
    json_t *value;
    int score = json_is_array(before) && json_is_array(after);
    if (!json_is_object(before))
        return score;
    json_object_foreach((json_t *)after, key, value) {
        const json_t *old = json_object_get(before, key);
        score += old ? json_equal(old, value) ? 2 : 1 : 0;
    }
    return score;
}

/* Items between two equal ones, from `from` in the list before and from `to` in the one after. */
struct gap {
    const json_t *before, *after;
    size_t from, before_count, to, after_count;
};

/* The pairs, in order, that are most alike altogether. */
static void match_gap(const struct gap *gap, long *origin)
{
    size_t rows = gap->before_count, columns = gap->after_count, width = columns + 1;
    bool large = rows > 200 || columns > 200;
    if (rows == 0 || columns == 0 || large)
        return;
    /* best[i][k]: of what is from item i before and item k after on. */
    int *best = xcalloc((rows + 1) * width, sizeof *best);
    int *scores = xcalloc(rows * columns, sizeof *scores);
    for (size_t i = rows; i-- > 0;) {
        for (size_t k = columns; k-- > 0;) {
            int score = likeness(json_array_get(gap->before, gap->from + i),
                                 json_array_get(gap->after, gap->to + k));
            int most = best[(i + 1) * width + k], other = best[i * width + k + 1];
            most = other > most ? other : most;
            other = score ? score + best[(i + 1) * width + k + 1] : 0;
            best[i * width + k] = other > most ? other : most;
            scores[i * columns + k] = score;
        }
    }
    for (size_t i = 0, k = 0; i < rows && k < columns;) {
        int score = scores[i * columns + k], most = best[i * width + k];
        if (score && most == score + best[(i + 1) * width + k + 1])
            origin[gap->to + k++] = (long)(gap->from + i++);
        else if (most == best[(i + 1) * width + k])
            i++;
        else
            k++;
    }
    free(best);
    free(scores);
}

/* Equal items in order; between them, maps and lists that are alike. */
static void match_by_content(struct diff_match *match, const json_t *before, const json_t *after)
{
    size_t before_count = json_array_size(before), after_count = json_array_size(after);
    json_t *known = json_object();
    size_t *a = numbers_of(before, known), *b = numbers_of(after, known);
    bool *a_kept = xcalloc(before_count + 1, sizeof *a_kept);
    bool *b_kept = xcalloc(after_count + 1, sizeof *b_kept);
    long *origin = xcalloc(after_count + 1, sizeof *origin);
    align(a, before_count, b, after_count, a_kept, b_kept);
    for (size_t i = 0, k = 0; i < before_count || k < after_count;) {
        struct gap gap = { before, after, i, 0, k, 0 };
        for (; i < before_count && !a_kept[i]; i++)
            gap.before_count++;
        for (; k < after_count && !b_kept[k]; k++, gap.after_count++)
            origin[k] = -1;
        match_gap(&gap, origin);
        if (k < after_count)
            origin[k++] = (long)i++;
    }
    order_pairs(match, origin, before_count, after_count);
    json_decref(known);
    free(a);
    free(b);
    free(a_kept);
    free(b_kept);
    free(origin);
}

void diff_match(struct diff_match *match, struct schema list, const json_t *before,
                const json_t *after)
{
    *match = (struct diff_match){ .count = 0 };
    match->pairs =
        xcalloc(json_array_size(before) + json_array_size(after) + 1, sizeof *match->pairs);
    size_t count = schema_type(list) == SCHEMA_ARRAY ? schema_word_count(list) : 0;
    for (; match->key_count < count && match->key_count < DIFF_KEYS_MAX; match->key_count++)
        match->keys[match->key_count] = schema_word_at(list, match->key_count);
    if (match->key_count > 0 && match_by_keys(match, before, after))
        return;
    const char *identity;
    match->key_count = 1;
    for (size_t i = 0; (identity = path_identity(i)) != NULL; i++) {
        match->keys[0] = identity;
        if (match_by_keys(match, before, after))
            return;
    }
    match->key_count = 0;
    match_by_content(match, before, after);
}

void diff_match_release(struct diff_match *match)
{
    free(match->pairs);
    *match = (struct diff_match){ .count = 0 };
}

void diff_order(const struct diff_match *match, const json_t *list_before, json_t **before,
                json_t **after, json_t **order)
{
    bool *both = xcalloc(json_array_size(list_before) + 1, sizeof *both);
    *before = json_array();
    *after = json_array();
    if (order)
        *order = json_array();
    for (size_t i = 0; i < match->count; i++) {
        const struct diff_pair *pair = &match->pairs[i];
        if (pair->before < 0 || pair->after < 0)
            continue;
        both[pair->before] = true;
        json_array_append_new(*after,
                              item_key(match, json_array_get(list_before, (size_t)pair->before)));
        if (order)
            json_array_append_new(*order, json_integer(pair->before));
    }
    for (size_t i = 0; i < json_array_size(list_before); i++)
        if (both[i])
            json_array_append_new(*before, item_key(match, json_array_get(list_before, i)));
    free(both);
}

/* ---- the changes ---- */

struct schema diff_root(const struct schema_set *set, const json_t *object)
{
    struct schema_kind found;
    const char *version = json_string_value(json_object_get(object, "apiVersion"));
    const char *kind = json_string_value(json_object_get(object, "kind"));
    if (version && kind && schema_find(set, version, kind, &found))
        return found.root;
    return (struct schema){ NULL, 0 };
}

struct schema diff_field(struct schema parent, bool root, const char *key)
{
    struct schema_field field;
    if (schema_field_find(parent, key, &field))
        return field.schema;
    if (root && strcmp(key, "metadata") == 0)
        return schema_object_meta();
    if (schema_type(parent) == SCHEMA_MAP)
        return schema_items(parent);
    return (struct schema){ NULL, 0 };
}

/* Where the walk is, in both objects. */
struct walk {
    json_t *changes;
    json_t *before, *after;
};

static void enter(struct walk *walk, json_t *before, json_t *after)
{
    json_array_append_new(walk->before, before);
    json_array_append_new(walk->after, after);
}

static void leave(struct walk *walk)
{
    json_array_remove(walk->before, json_array_size(walk->before) - 1);
    json_array_remove(walk->after, json_array_size(walk->after) - 1);
}

static void add_change(struct walk *walk, const json_t *before, const json_t *after)
{
    json_t *change = json_object();
    json_object_set_new(change, "path", json_deep_copy(after ? walk->after : walk->before));
    if (before)
        json_object_set_new(change, "before", json_deep_copy(before));
    if (after)
        json_object_set_new(change, "after", json_deep_copy(after));
    json_array_append_new(walk->changes, change);
}

static void add_order(struct walk *walk, const struct diff_match *match, const json_t *list)
{
    json_t *before, *after, *order;
    diff_order(match, list, &before, &after, &order);
    json_array_append_new(walk->changes,
                          json_pack("{s:o, s:o, s:o, s:o}", "path", json_deep_copy(walk->after),
                                    "before", before, "after", after, "order", order));
}

static void compare(struct walk *walk, struct schema schema, const json_t *before,
                    const json_t *after);

static void compare_lists(struct walk *walk, struct schema schema, const json_t *before,
                          const json_t *after)
{
    struct diff_match match;
    struct schema items = schema_items(schema);
    diff_match(&match, schema, before, after);
    if (match.moved)
        add_order(walk, &match, before);
    for (size_t i = 0; i < match.count; i++) {
        const struct diff_pair *pair = &match.pairs[i];
        enter(walk, json_integer(pair->before), json_integer(pair->after));
        compare(walk, items, pair->before < 0 ? NULL : json_array_get(before, (size_t)pair->before),
                pair->after < 0 ? NULL : json_array_get(after, (size_t)pair->after));
        leave(walk);
    }
    diff_match_release(&match);
}

static void compare_maps(struct walk *walk, struct schema schema, const json_t *before,
                         const json_t *after)
{
    bool root = json_array_size(walk->after) == 0;
    size_t count;
    const char **keys = diff_keys(before, after, &count);
    for (size_t i = 0; i < count; i++) {
        enter(walk, json_string(keys[i]), json_string(keys[i]));
        compare(walk, diff_field(schema, root, keys[i]), json_object_get(before, keys[i]),
                json_object_get(after, keys[i]));
        leave(walk);
    }
    free(keys);
}

static void compare(struct walk *walk, struct schema schema, const json_t *before,
                    const json_t *after)
{
    if (before && after && json_equal(before, after))
        return;
    if (json_is_object(before) && json_is_object(after))
        compare_maps(walk, schema, before, after);
    else if (json_is_array(before) && json_is_array(after))
        compare_lists(walk, schema, before, after);
    else
        add_change(walk, before, after);
}

json_t *diff_objects(const struct schema_set *set, const json_t *before, const json_t *after)
{
    struct walk walk = { json_array(), json_array(), json_array() };
    if (before || after)
        compare(&walk, diff_root(set, after ? after : before), before, after);
    json_decref(walk.before);
    json_decref(walk.after);
    return walk.changes;
}

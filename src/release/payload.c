#include "release/payload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/deflate.h"
#include "base/mem.h"
#include "object/meta.h"

/* ---- values of Secrets ---- */

/* What is done with one value, given its place; returns 0, or something else to end the walk. */
typedef int value_fn(json_t *data, const char *key, json_t *value, void *arg);

struct place {
    const json_t *object; /* the Secret that the walk is at */
    const unsigned char *key;
    struct err *err;
};

static int each_value_of(json_t *object, value_fn *each, struct place *place)
{
    static const char *const fields[] = { "data", "stringData" };
    place->object = object;
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        json_t *data = json_object_get(object, fields[i]), *value;
        const char *key;
        void *next;
        json_object_foreach_safe(data, next, key, value)
        {
            int result = each(data, key, value, place);
            if (result != 0)
                return result;
        }
    }
    return 0;
}

static int each_value_in(const json_t *component, value_fn *each, struct place *place)
{
    size_t i;
    json_t *object;
    json_array_foreach(json_object_get(component, "objects"), i, object) {
        if (strcmp(object_text(object, "kind"), "Secret") != 0)
            continue;
        int result = each_value_of(object, each, place);
        if (result != 0)
            return result;
    }
    return 0;
}

static int each_value(const json_t *source, value_fn *each, struct place *place)
{
    size_t i;
    json_t *component;
    json_array_foreach(json_object_get(source, "components"), i, component) {
        int result = each_value_in(component, each, place);
        if (result != 0)
            return result;
    }
    return 0;
}

static int find_plain(json_t *data, const char *key, json_t *value, void *arg)
{
    (void)data, (void)key, (void)arg;
    return json_is_string(value) ? 1 : 0;
}

static int find_sealed(json_t *data, const char *key, json_t *value, void *arg)
{
    (void)data, (void)key, (void)arg;
    return json_is_string(json_object_get(value, "sealed")) ? 1 : 0;
}

bool payload_has_secrets(const json_t *source)
{
    struct place place = { .key = NULL };
    return each_value(source, find_plain, &place) != 0;
}

bool payload_is_sealed(const json_t *source)
{
    struct place place = { .key = NULL };
    return each_value(source, find_sealed, &place) != 0;
}

static int seal_value(json_t *data, const char *key, json_t *value, void *arg)
{
    struct place *place = arg;
    char *text = NULL;
    if (!json_is_string(value)) /* the description of a value that is to be made */
        return 0;
    if (seal_encrypt(place->key, json_string_value(value), json_string_length(value), &text,
                     place->err) != 0)
        return -1;
    json_object_set_new(data, key, json_pack("{s:s}", "sealed", text));
    free(text);
    return 0;
}

static int unseal_value(json_t *data, const char *key, json_t *value, void *arg)
{
    struct place *place = arg;
    const char *text = json_string_value(json_object_get(value, "sealed"));
    char *bytes = NULL;
    size_t length = 0;
    if (!text)
        return 0;
    json_t *plain = NULL;
    if (seal_decrypt(place->key, text, &bytes, &length, place->err) == 0) {
        plain = json_stringn(bytes, length);
        explicit_bzero(bytes, length);
        free(bytes);
        if (!plain)
            err_set(place->err, ERR_FAILED, "it is no text");
    }
    if (plain)
        return json_object_set_new(data, key, plain);
    return err_wrap(place->err, "the value of '%s' in Secret '%s'", key,
                    object_text(json_object_get(place->object, "metadata"), "name"));
}

/* The objects of a component, its Secrets as copies that may be changed. */
static json_t *with_own_secrets(const json_t *objects)
{
    json_t *made = json_array(), *object;
    size_t i;
    json_array_foreach((json_t *)objects, i, object) {
        if (strcmp(object_text(object, "kind"), "Secret") == 0)
            json_array_append_new(made, json_deep_copy(object));
        else
            json_array_append(made, object);
    }
    return made;
}

int payload_unseal(json_t *source, const unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    struct place place = { .key = key, .err = err };
    return each_value(source, unseal_value, &place);
}

/* ---- compressed, in parts ---- */

static int sum_of(const struct buf *bytes, char text[65], struct err *err)
{
    unsigned char sum[32];
    if (seal_sha256(buf_text(bytes), bytes->len, sum, err) != 0)
        return -1;
    for (size_t i = 0; i < sizeof sum; i++)
        snprintf(text + 2 * i, 3, "%02x", sum[i]);
    return 0;
}

/* A component as it is written: with its values sealed where it has some. A new reference, or NULL
 * with err. */
static json_t *sealed(json_t *component, const unsigned char *key, struct err *err)
{
    struct place place = { .key = key, .err = err };
    if (!key || each_value_in(component, find_plain, &place) == 0)
        return json_incref(component);
    json_t *copy = json_copy(component);
    json_object_set_new(copy, "objects", with_own_secrets(json_object_get(component, "objects")));
    if (each_value_in(copy, seal_value, &place) == 0)
        return copy;
    json_decref(copy);
    return NULL;
}

/* Text on its way into the compressed bytes. */
struct packing {
    struct deflate *packer;
    size_t length;
};

static int add_text(const char *text, size_t length, void *arg)
{
    struct packing *packing = arg;
    packing->length += length;
    deflate_add(packing->packer, text, length);
    return packing->length > PAYLOAD_SOURCE_MAX ? -1 : 0;
}

static int add_json(struct packing *packing, const json_t *value, struct err *err)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(17);
    if (json_dump_callback(value, add_text, packing, flags) == 0)
        return 0;
    return err_set(err, ERR_FAILED, "the objects of the profile are %s",
                   packing->length > PAYLOAD_SOURCE_MAX
                       ? "more than the 64 MiB that a revision takes"
                       : "no JSON");
}

static int add_components(struct packing *packing, const json_t *components,
                          const unsigned char *key, struct err *err)
{
    size_t i;
    json_t *component;
    int result = 0;
    add_text("[", 1, packing);
    json_array_foreach(components, i, component) {
        json_t *written = sealed(component, key, err);
        add_text(",", i > 0, packing);
        result = written ? add_json(packing, written, err) : -1;
        json_decref(written);
        if (result != 0)
            return -1;
    }
    add_text("]", 1, packing);
    return 0;
}

/* The source as text, a component at a time: sealed, or as text, all of them would be as large as
 * the source once more. */
static int add_source(struct packing *packing, const json_t *source, const unsigned char *key,
                      struct err *err)
{
    const char *name, *between = "{";
    json_t *value;
    int result = 0;
    json_object_foreach((json_t *)source, name, value) {
        json_t *text = json_string(name);
        add_text(between, 1, packing);
        if (result == 0)
            result = add_json(packing, text, err);
        add_text(":", 1, packing);
        if (result == 0)
            result = strcmp(name, "components") == 0 ? add_components(packing, value, key, err)
                                                     : add_json(packing, value, err);
        json_decref(text);
        between = ",";
    }
    add_text("}", 1, packing);
    return result;
}

static int pack_source(const json_t *source, const unsigned char *key, struct buf *bytes,
                       struct err *err)
{
    struct packing packing = { .packer = deflate_begin(bytes, err) };
    if (!packing.packer)
        return -1;
    struct err ignored = ERR_INIT;
    int result = add_source(&packing, source, key, err);
    int end = deflate_end(packing.packer, result == 0 ? err : &ignored);
    return result == 0 ? end : -1;
}

json_t *payload_pack(const json_t *source, const unsigned char *key, struct err *err)
{
    struct buf bytes = BUF_INIT;
    char sum[65];
    if (pack_source(source, key, &bytes, err) != 0 || sum_of(&bytes, sum, err) != 0) {
        buf_release(&bytes);
        return NULL;
    }
    json_t *parts = json_array();
    for (size_t at = 0; at < bytes.len; at += PAYLOAD_PART_MAX) {
        size_t left = bytes.len - at;
        char *part =
            base64_encode(bytes.data + at, left < PAYLOAD_PART_MAX ? left : PAYLOAD_PART_MAX);
        json_array_append_new(parts, json_string(part));
        free(part);
    }
    buf_release(&bytes);
    return json_pack("{s:s, s:o}", "sha256", sum, "parts", parts);
}

/* The bytes of all parts, one after the other. */
static int join(const json_t *parts, struct buf *bytes, struct err *err)
{
    size_t i, length;
    json_t *part;
    json_array_foreach((json_t *)parts, i, part) {
        char *decoded =
            json_is_string(part) ? base64_decode(json_string_value(part), &length) : NULL;
        if (!decoded)
            return err_set(err, ERR_FAILED, "part %zu of %zu is %s", i + 1, json_array_size(parts),
                           json_is_string(part) ? "no base64" : "missing");
        buf_add(bytes, decoded, length);
        free(decoded);
    }
    return 0;
}

static json_t *parse(const struct buf *text, struct err *err)
{
    json_error_t problem;
    json_t *source = json_loadb(buf_text(text), text->len, JSON_ALLOW_NUL, &problem);
    if (!source) {
        err_set(err, ERR_FAILED, "it is no JSON: %s", problem.text);
        return NULL;
    }
    if (json_is_string(json_object_get(source, "name")) &&
        json_is_string(json_object_get(source, "namespace")) &&
        json_is_array(json_object_get(source, "components")))
        return source;
    json_decref(source);
    err_set(err, ERR_FAILED, "it has no name, namespace and components");
    return NULL;
}

json_t *payload_unpack(const json_t *packed, struct err *err)
{
    struct buf bytes = BUF_INIT, text = { .max = PAYLOAD_SOURCE_MAX };
    char sum[65];
    const char *wanted = object_text(packed, "sha256");
    json_t *source = NULL;
    int result = join(json_object_get(packed, "parts"), &bytes, err);
    if (result == 0)
        result = sum_of(&bytes, sum, err);
    if (result == 0 && strcmp(sum, wanted) != 0)
        result = err_set(err, ERR_FAILED, "its SHA-256 sum is %.12s.., not %.12s..", sum,
                         *wanted ? wanted : "?");
    if (result == 0)
        result = deflate_unpack(buf_text(&bytes), bytes.len, &text, err);
    if (result == 0)
        source = parse(&text, err);
    buf_release(&bytes);
    buf_release(&text);
    return source;
}

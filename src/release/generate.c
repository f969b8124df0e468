#include "release/generate.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/pair.h"
#include "object/meta.h"

static bool is_wanted(const json_t *value)
{
    return json_is_object(value);
}

static bool has_wanted(const json_t *data)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)data, key, value) {
        if (is_wanted(value))
            return true;
    }
    return false;
}

static bool is_between(const json_t *wanted, const char *key, json_int_t least, json_int_t most)
{
    json_int_t number = json_integer_value(json_object_get(wanted, key));
    return number >= least && number <= most;
}

static bool is_host(const json_t *name)
{
    const char *text = json_string_value(name);
    return text && *text &&
           text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                             "0123456789.:*-")] == '\0';
}

/* Whether it is of what the language makes (lua/bk/generate.lua): a plan or a revision may have
 * been written by anybody. */
static bool is_sound(const json_t *wanted)
{
    const char *kind = object_text(wanted, "generate"), *part = object_text(wanted, "part");
    size_t letters = strlen(object_text(wanted, "alphabet")), i;
    json_t *name;
    if (strcmp(kind, "password") == 0)
        return !*object_text(wanted, "pair") && letters >= 2 && letters <= 256 &&
               is_between(wanted, "length", 1, 4096);
    if (!*object_text(wanted, "pair") || !is_between(wanted, "bits", 2048, 8192))
        return false;
    if (strcmp(kind, "rsa") == 0)
        return strcmp(part, "private") == 0 || strcmp(part, "public") == 0;
    const json_t *names = json_object_get(wanted, "names");
    json_array_foreach(names, i, name) {
        if (!is_host(name))
            return false;
    }
    return strcmp(kind, "tls") == 0 && json_array_size(names) > 0 &&
           is_between(wanted, "days", 1, 36500) &&
           (strcmp(part, "private") == 0 || strcmp(part, "certificate") == 0);
}

/* Whether two values of one pair ask for the same one. */
static bool is_alike(const json_t *a, const json_t *b)
{
    static const char *const keys[] = { "generate", "bits", "days", "names" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const json_t *one = json_object_get(a, keys[i]), *other = json_object_get(b, keys[i]);
        if (one != other && !json_equal(one, other))
            return false;
    }
    return true;
}

/* Puts the base64 of a text under the key. */
static void put(json_t *data, const char *key, const char *text)
{
    char *encoded = base64_encode(text, strlen(text));
    json_object_set_new(data, key, json_string(encoded));
    xfree_secret(encoded);
}

static int make_pair(struct pair *pair, const json_t *wanted, struct err *err)
{
    int bits = (int)json_integer_value(json_object_get(wanted, "bits"));
    const json_t *list = json_object_get(wanted, "names");
    if (strcmp(object_text(wanted, "generate"), "rsa") == 0)
        return pair_rsa(pair, bits, err);
    size_t count = json_array_size(list);
    const char **names = xcalloc(count, sizeof *names);
    for (size_t i = 0; i < count; i++)
        names[i] = json_string_value(json_array_get(list, i));
    int days = (int)json_integer_value(json_object_get(wanted, "days"));
    int result = pair_tls(pair, bits, names, count, days, err);
    free(names);
    return result;
}

static const char *part_of(const struct pair *pair, const char *part)
{
    if (strcmp(part, "private") == 0)
        return pair->private_key;
    return strcmp(part, "public") == 0 ? pair->public_key : pair->certificate;
}

/* Whether two wanted values are parts of one pair. */
static bool same_pair(const json_t *a, const json_t *b)
{
    return is_wanted(a) && is_wanted(b) && *object_text(a, "pair") &&
           strcmp(object_text(a, "pair"), object_text(b, "pair")) == 0 && is_alike(a, b);
}

/* Makes the pair that `first` is of, and puts all its parts: a new key fits no old certificate. */
static int fill_pair(json_t *data, const json_t *wanted, const json_t *first, struct err *err)
{
    struct pair pair;
    if (make_pair(&pair, first, err) != 0)
        return -1;
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key, value) {
        if (same_pair(value, first))
            put(data, key, part_of(&pair, object_text(value, "part")));
    }
    pair_release(&pair);
    return 0;
}

static bool has_whole_pair(const json_t *live, const json_t *wanted, const json_t *first)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)wanted, key, value) {
        if (same_pair(value, first) && !json_is_string(json_object_get(live, key)))
            return false;
    }
    return true;
}

static int fill_key(json_t *data, const char *key, const json_t *wanted, const json_t *live,
                    struct err *err)
{
    const json_t *value = json_object_get(wanted, key);
    json_t *old = json_object_get(live, key);
    if (!is_wanted(json_object_get(data, key)))
        return 0; /* came with its pair */
    if (!is_sound(value))
        return err_set(err, ERR_PROFILE, "the value under '%s' is neither a text nor to be made",
                       key);
    bool of_pair = *object_text(value, "pair") != '\0';
    if (json_is_string(old) && (!of_pair || has_whole_pair(live, wanted, value))) {
        json_object_set(data, key, old);
        return 0;
    }
    if (of_pair)
        return fill_pair(data, wanted, value, err);
    size_t length = (size_t)json_integer_value(json_object_get(value, "length"));
    char *password = pair_password(length, object_text(value, "alphabet"), err);
    if (!password)
        return -1;
    put(data, key, password);
    xfree_secret(password);
    return 0;
}

/* The live Secret's data, or NULL when there is none; asked for as a list, which is empty then. */
static int fetch_live(struct kube_client *client, const char *namespace, const char *name,
                      json_t **data, struct err *err)
{
    json_t *answer = NULL;
    char *path = xasprintf("/api/v1/namespaces/%s/secrets?fieldSelector=metadata.name%%3D%s",
                           namespace, name);
    long status = kube_fetch(client, "GET", path, NULL, NULL, &answer, err);
    free(path);
    if (status < 0)
        return err_wrap(err, "Secret %s/%s: to keep its generated values", namespace, name);
    const json_t *item = json_array_get(json_object_get(answer, "items"), 0);
    *data = json_incref(json_object_get(item, "data"));
    json_decref(answer);
    return 0;
}

static int fill_secret(struct kube_client *client, const struct profile *profile,
                       const json_t *object, struct err *err)
{
    const json_t *metadata = json_object_get(object, "metadata");
    json_t *data = json_object_get(object, "data"), *live = NULL;
    const char *namespace = object_text(metadata, "namespace");
    if (!*namespace)
    namespace = profile->namespace;
    if (fetch_live(client, namespace, object_text(metadata, "name"), &live, err) != 0)
        return -1;
    json_t *wanted = json_copy(data), *unused;
    const char *key;
    int result = 0;
    json_object_foreach(wanted, key, unused) {
        if (result == 0)
            result = fill_key(data, key, wanted, live, err);
    }
    if (result != 0)
        err_wrap(err, "Secret %s/%s", namespace, object_text(metadata, "name"));
    json_decref(wanted);
    json_decref(live);
    return result;
}

int generate_fill(struct kube_client *client, const struct profile *profile, struct err *err)
{
    for (size_t i = 0; i < profile->count; i++) {
        size_t k;
        json_t *object;
        json_array_foreach(profile->components[i].objects, k, object) {
            if (strcmp(object_text(object, "kind"), "Secret") == 0 &&
                has_wanted(json_object_get(object, "data")) &&
                fill_secret(client, profile, object, err) != 0)
                return err_wrap(err, "component '%s' (%s)", profile->components[i].name,
                                profile->components[i].origin);
        }
    }
    return 0;
}

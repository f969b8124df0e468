#include "release/revision.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/who.h"
#include "crypto/seal.h"
#include "kube/list.h"
#include "object/meta.h"
#include "object/redact.h"
#include "release/payload.h"

#define TYPE     "bkdeploy/revision.v1"
#define KEY_TYPE "bkdeploy/key.v1"
#define DATA     "revision" /* the key of the Secret's data */
#define KEY_DATA "key"

/* Labels; a head has no part. */
#define NUMBER_LABEL "bkdeploy/revision"
#define PART_LABEL   "bkdeploy/part"

/* Annotations; those of `texts` below, and: */
#define PARTS_KEY  "bkdeploy/parts"
#define SUM_KEY    "bkdeploy/sha256"
#define WRITER_KEY "bkdeploy/writer" /* tells one's own Secret, when a request was sent twice */

enum {
    TEXT_MAX = 2000,
    PARTS_MAX = 100, /* more than PAYLOAD_SOURCE_MAX makes */
    HTTP_NOT_FOUND = 404,
    HTTP_CONFLICT = 409,
};

static const struct {
    const char *key;
    size_t offset;
} texts[] = {
    { "bkdeploy/outcome", offsetof(struct revision, outcome) },
    { "bkdeploy/when", offsetof(struct revision, when) },
    { "bkdeploy/who", offsetof(struct revision, who) },
    { "bkdeploy/profile", offsetof(struct revision, profile) },
    { "bkdeploy/environment", offsetof(struct revision, environment) },
    { "bkdeploy/commit", offsetof(struct revision, commit) },
    { "bkdeploy/message", offsetof(struct revision, message) },
    { "bkdeploy/summary", offsetof(struct revision, summary) },
};
enum { TEXT_COUNT = sizeof texts / sizeof *texts };

static char **text_in(const struct revision *revision, size_t index)
{
    return (char **)((char *)revision + texts[index].offset);
}

/* ---- Secrets ---- */

/* A positive number, else 0. */
static int number_of(const char *text)
{
    char *end;
    long number = strtol(text, &end, 10);
    return *text && !*end && number > 0 && number <= 1000000000 ? (int)number : 0;
}

static char *secrets_path(const struct identity *identity)
{
    return xasprintf("/api/v1/namespaces/%s/secrets", identity->namespace);
}

/* The name of a revision's Secret; part 1 is in the head. The caller's. */
static char *secret_name(const struct identity *identity, int number, size_t part)
{
    return part > 1 ? xasprintf("%s.v%d.%zu", identity->parent, number, part)
                    : xasprintf("%s.v%d", identity->parent, number);
}

/* A request about one Secret. `answer` may be NULL. */
static long ask_secret(struct kube_client *client, const struct identity *identity,
                       const char *method, const char *name, const char *accept, json_t **answer,
                       struct err *err)
{
    char *path = xasprintf("/api/v1/namespaces/%s/secrets/%s", identity->namespace, name);
    struct kube_request request = { .method = method, .path = path, .accept = accept };
    long status = kube_ask(client, &request, answer, err);
    free(path);
    return status;
}

/* Creates a Secret with these labels and annotations (new references) and one value. */
static long create_secret(struct kube_client *client, const struct identity *identity,
                          const char *name, const char *type, json_t *labels, json_t *annotations,
                          const char *key, const char *base64, struct err *err)
{
    json_t *secret = json_pack("{s:s, s:s, s:{s:s, s:s, s:o, s:o}, s:s, s:b, s:{s:s}}",
                               "apiVersion", "v1", "kind", "Secret", "metadata", "name", name,
                               "namespace", identity->namespace, "labels", labels, "annotations",
                               annotations, "type", type, "immutable", 1, "data", key, base64);
    char *collection = secrets_path(identity);
    char *path = xasprintf("%s?fieldManager=%s", collection, IDENTITY_MANAGER);
    struct kube_request request = {
        .method = "POST",
        .path = path,
        .content_type = "application/json",
        .body = json_dumps(secret, JSON_COMPACT),
        .accept = KUBE_METADATA,
    };
    long status = kube_ask(client, &request, NULL, err);
    free(path);
    free(collection);
    if (!(status >= 200 && status <= 299))
        redact_secret(err->message, secret);
    json_decref(secret);
    return status;
}

static bool is_good(long status)
{
    return status >= 200 && status <= 299;
}

/* ---- the key ---- */

static int take_key(const struct identity *identity, const json_t *secret,
                    unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    const char *text =
        json_string_value(json_object_get(json_object_get(secret, "data"), KEY_DATA));
    size_t length = 0;
    char *bytes = text ? base64_decode(text, &length) : NULL;
    bool good = bytes && length == SEAL_KEY_SIZE;
    if (good)
        memcpy(key, bytes, SEAL_KEY_SIZE);
    if (bytes)
        explicit_bzero(bytes, length);
    free(bytes);
    return good ? 0
                : err_set(err, ERR_FAILED,
                          "Secret %s/%s.key, by which the values of Secrets in the revisions are "
                          "sealed, has no key of %d bytes",
                          identity->namespace, identity->parent, SEAL_KEY_SIZE);
}

/* Returns 1 when there is none, 0 or -1. */
static int read_key(struct kube_client *client, const struct identity *identity,
                    unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    char *name = xasprintf("%s.key", identity->parent);
    struct err refusal = ERR_INIT;
    json_t *secret = NULL;
    long status = ask_secret(client, identity, "GET", name, NULL, &secret, &refusal);
    int result = 1;
    if (is_good(status)) {
        result = take_key(identity, secret, key, err);
    } else if (status != HTTP_NOT_FOUND) {
        *err = refusal;
        result = err_wrap(err, "Secret %s/%s", identity->namespace, name);
    }
    json_decref(secret);
    free(name);
    return result;
}

/* Returns 1 when another was faster, 0 or -1. */
static int create_key(struct kube_client *client, const struct identity *identity,
                      unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    if (seal_key_new(key, err) != 0)
        return -1;
    char *name = xasprintf("%s.key", identity->parent);
    char *text = base64_encode((const char *)key, SEAL_KEY_SIZE);
    struct err refusal = ERR_INIT;
    long status = create_secret(client, identity, name, KEY_TYPE,
                                json_pack("{s:s}", IDENTITY_RELEASE, identity->name), json_object(),
                                KEY_DATA, text, &refusal);
    xfree_secret(text);
    int result = status == HTTP_CONFLICT ? 1 : 0;
    if (!is_good(status) && result == 0) {
        *err = refusal;
        result = err_wrap(err, "Secret %s/%s, which seals the values of Secrets in revisions",
                          identity->namespace, name);
    }
    free(name);
    return result;
}

/* The release's key, made when missing. */
static int have_key(struct kube_client *client, const struct identity *identity,
                    unsigned char key[SEAL_KEY_SIZE], struct err *err)
{
    int result = 1;
    for (int i = 0; i < 3 && result == 1; i++) { /* it may come and go in between */
        result = read_key(client, identity, key, err);
        if (result == 1)
            result = create_key(client, identity, key, err);
    }
    return result == 1 ? err_set(err, ERR_LOCKED, "Secret %s/%s.key is made and deleted by others",
                                 identity->namespace, identity->parent)
                       : result;
}

/* ---- writing ---- */

/* What the Secrets of one revision_write() have in common. */
struct writing {
    struct kube_client *client;
    const struct identity *identity;
    const struct revision *revision;
    const json_t *packed;
    char writer[17];
};

/* The text as an annotation takes it: valid UTF-8, not too long. A new reference. */
static json_t *annotation_of(const char *text)
{
    size_t length = strlen(text);
    if (length > TEXT_MAX)
        for (length = TEXT_MAX; length && ((unsigned char)text[length] & 0xC0) == 0x80;)
            length--; /* not within a character */
    json_t *value = json_stringn(text, length);
    if (value)
        return value;
    char *ascii = xstrndup(text, length);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c > 126)
            *c = '?';
    value = json_string(ascii);
    free(ascii);
    return value;
}

static json_t *labels_of(const struct writing *writing, size_t part)
{
    json_t *labels = json_pack("{s:s, s:o}", IDENTITY_RELEASE, writing->identity->name,
                               NUMBER_LABEL, json_sprintf("%d", writing->revision->number));
    if (part > 1)
        json_object_set_new(labels, PART_LABEL, json_sprintf("%zu", part));
    return labels;
}

static json_t *annotations_of(const struct writing *writing, size_t part)
{
    json_t *annotations = json_pack("{s:s}", WRITER_KEY, writing->writer);
    if (part > 1)
        return annotations;
    size_t parts = json_array_size(json_object_get(writing->packed, "parts"));
    json_object_set_new(annotations, PARTS_KEY, json_sprintf("%zu", parts));
    json_object_set(annotations, SUM_KEY, json_object_get(writing->packed, "sha256"));
    for (size_t i = 0; i < TEXT_COUNT; i++) {
        const char *text = *text_in(writing->revision, i);
        if (text && *text)
            json_object_set_new(annotations, texts[i].key, annotation_of(text));
    }
    return annotations;
}

static int set_taken(const struct writing *writing, struct err *err)
{
    return err_set(err, ERR_LOCKED,
                   "revision %d of release '%s' in namespace '%s' is there already: another "
                   "bkdeploy has just written it; run again",
                   writing->revision->number, writing->identity->name,
                   writing->identity->namespace);
}

/* Whose Secret that is: this writing's (1), another's (0), or -1 with err; 2 when it has gone. */
static int whose(const struct writing *writing, const char *name, struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *secret = NULL;
    long status = ask_secret(writing->client, writing->identity, "GET", name, KUBE_METADATA,
                             &secret, &refusal);
    int result = 2;
    if (is_good(status)) {
        result = strcmp(meta_annotation(secret, WRITER_KEY), writing->writer) == 0;
    } else if (status != HTTP_NOT_FOUND) {
        *err = refusal;
        result = -1;
    }
    json_decref(secret);
    return result;
}

/* A part that is there already: this writing's, or left by a writing that was cut off and so
 * without a head, which is deleted. Returns 0 when it is to be created again, 1 when it is one's
 * own. */
static int clear_part(const struct writing *writing, const char *name, struct err *err)
{
    int own = whose(writing, name, err);
    if (own != 0)
        return own == 2 ? 0 : own;
    char *head = secret_name(writing->identity, writing->revision->number, 1);
    int of_head = whose(writing, head, err);
    free(head);
    if (of_head != 2)
        return of_head < 0 ? -1 : set_taken(writing, err);
    struct err refusal = ERR_INIT;
    long status =
        ask_secret(writing->client, writing->identity, "DELETE", name, NULL, NULL, &refusal);
    if (is_good(status) || status == HTTP_NOT_FOUND)
        return 0;
    *err = refusal;
    return -1;
}

static int write_part(const struct writing *writing, size_t part, struct err *err)
{
    const json_t *text = json_array_get(json_object_get(writing->packed, "parts"), part - 1);
    char *name = secret_name(writing->identity, writing->revision->number, part);
    int result = 1;
    for (int i = 0; i < 2 && result == 1; i++) {
        struct err refusal = ERR_INIT;
        long status =
            create_secret(writing->client, writing->identity, name, TYPE, labels_of(writing, part),
                          annotations_of(writing, part), DATA, json_string_value(text), &refusal);
        if (is_good(status)) {
            result = 0;
        } else if (status != HTTP_CONFLICT) {
            *err = refusal;
            result = -1;
        } else if (part == 1) {
            int own = whose(writing, name, err);
            result = own == 1 ? 0 : own < 0 ? -1 : set_taken(writing, err);
        } else {
            int own = clear_part(writing, name, err);
            result = own < 0 ? -1 : 1 - own; /* not one's own: once more */
        }
    }
    if (result == 1)
        result = set_taken(writing, err);
    if (result != 0 && err->kind != ERR_LOCKED)
        err_wrap(err, "Secret %s/%s", writing->identity->namespace, name);
    free(name);
    return result;
}

static int name_writer(struct writing *writing, struct err *err)
{
    unsigned char chance[8];
    if (getrandom(chance, sizeof chance, 0) != sizeof chance)
        return err_set(err, ERR_FAILED, "the system gives no random numbers");
    for (size_t i = 0; i < sizeof chance; i++)
        snprintf(writing->writer + 2 * i, 3, "%02x", chance[i]);
    return 0;
}

static int write_all(struct writing *writing, struct err *err)
{
    int result = name_writer(writing, err);
    for (size_t part = json_array_size(json_object_get(writing->packed, "parts"));
         part > 0 && result == 0; part--)
        result = write_part(writing, part, err);
    return result;
}

/* As payload_pack(), by the release's key where there is something to seal. */
static json_t *pack(struct kube_client *client, const struct identity *identity,
                    const json_t *source, struct err *err)
{
    unsigned char key[SEAL_KEY_SIZE];
    bool has_secrets = payload_has_secrets(source);
    if (has_secrets && have_key(client, identity, key, err) != 0)
        return NULL;
    json_t *packed = payload_pack(source, has_secrets ? key : NULL, err);
    explicit_bzero(key, sizeof key);
    return packed;
}

int revision_write(struct kube_client *client, const struct identity *identity,
                   const struct revision *revision, const json_t *source, struct err *err)
{
    struct revision full = *revision;
    char *when = revision->when ? NULL : moment_now(), *who = revision->who ? NULL : who_am_i();
    full.when = when ? when : revision->when;
    full.who = who ? who : revision->who;
    int result = -1;
    json_t *packed = pack(client, identity, source, err);
    struct writing writing = {
        .client = client, .identity = identity, .revision = &full, .packed = packed
    };
    if (packed)
        result = write_all(&writing, err);
    json_decref(packed);
    free(when);
    free(who);
    if (result == 0)
        return 0;
    return err_wrap(err, "revision %d of release '%s' is not written", revision->number,
                    identity->name);
}

/* ---- reading ---- */

/* What lies in the Secret of a part; JSON null when it is not there. A new reference, NULL with
 * err.
 */
static json_t *read_part(struct kube_client *client, const struct identity *identity, int number,
                         size_t part, struct err *err)
{
    char *name = secret_name(identity, number, part);
    struct err refusal = ERR_INIT;
    json_t *secret = NULL, *text = NULL;
    long status = ask_secret(client, identity, "GET", name, NULL, &secret, &refusal);
    if (is_good(status)) {
        text = json_incref(json_object_get(json_object_get(secret, "data"), DATA));
        if (!text)
            text = json_null();
    } else if (status == HTTP_NOT_FOUND) {
        text = json_null();
    } else {
        *err = refusal;
        err_wrap(err, "Secret %s/%s", identity->namespace, name);
    }
    json_decref(secret);
    free(name);
    return text;
}

static json_t *read_head(struct kube_client *client, const struct identity *identity, int number,
                         struct err *err)
{
    char *name = secret_name(identity, number, 1);
    json_t *head = NULL;
    struct err refusal = ERR_INIT;
    long status = ask_secret(client, identity, "GET", name, NULL, &head, &refusal);
    if (!is_good(status)) {
        json_decref(head);
        head = NULL;
        if (status == HTTP_NOT_FOUND) {
            err_set(err, ERR_USAGE, "release '%s' in namespace '%s' has no revision %d",
                    identity->name, identity->namespace, number);
        } else {
            *err = refusal;
            err_wrap(err, "Secret %s/%s", identity->namespace, name);
        }
    }
    free(name);
    return head;
}

/* The head's own part, then the others. A new reference, NULL with err. */
static json_t *read_packed(struct kube_client *client, const struct identity *identity, int number,
                           const json_t *head, struct err *err)
{
    int count = number_of(meta_annotation(head, PARTS_KEY));
    if (count < 1 || count > PARTS_MAX) {
        err_set(err, ERR_FAILED, "it does not say of how many parts it is");
        return NULL;
    }
    json_t *parts = json_array();
    json_t *first = json_object_get(json_object_get(head, "data"), DATA);
    json_array_append(parts, first ? first : json_null());
    for (int part = 2; part <= count; part++) {
        json_t *text = read_part(client, identity, number, (size_t)part, err);
        if (!text) {
            json_decref(parts);
            return NULL;
        }
        json_array_append_new(parts, text);
    }
    return json_pack("{s:s, s:o}", "sha256", meta_annotation(head, SUM_KEY), "parts", parts);
}

int revision_read_sealed(struct kube_client *client, const struct identity *identity, int number,
                         json_t **source, struct err *err)
{
    json_t *head = read_head(client, identity, number, err);
    if (!head)
        return -1;
    json_t *packed = read_packed(client, identity, number, head, err);
    *source = packed ? payload_unpack(packed, err) : NULL;
    json_decref(packed);
    json_decref(head);
    if (*source)
        return 0;
    if (err->kind != ERR_FAILED)
        return -1;
    return err_wrap(err, "revision %d can't be read: Secret %s/%s.v%d is damaged", number,
                    identity->namespace, identity->parent, number);
}

int revision_read(struct kube_client *client, const struct identity *identity, int number,
                  json_t **source, struct err *err)
{
    unsigned char key[SEAL_KEY_SIZE];
    if (revision_read_sealed(client, identity, number, source, err) != 0)
        return -1;
    if (!payload_is_sealed(*source))
        return 0;
    int result = read_key(client, identity, key, err);
    if (result == 1)
        result = err_set(err, ERR_FAILED,
                         "Secret %s/%s.key is gone: the values of Secrets in revision %d can't be "
                         "read without it",
                         identity->namespace, identity->parent, number);
    else if (result == 0 && payload_unseal(*source, key, err) != 0)
        result = err_wrap(err, "revision %d, by the key in Secret %s/%s.key", number,
                          identity->namespace, identity->parent);
    explicit_bzero(key, sizeof key);
    if (result == 0)
        return 0;
    json_decref(*source);
    *source = NULL;
    return -1;
}

/* ---- listing ---- */

/* Metadata of the Secrets of the revisions. A new reference (array), NULL with err. */
static json_t *list_secrets(struct kube_client *client, const struct identity *identity,
                            const char *more_labels, struct err *err)
{
    json_t *all = NULL;
    char *path = xasprintf("/api/v1/namespaces/%s/secrets?labelSelector="
                           "bkdeploy%%2Frelease%%3D%s%%2Cbkdeploy%%2Frevision%s",
                           identity->namespace, identity->name, more_labels);
    if (kube_list(client, path, KUBE_METADATA_LIST, &all, err) != 200)
        err_wrap(err, "to list the revisions of release '%s' in namespace '%s'", identity->name,
                 identity->namespace);
    free(path);
    return all;
}

static int compare_revisions(const void *a, const void *b)
{
    const struct revision *one = a, *other = b;
    return one->number - other->number;
}

int revision_list(struct kube_client *client, const struct identity *identity,
                  struct revision **list, size_t *count, struct err *err)
{
    size_t i;
    json_t *secret;
    *list = NULL;
    *count = 0;
    json_t *secrets = list_secrets(client, identity, "%2C%21bkdeploy%2Fpart", err);
    if (!secrets)
        return -1;
    struct revision *rows = xcalloc(json_array_size(secrets) + 1, sizeof *rows);
    json_array_foreach(secrets, i, secret) {
        int number = number_of(meta_label(secret, NUMBER_LABEL));
        if (!number)
            continue;
        struct revision *row = &rows[(*count)++];
        row->number = number;
        for (size_t k = 0; k < TEXT_COUNT; k++)
            *text_in(row, k) = xstrdup(meta_annotation(secret, texts[k].key));
    }
    json_decref(secrets);
    if (*count)
        qsort(rows, *count, sizeof *rows, compare_revisions);
    *list = rows;
    return 0;
}

void revision_list_free(struct revision *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < TEXT_COUNT; k++)
            free(*text_in(&list[i], k));
    free(list);
}

/* ---- changing ---- */

int revision_set_outcome(struct kube_client *client, const struct identity *identity, int number,
                         const char *outcome, const char *summary, struct err *err)
{
    json_t *annotations = json_pack("{s:s}", "bkdeploy/outcome", outcome);
    if (summary)
        json_object_set_new(annotations, "bkdeploy/summary", annotation_of(summary));
    json_t *patch = json_pack("{s:{s:o}}", "metadata", "annotations", annotations);
    char *name = secret_name(identity, number, 1);
    char *path = xasprintf("/api/v1/namespaces/%s/secrets/%s?fieldManager=%s", identity->namespace,
                           name, IDENTITY_MANAGER);
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/merge-patch+json",
        .body = json_dumps(patch, JSON_COMPACT),
        .accept = KUBE_METADATA,
        .parting = true,
    };
    long status = kube_ask(client, &request, NULL, err);
    free(path);
    json_decref(patch);
    int result = is_good(status) ? 0
                                 : err_wrap(err, "Secret %s/%s: to note that revision %d is '%s'",
                                            identity->namespace, name, number, outcome);
    free(name);
    return result;
}

static int delete_secret(struct kube_client *client, const struct identity *identity,
                         const char *name, struct err *err)
{
    struct err refusal = ERR_INIT;
    long status = ask_secret(client, identity, "DELETE", name, NULL, NULL, &refusal);
    if (is_good(status) || status == HTTP_NOT_FOUND)
        return 0;
    *err = refusal;
    return err_wrap(err, "Secret %s/%s: to delete an old revision", identity->namespace, name);
}

static int compare_numbers(const void *a, const void *b)
{
    return *(const int *)a - *(const int *)b;
}

/* Whether a Secret has the name that goes with its labels; others are not touched. */
static bool is_named_so(const struct identity *identity, const json_t *secret)
{
    int number = number_of(meta_label(secret, NUMBER_LABEL));
    char *name = secret_name(identity, number, (size_t)number_of(meta_label(secret, PART_LABEL)));
    bool same = strcmp(name, meta_text(secret, "name")) == 0;
    free(name);
    return same;
}

/* The numbers of the revisions that stay, ascending; the caller's. */
static int *choose_kept(const json_t *secrets, int keep, size_t *count)
{
    size_t i, heads = 0;
    json_t *secret;
    int last_done = 0, *numbers = xcalloc(json_array_size(secrets) + 1, sizeof *numbers);
    json_array_foreach((json_t *)secrets, i, secret) {
        int number = number_of(meta_label(secret, NUMBER_LABEL));
        if (!number || *meta_label(secret, PART_LABEL))
            continue;
        numbers[heads++] = number;
        bool is_done = strcmp(meta_annotation(secret, "bkdeploy/outcome"), "done") == 0;
        if (is_done && number > last_done)
            last_done = number;
    }
    if (heads)
        qsort(numbers, heads, sizeof *numbers, compare_numbers);
    size_t newest = keep < 1 ? 1 : (size_t)keep, first = heads > newest ? heads - newest : 0;
    *count = heads - first;
    memmove(numbers, numbers + first, *count * sizeof *numbers);
    if (last_done && last_done < numbers[0]) {
        memmove(numbers + 1, numbers, *count * sizeof *numbers);
        numbers[0] = last_done;
        *count += 1;
    }
    return numbers;
}

int revision_trim(struct kube_client *client, const struct identity *identity, int keep,
                  struct err *err)
{
    size_t i, count;
    json_t *secret;
    json_t *secrets = list_secrets(client, identity, "", err);
    if (!secrets)
        return -1;
    int *kept = choose_kept(secrets, keep, &count);
    int result = 0;
    /* Heads first: what is without one is no revision any more, should it end in between. */
    for (int heads = 1; heads >= 0; heads--) {
        json_array_foreach(secrets, i, secret) {
            int number = number_of(meta_label(secret, NUMBER_LABEL));
            bool is_head = !*meta_label(secret, PART_LABEL);
            if (result == 0 && is_head == heads && is_named_so(identity, secret) &&
                !bsearch(&number, kept, count, sizeof *kept, compare_numbers))
                result = delete_secret(client, identity, meta_text(secret, "name"), err);
        }
    }
    free(kept);
    json_decref(secrets);
    return result;
}

#include "release/memory.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "object/meta.h"

#define TYPE "bkdeploy/memory.v1"
#define DATA "marks"

enum {
    SALT_SIZE = 16,    /* values of Secrets go into marks: nobody is to try them out */
    MARKS_MAX = 80000, /* a Secret holds 1 MiB */
    HTTP_OK = 200,
};

struct marks {
    uint64_t *list;
    size_t count, size;
};

struct memory {
    struct kube_client *client;
    char *path, *name;
    const struct identity *identity;
    unsigned char salt[SALT_SIZE];
    struct marks known; /* ascending */
    struct marks kept;
};

static int compare_marks(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;
    return (one > other) - (one < other);
}

static void add_mark(struct marks *marks, uint64_t mark)
{
    if (marks->count == marks->size) {
        marks->size = marks->size ? 2 * marks->size : 256;
        marks->list = xrealloc(marks->list, marks->size * sizeof *marks->list);
    }
    marks->list[marks->count++] = mark;
}

static void sort_marks(struct marks *marks)
{
    if (marks->count)
        qsort(marks->list, marks->count, sizeof *marks->list, compare_marks);
}

/* ---- reading ---- */

/* The salt, then the marks, each in the byte order of the machine that wrote it: another one's are
 * not known here, which is slow but right. */
static void take(struct memory *memory, const json_t *secret)
{
    const char *text = object_text(json_object_get(secret, "data"), DATA);
    size_t length = 0;
    char *bytes = base64_decode(text, &length);
    if (bytes && length >= SALT_SIZE && (length - SALT_SIZE) % sizeof(uint64_t) == 0) {
        memcpy(memory->salt, bytes, SALT_SIZE);
        for (size_t at = SALT_SIZE; at < length; at += sizeof(uint64_t)) {
            uint64_t mark;
            memcpy(&mark, bytes + at, sizeof mark);
            add_mark(&memory->known, mark);
        }
        sort_marks(&memory->known);
    }
    free(bytes);
}

struct memory *memory_load(struct kube_client *client, const struct identity *identity,
                           struct err *err)
{
    struct memory *memory = xcalloc(1, sizeof *memory);
    struct err refusal = ERR_INIT;
    json_t *secret = NULL;
    memory->client = client;
    memory->identity = identity;
    memory->name = xasprintf("%s.memory", identity->parent);
    memory->path = xasprintf("/api/v1/namespaces/%s/secrets/%s", identity->namespace, memory->name);
    if (getrandom(memory->salt, sizeof memory->salt, 0) != sizeof memory->salt) {
        err_set(err, ERR_FAILED, "the kernel gives no random numbers");
        memory_free(memory);
        return NULL;
    }
    struct kube_request request = { .method = "GET", .path = memory->path };
    long status = kube_ask(client, &request, &secret, &refusal);
    if (status == HTTP_OK)
        take(memory, secret);
    json_decref(secret);
    if (status >= 0)
        return memory;
    *err = refusal;
    memory_free(memory);
    return NULL;
}

void memory_free(struct memory *memory)
{
    if (!memory)
        return;
    free(memory->path);
    free(memory->name);
    free(memory->known.list);
    free(memory->kept.list);
    free(memory);
}

/* ---- marks ---- */

static int add_bytes(const char *bytes, size_t length, void *arg)
{
    buf_add(arg, bytes, length);
    return 0;
}

static void add_value(struct buf *text, const json_t *value)
{
    json_dump_callback(value, add_bytes, text, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
    buf_add(text, "", 1);
}

/* Adds all that is written under our name, whatever the way; whether something is. */
static bool add_own_entries(struct buf *text, const json_t *live)
{
    const json_t *metadata = json_object_get(live, "metadata");
    json_t *entry;
    size_t i;
    bool any = false;
    json_array_foreach(json_object_get(metadata, "managedFields"), i, entry) {
        if (strcmp(object_text(entry, "manager"), IDENTITY_MANAGER) != 0)
            continue;
        add_value(text, entry);
        any = true;
    }
    return any;
}

uint64_t memory_mark(struct memory *memory, const char *path, const json_t *object,
                     const json_t *live)
{
    struct buf text = BUF_INIT;
    struct err ignored = ERR_INIT;
    unsigned char digest[32];
    uint64_t mark = 0;
    buf_add(&text, (const char *)memory->salt, SALT_SIZE);
    buf_addf(&text, "%s\n%s\n%s\n", path, memory->identity->set_id, meta_text(live, "uid"));
    add_value(&text, object);
    if (add_own_entries(&text, live) && seal_sha256(text.data, text.len, digest, &ignored) == 0)
        memcpy(&mark, digest, sizeof mark);
    explicit_bzero(text.data, text.len);
    buf_release(&text);
    return mark;
}

bool memory_has(const struct memory *memory, uint64_t mark)
{
    return mark && memory->known.count &&
           bsearch(&mark, memory->known.list, memory->known.count, sizeof mark, compare_marks);
}

void memory_keep(struct memory *memory, uint64_t mark)
{
    if (mark && memory->kept.count < MARKS_MAX)
        add_mark(&memory->kept, mark);
}

/* ---- writing ---- */

static bool is_as_known(struct memory *memory)
{
    sort_marks(&memory->kept);
    return memory->kept.count == memory->known.count &&
           (memory->kept.count == 0 || memcmp(memory->kept.list, memory->known.list,
                                              memory->kept.count * sizeof(uint64_t)) == 0);
}

static char *encode(const struct memory *memory)
{
    struct buf bytes = BUF_INIT;
    buf_add(&bytes, (const char *)memory->salt, SALT_SIZE);
    if (memory->kept.count)
        buf_add(&bytes, (const char *)memory->kept.list, memory->kept.count * sizeof(uint64_t));
    char *text = base64_encode(bytes.data, bytes.len);
    buf_release(&bytes);
    return text;
}

int memory_write(struct memory *memory, struct err *err)
{
    const struct identity *identity = memory->identity;
    if (is_as_known(memory))
        return 0;
    char *text = encode(memory);
    json_t *secret =
        json_pack("{s:s, s:s, s:{s:s, s:s, s:{s:s}}, s:s, s:{s:s}}", "apiVersion", "v1", "kind",
                  "Secret", "metadata", "name", memory->name, "namespace", identity->namespace,
                  "labels", IDENTITY_RELEASE, identity->name, "type", TYPE, "data", DATA, text);
    char *path = xasprintf("%s?fieldManager=%s&force=true", memory->path, IDENTITY_MANAGER);
    struct kube_request request = {
        .method = "PATCH",
        .path = path,
        .content_type = "application/apply-patch+yaml",
        .body = json_dumps(secret, JSON_COMPACT),
        .accept = KUBE_METADATA,
        .parting = true,
    };
    long status = kube_ask(memory->client, &request, NULL, err);
    json_decref(secret);
    free(path);
    free(text);
    return status >= 200 && status <= 299
               ? 0
               : err_wrap(err, "Secret %s/%s", identity->namespace, memory->name);
}

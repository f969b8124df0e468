#include "command/plan_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/file.h"
#include "base/git.h"
#include "base/mem.h"
#include "base/moment.h"
#include "base/who.h"
#include "command/show.h"
#include "crypto/seal.h"
#include "object/meta.h"

enum { PLAN_MAX = 64 << 20, KEY_MAX = 4096, KEY_MIN = 16, SALT_SIZE = 16 };

static const char version[] = "plan/v1";
static const char beginning[] = "{\"bkdeploy\":\"plan/";

bool plan_file_is(const char *path)
{
    char start[sizeof beginning] = "";
    struct stat info;
    if (stat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return false;
    FILE *file = fopen(path, "rb");
    if (!file)
        return false;
    size_t got = fread(start, 1, sizeof beginning - 1, file);
    fclose(file);
    return got == sizeof beginning - 1 && memcmp(start, beginning, got) == 0;
}

/* ---- values of Secrets ---- */

/* Called for each value of a Secret that may be replaced in place. */
typedef int value_fn(json_t *values, const char *key, json_t *value, const json_t *object,
                     size_t index, void *arg, struct err *err);

static int each_in(json_t *object, const char *field, size_t index, value_fn *visit, void *arg,
                   struct err *err)
{
    json_t *values = json_object_get(object, field), *copy = json_copy(values), *value;
    const char *key;
    int result = 0;
    json_object_foreach(copy, key, value) {
        if (result == 0)
            result = visit(values, key, value, object, index, arg, err);
    }
    json_decref(copy);
    return result;
}

/* `index` counts all objects of the profile, as the items of its work do. */
static int each_secret_value(json_t *source, value_fn *visit, void *arg, struct err *err)
{
    json_t *component, *object;
    size_t i, k, index = 0;
    json_array_foreach(json_object_get(source, "components"), i, component) {
        json_array_foreach(json_object_get(component, "objects"), k, object) {
            if (strcmp(object_text(object, "kind"), "Secret") == 0 &&
                (each_in(object, "data", index, visit, arg, err) != 0 ||
                 each_in(object, "stringData", index, visit, arg, err) != 0))
                return -1;
            index++;
        }
    }
    return 0;
}

static int read_key(const char *path, const char *salt, unsigned char key[32], struct err *err)
{
    struct buf text = { .max = KEY_MAX };
    int result = file_read(path, &text, err);
    while (text.len && strchr("\r\n", text.data[text.len - 1]))
        text.len--;
    if (result == 0 && text.len < KEY_MIN)
        result =
            err_set(err, ERR_USAGE,
                    "--key %s: a key has at least %d characters; openssl rand -hex 32 makes one",
                    path, KEY_MIN);
    if (result == 0)
        result = seal_key_from_passphrase(text.data, text.len, salt, key, err);
    if (text.data)
        memset(text.data, 0, text.len);
    buf_release(&text);
    return result;
}

/* ---- writing ---- */

struct hiding {
    const struct plan *plan;
    const unsigned char *key; /* NULL: none */
    size_t left_out;
};

static int hide(json_t *values, const char *name, json_t *value, const json_t *object, size_t index,
                void *arg, struct err *err)
{
    struct hiding *hiding = arg;
    (void)object;
    if (!json_is_string(value))
        return 0; /* to be made by the apply */
    const struct survey_item *found = &hiding->plan->items[index];
    const json_t *live = json_object_get(json_object_get(found->live, "data"), name);
    if (found->action == SURVEY_SAME || json_equal(live, value)) {
        json_object_set_new(values, name, json_pack("{s:b}", "live", 1));
        return 0;
    }
    if (!hiding->key) {
        hiding->left_out++;
        json_object_set_new(values, name, json_pack("{s:b}", "left out", 1));
        return 0;
    }
    char *sealed = NULL;
    if (seal_encrypt(hiding->key, json_string_value(value), json_string_length(value), &sealed,
                     err) != 0)
        return -1;
    json_object_set_new(values, name, json_pack("{s:s}", "sealed", sealed));
    free(sealed);
    return 0;
}

static char *new_salt(struct err *err)
{
    char bytes[SALT_SIZE];
    FILE *random = fopen("/dev/urandom", "rb");
    size_t got = random ? fread(bytes, 1, sizeof bytes, random) : 0;
    if (random)
        fclose(random);
    if (got != sizeof bytes) {
        err_set(err, ERR_FAILED, "no random numbers from /dev/urandom");
        return NULL;
    }
    return base64_encode(bytes, sizeof bytes);
}

/* The hash over the rest of the file; the caller's. */
static char *hash_of(const json_t *file, struct err *err)
{
    json_t *copy = json_copy((json_t *)file);
    json_object_del(copy, "sha256");
    char *text = json_dumps(copy, JSON_COMPACT | JSON_SORT_KEYS);
    unsigned char digest[32];
    struct buf hex = BUF_INIT;
    int result = seal_sha256(text, strlen(text), digest, err);
    for (size_t i = 0; i < sizeof digest; i++)
        buf_addf(&hex, "%02x", digest[i]);
    free(text);
    json_decref(copy);
    if (result == 0)
        return buf_detach(&hex);
    buf_release(&hex);
    return NULL;
}

static json_t *made_now(const struct options *options)
{
    char commit[65] = "", *who = who_am_i(), *now = moment_now();
    git_commit(options->script.path, commit);
    json_t *made = json_pack("{s:s, s:s, s:s, s:s}", "when", now, "who", who, "profile",
                             options->script.path, "commit", commit);
    free(who);
    free(now);
    return made;
}

/* The components in an order that they can be applied in. */
static json_t *order_of(const struct profile *profile)
{
    json_t *order = json_array();
    bool *listed = xcalloc(profile->count, sizeof *listed);
    while (json_array_size(order) < profile->count) {
        for (size_t i = 0; i < profile->count; i++) {
            bool ready = !listed[i];
            for (size_t k = 0; k < profile->components[i].before_count; k++)
                ready = ready && listed[profile->components[i].before[k]];
            if (!ready)
                continue;
            listed[i] = true;
            json_array_append_new(order, json_string(profile->components[i].name));
        }
    }
    free(listed);
    return order;
}

static json_t *file_of(struct session *session, const struct plan *plan, json_t *hidden,
                       const char *salt, const char *uid)
{
    struct plan_counts counts;
    plan_count(plan, &counts);
    return json_pack(
        "{s:s, s:{s:s, s:s, s:s}, s:{s:s, s:s}, s:o, s:{s:b, s:b}, s:s*, s:o, s:o, s:o, s:O}",
        "bkdeploy", version, "release", "name", session->identity.name, "namespace",
        session->identity.namespace, "environment", session->profile.environment, "cluster",
        "server", session->server, "uid", uid, "made", made_now(session->options), "options",
        "force-conflicts", (int)session->options->force, "adopt", (int)session->options->adopt,
        "salt", salt, "counts", show_counts_json(&counts), "order", order_of(&session->profile),
        "steps", plan_steps(plan, session->schemas), "source", hidden);
}

int plan_file_write(struct session *session, const struct plan *plan, const json_t *source,
                    const char *key_path, const char *path, size_t *left_out, struct err *err)
{
    unsigned char key[32];
    char *salt = key_path ? new_salt(err) : NULL, *uid = NULL, *hash = NULL;
    json_t *hidden = json_deep_copy(source), *file = NULL;
    struct hiding hiding = { .plan = plan, .key = key_path ? key : NULL };
    int result = key_path && (!salt || read_key(key_path, salt, key, err) != 0) ? -1 : 0;
    if (result == 0)
        result = each_secret_value(hidden, hide, &hiding, err);
    if (result == 0)
        result = (uid = session_cluster_uid(session, err)) ? 0 : -1;
    if (result == 0) {
        file = file_of(session, plan, hidden, salt, uid);
        hash = hash_of(file, err);
        result = hash ? 0 : -1;
    }
    if (result == 0) {
        json_object_set_new(file, "sha256", json_string(hash));
        char *text = json_dumps(file, JSON_COMPACT);
        result = file_create(path, text, strlen(text), err);
        free(text);
    }
    *left_out = hiding.left_out;
    memset(key, 0, sizeof key);
    json_decref(file);
    json_decref(hidden);
    free(hash);
    free(uid);
    free(salt);
    return result;
}

/* ---- reading ---- */

json_t *plan_file_read(const char *path, struct err *err)
{
    struct buf text = { .max = PLAN_MAX };
    json_error_t problem;
    if (file_read(path, &text, err) != 0) {
        buf_release(&text);
        return NULL;
    }
    json_t *file = json_loadb(buf_text(&text), text.len, JSON_REJECT_DUPLICATES, &problem);
    buf_release(&text);
    if (!file) {
        err_set(err, ERR_PROFILE, "%s: no plan: line %d: %s", path, problem.line, problem.text);
        return NULL;
    }
    char *hash = NULL;
    bool sound = false;
    if (strcmp(object_text(file, "bkdeploy"), version) != 0)
        err_set(err, ERR_PROFILE, "%s: a plan of version '%s'; this program reads %s", path,
                object_text(file, "bkdeploy"), version);
    else if ((hash = hash_of(file, err)) && strcmp(hash, object_text(file, "sha256")) != 0)
        err_set(err, ERR_PROFILE,
                "%s: the plan was altered after it was made (its sha256 is another)", path);
    else if (hash && (!json_is_array(json_object_get(file, "steps")) ||
                      !json_is_object(json_object_get(file, "source"))))
        err_set(err, ERR_PROFILE, "%s: the plan has no steps or no objects", path);
    else
        sound = hash != NULL;
    free(hash);
    if (sound)
        return file;
    json_decref(file);
    return NULL;
}

struct filling {
    struct session *session;
    const json_t *file;
    const unsigned char *key;
};

static const json_t *step_of(const json_t *file, const char *namespace, const char *name)
{
    json_t *step;
    size_t i;
    json_array_foreach(json_object_get(file, "steps"), i, step) {
        if (strcmp(object_text(step, "kind"), "Secret") == 0 &&
            strcmp(object_text(step, "name"), name) == 0 &&
            strcmp(object_text(step, "namespace"), namespace) == 0)
            return step;
    }
    return NULL;
}

/* A value that the plan does not change: the cluster's, if nobody has changed it since. */
static int fill_live(struct filling *filling, json_t *object, json_t *values, const char *key,
                     struct err *err)
{
    const json_t *metadata = json_object_get(object, "metadata");
    const char *name = object_text(metadata, "name"),
               *namespace = object_text(metadata, "namespace");
    if (!*namespace)
    namespace = filling->session->profile.namespace;
    const json_t *step = step_of(filling->file, namespace, name);
    json_t *answer = NULL;
    char *path = xasprintf("/api/v1/namespaces/%s/secrets/%s", namespace, name);
    long status = kube_fetch(filling->session->client, "GET", path, NULL, NULL, &answer, err);
    free(path);
    if (status < 0)
        return err_wrap(err, "to keep the values of Secret %s/%s", namespace, name);
    const json_t *version_now =
        json_object_get(json_object_get(answer, "metadata"), "resourceVersion");
    json_t *value = json_object_get(json_object_get(answer, "data"), key);
    int result = 0;
    if (!json_equal(version_now, json_object_get(step, "resourceVersion")) || !value) {
        result = err_set(err, ERR_CONFLICT,
                         "Secret %s/%s has changed since the plan was made; make a new plan",
                         namespace, name);
    } else {
        json_object_del(values, key);
        json_t *data = json_object_get(object, "data");
        if (!data) {
            data = json_object();
            json_object_set_new(object, "data", data);
        }
        json_object_set(data, key, value);
    }
    json_decref(answer);
    return result;
}

static int fill(json_t *values, const char *name, json_t *value, const json_t *object, size_t index,
                void *arg, struct err *err)
{
    struct filling *filling = arg;
    const json_t *metadata = json_object_get(object, "metadata");
    (void)index;
    if (json_object_get(value, "live"))
        return fill_live(filling, (json_t *)object, values, name, err);
    if (json_object_get(value, "left out"))
        return err_set(
            err, ERR_USAGE,
            "the plan changes Secret %s, but has no value for its '%s'; a plan made with "
            "--key FILE has them, sealed",
            object_text(metadata, "name"), name);
    if (!json_object_get(value, "sealed"))
        return 0;
    if (!filling->key)
        return err_set(err, ERR_USAGE, "the plan's values of Secrets are sealed; give --key FILE");
    char *bytes = NULL;
    size_t length;
    if (seal_decrypt(filling->key, object_text(value, "sealed"), &bytes, &length, err) != 0)
        return err_wrap(err, "the value of Secret %s under '%s' (is --key that of the plan?)",
                        object_text(metadata, "name"), name);
    json_object_set_new(values, name, json_stringn(bytes, length));
    xfree_secret(bytes);
    return 0;
}

int plan_file_fill(struct session *session, const json_t *file, const char *key_path,
                   struct err *err)
{
    const char *wanted = object_text(json_object_get(file, "cluster"), "uid");
    const char *salt = object_text(file, "salt");
    unsigned char key[32];
    char *uid = session_cluster_uid(session, err);
    if (!uid)
        return -1;
    bool same = strcmp(uid, wanted) == 0;
    free(uid);
    if (!same)
        return err_set(err, ERR_PROFILE, "the plan was made for another cluster, %s; this is %s",
                       object_text(json_object_get(file, "cluster"), "server"), session->cluster);
    if (key_path && *salt && read_key(key_path, salt, key, err) != 0)
        return -1;
    struct filling filling = { session, file, key_path && *salt ? key : NULL };
    int result = each_secret_value(session->profile.source, fill, &filling, err);
    memset(key, 0, sizeof key);
    return result;
}

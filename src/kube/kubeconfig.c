#include "kube/kubeconfig.h"

#include <errno.h>
#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"
#include "object/yaml.h"

enum { FILE_MAX = 4 << 20 };

static const char service_account[] = "/var/run/secrets/kubernetes.io/serviceaccount";
static const char *const maps[] = { "clusters", "users", "contexts" };

/* The files merged: for each name the entry, with the file that it came from. */
struct merged {
    json_t *entries; /* { "clusters": { name: { "file", "value" } }, "users": …, "contexts": … } */
    char *current;
    char *files; /* for messages */
};

/* ---- files ---- */

/* The whole file, the caller's; NULL with err. */
static char *read_file(const char *path, size_t *len, struct err *err)
{
    struct buf text = { .max = FILE_MAX };
    char chunk[8192];
    size_t got;
    FILE *file = fopen(path, "rb");
    errno = file ? 0 : errno;
    while (file && (got = fread(chunk, 1, sizeof chunk, file)) > 0)
        buf_add(&text, chunk, got);
    bool failed = !file || ferror(file);
    int reason = errno;
    if (file)
        fclose(file);
    if (failed || text.overflow) {
        err_set(err, ERR_UNREACHABLE, "%s: %s", path,
                text.overflow ? "larger than 4 MiB; is this a kubeconfig?" : strerror(reason));
        buf_release(&text);
        return NULL;
    }
    if (len)
        *len = text.len;
    buf_adds(&text, "");
    return text.data ? buf_detach(&text) : xstrdup("");
}

static bool is_there(const char *path)
{
    return access(path, F_OK) == 0;
}

/* Paths in a kubeconfig are relative to its own folder. */
static char *resolve(const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    if (*path == '/' || !slash)
        return xstrdup(path);
    return xasprintf("%.*s/%s", (int)(slash - file), file, path);
}

/* ---- merging ---- */

static const char *text_at(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text && *text ? text : NULL;
}

static int merge_list(struct merged *merged, const char *file, const json_t *config,
                      const char *map, struct err *err)
{
    char singular[16];
    snprintf(singular, sizeof singular, "%.*s", (int)strlen(map) - 1, map);
    const json_t *list = json_object_get(config, map);
    if (list && !json_is_array(list) && !json_is_null(list))
        return err_set(err, ERR_UNREACHABLE, "%s: '%s' is not a list", file, map);
    json_t *into = json_object_get(merged->entries, map), *row;
    size_t i;
    json_array_foreach(list, i, row) {
        const char *name = json_string_value(json_object_get(row, "name"));
        json_t *value = json_object_get(row, singular);
        if (!name || (value && !json_is_object(value) && !json_is_null(value)))
            return err_set(err, ERR_UNREACHABLE,
                           "%s: %s[%zu] is not of the form {name: ..., %s: {...}}", file, map, i,
                           singular);
        if (!json_object_get(into, name))
            json_object_set_new(into, name, json_pack("{s:s, s:O?}", "file", file, "value", value));
    }
    return 0;
}

static int merge_file(struct merged *merged, const char *file, struct err *err)
{
    size_t length;
    char *text = read_file(file, &length, err);
    if (!text)
        return -1;
    json_t *config = yaml_parse(text, length, file, ERR_UNREACHABLE, err);
    xfree_secret(text);
    if (!config)
        return -1;
    int result = 0;
    if (!json_is_object(config) && !json_is_null(config))
        result =
            err_set(err, ERR_UNREACHABLE, "%s: not a kubeconfig: no 'clusters', 'contexts'", file);
    for (size_t i = 0; i < sizeof maps / sizeof *maps && result == 0; i++)
        result = merge_list(merged, file, config, maps[i], err);
    if (!merged->current && text_at(config, "current-context"))
        merged->current = xstrdup(text_at(config, "current-context"));
    json_decref(config);
    return result;
}

/* $KUBECONFIG: files that don't exist are skipped, as long as one does. */
static int merge_path_list(struct merged *merged, const char *list, struct err *err)
{
    char *copy = xstrdup(list), *rest = copy, *file;
    int result = 0;
    bool found = false;
    while (result == 0 && (file = strsep(&rest, ":"))) {
        if (!*file || !is_there(file))
            continue;
        found = true;
        result = merge_file(merged, file, err);
    }
    free(copy);
    if (result == 0 && !found)
        result = err_set(err, ERR_UNREACHABLE, "KUBECONFIG=%s: no such file", list);
    return result;
}

/* ---- choosing ---- */

/* " (known: a, b)" */
static char *known_names(const json_t *map)
{
    struct buf text = BUF_INIT;
    const char *name;
    json_t *unused;
    json_object_foreach((json_t *)map, name, unused)
        buf_addf(&text, "%s%s", text.len ? ", " : "", name);
    char *known = text.len ? xasprintf("; there is: %s", text.data) : xstrdup("; there is none");
    buf_release(&text);
    return known;
}

/* The entry of a name, or NULL with err that says who asked for it. */
static const json_t *find_entry(const struct merged *merged, const char *map, const char *name,
                                const char *asked_by, struct err *err)
{
    const json_t *entries = json_object_get(merged->entries, map);
    const json_t *entry = name ? json_object_get(entries, name) : NULL;
    if (entry)
        return entry;
    char *known = known_names(entries);
    err_set(err, ERR_UNREACHABLE, "%s: %s %s '%s' in '%s'%s", merged->files, asked_by,
            name ? "names" : "names no", name ? name : "entry", map, known);
    free(known);
    return NULL;
}

static int refuse_unsupported(const char *file, const char *name, const json_t *user,
                              struct err *err)
{
    static const char *const unsupported[] = { "exec", "auth-provider" };
    for (size_t i = 0; i < sizeof unsupported / sizeof *unsupported; i++)
        if (json_is_object(json_object_get(user, unsupported[i])))
            return err_set(err, ERR_UNREACHABLE,
                           "%s: user '%s' gets its credentials by '%s', which bkdeploy does not "
                           "run; give a token, tokenFile or client certificate",
                           file, name, unsupported[i]);
    return 0;
}

/* `key`-data inline wins over the path under `key`. NULL without err when neither is there. */
static char *pem_of(const char *file, const json_t *entry, const char *key, struct err *err)
{
    char data_key[64];
    snprintf(data_key, sizeof data_key, "%s-data", key);
    const char *data = text_at(entry, data_key), *path = text_at(entry, key);
    if (data) {
        char *pem = base64_decode(data, NULL);
        if (!pem)
            err_set(err, ERR_UNREACHABLE, "%s: '%s' is not base64", file, data_key);
        return pem;
    }
    if (!path)
        return NULL;
    char *real = resolve(file, path);
    char *pem = read_file(real, NULL, err);
    if (!pem)
        err_wrap(err, "%s: '%s'", file, key);
    free(real);
    return pem;
}

static char *trimmed(char *text)
{
    size_t length = strlen(text);
    while (length && strchr(" \t\r\n", text[length - 1]))
        text[--length] = '\0';
    return text;
}

static char *copy_text(const json_t *entry, const char *key)
{
    const char *text = text_at(entry, key);
    return text ? xstrdup(text) : NULL;
}

static int take_cluster(struct kube_access *access, const char *name, const json_t *entry,
                        struct err *err)
{
    const char *file = text_at(entry, "file");
    const json_t *cluster = json_object_get(entry, "value");
    const char *server = text_at(cluster, "server");
    if (!server)
        return err_set(err, ERR_UNREACHABLE, "%s: cluster '%s' has no 'server'", file, name);
    if (strncmp(server, "https://", 8) != 0 && strncmp(server, "http://", 7) != 0)
        return err_set(err, ERR_UNREACHABLE,
                       "%s: server '%s' of cluster '%s' does not begin with https://", file, server,
                       name);
    if (json_is_true(json_object_get(cluster, "insecure-skip-tls-verify")))
        return err_set(
            err, ERR_UNREACHABLE,
            "%s: cluster '%s' has insecure-skip-tls-verify, which bkdeploy refuses; give "
            "certificate-authority or certificate-authority-data",
            file, name);
    access->server = xstrdup(server);
    for (size_t i = strlen(server); i && access->server[i - 1] == '/'; i--)
        access->server[i - 1] = '\0';
    access->tls_server_name = copy_text(cluster, "tls-server-name");
    access->proxy_url = copy_text(cluster, "proxy-url");
    access->ca_pem = pem_of(file, cluster, "certificate-authority", err);
    return err->kind == ERR_NONE ? 0 : -1;
}

static int take_token_file(struct kube_access *access, const char *file, struct err *err)
{
    char *token = read_file(access->token_file, NULL, err);
    if (!token)
        return file ? err_wrap(err, "%s: 'tokenFile'", file) : -1;
    xfree_secret(access->token);
    access->token = trimmed(token);
    return 0;
}

static int take_user(struct kube_access *access, const char *name, const json_t *entry,
                     struct err *err)
{
    const char *file = text_at(entry, "file");
    const json_t *user = json_object_get(entry, "value");
    if (refuse_unsupported(file, name, user, err) != 0)
        return -1;
    access->username = copy_text(user, "username");
    access->password = copy_text(user, "password");
    access->token = copy_text(user, "token");
    access->cert_pem = pem_of(file, user, "client-certificate", err);
    if (err->kind == ERR_NONE)
        access->key_pem = pem_of(file, user, "client-key", err);
    if (err->kind != ERR_NONE)
        return -1;
    if (!access->cert_pem != !access->key_pem)
        return err_set(err, ERR_UNREACHABLE, "%s: user '%s' has a client-%s but no client-%s", file,
                       name, access->cert_pem ? "certificate" : "key",
                       access->cert_pem ? "key" : "certificate");
    const char *token_file = text_at(user, "tokenFile");
    if (!token_file)
        return 0;
    access->token_file = resolve(file, token_file);
    return take_token_file(access, file, err);
}

static int choose(struct kube_access *access, const struct merged *merged, const char *context,
                  struct err *err)
{
    const char *name = context ? context : merged->current;
    if (!name) {
        char *known = known_names(json_object_get(merged->entries, "contexts"));
        err_set(err, ERR_UNREACHABLE, "%s: no current-context; choose one with --context%s",
                merged->files, known);
        free(known);
        return -1;
    }
    const json_t *entry =
        find_entry(merged, "contexts", name, context ? "--context" : "current-context", err);
    if (!entry)
        return -1;
    const json_t *value = json_object_get(entry, "value");
    access->context = xstrdup(name);
    access->namespace = copy_text(value, "namespace");
    char *asked_by = xasprintf("context '%s'", name);
    const char *cluster_name = text_at(value, "cluster"), *user_name = text_at(value, "user");
    const json_t *cluster = find_entry(merged, "clusters", cluster_name, asked_by, err);
    const json_t *user =
        cluster && user_name ? find_entry(merged, "users", user_name, asked_by, err) : NULL;
    free(asked_by);
    if (err->kind != ERR_NONE || take_cluster(access, cluster_name, cluster, err) != 0)
        return -1;
    return user ? take_user(access, user_name, user, err) : 0; /* no user: anonymous, as kubectl */
}

/* ---- in the cluster ---- */

/* kubernetes.io/docs/tasks/run-application/access-api-from-pod/ */
static int load_in_cluster(struct kube_access *access, struct err *err)
{
    const char *host = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");
    bool v6 = strchr(host, ':') != NULL;
    access->context = xstrdup("in-cluster");
    access->server = xasprintf("https://%s%s%s:%s", v6 ? "[" : "", host, v6 ? "]" : "",
                               port && *port ? port : "443");
    char *ca = xasprintf("%s/ca.crt", service_account);
    access->ca_pem = read_file(ca, NULL, err);
    free(ca);
    if (!access->ca_pem)
        return -1;
    struct err ignored = ERR_INIT; /* the namespace is a convenience */
    char *namespace = xasprintf("%s/namespace", service_account);
    char *text = read_file(namespace, NULL, &ignored);
    access->namespace = text ? trimmed(text) : NULL;
    free(namespace);
    access->token_file = xasprintf("%s/token", service_account);
    return take_token_file(access, NULL, err);
}

/* ---- entry ---- */

static int load_files(struct kube_access *access, const char *path, const char *list,
                      const char *context, struct err *err)
{
    struct merged merged = { .entries = json_pack("{s:{}, s:{}, s:{}}", maps[0], maps[1], maps[2]),
                             .files = xstrdup(path ? path : list) };
    int result = path ? merge_file(&merged, path, err) : merge_path_list(&merged, list, err);
    if (result == 0)
        result = choose(access, &merged, context, err);
    json_decref(merged.entries);
    free(merged.current);
    free(merged.files);
    return result;
}

int kube_access_load(struct kube_access *access, const char *path, const char *context,
                     struct err *err)
{
    const char *list = getenv("KUBECONFIG"), *home = getenv("HOME");
    memset(access, 0, sizeof *access);
    char *usual = xasprintf("%s/.kube/config", home ? home : "");
    int result;
    if (path)
        result = load_files(access, path, NULL, context, err);
    else if (list && *list)
        result = load_files(access, NULL, list, context, err);
    else if (is_there(usual))
        result = load_files(access, usual, NULL, context, err);
    else if (getenv("KUBERNETES_SERVICE_HOST"))
        result = load_in_cluster(access, err);
    else
        result = err_set(
            err, ERR_UNREACHABLE,
            "no kubeconfig: %s does not exist; give --kubeconfig FILE or set KUBECONFIG", usual);
    free(usual);
    if (result != 0)
        kube_access_release(access);
    return result;
}

void kube_access_release(struct kube_access *access)
{
    free(access->context);
    free(access->server);
    free(access->namespace);
    free(access->ca_pem);
    free(access->cert_pem);
    xfree_secret(access->key_pem);
    xfree_secret(access->token);
    free(access->token_file);
    free(access->username);
    xfree_secret(access->password);
    free(access->tls_server_name);
    free(access->proxy_url);
    memset(access, 0, sizeof *access);
}

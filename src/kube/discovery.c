#include "kube/discovery.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"

struct kube_discovery {
    struct kube_client *client;
    json_t *kinds;  /* { "apps/v1": { "Deployment": { "plural", "namespaced" } } } */
    json_t *groups; /* { "apps": ["apps/v1"] }, the preferred version first */
    json_t *names;  /* NULL, or all that has a name, in the server's order: [{ "group", "version",
                       "kind", "plural", "singular", "short": [..] }] */
};

/* What one load waits for. */
struct load {
    struct kube_discovery *discovery;
    size_t pending;
    bool answered; /* nothing pending any more */
    struct err err;
};

struct question {
    struct load *load;
    const char *api_version; /* or the group */
};

struct kube_discovery *kube_discovery_new(struct kube_client *client)
{
    struct kube_discovery *discovery = xcalloc(1, sizeof *discovery);
    discovery->client = client;
    discovery->kinds = json_object();
    discovery->groups = json_object();
    return discovery;
}

void kube_discovery_free(struct kube_discovery *discovery)
{
    if (!discovery)
        return;
    json_decref(discovery->kinds);
    json_decref(discovery->groups);
    json_decref(discovery->names);
    free(discovery);
}

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

static void take_resources(struct question *question, const json_t *list)
{
    json_t *kinds = json_object(), *resource;
    size_t i;
    json_array_foreach(json_object_get(list, "resources"), i, resource) {
        const char *plural = json_string_value(json_object_get(resource, "name"));
        const char *kind = json_string_value(json_object_get(resource, "kind"));
        if (!plural || !kind || strchr(plural, '/')) /* a subresource: deployments/scale */
            continue;
        json_object_set_new(kinds, kind,
                            json_pack("{s:s, s:O}", "plural", plural, "namespaced",
                                      json_object_get(resource, "namespaced")));
    }
    json_object_set_new(question->load->discovery->kinds, question->api_version, kinds);
}

/* Whether there is an answer to take. */
static bool count_answer(struct load *load, const struct kube_response *response)
{
    load->answered = --load->pending == 0;
    if (response->err && response->status != 404)
        load->err = *response->err;
    return !response->err;
}

static void on_resources(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    if (count_answer(question->load, response))
        take_resources(question, response->body);
}

/* Waits for the answers; the questions are the caller's to free then. */
static int run_load(struct load *load, struct err *err)
{
    struct kube_client *client = load->discovery->client;
    int result = load->pending ? kube_run(client, &load->answered, -1, err) : 0;
    if (result != 0) /* the answers would come to a stack frame that is gone */
        kube_drain(client, 0);
    if (result == 0 && load->err.kind != ERR_NONE) {
        *err = load->err;
        result = -1;
    }
    return result;
}

static void ask(struct question *question, const char *path, kube_done_fn *done)
{
    struct kube_request request = { .method = "GET", .path = path, .done = done, .arg = question };
    kube_send(question->load->discovery->client, &request);
    question->load->pending++;
}

int kube_discovery_load(struct kube_discovery *discovery, const json_t *api_versions,
                        struct err *err)
{
    size_t i, count = json_array_size(api_versions);
    struct question *questions = xcalloc(count, sizeof *questions);
    struct load load = { .discovery = discovery, .err = ERR_INIT };
    json_t *wanted, *asked = json_object(); /* each of them once */
    json_array_foreach((json_t *)api_versions, i, wanted) {
        const char *api_version = json_string_value(wanted);
        if (json_object_get(discovery->kinds, api_version) || json_object_get(asked, api_version))
            continue;
        json_object_set_new(asked, api_version, json_true());
        questions[i] = (struct question){ &load, api_version };
        /* The core group has no name and a path of its own. */
        char *path = xasprintf("/%s/%s", strchr(api_version, '/') ? "apis" : "api", api_version);
        ask(&questions[i], path, on_resources);
        free(path);
    }
    int result = run_load(&load, err);
    json_decref(asked);
    free(questions);
    return result;
}

/* ---- kinds whose version is not known ---- */

/* Of "Deployment.apps": "apps", of the core "". */
static const char *group_of(const char *group_kind)
{
    const char *dot = strchr(group_kind, '.');
    return dot ? dot + 1 : "";
}

static bool in_group(const char *api_version, const char *group)
{
    size_t length = strlen(group);
    return length ? strncmp(api_version, group, length) == 0 && api_version[length] == '/'
                  : strchr(api_version, '/') == NULL;
}

const char *kube_version_of(const struct kube_discovery *discovery, const char *group_kind)
{
    const char *group = group_of(group_kind), *found = NULL, *version;
    char *kind = xstrndup(group_kind, strcspn(group_kind, "."));
    size_t i;
    json_t *entry, *kinds;
    json_array_foreach(json_object_get(discovery->groups, group), i, entry) {
        version = json_string_value(entry);
        if (!found && json_object_get(json_object_get(discovery->kinds, version), kind))
            found = version;
    }
    json_object_foreach(discovery->kinds, version, kinds) {
        if (!found && in_group(version, group) && json_object_get(kinds, kind))
            found = version;
    }
    free(kind);
    return found;
}

bool kube_is_namespaced(const struct kube_discovery *discovery, const char *api_version,
                        const char *kind)
{
    const json_t *row = json_object_get(json_object_get(discovery->kinds, api_version), kind);
    return json_is_true(json_object_get(row, "namespaced"));
}

static void on_group(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    if (!count_answer(question->load, response))
        return;
    json_t *versions = json_array(), *version;
    json_t *preferred =
        json_object_get(json_object_get(response->body, "preferredVersion"), "groupVersion");
    size_t i;
    if (json_is_string(preferred))
        json_array_append(versions, preferred);
    json_array_foreach(json_object_get(response->body, "versions"), i, version) {
        json_t *name = json_object_get(version, "groupVersion");
        if (json_is_string(name) && !json_equal(name, preferred))
            json_array_append(versions, name);
    }
    json_object_set_new(question->load->discovery->groups, question->api_version, versions);
}

/* Asks which versions these groups have. */
static int load_groups(struct kube_discovery *discovery, const json_t *groups, struct err *err)
{
    struct question *questions = xcalloc(json_object_size(groups) + 1, sizeof *questions);
    struct load load = { .discovery = discovery, .err = ERR_INIT };
    const char *group;
    json_t *unused;
    size_t count = 0;
    json_object_foreach((json_t *)groups, group, unused) {
        struct question *question = &questions[count++];
        *question = (struct question){ &load, group };
        char *path = xasprintf("/apis/%s", group);
        ask(question, path, on_group);
        free(path);
    }
    int result = run_load(&load, err);
    free(questions);
    return result;
}

/* Loads, of the kinds that have no version yet, the preferred versions of their groups, or all. */
static int load_versions(struct kube_discovery *discovery, const json_t *group_kinds, bool all,
                         struct err *err)
{
    json_t *wanted = json_object(), *entry, *version;
    size_t i, k;
    json_array_foreach((json_t *)group_kinds, i, entry) {
        const char *group_kind = json_string_value(entry), *group = group_of(group_kind);
        if (kube_version_of(discovery, group_kind))
            continue;
        if (!*group)
            json_object_set_new(wanted, "v1", json_true());
        json_array_foreach(json_object_get(discovery->groups, group), k, version) {
            if (k == 0 || all)
                json_object_set_new(wanted, json_string_value(version), json_true());
        }
    }
    json_t *list = json_array();
    const char *name;
    json_object_foreach(wanted, name, version)
        json_array_append_new(list, json_string(name));
    int result = kube_discovery_load(discovery, list, err);
    json_decref(list);
    json_decref(wanted);
    return result;
}

int kube_discovery_load_kinds(struct kube_discovery *discovery, const json_t *group_kinds,
                              struct err *err)
{
    json_t *groups = json_object(), *entry;
    size_t i;
    json_array_foreach((json_t *)group_kinds, i, entry) {
        const char *group_kind = json_string_value(entry), *group = group_of(group_kind);
        if (*group && !kube_version_of(discovery, group_kind))
            json_object_set_new(groups, group, json_true());
    }
    int result = load_groups(discovery, groups, err);
    if (result == 0)
        result = load_versions(discovery, group_kinds, false, err);
    if (result == 0)
        result = load_versions(discovery, group_kinds, true, err);
    json_decref(groups);
    return result;
}

/* ---- kinds by any of their names ---- */

/* Both forms of discovery at once: servers before 1.30 know the second alone, one group version a
 * request, and answer with a list of groups. */
#define AGGREGATED                                                                                 \
    "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"

static void add_name(struct kube_discovery *discovery, const char *group, const char *version,
                     const char *kind, const json_t *resource, const char *plural,
                     const char *singular)
{
    size_t i;
    json_t *verb, *verbs = json_object_get(resource, "verbs"), *names;
    bool watched = false;
    json_array_foreach(verbs, i, verb)
        watched |= strcmp(json_string_value(verb), "watch") == 0;
    if (!watched || !*plural || !*kind || strchr(plural, '/'))
        return;
    char *api_version = *group ? xasprintf("%s/%s", group, version) : xstrdup(version);
    names = json_pack("{s:s, s:s, s:s, s:s, s:s}", "group", group, "version", api_version, "kind",
                      kind, "plural", plural, "singular", singular);
    if (json_object_get(resource, "shortNames"))
        json_object_set(names, "short", json_object_get(resource, "shortNames"));
    json_array_append_new(discovery->names, names);
    free(api_version);
}

static void take_discovery(struct kube_discovery *discovery, const json_t *list)
{
    size_t i, k, m;
    json_t *group, *version, *resource;
    json_array_foreach(json_object_get(list, "items"), i, group) {
        const char *name = text(json_object_get(group, "metadata"), "name");
        json_array_foreach(json_object_get(group, "versions"), k, version) {
            json_array_foreach(json_object_get(version, "resources"), m, resource)
                add_name(discovery, name, text(version, "version"),
                         text(json_object_get(resource, "responseKind"), "kind"), resource,
                         text(resource, "resource"), text(resource, "singularResource"));
        }
    }
}

/* A list of one group version, of a server that has no aggregated discovery. */
static int ask_group_version(struct kube_discovery *discovery, const char *group,
                             const char *version, struct err *err)
{
    char *path = *group ? xasprintf("/apis/%s/%s", group, version) : xstrdup("/api/v1");
    struct kube_request request = { .method = "GET", .path = path };
    json_t *list = NULL, *resource;
    size_t i;
    long status = kube_ask(discovery->client, &request, &list, err);
    json_array_foreach(json_object_get(list, "resources"), i, resource)
        add_name(discovery, group, version, text(resource, "kind"), resource,
                 text(resource, "name"), text(resource, "singularName"));
    json_decref(list);
    free(path);
    return status < 0 ? -1 : 0; /* one that its own server does not answer for is left out */
}

static int ask_groups(struct kube_discovery *discovery, const json_t *list, struct err *err)
{
    size_t i;
    json_t *group;
    if (ask_group_version(discovery, "", "v1", err) != 0)
        return -1;
    json_array_foreach(json_object_get(list, "groups"), i, group) {
        const char *version = text(json_object_get(group, "preferredVersion"), "version");
        if (ask_group_version(discovery, text(group, "name"), version, err) != 0)
            return -1;
    }
    return 0;
}

static int load_names(struct kube_discovery *discovery, struct err *err)
{
    static const char *const roots[] = { "/api", "/apis" };
    int result = 0;
    discovery->names = json_array();
    for (size_t i = 0; i < 2 && result == 0; i++) {
        struct kube_request request = { .method = "GET", .path = roots[i], .accept = AGGREGATED };
        json_t *answer = NULL;
        if (kube_ask(discovery->client, &request, &answer, err) != 200)
            result = -1;
        else if (json_object_get(answer, "items"))
            take_discovery(discovery, answer);
        else if (i == 1)
            result = ask_groups(discovery, answer, err);
        json_decref(answer);
    }
    return result;
}

static bool is_called(const char *word, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(word, name, length) == 0;
}

/* Whether the row has this name; the shorter ones count only where no full one fits. */
static bool has_name(const json_t *row, const char *word, size_t length, bool shorter)
{
    size_t i;
    json_t *name;
    if (!shorter)
        return is_called(word, length, text(row, "plural")) ||
               is_called(word, length, text(row, "singular")) ||
               is_called(word, length, text(row, "kind"));
    json_array_foreach(json_object_get(row, "short"), i, name) {
        if (is_called(word, length, json_string_value(name)))
            return true;
    }
    return false;
}

static const json_t *find_name(const struct kube_discovery *discovery, const char *word,
                               size_t length)
{
    const char *dot = memchr(word, '.', length);
    size_t name = dot ? (size_t)(dot - word) : length, i;
    json_t *row;
    for (int shorter = 0; shorter < 2; shorter++) {
        json_array_foreach(discovery->names, i, row) {
            if (has_name(row, word, name, shorter) &&
                (!dot || is_called(dot + 1, length - name - 1, text(row, "group"))))
                return row;
        }
    }
    return NULL;
}

int kube_discovery_find(struct kube_discovery *discovery, const char *word, size_t length,
                        const char **api_version, const char **kind, struct err *err)
{
    if (!discovery->names && load_names(discovery, err) != 0)
        return -1;
    const json_t *row = find_name(discovery, word, length);
    if (!row)
        return err_set(err, ERR_USAGE, "the cluster has no kind '%.*s' that can be watched",
                       (int)length, word);
    json_t *versions = json_pack("[s]", text(row, "version"));
    int result = kube_discovery_load(discovery, versions, err);
    json_decref(versions);
    *api_version = text(row, "version");
    *kind = text(row, "kind");
    return result;
}

char *kube_collection_path(const struct kube_discovery *discovery, const char *api_version,
                           const char *kind, const char *namespace)
{
    const json_t *row = json_object_get(json_object_get(discovery->kinds, api_version), kind);
    if (!row)
        return NULL;
    const char *root = strchr(api_version, '/') ? "apis" : "api";
    const char *plural = json_string_value(json_object_get(row, "plural"));
    if (json_is_true(json_object_get(row, "namespaced")))
        return xasprintf("/%s/%s/namespaces/%s/%s", root, api_version, namespace, plural);
    return xasprintf("/%s/%s/%s", root, api_version, plural);
}

char *kube_object_path(const char *collection, const char *name)
{
    struct buf path = BUF_INIT;
    buf_addf(&path, "%s/", collection);
    for (const char *c = name; *c; c++) {
        if (strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:", *c))
            buf_add(&path, c, 1);
        else
            buf_addf(&path, "%%%02X", (unsigned char)*c);
    }
    return buf_detach(&path);
}

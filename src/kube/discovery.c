#include "kube/discovery.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"

struct kube_discovery {
    struct kube_client *client;
    json_t *kinds; /* { "apps/v1": { "Deployment": { "plural", "namespaced" } } } */
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
    const char *api_version;
};

struct kube_discovery *kube_discovery_new(struct kube_client *client)
{
    struct kube_discovery *discovery = xcalloc(1, sizeof *discovery);
    discovery->client = client;
    discovery->kinds = json_object();
    return discovery;
}

void kube_discovery_free(struct kube_discovery *discovery)
{
    if (!discovery)
        return;
    json_decref(discovery->kinds);
    free(discovery);
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

static void on_resources(const struct kube_response *response, void *arg)
{
    struct question *question = arg;
    struct load *load = question->load;
    load->answered = --load->pending == 0;
    if (!response->err)
        take_resources(question, response->body);
    else if (response->status != 404)
        load->err = *response->err;
}

int kube_discovery_load(struct kube_discovery *discovery, const json_t *api_versions,
                        struct err *err)
{
    size_t i, count = json_array_size(api_versions);
    struct question *questions = xcalloc(count, sizeof *questions);
    struct load load = { .discovery = discovery, .err = ERR_INIT };
    json_t *wanted;
    json_array_foreach((json_t *)api_versions, i, wanted) {
        const char *api_version = json_string_value(wanted);
        if (json_object_get(discovery->kinds, api_version))
            continue;
        questions[i] = (struct question){ &load, api_version };
        /* The core group has no name and a path of its own. */
        char *path = xasprintf("/%s/%s", strchr(api_version, '/') ? "apis" : "api", api_version);
        struct kube_request request = {
            .method = "GET", .path = path, .done = on_resources, .arg = &questions[i]
        };
        kube_send(discovery->client, &request);
        load.pending++;
        free(path);
    }
    int result = load.pending ? kube_run(discovery->client, &load.answered, -1, err) : 0;
    if (result != 0) /* the answers would come to a stack frame that is gone */
        kube_drain(discovery->client, 0);
    if (result == 0 && load.err.kind != ERR_NONE) {
        *err = load.err;
        result = -1;
    }
    free(questions);
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

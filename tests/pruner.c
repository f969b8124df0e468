/*
 * pruner KUBECONFIG TIMEOUT_MS EXPLAIN_MS: deletes the objects of the List (or the
 * one object) on standard input as
 * `bkdeploy delete` and the prune after an apply do. "DELETED ConfigMap shop/x" for each on
 * standard output, explanations on standard error; the exit code is the program's. pruner
 * KUBECONFIG referenced NAMESPACE: prints what prune_referenced() finds.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "kube/discovery.h"
#include "release/prune.h"

static void tell(const char *line, void *arg)
{
    (void)arg;
    fprintf(stderr, "%s\n", line);
}

static void gone(const struct member *member, enum prune_fate fate, void *arg)
{
    static const char *const words[] = { "DELETED", "ABSENT", "REPLACED" };
    char *label = prune_label(member);
    (void)arg;
    printf("%s %s\n", words[fate], label);
    free(label);
}

static char *copy(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return xstrdup(text ? text : "");
}

static int prune(struct kube_client *client, char **argv, struct err *err)
{
    json_t *list = json_loadf(stdin, 0, NULL), *item;
    json_t *items = json_incref(json_object_get(list, "items"));
    if (!items)
        items = json_pack("[O]", list);
    size_t count = json_array_size(items), deleted = 0, i;
    struct member *members = xcalloc(count, sizeof *members);
    const struct member **pointers = xcalloc(count, sizeof *pointers);
    struct kube_discovery *discovery = kube_discovery_new(client);
    json_t *versions = json_array();
    json_array_foreach(items, i, item)
        json_array_append(versions, json_object_get(item, "apiVersion"));
    int result = kube_discovery_load(discovery, versions, err);
    json_array_foreach(items, i, item) {
        const json_t *metadata = json_object_get(item, "metadata");
        struct member *member = &members[i];
        *member = (struct member){ .api_version = copy(item, "apiVersion"),
                                   .kind = copy(item, "kind"),
                                   .namespace = copy(metadata, "namespace"),
                                   .name = copy(metadata, "name"),
                                   .uid = copy(metadata, "uid"),
                                   .object = item };
        member->collection =
            kube_collection_path(discovery, member->api_version, member->kind, member->namespace);
        member->path = kube_object_path(member->collection, member->name);
        pointers[i] = member;
    }
    struct prune_options options = {
        .timeout_ms = atol(argv[2]), .explain_after_ms = atol(argv[3]), .tell = tell, .gone = gone
    };
    if (result == 0)
        result = prune_run(client, pointers, count, &options, &deleted, err);
    printf("%zu of %zu\n", deleted, count);
    for (i = 0; i < count; i++) {
        free(members[i].api_version);
        free(members[i].kind);
        free(members[i].namespace);
        free(members[i].name);
        free(members[i].uid);
        free(members[i].collection);
        free(members[i].path);
    }
    free(members);
    free(pointers);
    kube_discovery_free(discovery);
    json_decref(versions);
    json_decref(items);
    json_decref(list);
    return result;
}

static int referenced(struct kube_client *client, const char *namespace, struct err *err)
{
    json_t *names;
    if (prune_referenced(client, namespace, &names, err) != 0)
        return -1;
    json_dumpf(names, stdout, JSON_COMPACT | JSON_SORT_KEYS);
    json_decref(names);
    return 0;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct kube_access access;
    if (argc != 4)
        return 2;
    interrupt_init();
    int result = kube_access_load(&access, argv[1], NULL, &err);
    if (result == 0) {
        struct kube_client *client = kube_client_new(&access, &err);
        kube_access_release(&access);
        if (!client)
            result = -1;
        else if (strcmp(argv[2], "referenced") == 0)
            result = referenced(client, argv[3], &err);
        else
            result = prune(client, argv, &err);
        kube_client_free(client);
    }
    if (result != 0)
        fprintf(stderr, "pruner: %s\n", err.message);
    return result == 0 ? 0 : err_exit_code(err.kind);
}

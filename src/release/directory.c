#include "release/directory.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "kube/list.h"
#include "object/meta.h"
#include "release/identity.h"

enum { HTTP_FORBIDDEN = 403 };

/* Metadata of the objects of a kind that have a label; as kube_list(). */
static long list_all(struct kube_client *client, const char *namespace, const char *plural,
                     const char *selector, json_t **items, struct err *err)
{
    char *path = xasprintf("/api/v1%s%s/%s?labelSelector=%s", namespace ? "/namespaces/" : "",
                           namespace ? namespace : "", plural, selector);
    long status = kube_list(client, path, KUBE_METADATA_LIST, items, err);
    free(path);
    return status;
}

static void take_parent(struct directory_entry *entry, const json_t *parent)
{
    *entry = (struct directory_entry){
        .name = xstrdup(meta_label(parent, IDENTITY_RELEASE)),
        .namespace = xstrdup(meta_text(parent, "namespace")),
        .profile = xstrdup(meta_annotation(parent, "bkdeploy/profile")),
        .environment = xstrdup(meta_annotation(parent, "bkdeploy/environment")),
        .revision = (int)strtol(meta_annotation(parent, "bkdeploy/revision"), NULL, 10),
        .when = xstrdup(meta_annotation(parent, "bkdeploy/when")),
        .outcome = xstrdup(meta_annotation(parent, "bkdeploy/outcome")),
    };
}

static void set_text(char **text, const char *value)
{
    free(*text);
    *text = xstrdup(value);
}

static void take_revision(struct directory_entry *entry, const json_t *secret)
{
    int number = (int)strtol(meta_label(secret, "bkdeploy/revision"), NULL, 10);
    if (number < entry->revision || number < 1)
        return;
    entry->revision = number;
    set_text(&entry->when, meta_annotation(secret, "bkdeploy/when"));
    set_text(&entry->outcome, meta_annotation(secret, "bkdeploy/outcome"));
    set_text(&entry->environment, meta_annotation(secret, "bkdeploy/environment"));
    set_text(&entry->profile, meta_annotation(secret, "bkdeploy/profile"));
}

static int compare(const void *a, const void *b)
{
    const struct directory_entry *one = a, *other = b;
    int order = strcmp(one->namespace, other->namespace);
    return order ? order : strcmp(one->name, other->name);
}

/* Fills in what the Secrets of the revisions say. */
static int add_revisions(struct kube_client *client, const char *namespace,
                         struct directory_entry *list, size_t count, struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *secrets = NULL, *secret;
    size_t i;
    long status = list_all(client, namespace, "secrets",
                           "bkdeploy%2Frelease%2Cbkdeploy%2Frevision%2C%21bkdeploy%2Fpart",
                           &secrets, &refusal);
    if (status == HTTP_FORBIDDEN)
        return 0;
    if (status != 200) {
        *err = refusal;
        return err_wrap(err, "to list revisions");
    }
    json_array_foreach(secrets, i, secret) {
        struct directory_entry key = {
            .name = (char *)meta_label(secret, IDENTITY_RELEASE),
            .namespace = (char *)meta_text(secret, "namespace"),
        };
        struct directory_entry *entry = bsearch(&key, list, count, sizeof *list, compare);
        if (entry)
            take_revision(entry, secret);
    }
    json_decref(secrets);
    return 0;
}

int directory_list(struct kube_client *client, const char *namespace, struct directory_entry **list,
                   size_t *count, struct err *err)
{
    json_t *parents = NULL, *parent;
    size_t i;
    *list = NULL;
    *count = 0;
    long status = list_all(client, namespace, "configmaps", "bkdeploy%2Frelease", &parents, err);
    if (status == HTTP_FORBIDDEN && !namespace)
        return err_wrap(err, "the releases of all namespaces can't be listed; name one with "
                             "-n NAMESPACE");
    if (status != 200)
        return err_wrap(err, "to list releases");
    struct directory_entry *all = xcalloc(json_array_size(parents) + 1, sizeof *all);
    json_array_foreach(parents, i, parent)
        take_parent(&all[(*count)++], parent);
    json_decref(parents);
    if (*count)
        qsort(all, *count, sizeof *all, compare);
    if (*count && add_revisions(client, namespace, all, *count, err) != 0) {
        directory_free(all, *count);
        return -1;
    }
    *list = all;
    return 0;
}

void directory_free(struct directory_entry *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(list[i].name);
        free(list[i].namespace);
        free(list[i].profile);
        free(list[i].environment);
        free(list[i].when);
        free(list[i].outcome);
    }
    free(list);
}

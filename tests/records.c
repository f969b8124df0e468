/*
 * records KUBECONFIG NAMESPACE RELEASE VERB [ARGUMENT]...: a release's bookkeeping by itself, for
 * the end-to-end specs. Prints JSON; exits as bkdeploy does.
 *   identity | load | inventory JSON | list | write N FILE | read N | read-sealed N |
 *   outcome N WORD [SUMMARY] | interrupted N WORD | trim KEEP
 * JSON: { kinds = [], namespaces = [], info = {} }; FILE: JSON of { source, outcome, ... }.
 */
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/interrupt.h"
#include "kube/client.h"
#include "kube/discovery.h"
#include "kube/kubeconfig.h"
#include "release/identity.h"
#include "release/inventory.h"
#include "release/revision.h"

struct place {
    struct kube_client *client;
    struct identity identity;
    char **words;
};

static int print(json_t *value)
{
    json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(value);
    return 0;
}

static int show_identity(struct place *place, struct err *err)
{
    (void)err;
    return print(
        json_pack("{s:s, s:s}", "parent", place->identity.parent, "id", place->identity.set_id));
}

static int load(struct place *place, struct err *err)
{
    struct inventory inventory;
    struct kube_discovery *discovery = kube_discovery_new(place->client);
    int result = inventory_load(place->client, discovery, &place->identity, NULL, &inventory, err);
    if (result == 0) {
        json_t *members = json_array();
        for (size_t i = 0; i < inventory.count; i++) {
            const struct member *member = &inventory.members[i];
            json_array_append_new(members,
                                  json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:b, s:O}",
                                            "apiVersion", member->api_version, "kind", member->kind,
                                            "namespace", member->namespace, "name", member->name,
                                            "uid", member->uid, "path", member->path, "keep",
                                            member->keep, "object", member->object));
        }
        print(json_pack("{s:b, s:o, s:O}", "parent", inventory.parent != NULL, "members", members,
                        "missing", inventory.missing));
    }
    inventory_release(&inventory);
    kube_discovery_free(discovery);
    return result;
}

static int write_inventory(struct place *place, struct err *err)
{
    json_t *given = json_loads(place->words[0], 0, NULL);
    int result =
        inventory_write(place->client, &place->identity, json_object_get(given, "kinds"),
                        json_object_get(given, "namespaces"), json_object_get(given, "info"), err);
    json_decref(given);
    return result;
}

static int list(struct place *place, struct err *err)
{
    struct revision *rows;
    size_t count;
    if (revision_list(place->client, &place->identity, &rows, &count, err) != 0)
        return -1;
    json_t *all = json_array();
    for (size_t i = 0; i < count; i++)
        json_array_append_new(all, json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}",
                                             "number", rows[i].number, "outcome", rows[i].outcome,
                                             "when", rows[i].when, "who", rows[i].who, "profile",
                                             rows[i].profile, "environment", rows[i].environment,
                                             "commit", rows[i].commit, "message", rows[i].message,
                                             "summary", rows[i].summary));
    revision_list_free(rows, count);
    return print(all);
}

static char *text_of(const json_t *given, const char *key)
{
    return (char *)json_string_value(json_object_get(given, key));
}

static int write_revision(struct place *place, struct err *err)
{
    json_t *given = json_load_file(place->words[1], JSON_ALLOW_NUL, NULL);
    struct revision revision = {
        .number = atoi(place->words[0]),
        .outcome = text_of(given, "outcome"),
        .when = text_of(given, "when"),
        .who = text_of(given, "who"),
        .profile = text_of(given, "profile"),
        .environment = text_of(given, "environment"),
        .commit = text_of(given, "commit"),
        .message = text_of(given, "message"),
        .summary = text_of(given, "summary"),
    };
    int result = revision_write(place->client, &place->identity, &revision,
                                json_object_get(given, "source"), err);
    json_decref(given);
    return result;
}

static int read_revision(struct place *place, struct err *err)
{
    json_t *source;
    if (revision_read(place->client, &place->identity, atoi(place->words[0]), &source, err) != 0)
        return -1;
    return print(source);
}

static int read_sealed(struct place *place, struct err *err)
{
    json_t *source;
    if (revision_read_sealed(place->client, &place->identity, atoi(place->words[0]), &source,
                             err) != 0)
        return -1;
    return print(source);
}

static int set_outcome(struct place *place, struct err *err)
{
    return revision_set_outcome(place->client, &place->identity, atoi(place->words[0]),
                                place->words[1], place->words[2], err);
}

/* The same after a Ctrl-C. */
static int set_outcome_interrupted(struct place *place, struct err *err)
{
    (void)raise(SIGINT);
    return set_outcome(place, err);
}

static int trim(struct place *place, struct err *err)
{
    return revision_trim(place->client, &place->identity, atoi(place->words[0]), err);
}

static const struct {
    const char *name;
    int (*run)(struct place *place, struct err *err);
    int words;
} verbs[] = {
    { "identity", show_identity, 0 },
    { "load", load, 0 },
    { "inventory", write_inventory, 1 },
    { "list", list, 0 },
    { "write", write_revision, 2 },
    { "read", read_revision, 1 },
    { "read-sealed", read_sealed, 1 },
    { "outcome", set_outcome, 2 },
    { "interrupted", set_outcome_interrupted, 2 },
    { "trim", trim, 1 },
};

static int run(int argc, char **argv, struct err *err)
{
    struct kube_access access;
    struct place place = { .words = argv + 5 };
    if (kube_access_load(&access, argv[1], NULL, err) != 0)
        return -1;
    place.client = kube_client_new(&access, err);
    kube_access_release(&access);
    int result = identity_init(&place.identity, argv[3], argv[2], err);
    if (result == 0 && place.client) {
        result = err_set(err, ERR_USAGE, "records: no such verb, or a word is missing");
        for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++) {
            if (strcmp(verbs[i].name, argv[4]) == 0 && argc - 5 >= verbs[i].words) {
                *err = (struct err)ERR_INIT;
                result = verbs[i].run(&place, err);
            }
        }
    }
    identity_release(&place.identity);
    kube_client_free(place.client);
    return result;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    if (argc < 5)
        return 2;
    interrupt_init();
    if (run(argc, argv, &err) == 0)
        return 0;
    fprintf(stderr, "%s\n", err.message);
    return err_exit_code(err.kind);
}

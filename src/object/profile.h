/*
 * A profile after its evaluation: components in the order of the script, each with the API objects
 * that it is made of and the components that must be ready before it. Made by script/, read by
 * every command.
 */
#ifndef OBJECT_PROFILE_H
#define OBJECT_PROFILE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Whether objects are deleted and made anew when a field is to change that can't be changed. */
enum component_replace {
    COMPONENT_REPLACE_UNSAID, /* Jobs only */
    COMPONENT_REPLACE_NEVER,
    COMPONENT_REPLACE_ALLOWED,
};

struct component {
    const char *name;   /* unique in the profile */
    const char *origin; /* "profile.lua:42" */
    json_t *objects;    /* array of API objects, in the order to show them */
    /* Those that must be ready before it, as indexes into profile.components: `needs_count` that it
     * needs, then those that it only comes after. */
    size_t *before;
    size_t before_count, needs_count;
    long grace_ms; /* how long a cause of failure must stay; -1: not said */
    bool keep;     /* its objects have the annotation bkdeploy/keep: "true" */
    enum component_replace replace;
};

/* What the cluster of the environment must be; each may be NULL. */
struct pin {
    const char *server;  /* its URL in the kubeconfig */
    const char *context; /* pattern of the context's name, as of fnmatch(3) */
    const char *uid;     /* of the namespace kube-system */
    const char *origin;  /* "profile.lua:7" */
};

struct profile {
    const char *name;
    const char *environment;
    const char *namespace; /* where namespaced objects without one of their own go */
    struct component *components;
    size_t count;
    struct pin pin;
    const json_t *conflicts; /* array of { kind?, field?, manager?, action, origin }, the first that
                                fits counts (release/conflict.h); NULL: none */
    json_t *source;          /* holds the strings and objects above */
    char *names;             /* those of the components, after profile_keep(); or NULL */
};

/*
 * Reads what lua/bk hands out:
 *   { name, environment, namespace, pin = { server, context, uid, origin },
 *     requires = [ { text, origin, any = [ { name, range } ] } ],
 *     conflicts = [ { kind, field, manager, action, origin } ],
 *     components = [ { name, origin, needs = [name], after = [name], objects = [object], keep,
 *                      replace, grace = seconds } ] }
 * Takes its own reference to `source`. Fails with ERR_PROFILE when `needs` or `after` names no
 * component, when the two form a cycle, or when two objects have one identity. Returns 0 or -1.
 */
int profile_init(struct profile *profile, json_t *source, struct err *err);
void profile_release(struct profile *profile);

/* Lets go of the objects of the components that are not to be kept (`keep` by component), which are
 * null then, and of what else was borrowed of these. Names and origins stay. */
void profile_keep(struct profile *profile, const bool *keep);

/* "needs" where a component needs the other one, else "comes after". */
const char *component_waits_by(const struct component *component, size_t other);

/* Whether a component must wait for another one: directly, or through others. */
bool profile_is_behind(const struct profile *profile, size_t component, size_t other);

#endif

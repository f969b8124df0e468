/*
 * What doctor looks at, gathered once: what a profile says and what is on the cluster. The sections
 * are functions of it, so that they can be asked about recorded values.
 */
#ifndef DOCTOR_WORLD_H
#define DOCTOR_WORLD_H

#include <jansson.h>
#include <stdbool.h>

struct doctor_world {
    /* The profile's objects: [{ component, origin?, object }], each with its namespace. */
    const json_t *wanted;
    /* By kind, what is there, whoever has made it: { "Pod": [object] }, of the release's namespaces
     * and of the cluster; and "Load", what the pods of the whole cluster take:
     * [{ node, requests }]. A kind that may not be read is missing. */
    const json_t *live;
    /* Which components each one needs, by their names, also through others that have no port:
     * { name: [name] }. */
    const json_t *needs;
    bool applied;    /* something of the release is there */
    json_t *by_name; /* of world_init(): the objects of `live` and the entries of `wanted` */
    json_t *owners;  /* the entries that pods belong to */
};

/* Makes the lookups; the values are borrowed, and must not change until the release. */
void world_init(struct doctor_world *world);
void world_release(struct doctor_world *world);

/* ---- values ---- */

/* What lies at "spec.template.spec"; NULL when there is nothing. */
const json_t *world_at(const json_t *object, const char *path);
const char *world_text(const json_t *object, const char *path); /* "" when there is none */

/* Whether labels (NULL: none) are chosen by a LabelSelector (metav1); an empty one chooses all,
 * NULL nothing. */
bool world_selects(const json_t *selector, const json_t *labels);

/* The same for a plain map, as Services have it; an empty one chooses nothing. */
bool world_has_labels(const json_t *labels, const json_t *wanted);

/* "app=web,tier=a", for people. The caller's. */
char *world_labels(const json_t *labels);

/* ---- objects ---- */

/* All of a kind; NULL when they were not read. */
const json_t *world_all(const struct doctor_world *world, const char *kind);

/* A live one, or one of the profile's. */
const json_t *world_live(const struct doctor_world *world, const char *kind, const char *namespace,
                         const char *name);
const json_t *world_wanted(const struct doctor_world *world, const char *kind,
                           const char *namespace, const char *name);

/* The live one of an object of the profile, else the object itself. */
const json_t *world_real(const struct doctor_world *world, const json_t *object);

/* A text of somebody's without the values of Secrets, those of the cluster and of the profile. The
 * caller's. */
char *world_without_secrets(const struct doctor_world *world, const char *text);

/* ---- workloads ---- */

/* The pod template ({ metadata, spec }) of a workload, of a Pod itself; NULL of another kind. */
const json_t *world_template(const json_t *object);

/* The entry of `wanted` whose workload a live pod belongs to, through its owners; NULL. */
const json_t *world_owner(const struct doctor_world *world, const json_t *pod);

/* Whether a pod has ended, and takes nothing any more. */
bool world_has_ended(const json_t *pod);

/* Whether its condition Ready is true. */
bool world_is_ready(const json_t *pod);

#endif

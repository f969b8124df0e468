/*
 * Which component of a release an object of the cluster belongs to: one of its own objects, or one
 * that has an owner which does, over any number of steps. What is gone by now is known by its name,
 * as controllers make it.
 */
#ifndef RELEASE_KIN_H
#define RELEASE_KIN_H

#include <jansson.h>

#include "base/err.h"
#include "kube/client.h"
#include "release/work.h"

struct kin;

/* `work` outlives it. */
struct kin *kin_new(struct kube_client *client, const struct work *work);
void kin_free(struct kin *kin);

/* Reads the pods, ReplicaSets and Jobs of a namespace, so that they need not be asked for one by
 * one; what may not be listed is left out. Returns 0, or -1 after an interrupt. */
int kin_load(struct kin *kin, const char *namespace, struct err *err);

/* The component of the object that a reference (apiVersion, kind, namespace, name) names, or NULL:
 * it is of no component, or can't be told. Asks the server for what is not known. Returns 0, or -1
 * after an interrupt. */
int kin_find(struct kin *kin, const json_t *reference, const char **component, struct err *err);

#endif

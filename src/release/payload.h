/*
 * What a revision keeps: the source of a profile (what profile_init() takes), the values of its
 * Secrets sealed, compressed, in parts that fit into a Secret each. Nothing here asks a cluster.
 */
#ifndef RELEASE_PAYLOAD_H
#define RELEASE_PAYLOAD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/err.h"
#include "crypto/seal.h"

/* Bytes of a part: a Secret holds 1 MiB (kubernetes.io/docs/concepts/configuration/secret). */
#define PAYLOAD_PART_MAX (900u << 10)

/* Bytes of a source; what is larger is neither written nor read. */
#define PAYLOAD_SOURCE_MAX (64u << 20)

/* Whether there is something to seal: a value of a Secret's data or stringData. */
bool payload_has_secrets(const json_t *source);

/* Whether there are sealed values. */
bool payload_is_sealed(const json_t *source);

/* Puts the values back in place. Returns 0, or -1 with ERR_FAILED that names the Secret of the
 * profile whose value can't be read. */
int payload_unseal(json_t *source, const unsigned char key[SEAL_KEY_SIZE], struct err *err);

/* { "sha256": hexadecimal, "parts": [base64] }, each value of a Secret being { "sealed": "..." } in
 * it, by `key`: SEAL_KEY_SIZE bytes, or NULL where there is nothing to seal. A new reference, or
 * NULL with err. */
json_t *payload_pack(const json_t *source, const unsigned char *key, struct err *err);

/* The source of such. A new reference, or NULL with ERR_FAILED: a part is missing (JSON null), the
 * sum is another, it can't be uncompressed, is no JSON, or no source of a profile. */
json_t *payload_unpack(const json_t *packed, struct err *err);

#endif

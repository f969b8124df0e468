#include "release/identity.h"

#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/mem.h"
#include "crypto/seal.h"
#include "object/syntax.h"

/* The id of KEP-3659: the sum of "<name>.<namespace>.<kind>.<group>", the group of a ConfigMap
 * being
 * "", in the base64 for URLs, without padding. The caller's, or NULL. */
static char *set_id_of(const char *parent, const char *namespace, struct err *err)
{
    unsigned char sum[32];
    char *text = xasprintf("%s.%s.ConfigMap.", parent, namespace);
    int result = seal_sha256(text, strlen(text), sum, err);
    free(text);
    if (result != 0)
        return NULL;
    char *coded = base64_encode((const char *)sum, sizeof sum);
    coded[strcspn(coded, "=")] = '\0';
    for (char *c = coded; *c; c++)
        *c = (char)(*c == '+' ? '-' : *c == '/' ? '_' : *c);
    char *id = xasprintf("applyset-%s-v1", coded);
    free(coded);
    return id;
}

int identity_init(struct identity *identity, const char *name, const char *namespace,
                  struct err *err)
{
    *identity = (struct identity){ .name = NULL };
    const char *wrong = syntax_dns_label(name);
    if (wrong)
        return err_set(err, ERR_USAGE, "the name of a release must be %s, not '%s'", wrong, name);
    wrong = syntax_dns_label(namespace);
    if (wrong)
        return err_set(err, ERR_USAGE, "the name of a namespace must be %s, not '%s'", wrong,
                       namespace);
    identity->name = xstrdup(name);
    identity->namespace = xstrdup(namespace);
    identity->parent = xasprintf("bkdeploy.%s", name);
    identity->set_id = set_id_of(identity->parent, namespace, err);
    return identity->set_id ? 0 : -1;
}

void identity_release(struct identity *identity)
{
    free(identity->name);
    free(identity->namespace);
    free(identity->parent);
    free(identity->set_id);
    *identity = (struct identity){ .name = NULL };
}

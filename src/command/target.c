#include "command/target.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/kubeconfig.h"
#include "release/directory.h"
#include "release/revision.h"

enum { NAMES_SHOWN = 10 };

int target_connect(struct target *target, const struct options *options, struct err *err)
{
    struct kube_access access;
    *target = (struct target){ .client = NULL };
    if (kube_access_load(&access, options->kubeconfig, options->context, err) != 0)
        return -1;
    target->cluster = xasprintf("context '%s' (%s)", access.context, access.server);
    target->namespace = xstrdup(access.namespace ? access.namespace : "default");
    target->client = kube_client_new(&access, err);
    kube_access_release(&access);
    return target->client ? 0 : -1;
}

void target_close(struct target *target)
{
    identity_release(&target->identity);
    kube_client_free(target->client);
    free(target->namespace);
    free(target->cluster);
}

bool target_is_profile(const char *word)
{
    struct stat st;
    if (strchr(word, '/') || strchr(word, '.'))
        return true;
    if (stat(word, &st) != 0)
        return false;
    char *file = xasprintf("%s/profile.lua", word);
    bool has = !S_ISDIR(st.st_mode) || stat(file, &st) == 0;
    free(file);
    return has;
}

/* "shop (namespace shop-dev), ..": those of a name, or all when that is NULL. The caller's. */
static char *names_of(const struct directory_entry *list, size_t count, const char *name)
{
    struct buf names = BUF_INIT;
    size_t shown = 0;
    for (size_t i = 0; i < count; i++) {
        if (name && strcmp(list[i].name, name) != 0)
            continue;
        if (shown++ < NAMES_SHOWN)
            buf_addf(&names, "%s%s (namespace %s)", names.len ? ", " : "", list[i].name,
                     list[i].namespace);
    }
    if (shown > NAMES_SHOWN)
        buf_addf(&names, " and %zu more", shown - NAMES_SHOWN);
    return buf_detach(&names);
}

/* The release that is the only one of its name. */
static int find_release(struct target *target, const char *name, struct err *err)
{
    struct directory_entry *list;
    size_t count, found = 0, index = 0;
    if (directory_list(target->client, NULL, &list, &count, err) != 0)
        return err_wrap(err, "to find release '%s'", name);
    for (size_t i = 0; i < count; i++) {
        if (strcmp(list[i].name, name) == 0) {
            index = i;
            found++;
        }
    }
    char *names = names_of(list, count, found ? name : NULL);
    int result;
    if (found == 1)
        result = identity_init(&target->identity, name, list[index].namespace, err);
    else if (found)
        result = err_set(err, ERR_USAGE, "there are %zu releases '%s'; choose by -n: %s", found,
                         name, names);
    else
        result = err_set(err, ERR_USAGE, "no release '%s' on %s%s%s", name, target->cluster,
                         count ? "; there is: " : ", nor any other", names);
    free(names);
    directory_free(list, count);
    return result;
}

int target_open_profile(struct target *target, const struct profile *profile,
                        const struct options *options, struct err *err)
{
    *target = (struct target){ .client = NULL };
    if (options->namespace && strcmp(options->namespace, profile->namespace) != 0)
        return err_set(err, ERR_USAGE,
                       "profile '%s', environment '%s', is for namespace '%s', not '%s'",
                       profile->name, profile->environment, profile->namespace, options->namespace);
    int result = target_connect(target, options, err);
    if (result == 0)
        result = identity_init(&target->identity, profile->name, profile->namespace, err);
    if (result != 0)
        target_close(target);
    return result;
}

static int open_named(struct target *target, const struct options *options, struct err *err)
{
    const char *name = options->script.path;
    *target = (struct target){ .client = NULL };
    if (options->script.environment)
        return err_set(err, ERR_USAGE,
                       "-e is for a profile; '%s' is the name of a release, whose namespace -n "
                       "tells",
                       name);
    int result = target_connect(target, options, err);
    if (result == 0)
        result = options->namespace
                     ? identity_init(&target->identity, name, options->namespace, err)
                     : find_release(target, name, err);
    if (result != 0)
        target_close(target);
    return result;
}

int target_open(struct target *target, const struct options *options, struct err *err)
{
    struct profile profile;
    if (!target_is_profile(options->script.path))
        return open_named(target, options, err);
    if (script_eval(&options->script, &profile, err) != 0)
        return -1;
    int result = target_open_profile(target, &profile, options, err);
    profile_release(&profile);
    return result;
}

json_t *target_newest(struct target *target, bool sealed, struct err *err)
{
    const struct identity *identity = &target->identity;
    struct revision *list;
    size_t count;
    json_t *source = NULL;
    if (revision_list(target->client, identity, &list, &count, err) != 0)
        return NULL;
    int (*read)(struct kube_client *, const struct identity *, int, json_t **, struct err *) =
        sealed ? revision_read_sealed : revision_read;
    if (count == 0)
        err_set(err, ERR_USAGE, "release '%s' in namespace '%s' has no revisions", identity->name,
                identity->namespace);
    else if (read(target->client, identity, list[count - 1].number, &source, err) != 0)
        source = NULL;
    revision_list_free(list, count);
    return source;
}

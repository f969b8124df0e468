#include "release/requires.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

enum { PARTS = 3 };

/* Reads up to three numbers; returns how many there are. */
static int read_numbers(const char *text, long numbers[PARTS])
{
    int count = 0;
    memset(numbers, 0, PARTS * sizeof *numbers);
    if (*text == 'v')
        text++;
    while (count < PARTS && isdigit((unsigned char)*text)) {
        char *end;
        numbers[count++] = strtol(text, &end, 10);
        text = *end == '.' ? end + 1 : "";
    }
    return count;
}

static int compare(const long a[PARTS], const long b[PARTS])
{
    for (int i = 0; i < PARTS; i++)
        if (a[i] != b[i])
            return a[i] < b[i] ? -1 : 1;
    return 0;
}

static bool same_first(const long a[PARTS], const long b[PARTS], int count)
{
    return memcmp(a, b, (size_t)count * sizeof *a) == 0;
}

bool requires_in_range(const char *version, const char *range)
{
    long have[PARTS], want[PARTS];
    const char *digits = range + strspn(range, "^~>=");
    if (read_numbers(version, have) == 0)
        return false;
    int given = read_numbers(digits, want);
    if (given == 0)
        return true;
    if (*range == '^') {
        int fixed = 1; /* up to the leftmost number that is not 0 */
        while (fixed < given && want[fixed - 1] == 0)
            fixed++;
        return compare(have, want) >= 0 && same_first(have, want, fixed);
    }
    if (*range == '~')
        return compare(have, want) >= 0 && same_first(have, want, given < 2 ? given : 2);
    if (*range == '>')
        return compare(have, want) >= 0;
    return same_first(have, want, given);
}

/* The version that an object's labels tell of the release `name`, or NULL. */
static const char *version_of(const json_t *object, const char *name)
{
    const json_t *labels = json_object_get(json_object_get(object, "metadata"), "labels");
    const char *version = json_string_value(json_object_get(labels, "app.kubernetes.io/version"));
    const char *chart = object_text(labels, "helm.sh/chart");
    size_t length = strlen(name);
    if (version)
        return version;
    return strncmp(chart, name, length) == 0 && chart[length] == '-' ? chart + length + 1 : NULL;
}

/* Adds the versions under which the release is found to `versions`. */
static int find_versions(struct kube_client *client, const char *name, json_t *versions,
                         struct err *err)
{
    static const struct {
        const char *collection, *label;
    } places[] = {
        { "/api/v1/namespaces", "part-of" },
        { "/apis/apps/v1/deployments", "instance" },
        { "/apis/apps/v1/deployments", "name" },
    };
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        json_t *answer = NULL, *item;
        size_t k;
        char *path = xasprintf("%s?limit=50&labelSelector=app.kubernetes.io%%2F%s%%3D%s",
                               places[i].collection, places[i].label, name);
        long status = kube_fetch(client, "GET", path, NULL, NULL, &answer, err);
        free(path);
        if (status < 0)
            return err_wrap(err, "to know the version of '%s'", name);
        json_array_foreach(json_object_get(answer, "items"), k, item) {
            const char *version = version_of(item, name);
            if (version)
                json_array_append_new(versions, json_string(version));
        }
        json_decref(answer);
    }
    return 0;
}

/* One requirement: alternatives, of which one must be there. 1 when it is, 0 when not, -1 with err.
 */
static int is_met(struct kube_client *client, const json_t *alternatives, struct buf *found,
                  struct err *err)
{
    size_t i, k;
    json_t *one, *version;
    int met = 0;
    json_array_foreach((json_t *)alternatives, i, one) {
        const char *name = object_text(one, "name");
        json_t *versions = json_array();
        int result = find_versions(client, name, versions, err);
        json_array_foreach(versions, k, version) {
            met |= requires_in_range(json_string_value(version), object_text(one, "range"));
            buf_addf(found, "%s%s %s", found->len ? ", " : "", name, json_string_value(version));
        }
        if (json_array_size(versions) == 0)
            buf_addf(found, "%sno %s", found->len ? ", " : "", name);
        json_decref(versions);
        if (result != 0 || met)
            return result != 0 ? -1 : 1;
    }
    return 0;
}

int requires_check(struct kube_client *client, const struct profile *profile, struct err *err)
{
    size_t i;
    json_t *requirement;
    json_array_foreach(json_object_get(profile->source, "requires"), i, requirement) {
        struct buf found = BUF_INIT;
        const char *origin = object_text(requirement, "origin");
        int met = is_met(client, json_object_get(requirement, "any"), &found, err);
        if (met == 0)
            err_set(err, ERR_PROFILE, "%s: profile '%s' needs %s; the cluster has %s", origin,
                    profile->name, object_text(requirement, "text"), buf_text(&found));
        buf_release(&found);
        if (met != 1)
            return -1;
    }
    return 0;
}

#include "doctor/access.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/permissions.h"
#include "object/meta.h"
#include "object/schema.h"

enum {
    MINORS_APART = 3,   /* as kubelets may be (kubernetes.io/releases/version-skew-policy) */
    CLOCK_APART = 30000 /* tokens and certificates are refused soon after */
};

/* "v1.36.3" as 136; -1: no release. */
static long minors_of(const char *release)
{
    char *end = NULL;
    long major = *release == 'v' ? strtol(release + 1, &end, 10) : 0;
    if (!end || end == release + 1 || *end != '.' || end[1] < '0' || end[1] > '9')
        return -1;
    return major * 100 + strtol(end + 1, NULL, 10);
}

void access_version(const char *server, json_t *section)
{
    long its = minors_of(server), own = minors_of(schema_release);
    if (its < 0 || own < 0) {
        section_note(section, "the cluster calls itself '%s', which is no release", server);
        return;
    }
    long apart = its - own;
    if (labs(apart) <= MINORS_APART)
        return;
    json_t *finding =
        finding_add(section, "warning",
                    "the cluster is Kubernetes %s, and bkdeploy checks by the schemas "
                    "of %s: %ld minor releases apart",
                    server, schema_release, labs(apart));
    finding_remedy(finding, apart > 0
                                ? "use a newer bkdeploy: it does not know the cluster's newest "
                                  "fields"
                                : "update the cluster, or mind that it may refuse fields that "
                                  "check lets through");
}

void access_clock(long long ahead_ms, json_t *section)
{
    long long seconds = ahead_ms / 1000;
    if (llabs(ahead_ms) < CLOCK_APART)
        return;
    json_t *finding =
        finding_add(section, "warning", "the clock of this machine is %lld s %s the server's",
                    llabs(seconds), seconds > 0 ? "ahead of" : "behind");
    finding_remedy(finding, "set it by NTP: timedatectl set-ntp true");
}

json_t *access_needs(const struct work *work, const struct identity *identity)
{
    static const char *const verbs[] = { "get", "list", "watch", "create", "patch", "delete" };
    json_t *list = json_array();
    permissions_add_bookkeeping(list, identity->namespace);
    for (size_t i = 0; i < work->count; i++) {
        const char *collection = work->items[i].collection;
        for (size_t k = 0; collection && k < sizeof verbs / sizeof *verbs; k++)
            permissions_add_path(list, verbs[k], collection);
    }
    return list;
}

static void tell_lacking(const json_t *row, json_t *section)
{
    const char *group = object_text(row, "group"), *resource = object_text(row, "resource");
    const char *namespace = object_text(row, "namespace"), *verbs = object_text(row, "verbs");
    const char *dot = *group ? "." : "", *what = *namespace ? "role" : "clusterrole";
    char *place = *namespace ? xasprintf("in namespace %s", namespace) : xstrdup("of the cluster");
    char *flag = *namespace ? xasprintf(" -n %s", namespace) : xstrdup("");
    json_t *finding = finding_add(section, "error", "you may not %s %s%s%s %s, which apply needs",
                                  verbs, resource, dot, group, place);
    finding_named(finding, "", resource, namespace, "*");
    finding_remedy(finding,
                   "have it granted: kubectl create %s bkdeploy-%s%s --verb=%s --resource=%s%s%s, "
                   "and a %sbinding of it to you",
                   what, resource, flag, verbs, resource, dot, group, what);
    free(place);
    free(flag);
}

static int look_at_permissions(struct kube_client *client, const struct work *work,
                               const struct identity *identity, json_t *section, struct err *err)
{
    struct err unknown = ERR_INIT;
    json_t *needs = access_needs(work, identity);
    json_t *lacking = permissions_lacking(client, needs, &unknown, err), *row;
    size_t i, count = json_array_size(needs);
    json_decref(needs);
    if (!lacking)
        return -1;
    json_t *rows = permissions_by_resource(lacking);
    json_array_foreach(rows, i, row)
        tell_lacking(row, section);
    if (unknown.kind != ERR_NONE)
        section_note(section, "permissions can't be asked for: %s", unknown.message);
    json_object_set_new(section, "permissions", json_integer((json_int_t)count));
    json_decref(rows);
    json_decref(lacking);
    return 0;
}

int access_look(struct kube_client *client, const struct work *work,
                const struct identity *identity, json_t *section, struct err *err)
{
    json_t *version = NULL;
    struct timespec now;
    if (kube_fetch(client, "GET", "/version", NULL, NULL, &version, err) < 0) {
        if (err->kind == ERR_INTERRUPTED || err->kind == ERR_UNREACHABLE) {
            json_decref(version);
            return -1;
        }
        section_note(section, "its version is not to be had: %s", err->message);
        *err = (struct err)ERR_INIT;
    }
    char *release =
        xasprintf("v%s.%s", object_text(version, "major"), object_text(version, "minor"));
    json_decref(version);
    clock_gettime(CLOCK_REALTIME, &now);
    long long local_ms = (long long)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    access_version(release, section);
    access_clock(local_ms - kube_time_ms(client), section);
    int result = look_at_permissions(client, work, identity, section, err);
    section_checked(section, "Kubernetes %s, %" JSON_INTEGER_FORMAT " permissions, the clock",
                    release, json_integer_value(json_object_get(section, "permissions")));
    json_object_del(section, "permissions");
    free(release);
    return result;
}

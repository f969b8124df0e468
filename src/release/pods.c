#include "release/pods.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "kube/discovery.h"
#include "object/meta.h"

static const char *text(const json_t *object, const char *key)
{
    const char *found = json_string_value(json_object_get(object, key));
    return found ? found : "";
}

static void add_labels(struct buf *selector, const json_t *labels)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)labels, key, value) {
        if (json_is_string(value))
            buf_addf(selector, "%s%s=%s", selector->len ? "," : "", key, json_string_value(value));
    }
}

static void add_expression(struct buf *selector, const json_t *expression)
{
    const char *key = text(expression, "key"), *relation = text(expression, "operator");
    const json_t *values = json_object_get(expression, "values");
    size_t i;
    json_t *value;
    buf_adds(selector, selector->len ? "," : "");
    if (strcmp(relation, "Exists") == 0 || strcmp(relation, "DoesNotExist") == 0) {
        buf_addf(selector, "%s%s", *relation == 'D' ? "!" : "", key);
        return;
    }
    buf_addf(selector, "%s %s (", key, strcmp(relation, "NotIn") == 0 ? "notin" : "in");
    json_array_foreach((json_t *)values, i, value)
        buf_addf(selector, "%s%s", i ? "," : "", json_string_value(value));
    buf_adds(selector, ")");
}

static void add_selector(struct buf *selector, const json_t *object)
{
    const char *kind = text(object, "kind");
    const json_t *spec = json_object_get(object, "spec"), *own = json_object_get(spec, "selector");
    if (strcmp(kind, "Job") == 0) {
        buf_addf(selector, "job-name=%s", meta_text(object, "name"));
    } else if (strcmp(kind, "CronJob") == 0) {
        static const char *const way[] = { "jobTemplate", "spec", "template", "metadata",
                                           "labels" };
        for (size_t i = 0; i < sizeof way / sizeof *way; i++)
            spec = json_object_get(spec, way[i]);
        add_labels(selector, spec);
    } else if (strcmp(kind, "ReplicationController") == 0) {
        add_labels(selector, own);
    } else if (strcmp(kind, "Deployment") == 0 || strcmp(kind, "StatefulSet") == 0 ||
               strcmp(kind, "DaemonSet") == 0 || strcmp(kind, "ReplicaSet") == 0) {
        size_t i;
        json_t *expression;
        add_labels(selector, json_object_get(own, "matchLabels"));
        json_array_foreach(json_object_get(own, "matchExpressions"), i, expression)
            add_expression(selector, expression);
    }
}

char *pods_query(const json_t *object)
{
    struct buf selector = BUF_INIT;
    const char *parameter = "labelSelector";
    if (strcmp(text(object, "kind"), "Pod") == 0) {
        parameter = "fieldSelector";
        buf_addf(&selector, "metadata.name=%s", meta_text(object, "name"));
    } else {
        add_selector(&selector, object);
    }
    char *query = NULL;
    if (selector.len) {
        char *escaped = kube_object_path("", buf_text(&selector)); /* "/" before */
        query = xasprintf("%s=%s", parameter, escaped + 1);
        free(escaped);
    }
    buf_release(&selector);
    return query;
}

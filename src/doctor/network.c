#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "doctor/finding.h"
#include "doctor/sections.h"
#include "object/meta.h"

/* ---- Services ---- */

/* The ready addresses behind a Service, by its EndpointSlices. */
static size_t count_ready(const struct doctor_world *world, const json_t *service)
{
    size_t i, k, count = 0;
    json_t *slice, *endpoint;
    json_array_foreach((json_t *)world_all(world, "EndpointSlice"), i, slice) {
        if (strcmp(meta_text(slice, "namespace"), meta_text(service, "namespace")) != 0 ||
            strcmp(meta_label(slice, "kubernetes.io/service-name"), meta_text(service, "name")) !=
                0)
            continue;
        json_array_foreach(json_object_get(slice, "endpoints"), k, endpoint) {
            if (!json_is_false(world_at(endpoint, "conditions.ready")))
                count += json_array_size(json_object_get(endpoint, "addresses"));
        }
    }
    return count;
}

/* What the pods behind a Service look like. */
struct behind {
    size_t pods, ready,
        told; /* live ones; those they and their workloads of which something was told */
    size_t templates, awake; /* workloads of the profile whose pods it chooses; not scaled to 0 */
    const json_t *template;  /* of one of them */
    const char *component;
};

static bool is_asleep(const struct doctor_world *world, const json_t *object)
{
    const json_t *replicas = world_at(world_real(world, object), "spec.replicas");
    return json_is_integer(replicas) && json_integer_value(replicas) == 0;
}

static void look_behind(const struct doctor_world *world, const json_t *sections,
                        const json_t *service, struct behind *behind)
{
    const json_t *selector = world_at(service, "spec.selector");
    const char *namespace = meta_text(service, "namespace");
    json_t *pod, *entry;
    size_t i;
    *behind = (struct behind){ .template = NULL };
    json_array_foreach((json_t *)world_all(world, "Pod"), i, pod) {
        if (strcmp(meta_text(pod, "namespace"), namespace) != 0 || world_has_ended(pod) ||
            !world_has_labels(world_at(pod, "metadata.labels"), selector))
            continue;
        behind->pods++;
        behind->ready += world_is_ready(pod);
        behind->told += findings_tell(sections, "Pod", namespace, meta_text(pod, "name"));
    }
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object"), *template = world_template(object);
        if (!template || strcmp(meta_text(object, "namespace"), namespace) != 0 ||
            !world_has_labels(world_at(template, "metadata.labels"), selector))
            continue;
        behind->templates++;
        behind->told += findings_tell(sections, object_text(object, "kind"), namespace,
                                      meta_text(object, "name"));
        behind->awake += !is_asleep(world, object);
        behind->template = template;
        behind->component = object_text(entry, "component");
    }
}

static void tell_no_endpoints(const struct doctor_world *world, const json_t *sections,
                              const json_t *entry, const json_t *service, json_t *section)
{
    const char *namespace = meta_text(service, "namespace"), *name = meta_text(service, "name");
    struct behind behind;
    look_behind(world, sections, service, &behind);
    if (behind.templates > 0 && behind.awake == 0)
        return; /* scaled to nothing, and so said */
    if (behind.told > 0 || (behind.pods > 0 && behind.ready == behind.pods))
        return; /* why they are not ready is told; or its controller is about to see them */
    char *labels = world_labels(world_at(service, "spec.selector"));
    json_t *finding;
    if (behind.pods > 0) {
        finding = finding_add(section, "error",
                              "it has no ready endpoint: none of the %zu pods with %s is ready",
                              behind.pods, labels);
        finding_remedy(finding, "see why they aren't: kubectl get pods -n %s -l %s", namespace,
                       labels);
    } else {
        finding = finding_add(section, "error",
                              "it has no ready endpoint: its selector %s matches no pod%s", labels,
                              behind.templates ? " yet" : " and no workload of the profile");
        finding_remedy(finding,
                       behind.templates ? "see why it has no pods: kubectl get pods -n %s -l %s"
                                        : "correct the selector, bkdeploy apply does if the "
                                          "profile's is right; kubectl get pods -n %s "
                                          "--show-labels tells what there is (now %s)",
                       namespace, labels);
    }
    finding_component(finding, object_text(entry, "component"));
    finding_named(finding, "v1", "Service", namespace, name);
    free(labels);
}

static bool has_port(const json_t *template, const json_t *target, bool *declares)
{
    size_t i, k;
    json_t *container, *port;
    *declares = false;
    json_array_foreach(world_at(template, "spec.containers"), i, container) {
        json_array_foreach(json_object_get(container, "ports"), k, port) {
            const json_t *own =
                json_object_get(port, json_is_string(target) ? "name" : "containerPort");
            *declares = true;
            if (json_equal((json_t *)own, (json_t *)target))
                return true;
        }
    }
    return false;
}

static void look_at_ports(const json_t *entry, const json_t *service, const struct behind *behind,
                          json_t *section)
{
    size_t i;
    json_t *port;
    json_array_foreach(world_at(service, "spec.ports"), i, port) {
        const json_t *target = json_object_get(port, "targetPort");
        bool declares;
        if (!target)
            target = json_object_get(port, "port");
        if (has_port(behind->template, target, &declares) || (!declares && !json_is_string(target)))
            continue; /* containers need not name the numbers of their ports */
        char *text = json_is_string(target)
                         ? xasprintf("'%s'", json_string_value(target))
                         : xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(target));
        json_t *finding = finding_add(
            section, json_is_string(target) ? "error" : "warning",
            "its port %" JSON_INTEGER_FORMAT " leads to port %s, which no container of %s declares",
            json_integer_value(json_object_get(port, "port")), text, behind->component);
        finding_component(finding, object_text(entry, "component"));
        finding_object(finding, service);
        finding_remedy(finding, "name the port in `ports` of %s, or correct the Service's",
                       behind->component);
        free(text);
    }
}

static size_t look_at_services(const struct doctor_world *world, const json_t *sections,
                               json_t *section)
{
    size_t i, count = 0;
    json_t *entry;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        if (strcmp(object_text(object, "kind"), "Service") != 0)
            continue;
        const json_t *live =
            world_live(world, "Service", meta_text(object, "namespace"), meta_text(object, "name"));
        const json_t *service = live ? live : object;
        struct behind behind;
        count++;
        if (json_object_size(world_at(service, "spec.selector")) == 0)
            continue;
        if (live && world_all(world, "EndpointSlice") && world_all(world, "Pod") &&
            count_ready(world, live) == 0)
            tell_no_endpoints(world, sections, entry, live, section);
        look_behind(world, sections, service, &behind);
        if (behind.templates == 1)
            look_at_ports(entry, service, &behind, section);
    }
    return count;
}

/* ---- Ingresses ---- */

/* A finding about an Ingress. */
static json_t *add_route_finding(json_t *section, const json_t *entry, const json_t *ingress,
                                 char *message)
{
    json_t *finding = finding_add(section, "error", "%s", message);
    finding_component(finding, object_text(entry, "component"));
    finding_object(finding, ingress);
    free(message);
    return finding;
}

static const json_t *either(const struct doctor_world *world, const char *kind,
                            const char *namespace, const char *name)
{
    const json_t *live = world_live(world, kind, namespace, name);
    return live || world->applied ? live : world_wanted(world, kind, namespace, name);
}

static void look_at_backend(const struct doctor_world *world, const json_t *entry,
                            const json_t *ingress, const json_t *backend, json_t *section)
{
    const char *namespace = meta_text(ingress, "namespace");
    const char *name = world_text(backend, "service.name");
    const json_t *service = either(world, "Service", namespace, name), *wanted, *other;
    size_t i;
    json_t *port;
    if (!*name || !world_all(world, "Service"))
        return; /* of a resource */
    if (!service) {
        json_t *finding =
            add_route_finding(section, entry, ingress,
                              xasprintf("it leads to Service '%s', which is not there", name));
        finding_concerns(finding, "Service", namespace, name);
        finding_remedy(finding, world_wanted(world, "Service", namespace, name)
                                    ? "bkdeploy apply makes it"
                                    : "correct the backend in the profile, or make the Service");
        return;
    }
    wanted = world_at(backend, "service.port.number");
    other = world_at(backend, "service.port.name");
    json_array_foreach(world_at(service, "spec.ports"), i, port) {
        if ((wanted && json_equal(json_object_get(port, "port"), (json_t *)wanted)) ||
            (other && json_equal(json_object_get(port, "name"), (json_t *)other)))
            return;
    }
    char *text = wanted ? xasprintf("%" JSON_INTEGER_FORMAT, json_integer_value(wanted))
                        : xasprintf("'%s'", other ? json_string_value(other) : "");
    json_t *finding = add_route_finding(
        section, entry, ingress,
        xasprintf("it leads to port %s of Service '%s', which has no such port", text, name));
    finding_concerns(finding, "Service", namespace, name);
    finding_remedy(finding, "see the Service's ports: kubectl get service %s -n %s", name,
                   namespace);
    free(text);
}

static void look_at_tls(const struct doctor_world *world, const json_t *entry,
                        const json_t *ingress, json_t *section)
{
    const char *namespace = meta_text(ingress, "namespace");
    size_t i;
    json_t *tls;
    json_array_foreach(world_at(ingress, "spec.tls"), i, tls) {
        const char *name = object_text(tls, "secretName");
        if (!*name || !world_all(world, "Secret"))
            continue; /* the controller has one of its own */
        const json_t *secret = either(world, "Secret", namespace, name);
        const json_t *data = json_object_get(secret, "data");
        const char *missing = !secret                             ? ""
                              : !json_object_get(data, "tls.crt") ? "tls.crt"
                              : !json_object_get(data, "tls.key") ? "tls.key"
                                                                  : NULL;
        if (!missing)
            continue;
        const char *host = json_string_value(json_array_get(json_object_get(tls, "hosts"), 0));
        const char *hosts = host ? host : "its host";
        json_t *finding = add_route_finding(
            section, entry, ingress,
            *missing ? xasprintf("the TLS secret '%s' of %s has no %s", name, hosts, missing)
                     : xasprintf("the TLS secret '%s' of %s is not there", name, hosts));
        finding_concerns(finding, "Secret", namespace, name);
        finding_remedy(finding,
                       "make it: kubectl create secret tls %s -n %s --cert=FILE --key=FILE", name,
                       namespace);
    }
}

static void look_at_class(const struct doctor_world *world, const json_t *entry,
                          const json_t *ingress, json_t *section)
{
    static const char by_default[] = "ingressclass.kubernetes.io/is-default-class";
    const json_t *classes = world_all(world, "IngressClass");
    const char *name = world_text(ingress, "spec.ingressClassName");
    size_t i;
    json_t *class;
    if (!classes || *meta_annotation(ingress, "kubernetes.io/ingress.class"))
        return;
    json_array_foreach((json_t *)classes, i, class) {
        if (*name ? strcmp(meta_text(class, "name"), name) == 0
                  : strcmp(meta_annotation(class, by_default), "true") == 0)
            return;
    }
    if (*name && world_wanted(world, "IngressClass", "", name))
        return;
    json_t *finding = add_route_finding(
        section, entry, ingress,
        *name ? xasprintf("there is no IngressClass '%s': nobody serves it", name)
              : xstrdup("it names no IngressClass and none is the default: nobody "
                        "serves it"));
    finding_remedy(finding, "name one that is there (kubectl get ingressclass), or install its "
                            "controller");
}

static size_t look_at_ingresses(const struct doctor_world *world, json_t *section)
{
    size_t i, k, n, count = 0;
    json_t *entry, *rule, *path;
    json_array_foreach((json_t *)world->wanted, i, entry) {
        const json_t *object = json_object_get(entry, "object");
        if (strcmp(object_text(object, "kind"), "Ingress") != 0)
            continue;
        const json_t *ingress = world_real(world, object);
        count++;
        look_at_class(world, entry, ingress, section);
        look_at_tls(world, entry, ingress, section);
        look_at_backend(world, entry, ingress, world_at(ingress, "spec.defaultBackend"), section);
        json_array_foreach(world_at(ingress, "spec.rules"), k, rule) {
            json_array_foreach(world_at(rule, "http.paths"), n, path)
                look_at_backend(world, entry, ingress, json_object_get(path, "backend"), section);
        }
    }
    return count;
}

void network_look(const struct doctor_world *world, const json_t *sections, json_t *section)
{
    size_t services = look_at_services(world, sections, section);
    size_t ingresses = look_at_ingresses(world, section);
    size_t policies = json_array_size(world_all(world, "NetworkPolicy"));
    policies_look(world, section);
    section_checked(section, "%zu Service%s, %zu Ingress%s, %zu NetworkPolic%s", services,
                    services == 1 ? "" : "s", ingresses, ingresses == 1 ? "" : "es", policies,
                    policies == 1 ? "y" : "ies");
}

#include "doctor/finding.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "object/meta.h"

/* Of findings while they are made; not for who reads them. */
static const char concerns[] = "concerns", drift[] = "drift", left_out[] = "left out";

/* Any text as a JSON string. What is no UTF-8 was cut within a character, or is no text. */
static json_t *string_of(char *text)
{
    size_t length = strlen(text);
    json_t *value = json_string(text);
    for (size_t cut = 1; !value && cut <= 3 && cut <= length; cut++)
        value = json_stringn(text, length - cut);
    for (char *c = text; !value && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    if (!value)
        value = json_string(text);
    free(text);
    return value;
}

static char *format(const char *fmt, va_list args)
{
    char *text = NULL;
    if (vasprintf(&text, fmt, args) < 0)
        return xstrdup("");
    return text;
}

json_t *section_new(const char *name)
{
    return json_pack("{s:s, s:s, s:[]}", "name", name, "state", "clean", "findings");
}

void section_checked(json_t *section, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_object_set_new(section, "checked", string_of(format(fmt, args)));
    va_end(args);
}

void section_note(json_t *section, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    char *note = format(fmt, args);
    va_end(args);
    const char *before = object_text(section, "note");
    if (!*before)
        json_object_set_new(section, "note", string_of(xstrdup(note)));
    else if (!strstr(before, note))
        json_object_set_new(section, "note", string_of(xasprintf("%s; %s", before, note)));
    free(note);
}

void section_left_out(json_t *section)
{
    json_object_set_new(section, "state", json_string(left_out));
}

json_t *finding_add(json_t *section, const char *severity, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_t *finding = json_pack("{s:s}", "severity", severity);
    json_object_set_new(finding, "message", string_of(format(fmt, args)));
    va_end(args);
    json_object_set_new(finding, concerns, json_array());
    json_array_append_new(json_object_get(section, "findings"), finding);
    return finding;
}

void finding_remedy(json_t *finding, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    json_object_set_new(finding, "remedy", string_of(format(fmt, args)));
    va_end(args);
}

void finding_component(json_t *finding, const char *component)
{
    if (component && *component)
        json_object_set_new(finding, "component", json_string(component));
}

void finding_evidence(json_t *finding, const char *key, json_t *value)
{
    json_t *evidence = json_object_get(finding, "evidence");
    if (!evidence) {
        evidence = json_object();
        json_object_set_new(finding, "evidence", evidence);
    }
    json_object_set_new(evidence, key, value);
}

void finding_concerns(json_t *finding, const char *kind, const char *namespace, const char *name)
{
    json_array_append_new(json_object_get(finding, concerns),
                          json_pack("[s, s, s]", kind, namespace, name));
}

void finding_named(json_t *finding, const char *version, const char *kind, const char *namespace,
                   const char *name)
{
    json_t *object = json_pack("{s:s, s:s}", "kind", kind, "name", name);
    if (*version)
        json_object_set_new(object, "apiVersion", json_string(version));
    if (*namespace)
        json_object_set_new(object, "namespace", json_string(namespace));
    json_object_set_new(finding, "object", object);
    finding_concerns(finding, kind, namespace, name);
}

void finding_object(json_t *finding, const json_t *object)
{
    finding_named(finding, object_text(object, "apiVersion"), object_text(object, "kind"),
                  meta_text(object, "namespace"), meta_text(object, "name"));
}

void finding_is_drift(json_t *finding)
{
    json_object_set_new(finding, drift, json_true());
}

static bool tells(const json_t *finding, const json_t *names)
{
    size_t i;
    json_t *row;
    json_array_foreach(json_object_get(finding, concerns), i, row) {
        if (json_equal(row, (json_t *)names))
            return true;
    }
    return false;
}

/* The first finding about an object, of drift or not; NULL. */
static json_t *find(const json_t *sections, const json_t *names, bool of_drift)
{
    size_t i, k;
    json_t *section, *finding;
    json_array_foreach((json_t *)sections, i, section) {
        json_array_foreach(json_object_get(section, "findings"), k, finding) {
            if ((json_object_get(finding, drift) != NULL) == of_drift && tells(finding, names))
                return finding;
        }
    }
    return NULL;
}

bool findings_tell(const json_t *sections, const char *kind, const char *namespace,
                   const char *name)
{
    json_t *names = json_pack("[s, s, s]", kind, namespace, name);
    bool found = find(sections, names, false) != NULL;
    json_decref(names);
    return found;
}

static void absorb(json_t *into, const json_t *finding)
{
    json_t *list = json_object_get(json_object_get(into, "evidence"), "because");
    if (!list) {
        list = json_array();
        finding_evidence(into, "because", list);
    }
    json_array_append(list, json_object_get(finding, "message"));
    if (!json_object_get(into, "origin"))
        json_object_set(into, "origin", json_object_get(finding, "origin"));
}

static void merge_drift(json_t *sections, json_t *findings)
{
    for (size_t i = json_array_size(findings); i-- > 0;) {
        json_t *finding = json_array_get(findings, i);
        const json_t *names = json_array_get(json_object_get(finding, concerns), 0);
        json_t *into = json_object_get(finding, drift) ? find(sections, names, false) : NULL;
        if (!into)
            continue;
        absorb(into, finding);
        json_array_remove(findings, i);
    }
}

void sections_finish(json_t *sections)
{
    size_t i, k;
    json_t *section, *finding;
    json_array_foreach(sections, i, section)
        merge_drift(sections, json_object_get(section, "findings"));
    json_array_foreach(sections, i, section) {
        json_t *findings = json_object_get(section, "findings");
        json_array_foreach(findings, k, finding) {
            json_object_del(finding, concerns);
            json_object_del(finding, drift);
        }
        if (json_array_size(findings))
            json_object_set_new(section, "state", json_string("findings"));
    }
}

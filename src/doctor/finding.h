/*
 * What doctor finds, as values. A section is
 *   { name, state: "clean" | "findings" | "left out", checked?, note?, findings }
 * and a finding
 *   { severity: "error" | "warning", component?, object?: { apiVersion, kind, namespace, name },
 *     message, evidence?, remedy, origin? }
 * Messages are one sentence with the numbers that show it; a remedy says what to do, with a command
 * where there is one.
 */
#ifndef DOCTOR_FINDING_H
#define DOCTOR_FINDING_H

#include <jansson.h>
#include <stdbool.h>

/* A section that is clean so far. A new reference. */
json_t *section_new(const char *name);

/* What was looked at, for the line of a clean section; what could not be looked at, one sentence
 * (an equal one is told once); nothing could. */
void section_checked(json_t *section, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void section_note(json_t *section, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void section_left_out(json_t *section);

/* Adds a finding; borrowed, to be filled by the rest. `severity`: "error" or "warning". */
json_t *finding_add(json_t *section, const char *severity, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
void finding_remedy(json_t *finding, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void finding_component(json_t *finding, const char *component);
void finding_evidence(json_t *finding, const char *key, json_t *value); /* takes the value */

/* The object that it is about: one that is there (or wanted), or by its names; `version` "" is not
 * known. */
void finding_object(json_t *finding, const json_t *object);
void finding_named(json_t *finding, const char *version, const char *kind, const char *namespace,
                   const char *name);

/* Objects that it concerns beside that one: what is told of them, too, has the same cause. */
void finding_concerns(json_t *finding, const char *kind, const char *namespace, const char *name);

/* A finding that some object is not as the profile says: it goes into the evidence of another one
 * about the same object, which is what comes of it. */
void finding_is_drift(json_t *finding);

/* Whether a finding of the sections (an array) is about an object or concerns it. */
bool findings_tell(const json_t *sections, const char *kind, const char *namespace,
                   const char *name);

/* Moves drift into what comes of it and sets the states: the end of a doctor. */
void sections_finish(json_t *sections);

#endif

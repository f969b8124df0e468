#include "ui/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "object/meta.h"
#include "ui/shown.h"

static void print(FILE *out, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* One line, or part of one, without what a terminal would obey. */
static void print(FILE *out, const char *fmt, ...)
{
    struct buf safe = BUF_INIT;
    char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int length = vasprintf(&text, fmt, args);
    va_end(args);
    if (length >= 0)
        shown_add(&safe, text, (size_t)length);
    fputs(buf_text(&safe), out);
    buf_release(&safe);
    if (length >= 0)
        free(text);
}

static void print_word(FILE *out, bool colour, const char *code, const char *word)
{
    fprintf(out, "%s%s%s%s", colour ? "\x1b[" : "", colour ? code : "", colour ? "m" : "", word);
    fputs(colour ? "\x1b[0m" : "", out);
}

static void print_field(FILE *out, const char *word, const char *text)
{
    if (!*text)
        return;
    fprintf(out, "           %s ", word);
    print(out, "%s", text);
    fputc('\n', out);
}

static void print_finding(FILE *out, const json_t *finding, bool colour)
{
    const json_t *object = json_object_get(finding, "object");
    const char *severity = object_text(finding, "severity");
    const char *component = object_text(finding, "component");
    size_t i;
    json_t *line;
    fputs("  ", out);
    print_word(out, colour, strcmp(severity, "error") == 0 ? "31" : "33", severity);
    fprintf(out, "%*s", (int)(9 - strlen(severity)), "");
    if (object) {
        const char *namespace = object_text(object, "namespace");
        print(out, "%s %s%s%s", object_text(object, "kind"), namespace, *namespace ? "/" : "",
              object_text(object, "name"));
        if (*component)
            print(out, " (component %s)", component);
        fputs(": ", out);
    } else if (*component) {
        print(out, "component %s: ", component);
    }
    print(out, "%s", object_text(finding, "message"));
    fputc('\n', out);
    json_array_foreach(json_object_get(json_object_get(finding, "evidence"), "because"), i, line)
        print_field(out, "because:", json_string_value(line));
    print_field(out, "at:", object_text(finding, "origin"));
    print_field(out, "do:", object_text(finding, "remedy"));
}

static void print_section(FILE *out, const json_t *section, bool colour)
{
    const json_t *findings = json_object_get(section, "findings");
    const char *state = object_text(section, "state"), *note = object_text(section, "note");
    const char *checked = object_text(section, "checked");
    size_t i, count = json_array_size(findings);
    json_t *finding;
    fprintf(out, "%-14s ", object_text(section, "name"));
    if (count) {
        fprintf(out, "%zu finding%s\n", count, count == 1 ? "" : "s");
    } else if (strcmp(state, "left out") == 0) {
        print_word(out, colour, "33", "left out");
        fputc('\n', out);
    } else {
        print_word(out, colour, "32", "ok");
        print(out, "%s%s", *checked ? ": " : "", checked);
        fputc('\n', out);
    }
    json_array_foreach((json_t *)findings, i, finding)
        print_finding(out, finding, colour);
    if (*note)
        print(out, "  note     %s", note);
    fputs(*note ? "\n" : "", out);
}

void doctor_print(FILE *out, const json_t *sections, bool colour)
{
    size_t i;
    json_t *section;
    json_array_foreach((json_t *)sections, i, section)
        print_section(out, section, colour);
}

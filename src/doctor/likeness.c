#include "doctor/likeness.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/buf.h"
#include "base/mem.h"
#include "object/meta.h"

enum { GROUPS_MAX = 300, HEX_MIN = 8 };

/* ---- errors ---- */

static bool is_word(const char *word, size_t length, const char *const *list)
{
    for (; *list; list++)
        if (strlen(*list) == length && strncasecmp(word, *list, length) == 0)
            return true;
    return false;
}

/* "ConnectionError", "java.io.IOException": the last word of a type's name. */
static bool ends_as_type(const char *word, size_t length)
{
    static const char *const ends[] = { "Error", "Exception" };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        size_t end = strlen(ends[i]);
        if (length > end && strncmp(word + length - end, ends[i], end) == 0)
            return true;
    }
    return false;
}

/* "E0102 15:04:05.678901": the head of klog's lines. */
static bool is_klog(const char *line, char *level)
{
    *level = line[0];
    if (!*line || !strchr("IWEF", *line))
        return false;
    for (int i = 1; i < 5; i++)
        if (!isdigit((unsigned char)line[i]))
            return false;
    return line[5] == ' ';
}

/* "no error", "error: 0", "error=null": what there was not. */
static bool is_denied(const char *line, const char *word, size_t length)
{
    static const char *const before[] = { "no ", "without ", "0 " };
    static const char *const after[] = { "0", "null", "nil", "none", "\"\"", "false" };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t size = strlen(before[i]);
        if ((size_t)(word - line) >= size && strncasecmp(word - size, before[i], size) == 0)
            return true;
    }
    const char *rest = word + length + strspn(word + length, "\":= ");
    if (rest == word + length)
        return false;
    for (size_t i = 0; i < sizeof after / sizeof *after; i++) {
        size_t size = strlen(after[i]);
        if (strncasecmp(rest, after[i], size) == 0 && !isalnum((unsigned char)rest[size]))
            return true;
    }
    return false;
}

bool likeness_is_error(const char *line)
{
    static const char *const bad[] = { "error",     "err",    "fatal", "critical",
                                       "crit",      "panic",  "emerg", "exception",
                                       "traceback", "severe", NULL };
    static const char *const mild[] = {
        "info", "debug", "trace", "notice", "warn", "warning", NULL
    };
    char level;
    if (is_klog(line, &level))
        return level == 'E' || level == 'F';
    for (const char *at = line; *at;) {
        size_t length = 0;
        while (isalnum((unsigned char)at[length]) || at[length] == '_')
            length++;
        if (length == 0) {
            at++;
            continue;
        }
        if (is_word(at, length, mild))
            return false;
        if ((is_word(at, length, bad) || ends_as_type(at, length)) && !is_denied(line, at, length))
            return true;
        at += length;
    }
    return false;
}

/* ---- likeness ---- */

static bool is_uuid(const char *at)
{
    static const int parts[] = { 8, 4, 4, 4, 12 };
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
        for (int k = 0; k < parts[i]; k++)
            if (!isxdigit((unsigned char)*at++))
                return false;
        if (i < 4 && *at++ != '-')
            return false;
    }
    return !isalnum((unsigned char)*at);
}

/* The length of what differs from line to line at this place; 0: nothing. */
static size_t changing_at(const char *at)
{
    size_t length = 0, digits = 0, hex = 0;
    if (is_uuid(at))
        return 36;
    while (isalnum((unsigned char)at[length])) {
        digits += isdigit((unsigned char)at[length]) != 0;
        hex += isxdigit((unsigned char)at[length]) != 0;
        length++;
    }
    return digits > 0 || (length >= HEX_MIN && hex == length) ? length : 0;
}

char *likeness_of(const char *line)
{
    struct buf out = BUF_INIT;
    size_t length = strnlen(line, LIKENESS_LINE);
    for (size_t i = 0; i < length;) {
        size_t skip = changing_at(line + i);
        if (skip) {
            /* 12:30:01.5 and 10.0.0.7:80 are one thing each */
            while (out.len >= 2 && strchr(".:-/,+T", out.data[out.len - 1]) &&
                   out.data[out.len - 2] == '#')
                out.data[--out.len] = '\0';
            if (out.len == 0 || out.data[out.len - 1] != '#')
                buf_adds(&out, "#");
            i += skip;
            continue;
        }
        size_t step = 0;
        while (i + step < length && isalnum((unsigned char)line[i + step]))
            step++;
        step = step ? step : 1;
        buf_add(&out, line + i, step);
        i += step;
    }
    buf_adds(&out, "");
    return buf_detach(&out);
}

/* ---- groups ---- */

/* As JSON takes it. */
static json_t *text_of(const char *line, size_t length)
{
    json_t *value = NULL;
    for (size_t cut = 0; !value && cut <= 3 && cut <= length; cut++)
        value = json_stringn(line, length - cut);
    if (value)
        return value;
    char *ascii = xstrndup(line, length);
    for (char *c = ascii; *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(ascii);
    free(ascii);
    return value;
}

void likeness_add(json_t *groups, const char *line, const char *time, const char *component,
                  const char *pod)
{
    char *likeness = likeness_of(line);
    json_t *text = text_of(likeness, strlen(likeness));
    const char *name = json_string_value(text);
    json_t *group = json_object_get(groups, name);
    free(likeness);
    if (!group && json_object_size(groups) >= GROUPS_MAX) {
        name = "";
        group = json_object_get(groups, name);
    }
    if (!group) {
        size_t length = strlen(line);
        json_t *shown = text_of(line, length < LIKENESS_LINE ? length : LIKENESS_LINE);
        group = json_pack("{s:o, s:i, s:s, s:s, s:{}, s:{}}", "line", shown, "count", 0, "first",
                          time, "last", time, "components", "pods");
        json_object_set_new(groups, name, group);
    }
    json_object_set_new(group, "count",
                        json_integer(json_integer_value(json_object_get(group, "count")) + 1));
    if (strcmp(time, object_text(group, "first")) < 0)
        json_object_set_new(group, "first", json_string(time));
    if (strcmp(time, object_text(group, "last")) > 0)
        json_object_set_new(group, "last", json_string(time));
    json_object_set_new(json_object_get(group, "components"), component, json_true());
    json_object_set_new(json_object_get(group, "pods"), pod, json_true());
    json_decref(text);
}

#include "object/yaml.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

/* Words that some reader of YAML 1.1 takes for a boolean or null (yaml.org/type/bool.html). */
static const char *const reserved[] = {
    "y", "n", "yes", "no", "true", "false", "on", "off", "null"
};

static bool is_reserved(const char *text)
{
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        const char *a = text, *b = reserved[i];
        while (*a && *b && (*a | 0x20) == *b)
            a++, b++;
        if (!*a && !*b)
            return true;
    }
    return false;
}

/* Digits, perhaps a fraction, and a unit that no reader takes for a number: 500m, 1.5Gi, 10s. */
static bool is_quantity(const char *text)
{
    static const char *const units[] = { "m", "k", "Ki", "M", "Mi", "G", "Gi", "T", "Ti", "s" };
    size_t digits = strspn(text, "0123456789");
    if (digits == 0)
        return false;
    text += digits;
    if (*text == '.') {
        digits = strspn(text + 1, "0123456789");
        if (digits == 0)
            return false;
        text += 1 + digits;
    }
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (strcmp(text, units[i]) == 0)
            return true;
    return false;
}

/* Only what no YAML 1.1 or 1.2 reader can take for anything but this string. */
static bool is_plain(const char *text)
{
    if (is_quantity(text))
        return true;
    char first = *text;
    bool letter = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z');
    if (!letter && first != '_' && first != '/')
        return false;
    for (const char *c = text; *c; c++) {
        bool word = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') ||
                    (*c >= '0' && *c <= '9') || strchr("_./-@+", *c);
        bool inner = (*c == ':' || *c == ' ') && c[1] != '\0' && c[1] != ' ' && c[1] != ':';
        if (!word && !inner)
            return false;
    }
    return !is_reserved(text);
}

static bool is_literal(const char *text)
{
    if (!strchr(text, '\n') || *text == ' ' || *text == '\n' || *text == '\t')
        return false;
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        bool control = *c < 0x20 && *c != '\n' && *c != '\t';
        /* U+0085, U+2028 and U+2029 are line ends to YAML 1.1 only; U+FEFF is eaten by some. */
        bool line_end = (*c == 0xC2 && c[1] == 0x85) ||
                        (*c == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9)) ||
                        (*c == 0xEF && c[1] == 0xBB && c[2] == 0xBF);
        bool trailing = *c == ' ' && (c[1] == '\n' || c[1] == '\0');
        if (control || line_end || trailing || *c == 0x7F)
            return false;
    }
    return true;
}

struct emission {
    yaml_emitter_t emitter;
    bool failed;
};

static void emit_event(struct emission *out, yaml_event_t *event, int made)
{
    /* yaml_emitter_emit() owns the event even when it fails: it is never deleted here. */
    if (!made || !yaml_emitter_emit(&out->emitter, event))
        out->failed = true;
}

static void emit_scalar(struct emission *out, const char *text, yaml_scalar_style_t style)
{
    yaml_event_t event;
    int plain = style == YAML_PLAIN_SCALAR_STYLE;
    int made = yaml_scalar_event_initialize(&event, NULL, NULL, (const yaml_char_t *)text,
                                            (int)strlen(text), plain, !plain, style);
    emit_event(out, &event, made);
}

static void emit_string(struct emission *out, const char *text)
{
    if (is_plain(text))
        emit_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
    else if (is_literal(text))
        emit_scalar(out, text, YAML_LITERAL_SCALAR_STYLE);
    else
        emit_scalar(out, text, YAML_DOUBLE_QUOTED_SCALAR_STYLE);
}

static void write_real(char text[64], double number)
{
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, 64, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    /* YAML 1.1 wants a point in every float: 1e+20 is a string to its readers. */
    char *exponent = strchr(text, 'e');
    if (!strchr(text, '.')) {
        char tail[32];
        snprintf(tail, sizeof tail, "%s", exponent ? exponent : "");
        size_t head = exponent ? (size_t)(exponent - text) : strlen(text);
        snprintf(text + head, 64 - head, ".0%s", tail);
    }
}

/* What is neither a string nor a container. */
static void write_word(char text[64], const json_t *value)
{
    if (json_is_integer(value))
        snprintf(text, 64, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        write_real(text, json_real_value(value));
    else
        snprintf(text, 64, "%s",
                 json_is_null(value)   ? "null"
                 : json_is_true(value) ? "true"
                                       : "false");
}

static void emit_value(struct emission *out, const json_t *value)
{
    yaml_event_t event;
    char text[64];
    switch (json_typeof(value)) {
    case JSON_OBJECT: {
        const char *key;
        json_t *child;
        yaml_mapping_style_t style =
            json_object_size(value) ? YAML_BLOCK_MAPPING_STYLE : YAML_FLOW_MAPPING_STYLE;
        emit_event(out, &event, yaml_mapping_start_event_initialize(&event, NULL, NULL, 1, style));
        json_object_foreach((json_t *)value, key, child) {
            if (out->failed)
                return;
            emit_string(out, key);
            emit_value(out, child);
        }
        emit_event(out, &event, yaml_mapping_end_event_initialize(&event));
        break;
    }
    case JSON_ARRAY: {
        size_t i;
        json_t *child;
        yaml_sequence_style_t style =
            json_array_size(value) ? YAML_BLOCK_SEQUENCE_STYLE : YAML_FLOW_SEQUENCE_STYLE;
        emit_event(out, &event, yaml_sequence_start_event_initialize(&event, NULL, NULL, 1, style));
        json_array_foreach(value, i, child) {
            if (out->failed)
                return;
            emit_value(out, child);
        }
        emit_event(out, &event, yaml_sequence_end_event_initialize(&event));
        break;
    }
    case JSON_STRING: emit_string(out, json_string_value(value)); break;
    default: write_word(text, value); emit_scalar(out, text, YAML_PLAIN_SCALAR_STYLE);
    }
}

static int write_buf(void *data, unsigned char *bytes, size_t size)
{
    struct buf *buf = data;
    buf_add(buf, bytes, size);
    return !buf->overflow;
}

int yaml_emit(struct buf *out, const json_t *value, struct err *err)
{
    struct emission emission = { .failed = false };
    yaml_event_t event;
    if (!yaml_emitter_initialize(&emission.emitter))
        return err_set(err, ERR_FAILED, "cannot start the YAML emitter");
    yaml_emitter_set_output(&emission.emitter, write_buf, out);
    yaml_emitter_set_unicode(&emission.emitter, 1);
    yaml_emitter_set_width(&emission.emitter, -1);
    emit_event(&emission, &event, yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING));
    emit_event(&emission, &event,
               yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 0));
    emit_value(&emission, value);
    if (!emission.failed)
        emit_event(&emission, &event, yaml_document_end_event_initialize(&event, 1));
    if (!emission.failed)
        emit_event(&emission, &event, yaml_stream_end_event_initialize(&event));
    int result = 0;
    if (emission.failed)
        result = err_set(err, ERR_FAILED, "cannot write YAML: %s",
                         emission.emitter.problem ? emission.emitter.problem : "out of memory");
    yaml_emitter_delete(&emission.emitter);
    return result;
}

/* The length of the character at `c` when double quotes must not hold it as it is, and the code
 * that stands for it; else 0. */
static size_t escape(const unsigned char *c, char code[8])
{
    static const char named[] = "\a\b\t\n\v\f\r\x1b\"\\", letters[] = "abtnvfre\"\\";
    const char *at = strchr(named, *c);
    if (*c < 0x80 && at)
        snprintf(code, 8, "\\%c", letters[at - named]);
    else if (*c < 0x20 || *c == 0x7F)
        snprintf(code, 8, "\\x%02X", *c);
    else if (*c == 0xC2 && c[1] < 0xA0)
        snprintf(code, 8, "\\x%02X", c[1]);
    else if (*c == 0xE2 && c[1] == 0x80 && (c[2] == 0xA8 || c[2] == 0xA9))
        snprintf(code, 8, "\\%c", c[2] == 0xA8 ? 'L' : 'P');
    else if (*c == 0xEF && c[1] == 0xBB && c[2] == 0xBF)
        snprintf(code, 8, "\\uFEFF");
    else
        return 0;
    return *c < 0x80 ? 1 : *c == 0xC2 ? 2 : 3;
}

void yaml_emit_inline(struct buf *out, const json_t *scalar)
{
    const char *text = json_string_value(scalar);
    char code[64];
    if (!text)
        write_word(code, scalar);
    if (!text || is_plain(text)) {
        buf_adds(out, text ? text : code);
        return;
    }
    buf_adds(out, "\"");
    while (*text) {
        size_t length = escape((const unsigned char *)text, code);
        if (length)
            buf_adds(out, code);
        else
            buf_add(out, text, length = 1);
        text += length;
    }
    buf_adds(out, "\"");
}

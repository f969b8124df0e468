#include "object/redact.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/base64.h"
#include "base/buf.h"
#include "base/mem.h"

enum {
    LENGTH_MIN = 3, /* less would eat the sentence */
    WORD_MIN = 8,   /* of a word of a value by itself */
};

static const char stars[] = "***", cut[] = "...";

/* Where the message was cut within the form of a value, what is there of it. */
static void hide_rest(char *message, const char *form, size_t form_length)
{
    size_t length = strlen(message), mark = strlen(cut);
    if (length < mark || strcmp(message + length - mark, cut) != 0)
        return;
    size_t most = length - mark < form_length ? length - mark : form_length;
    for (size_t k = most; k >= LENGTH_MIN; k--) {
        char *start = message + length - mark - k;
        if (memcmp(start, form, k) == 0) {
            memset(start, '*', strlen(stars));
            memmove(start + strlen(stars), message + length - mark, mark + 1);
            return;
        }
    }
}

static void hide_form(char *message, const char *form)
{
    size_t length = strlen(form);
    char *rest = message, *found;
    if (length < LENGTH_MIN)
        return;
    while ((found = strstr(rest, form))) {
        memset(found, '*', strlen(stars));
        memmove(found + strlen(stars), found + length, strlen(found + length) + 1);
        rest = found + strlen(stars); /* the value may be stars itself */
    }
    hide_rest(message, form, length);
}

/* As it stands in JSON, without the quotes. */
static void hide_in_json(char *message, const char *value, size_t flags)
{
    json_t *string = json_string(value);
    char *text = string ? json_dumps(string, JSON_ENCODE_ANY | flags) : NULL;
    if (text) {
        text[strlen(text) - 1] = '\0';
        hide_form(message, text + 1);
    }
    xfree_secret(text);
    json_decref(string);
}

static void hide_in_base64(char *message, const char *value)
{
    char *text = base64_encode(value, strlen(value));
    text[strcspn(text, "=")] = '\0';
    hide_form(message, text);
    xfree_secret(text);
}

static bool is_of_word(char c)
{
    return isalnum((unsigned char)c) || strchr("+/_-.=", c);
}

/* Words stay the same however the value is written. */
static void hide_words(char *message, const char *value)
{
    while (*value) {
        size_t length = 0;
        while (value[length] && is_of_word(value[length]))
            length++;
        if (length >= WORD_MIN) {
            char *word = xstrndup(value, length);
            hide_form(message, word);
            xfree_secret(word);
        }
        value += length ? length : 1;
    }
}

void redact_value(char *message, const char *value)
{
    char *line = xstrdup(value);
    for (char *c = line; *c; c++)
        if (*c == '\n' || *c == '\r')
            *c = ' ';
    hide_form(message, value);
    hide_form(message, line);
    hide_in_json(message, value, 0);
    hide_in_json(message, value, JSON_ENSURE_ASCII);
    hide_in_base64(message, value);
    hide_words(message, value);
    xfree_secret(line);
}

void redact_secret(char *message, const json_t *object)
{
    const char *kind = json_string_value(json_object_get(object, "kind")), *key;
    json_t *value;
    if (!kind || strcmp(kind, "Secret") != 0)
        return;
    json_object_foreach(json_object_get(object, "stringData"), key, value) {
        if (json_is_string(value))
            redact_value(message, json_string_value(value));
    }
    json_object_foreach(json_object_get(object, "data"), key, value) {
        const char *text = json_string_value(value);
        char *plain = text ? base64_decode(text, NULL) : NULL;
        if (text)
            redact_value(message, text);
        if (plain)
            redact_value(message, plain);
        xfree_secret(plain);
    }
}

#include "script/lexer.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

static const char *const reserved[] = {
    "and",      "break",  "do",   "else", "elseif", "end",   "false", "for",
    "function", "goto",   "if",   "in",   "local",  "nil",   "not",   "or",
    "repeat",   "return", "then", "true", "until",  "while",
};
enum { RESERVED_COUNT = sizeof reserved / sizeof *reserved };

/* Not <ctype.h>: Lua's lexer knows ASCII only, whatever the locale. */
static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_start(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
}

static int hex_digit(int c)
{
    if (is_digit(c))
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The byte `ahead` of the next one, -1 past the end. */
static int peek(const struct lexer *lexer, size_t ahead)
{
    return ahead < (size_t)(lexer->end - lexer->at) ? (unsigned char)lexer->at[ahead] : -1;
}

static bool is_newline(int c)
{
    return c == '\n' || c == '\r';
}

/* Reads a line's end: \n, \r, or both in either order. */
static void newline(struct lexer *lexer)
{
    int first = peek(lexer, 0), second = peek(lexer, 1);
    lexer->at += is_newline(second) && second != first ? 2 : 1;
    if (lexer->line == INT_MAX)
        lexer_fail(lexer);
    else
        lexer->line++;
}

static void keep(struct buf *out, int c)
{
    char byte = (char)c;
    if (out)
        buf_add(out, &byte, 1);
}

/* The level of a long bracket `[==[` that begins here, -1 when none does. */
static long bracket_level(const struct lexer *lexer)
{
    size_t level = 0;
    while (peek(lexer, level + 1) == '=')
        level++;
    return peek(lexer, level + 1) == '[' ? (long)level : -1;
}

/* Reads a long string or the rest of a long comment, from its first bracket on. */
static void long_string(struct lexer *lexer, size_t level, struct buf *out)
{
    lexer->at += level + 2;
    if (is_newline(peek(lexer, 0)))
        newline(lexer);
    while (lexer->at < lexer->end) {
        int c = peek(lexer, 0);
        if (is_newline(c)) {
            newline(lexer);
            keep(out, '\n');
            continue;
        }
        lexer->at++;
        if (c == ']') {
            size_t equals = 0;
            while (equals < level && peek(lexer, equals) == '=')
                equals++;
            if (equals == level && peek(lexer, level) == ']') {
                lexer->at += level + 1;
                return;
            }
        }
        keep(out, c);
    }
    lexer_fail(lexer);
}

/* \u{XXX}: as UTF-8 of up to six bytes, as Lua has it. */
static void unicode_escape(struct lexer *lexer, struct buf *out)
{
    unsigned long code = 0;
    size_t digits = 0;
    if (peek(lexer, 0) != '{') {
        lexer_fail(lexer);
        return;
    }
    lexer->at++;
    for (; hex_digit(peek(lexer, 0)) >= 0; digits++, lexer->at++) {
        code = code * 16 + (unsigned long)hex_digit(peek(lexer, 0));
        if (code > 0x7FFFFFFFul) {
            lexer_fail(lexer);
            return;
        }
    }
    if (digits == 0 || peek(lexer, 0) != '}') {
        lexer_fail(lexer);
        return;
    }
    lexer->at++;
    if (code < 0x80) {
        keep(out, (int)code);
        return;
    }
    int more = 1; /* continuation bytes */
    while (more < 5 && code >> (5 * more + 6))
        more++;
    keep(out, (int)((0xFF00u >> (more + 1) & 0xFF) | code >> (6 * more)));
    while (more-- > 0)
        keep(out, (int)(0x80 | (code >> (6 * more) & 0x3F)));
}

/* Reads what follows a backslash. */
static void escape(struct lexer *lexer, struct buf *out)
{
    static const char letters[] = "abfnrtv\\\"'", values[] = "\a\b\f\n\r\t\v\\\"'";
    int c = peek(lexer, 0);
    if (is_newline(c)) {
        newline(lexer);
        keep(out, '\n');
        return;
    }
    if (is_digit(c)) {
        int code = 0;
        for (int i = 0; i < 3 && is_digit(peek(lexer, 0)); i++)
            code = code * 10 + *lexer->at++ - '0';
        if (code > 255)
            lexer_fail(lexer);
        keep(out, code);
        return;
    }
    if (c < 0) {
        lexer_fail(lexer);
        return;
    }
    lexer->at++;
    if (c == 'x') {
        int high = hex_digit(peek(lexer, 0)), low = high < 0 ? -1 : hex_digit(peek(lexer, 1));
        if (low < 0) {
            lexer_fail(lexer);
            return;
        }
        lexer->at += 2;
        keep(out, high * 16 + low);
    } else if (c == 'u') {
        unicode_escape(lexer, out);
    } else if (c == 'z') {
        while (lexer->at < lexer->end &&
               (peek(lexer, 0) == ' ' || (peek(lexer, 0) >= '\t' && peek(lexer, 0) <= '\r'))) {
            if (is_newline(peek(lexer, 0)))
                newline(lexer);
            else
                lexer->at++;
        }
    } else {
        const char *found = c ? strchr(letters, c) : NULL;
        if (found)
            keep(out, values[found - letters]);
        else
            lexer_fail(lexer);
    }
}

static void short_string(struct lexer *lexer, struct buf *out)
{
    int quote = (unsigned char)*lexer->at++;
    while (!lexer->failed) {
        int c = peek(lexer, 0);
        if (c < 0 || is_newline(c)) {
            lexer_fail(lexer);
            return;
        }
        lexer->at++;
        if (c == quote)
            return;
        if (c == '\\')
            escape(lexer, out);
        else
            keep(out, c);
    }
}

void lexer_string(const struct token *token, struct buf *out)
{
    struct lexer again = { .at = token->text, .end = token->text + token->length };
    if (*token->text == '[')
        long_string(&again, (size_t)bracket_level(&again), out);
    else
        short_string(&again, out);
}

/* Whether the whole numeral is digits[.digits][exponent]; `integer` when it is the digits alone. */
static bool numeral_is_good(const char *text, size_t length, bool hex, bool *integer)
{
    size_t i = 0, digits = 0;
    *integer = true;
    for (; i < length && (hex ? hex_digit(text[i]) >= 0 : is_digit(text[i])); i++)
        digits++;
    if (i < length && text[i] == '.') {
        *integer = false;
        for (i++; i < length && (hex ? hex_digit(text[i]) >= 0 : is_digit(text[i])); i++)
            digits++;
    }
    if (digits == 0)
        return false;
    if (i < length && (text[i] | 0x20) == (hex ? 'p' : 'e')) {
        *integer = false;
        i++;
        if (i < length && (text[i] == '+' || text[i] == '-'))
            i++;
        size_t first = i;
        while (i < length && is_digit(text[i]))
            i++;
        if (i == first)
            return false;
    }
    return i == length;
}

static void numeral(struct lexer *lexer, struct token *token)
{
    bool hex = peek(lexer, 0) == '0' && (peek(lexer, 1) | 0x20) == 'x', integer;
    if (hex)
        lexer->at += 2;
    const char *digits = lexer->at;
    for (;;) {
        int c = peek(lexer, 0);
        if (c >= 0 && (c | 0x20) == (hex ? 'p' : 'e')) {
            lexer->at++;
            if (peek(lexer, 0) == '+' || peek(lexer, 0) == '-')
                lexer->at++;
        } else if (c == '.' || (c >= 0 && hex_digit(c) >= 0)) {
            lexer->at++;
        } else {
            break;
        }
    }
    size_t length = (size_t)(lexer->at - digits);
    if (is_name_start(peek(lexer, 0)) || !numeral_is_good(digits, length, hex, &integer)) {
        lexer_fail(lexer);
        return;
    }
    token->kind = TOKEN_FLOAT;
    unsigned long long value = 0;
    for (size_t i = 0; integer && i < length; i++) {
        unsigned digit = (unsigned)hex_digit(digits[i]);
        if (!hex && value > ((unsigned long long)LLONG_MAX - digit) / 10)
            integer = false; /* too large for an integer, so a float; a hexadecimal one wraps */
        else
            value = value * (hex ? 16 : 10) + digit;
    }
    if (!integer)
        return;
    token->kind = TOKEN_INTEGER;
    memcpy(&token->integer, &value, sizeof value);
}

static void slots_grow(struct lexer *lexer)
{
    size_t size = lexer->slots_size ? lexer->slots_size * 2 : 256;
    free(lexer->slots);
    lexer->slots = xcalloc(size, sizeof *lexer->slots);
    lexer->slots_size = size;
    for (size_t i = 0; i < lexer->names_count; i++) {
        size_t slot = lexer->names[i].hash & (size - 1);
        while (lexer->slots[slot])
            slot = (slot + 1) & (size - 1);
        lexer->slots[slot] = (unsigned)i + 1;
    }
}

size_t lexer_intern(struct lexer *lexer, const char *text, size_t length)
{
    unsigned hash = 2166136261u;
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * 16777619u;
    size_t slot = hash & (lexer->slots_size - 1);
    for (; lexer->slots[slot]; slot = (slot + 1) & (lexer->slots_size - 1)) {
        const struct lexer_name *name = &lexer->names[lexer->slots[slot] - 1];
        if (name->hash == hash && name->length == length && memcmp(name->text, text, length) == 0)
            return lexer->slots[slot] - 1;
    }
    if (lexer->names_count == lexer->names_size) {
        lexer->names_size = lexer->names_size ? lexer->names_size * 2 : 128;
        lexer->names = xrealloc(lexer->names, lexer->names_size * sizeof *lexer->names);
    }
    lexer->names[lexer->names_count++] = (struct lexer_name){ text, length, hash };
    lexer->slots[slot] = (unsigned)lexer->names_count;
    if (lexer->names_count * 2 > lexer->slots_size)
        slots_grow(lexer);
    return lexer->names_count - 1;
}

static void name_or_word(struct lexer *lexer, struct token *token)
{
    const char *start = lexer->at;
    while (lexer->at < lexer->end && (is_name_start(*lexer->at) || is_digit(*lexer->at)))
        lexer->at++;
    size_t number = lexer_intern(lexer, start, (size_t)(lexer->at - start));
    token->kind = number < RESERVED_COUNT ? TOKEN_AND + (int)number : TOKEN_NAME;
    token->name = number;
}

/* Skips white space and comments. */
static void skip(struct lexer *lexer)
{
    while (lexer->at < lexer->end) {
        int c = peek(lexer, 0);
        if (is_newline(c)) {
            newline(lexer);
        } else if (c == ' ' || c == '\t' || c == '\v' || c == '\f') {
            lexer->at++;
        } else if (c == '-' && peek(lexer, 1) == '-') {
            lexer->at += 2;
            long level = peek(lexer, 0) == '[' ? bracket_level(lexer) : -1;
            if (level >= 0) {
                long_string(lexer, (size_t)level, NULL);
                continue;
            }
            while (lexer->at < lexer->end && !is_newline(*lexer->at))
                lexer->at++;
        } else {
            return;
        }
    }
}

static void punctuation(struct lexer *lexer, struct token *token)
{
    static const struct {
        char text[4];
        int kind;
    } longer[] = {
        { "...", TOKEN_DOTS }, { "..", TOKEN_CONCAT }, { "//", TOKEN_IDIV }, { "==", TOKEN_EQ },
        { ">=", TOKEN_GE },    { "<=", TOKEN_LE },     { "~=", TOKEN_NE },   { "<<", TOKEN_SHL },
        { ">>", TOKEN_SHR },   { "::", TOKEN_LABEL },
    };
    for (size_t i = 0; i < sizeof longer / sizeof *longer; i++) {
        size_t length = strlen(longer[i].text);
        if (longer[i].text[0] == *lexer->at && (size_t)(lexer->end - lexer->at) >= length &&
            memcmp(lexer->at, longer[i].text, length) == 0) {
            token->kind = longer[i].kind;
            lexer->at += length;
            return;
        }
    }
    token->kind = (unsigned char)*lexer->at++;
}

void lexer_next(struct lexer *lexer, struct token *token)
{
    skip(lexer);
    *token = (struct token){ .kind = TOKEN_EOF, .line = lexer->line, .text = lexer->at };
    if (lexer->at >= lexer->end)
        return;
    int c = peek(lexer, 0);
    if (is_name_start(c)) {
        name_or_word(lexer, token);
    } else if (is_digit(c) || (c == '.' && is_digit(peek(lexer, 1)))) {
        numeral(lexer, token);
    } else if (c == '"' || c == '\'') {
        token->kind = TOKEN_STRING;
        short_string(lexer, NULL);
    } else if (c == '[' && (peek(lexer, 1) == '[' || peek(lexer, 1) == '=')) {
        long level = bracket_level(lexer);
        token->kind = TOKEN_STRING;
        if (level >= 0)
            long_string(lexer, (size_t)level, NULL);
        else
            lexer_fail(lexer);
    } else {
        punctuation(lexer, token);
    }
    if (lexer->failed)
        token->kind = TOKEN_EOF;
    token->length = (size_t)(lexer->at - token->text);
}

void lexer_fail(struct lexer *lexer)
{
    lexer->failed = true;
    lexer->at = lexer->end;
}

void lexer_init(struct lexer *lexer, const char *text, size_t length)
{
    *lexer = (struct lexer){ .at = text, .end = text + length, .line = 1 };
    slots_grow(lexer);
    for (size_t i = 0; i < RESERVED_COUNT; i++)
        lexer_intern(lexer, reserved[i], strlen(reserved[i]));
}

void lexer_release(struct lexer *lexer)
{
    free(lexer->names);
    free(lexer->slots);
    *lexer = (struct lexer){ 0 };
}

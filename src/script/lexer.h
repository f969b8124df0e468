/*
 * The tokens of Lua 5.4 source text, in C without Lua: for what looks at a profile's text before
 * Lua does. Accepts exactly what Lua's own lexer accepts, or fails.
 */
#ifndef SCRIPT_LEXER_H
#define SCRIPT_LEXER_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

/* A token of one character has that character as its kind. */
enum token_kind {
    TOKEN_AND = 256, /* the reserved words first, in this order in lexer.c, too */
    TOKEN_BREAK,
    TOKEN_DO,
    TOKEN_ELSE,
    TOKEN_ELSEIF,
    TOKEN_END,
    TOKEN_FALSE,
    TOKEN_FOR,
    TOKEN_FUNCTION,
    TOKEN_GOTO,
    TOKEN_IF,
    TOKEN_IN,
    TOKEN_LOCAL,
    TOKEN_NIL,
    TOKEN_NOT,
    TOKEN_OR,
    TOKEN_REPEAT,
    TOKEN_RETURN,
    TOKEN_THEN,
    TOKEN_TRUE,
    TOKEN_UNTIL,
    TOKEN_WHILE,
    TOKEN_NAME,
    TOKEN_STRING,
    TOKEN_INTEGER,
    TOKEN_FLOAT,
    TOKEN_IDIV,   /* two slashes */
    TOKEN_CONCAT, /* .. */
    TOKEN_DOTS,   /* ... */
    TOKEN_EQ,
    TOKEN_GE,
    TOKEN_LE,
    TOKEN_NE,
    TOKEN_SHL,
    TOKEN_SHR,
    TOKEN_LABEL, /* :: */
    TOKEN_EOF,   /* the end, or what is no token (`failed` is set then) */
};

struct token {
    int kind;         /* enum token_kind or a character */
    int line;         /* that it begins on, from 1 */
    const char *text; /* into the source text; a string with its quotes */
    size_t length;
    size_t name;       /* TOKEN_NAME: the number of the name, the same for the same name */
    long long integer; /* TOKEN_INTEGER */
};

struct lexer_name {
    const char *text; /* into the source text, not terminated */
    size_t length;
    unsigned hash;
};

struct lexer {
    const char *at, *end;
    int line;
    bool failed;              /* from then on every token is TOKEN_EOF */
    struct lexer_name *names; /* by number; the reserved words first */
    size_t names_count, names_size;
    unsigned *slots; /* a hash table of numbers + 1 */
    size_t slots_size;
};

/* Begins to read `length` bytes of text, which must stay as long as the lexer and its tokens. */
void lexer_init(struct lexer *lexer, const char *text, size_t length);

/* Reads the next token. */
void lexer_next(struct lexer *lexer, struct token *token);

/* Makes every later token TOKEN_EOF, so that whoever reads them comes to an end. */
void lexer_fail(struct lexer *lexer);

/* The number of a name, a new one for a new name; its text must stay as the source text does. */
size_t lexer_intern(struct lexer *lexer, const char *text, size_t length);

/* Adds the value of a TOKEN_STRING, escapes resolved, to `out`. It can hold NUL bytes. */
void lexer_string(const struct token *token, struct buf *out);

void lexer_release(struct lexer *lexer);

#endif

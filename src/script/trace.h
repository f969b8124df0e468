/*
 * Where the fields of a profile's tables were written: rewrites the text of a Lua 5.4 chunk so that
 * each table constructor and each assignment to a table's field reports, when it runs, at which
 * place of the text it stands. Text to text, in C without Lua; the host gives the functions that
 * are reported to. What a place says of a value (the line, and which fields of which other tables
 * and which locals it was made from) is read from the text once, here.
 *
 * The chunk behaves as before otherwise, and no line gets another number. The new text begins with
 *
 *     local __bk_t,__bk_s,__bk_k=__bk_trace();
 *
 * a global function of the host, which returns three functions:
 *
 *     t(site, table, bases...)  a constructor made `table`; returns it, as its only result
 *     s(site, key, value, bases...)
 *                               a field of `value` will be assigned; returns it, whatever it is.
 *                               `key` is nil when the text does not tell it
 *     k(site, key)              tells it then; returns it. Comes after s of the same site, before
 *                               the assignment
 *
 * and has in place of            then
 *
 *     { ... }                    __bk_t(1,{ ... },a,b)       f{ ... } becomes f(__bk_t(1,{ ... }))
 *     local.x = v                __bk_s(1,"x",local,a,b);local.x = v
 *     prefix.x = v               __bk_s(1,"x",(prefix),a,b).x = v  also each of several targets
 *     prefix[key] = v            __bk_s(1,nil,(prefix),a,b)[__bk_k(1,key)] = v
 *     prefix["x"] = v            as prefix.x: the text tells the key; so an integer
 *
 * where 1 is the number of the site, and the bases a, b are local variables that the field's links
 * begin at. s comes before the value is evaluated, also when that fails then. What can differ from
 * the untouched text: the table of an assignment is evaluated before the value, where Lua leaves
 * that order open; and Lua's message for `prefix.x = v` with a prefix that can't be indexed loses
 * the words in parentheses at its end, which are the site's `subject`.
 */
#ifndef SCRIPT_TRACE_H
#define SCRIPT_TRACE_H

#include <stddef.h>

enum {
    TRACE_BASES_MAX = 8,  /* of a site; links that begin at further ones are dropped */
    TRACE_KEYS_MAX = 8,   /* of a link; it ends there, at the table that holds the rest */
    TRACE_LINKS_MAX = 16, /* of a field; also of its locals */
};

struct trace_key {
    const char *name; /* NULL: index is it */
    long long index;
};

/* base.key.key: from which field of which table the value was made. */
struct trace_link {
    unsigned base; /* of the site's bases, from 0 */
    unsigned keys_count;
    const struct trace_key *keys; /* at least one */
};

/* `local name = ...` that the value was made from, never assigned again up to there. */
struct trace_local {
    const char *name;
    int line;
};

enum trace_field_kind {
    TRACE_FIELD_NAME,     /* name = v, ["name"] = v */
    TRACE_FIELD_INDEX,    /* an item by its position, [3] = v */
    TRACE_FIELD_COMPUTED, /* [expression] = v */
    TRACE_FIELD_REST,     /* a call or `...` as the last item: key.index and all that follow */
};

struct trace_field {
    enum trace_field_kind kind;
    struct trace_key key;
    int line;                       /* of its first token; of the key in an assignment */
    const struct trace_link *links; /* those of its locals' values, too */
    size_t links_count;
    const struct trace_local *locals; /* those that its locals were made from, too */
    size_t locals_count;
};

enum trace_site_kind { TRACE_SITE_CONSTRUCTOR, TRACE_SITE_ASSIGNMENT };

struct trace_site {
    enum trace_site_kind kind;
    const char *file;
    int line; /* of the `{`, or that the target begins on */
    unsigned bases_count;
    const struct trace_field *fields; /* as written; one for an assignment */
    size_t fields_count;
    const char *subject; /* "field 'x'", what Lua would have called `prefix`; or NULL */
};

struct trace_block;

/* The sites of any number of files. All that they point to is the trace's own. */
struct trace {
    struct trace_site *sites;
    size_t count, size;
    size_t first; /* the number of the first one in the new text */
    struct trace_block *blocks;
};

#define TRACE_INIT                                                                                 \
    {                                                                                              \
        NULL, 0, 0, 0, NULL                                                                        \
    }

/*
 * Rewrites `length` bytes of a chunk and adds its sites, which get `file` as their file (copied).
 * Returns the new text, the caller's to free, NUL-terminated, with its length in `*out_length`;
 * NULL when there is nothing that could be rewritten safely (a syntax error, `_ENV`, names of
 * these functions, nesting or numbers of variables near Lua's limits): the trace is unchanged then,
 * and the caller loads the text as it is, so that Lua says what is wrong. It does the same when Lua
 * does not take the new text: labels are not looked at here.
 */
char *trace_rewrite(struct trace *trace, const char *file, const char *text, size_t length,
                    size_t *out_length);

/*
 * The field of a site that set the key `key`, or the integer key `index` when `key` is NULL: the
 * one with that key, the last such one, else the one that has it among its rest, else the last one
 * whose key the text does not tell; NULL when the site can't have set it.
 */
const struct trace_field *trace_field(const struct trace_site *site, const char *key,
                                      long long index);

/* Frees what the trace holds; it is as new, but for its first number. */
void trace_release(struct trace *trace);

#endif

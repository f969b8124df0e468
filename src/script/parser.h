/*
 * What trace.c, which knows the grammar, works with: the tokens of a chunk, the limits that Lua
 * sets, which variable a name stands for, what values are made from, the sites, and what is to be
 * put into the text. Of use to trace.c alone.
 *
 * Every edit is reserved in the order of the text, so that they need no sorting; those whose words
 * depend on what follows are filled in later. On anything wrong the lexer is made to fail: the rest
 * of the text is TOKEN_EOF then, at which all loops of the grammar end.
 */
#ifndef SCRIPT_PARSER_H
#define SCRIPT_PARSER_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "script/lexer.h"
#include "script/trace.h"

enum { PARSER_UPVALUES_MAX = 255 }; /* Lua's */

#define PARSER_NONE     UINT_MAX
#define PARSER_NAMELESS SIZE_MAX

struct origin_link {
    unsigned variable;
    unsigned keys_count;
    const struct trace_key *keys;
};

/* What a value was made from. */
struct origin {
    const struct origin_link *links;
    const unsigned *locals; /* variables */
    size_t links_count, locals_count;
};

/* An origin while its expression is read. */
struct gathering {
    struct origin_link links[TRACE_LINKS_MAX];
    unsigned locals[TRACE_LINKS_MAX];
    size_t links_count, locals_count;
};

struct variable {
    size_t name;
    int level; /* of the function that declares it; -1 for _ENV */
    int line;
    unsigned shadowed;           /* the variable of that name before it */
    bool has_value;              /* declared by a local statement with an expression for it */
    bool assigned;               /* since then */
    bool readonly;               /* <const>, <close> */
    const struct origin *origin; /* of that value; NULL: nothing */
};

struct function {
    struct function *outer;
    int level;
    unsigned locals;    /* active, with the hidden ones of loops */
    unsigned registers; /* in use where the parser is, at most */
    unsigned loops;     /* around the statement */
    bool is_vararg;
    size_t upvalues_count;
    unsigned upvalues[PARSER_UPVALUES_MAX];
};

/* A site whose fields are being read. */
struct opened {
    size_t index; /* of trace.sites */
    unsigned bases[TRACE_BASES_MAX];
    unsigned bases_count;
};

struct parser {
    struct lexer lexer;
    struct token token, ahead;
    bool has_ahead;
    const char *text, *last_end; /* the end of the token before `token` */
    size_t length;               /* of the text */
    struct trace *trace;
    size_t sites_before; /* in the trace */
    const char *file;
    struct trace_block *blocks; /* the trace's, if all goes well */
    struct function *function;
    struct gathering *gathering; /* NULL: what is read belongs to no value */
    unsigned depth;
    struct variable *variables;
    size_t variables_count, variables_size;
    struct binding *bindings;
    size_t bindings_size;
    unsigned *scope; /* the visible variables, innermost last */
    size_t scope_count, scope_size;
    struct trace_field *fields; /* of the sites that are open, innermost last */
    size_t fields_count, fields_size;
    struct target *targets; /* of the assignments that are open */
    size_t targets_count, targets_size;
    struct declared *declared; /* of the local statements that are open */
    size_t declared_count, declared_size;
    struct edit *edits;
    size_t edits_count, edits_size;
    struct buf words;
};

/* The variables that each chunk begins with. */
enum {
    PARSER_VARIABLE_ENV,
    PARSER_VARIABLE_T,
    PARSER_VARIABLE_S,
    PARSER_VARIABLE_K,
    PARSER_VARIABLES_OWN
};

/* `p` reads the chunk; its sites go into the trace. */
void parser_init(struct parser *p, struct trace *trace, const char *file, const char *text,
                 size_t length);

/* The new text, the caller's to free; NULL, and the trace as before, when the parser has failed.
 * Releases the parser. */
char *parser_finish(struct parser *p, size_t *out_length);

/* Frees what sites point to. */
void parser_release_blocks(struct trace_block *block);

/* Makes room for one more item. */
void *parser_grown(void *items, size_t *size, size_t count, size_t item_size);

/* A copy that lives as long as the trace. */
const char *parser_keep_text(struct parser *p, const char *text, size_t length);
const char *parser_keep_name(struct parser *p, size_t name);

/* Tokens */

void parser_fail(struct parser *p);
void parser_next(struct parser *p);

/* The kind of the token after this one. */
int parser_look_ahead(struct parser *p);
bool parser_accept(struct parser *p, int kind);
void parser_expect(struct parser *p, int kind);

/* The number of the name that comes here; 0 (a reserved word's) after a failure. */
size_t parser_expect_name(struct parser *p);

/* Room for what is known of the name, and a look at it when it is new. */
void parser_see_name(struct parser *p, size_t number);

/* Limits */

void parser_enter(struct parser *p, unsigned levels);
void parser_leave(struct parser *p, unsigned levels);
void parser_take_registers(struct parser *p, unsigned count);
void parser_give_registers(struct parser *p, unsigned count);

/* Variables */

/* Notes that the function that is read uses the variable. */
void parser_use(struct parser *p, unsigned variable);

/* The variable that a name stands for here; PARSER_NONE for a global. */
unsigned parser_resolve(struct parser *p, size_t name);

/* Declares a local variable of the function that is read. */
struct variable *parser_declare(struct parser *p, size_t name, int line);

/* Ends the scope of the variables that were declared since there were `count`. */
void parser_end_scope(struct parser *p, size_t count);

/* Edits */

size_t parser_reserve_edit(struct parser *p, const char *at);

/* What is added to parser.words up to parser_end_edit() is put in there. */
void parser_begin_edit(struct parser *p, size_t edit);

/* Where the new words begin with a letter: a blank, if they would become one with what is before,
 * as in `return{}`. */
void parser_begin_edit_apart(struct parser *p, size_t edit);
void parser_end_edit(struct parser *p, size_t edit);

void parser_add_name(struct parser *p, size_t name);

/* "a,b" with a comma before each. */
void parser_add_bases(struct parser *p, const struct opened *site);

/* What values are made from, and sites */

void parser_gather_link(struct parser *p, const struct origin_link *link);
void parser_gather_local(struct parser *p, unsigned variable);
const struct origin *parser_keep_origin(struct parser *p, const struct gathering *gathering);

/* Completes a field of the site with what its value is made from. */
void parser_set_origin(struct parser *p, struct opened *site, struct trace_field *field,
                       const struct gathering *gathering);

void parser_open_site(struct parser *p, struct opened *site, enum trace_site_kind kind, int line);
size_t parser_site_number(const struct parser *p, const struct opened *site);
void parser_add_field(struct parser *p, const struct trace_field *field);

/* Gives the site the fields that were added since there were `first`. */
void parser_close_site(struct parser *p, const struct opened *opened, size_t first);

#endif

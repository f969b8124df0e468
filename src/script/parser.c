#include "script/parser.h"

#include <stdalign.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

enum {
    /* Lua's limits, of the new text; below the true ones where Lua counts what is around it, too.
     */
    DEPTH_MAX = 150,
    REGISTERS_MAX = 240,
    LOCALS_MAX = 200,

    EXPANSIONS_MAX = 4, /* from local to local, for what a value was made from */
};

static const char header[] = "local __bk_t,__bk_s,__bk_k=__bk_trace();";

struct trace_block {
    struct trace_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

/* What the parser knows of a name, by its number. */
struct binding {
    unsigned variable; /* that is visible now */
    bool seen;
    const char *kept; /* its text in the trace, once needed */
};

struct edit {
    const char *at;      /* before this byte of the text */
    size_t from, length; /* of parser.words */
};

/* Makes room for one more item. */
void *parser_grown(void *items, size_t *size, size_t count, size_t item_size)
{
    if (count < *size)
        return items;
    *size = *size ? *size * 2 : 32;
    return xrealloc(items, *size * item_size);
}

/* Memory that lives as long as the trace. */
static void *room(struct trace_block **blocks, size_t size)
{
    enum { SMALLEST = 4096, LARGEST = 65536 };
    size_t align = alignof(max_align_t), whole = (size + align - 1) / align * align;
    struct trace_block *block = *blocks;
    if (!block || block->size - block->used < whole) {
        size_t bytes = !block ? SMALLEST : block->size < LARGEST ? block->size * 2 : LARGEST;
        if (bytes < whole)
            bytes = whole;
        block = xmalloc(sizeof *block + bytes);
        *block = (struct trace_block){ *blocks, 0, bytes };
        *blocks = block;
    }
    void *place = block->bytes + block->used;
    block->used += whole;
    return place;
}

static const void *keep(struct parser *p, const void *items, size_t count, size_t size)
{
    return count ? memcpy(room(&p->blocks, count * size), items, count * size) : NULL;
}

const char *parser_keep_text(struct parser *p, const char *text, size_t length)
{
    char *kept = room(&p->blocks, length + 1);
    memcpy(kept, text, length);
    kept[length] = '\0';
    return kept;
}

/* --- Tokens. */

void parser_fail(struct parser *p)
{
    lexer_fail(&p->lexer);
    p->has_ahead = false;
    p->token.kind = TOKEN_EOF;
}

static bool starts_with(const struct lexer_name *name, const char *prefix)
{
    size_t length = strlen(prefix);
    return name->length >= length && memcmp(name->text, prefix, length) == 0;
}

/* Room for what is known of the name, and a look at it when it is new. */
void parser_see_name(struct parser *p, size_t number)
{
    while (number >= p->bindings_size) {
        size_t before = p->bindings_size;
        p->bindings = parser_grown(p->bindings, &p->bindings_size, before, sizeof *p->bindings);
        for (size_t i = before; i < p->bindings_size; i++)
            p->bindings[i] = (struct binding){ PARSER_NONE, false, NULL };
    }
    if (p->bindings[number].seen)
        return;
    p->bindings[number].seen = true;
    const struct lexer_name *name = &p->lexer.names[number];
    if (starts_with(name, "__bk_") || (name->length == 4 && starts_with(name, "_ENV")))
        parser_fail(p);
}

void parser_next(struct parser *p)
{
    p->last_end = p->token.text + p->token.length;
    if (p->has_ahead)
        p->token = p->ahead;
    else
        lexer_next(&p->lexer, &p->token);
    p->has_ahead = false;
    if (p->token.kind == TOKEN_NAME)
        parser_see_name(p, p->token.name);
}

/* The kind of the token after this one. */
int parser_look_ahead(struct parser *p)
{
    if (!p->has_ahead)
        lexer_next(&p->lexer, &p->ahead);
    p->has_ahead = true;
    return p->ahead.kind;
}

bool parser_accept(struct parser *p, int kind)
{
    if (p->token.kind != kind)
        return false;
    parser_next(p);
    return true;
}

void parser_expect(struct parser *p, int kind)
{
    if (!parser_accept(p, kind))
        parser_fail(p);
}

/* The number of the name that comes here; 0 (a reserved word's) after a failure. */
size_t parser_expect_name(struct parser *p)
{
    size_t name = p->token.kind == TOKEN_NAME ? p->token.name : 0;
    parser_expect(p, TOKEN_NAME);
    return name;
}

void parser_enter(struct parser *p, unsigned levels)
{
    p->depth += levels;
    if (p->depth > DEPTH_MAX)
        parser_fail(p);
}

void parser_leave(struct parser *p, unsigned levels)
{
    p->depth -= levels;
}

void parser_take_registers(struct parser *p, unsigned count)
{
    p->function->registers += count;
    if (p->function->registers > REGISTERS_MAX)
        parser_fail(p);
}

void parser_give_registers(struct parser *p, unsigned count)
{
    p->function->registers -= count;
}

const char *parser_keep_name(struct parser *p, size_t name)
{
    struct binding *binding = &p->bindings[name];
    const struct lexer_name *text = &p->lexer.names[name];
    if (!binding->kept)
        binding->kept = parser_keep_text(p, text->text, text->length);
    return binding->kept;
}

/* --- Variables. */

/* Notes that the function that is read uses the variable: it is an upvalue of this one and of those
 * between it and the variable's. */
void parser_use(struct parser *p, unsigned variable)
{
    for (struct function *f = p->function; f && f->level > p->variables[variable].level;
         f = f->outer) {
        for (size_t i = 0; i < f->upvalues_count; i++)
            if (f->upvalues[i] == variable)
                return;
        if (f->upvalues_count == PARSER_UPVALUES_MAX) {
            parser_fail(p);
            return;
        }
        f->upvalues[f->upvalues_count++] = variable;
    }
}

/* The variable that a name stands for here; PARSER_NONE for a global. */
unsigned parser_resolve(struct parser *p, size_t name)
{
    unsigned variable = p->bindings[name].variable;
    parser_use(p, variable == PARSER_NONE ? (unsigned)PARSER_VARIABLE_ENV : variable);
    return variable;
}

/* Declares a local variable of the function that is read. */
struct variable *parser_declare(struct parser *p, size_t name, int line)
{
    unsigned number = (unsigned)p->variables_count;
    p->variables =
        parser_grown(p->variables, &p->variables_size, p->variables_count++, sizeof *p->variables);
    struct variable *variable = &p->variables[number];
    *variable = (struct variable){
        .name = name, .level = p->function->level, .line = line, .shadowed = PARSER_NONE
    };
    if (name != PARSER_NAMELESS) {
        variable->shadowed = p->bindings[name].variable;
        p->bindings[name].variable = number;
    }
    p->scope = parser_grown(p->scope, &p->scope_size, p->scope_count, sizeof *p->scope);
    p->scope[p->scope_count++] = number;
    parser_take_registers(p, 1);
    if (++p->function->locals > LOCALS_MAX)
        parser_fail(p);
    return variable;
}

/* Ends the scope of the variables that were declared since there were `count`. */
void parser_end_scope(struct parser *p, size_t count)
{
    while (p->scope_count > count) {
        const struct variable *variable = &p->variables[p->scope[--p->scope_count]];
        if (variable->name != PARSER_NAMELESS)
            p->bindings[variable->name].variable = variable->shadowed;
        p->function->locals--;
        parser_give_registers(p, 1);
    }
}

/* --- Edits. */

size_t parser_reserve_edit(struct parser *p, const char *at)
{
    p->edits = parser_grown(p->edits, &p->edits_size, p->edits_count, sizeof *p->edits);
    p->edits[p->edits_count] = (struct edit){ at, 0, 0 };
    return p->edits_count++;
}

/* What is added to parser.words up to parser_end_edit() is put in there. */
void parser_begin_edit(struct parser *p, size_t edit)
{
    p->edits[edit].from = p->words.len;
}

void parser_end_edit(struct parser *p, size_t edit)
{
    p->edits[edit].length = p->words.len - p->edits[edit].from;
}

/* Where the new words begin with a letter: a blank, if they would become one with what is before,
 * as in `return{}`. */
void parser_begin_edit_apart(struct parser *p, size_t edit)
{
    const char *at = p->edits[edit].at;
    unsigned char before = at > p->text ? (unsigned char)at[-1] : ' ';
    parser_begin_edit(p, edit);
    if ((before >= '0' && before <= '9') || ((before | 0x20) >= 'a' && (before | 0x20) <= 'z') ||
        before == '_' || before == '.')
        buf_adds(&p->words, " ");
}

void parser_add_name(struct parser *p, size_t name)
{
    buf_add(&p->words, p->lexer.names[name].text, p->lexer.names[name].length);
}

/* "a,b" with a comma before each. */
void parser_add_bases(struct parser *p, const struct opened *site)
{
    for (unsigned i = 0; i < site->bases_count; i++) {
        buf_adds(&p->words, ",");
        parser_add_name(p, p->variables[site->bases[i]].name);
    }
}

/* --- What values are made from. */

void parser_gather_link(struct parser *p, const struct origin_link *link)
{
    struct gathering *into = p->gathering;
    if (into && link->keys_count && into->links_count < TRACE_LINKS_MAX) {
        into->links[into->links_count] = *link;
        into->links[into->links_count++].keys =
            keep(p, link->keys, link->keys_count, sizeof *link->keys);
    }
}

void parser_gather_local(struct parser *p, unsigned variable)
{
    struct gathering *into = p->gathering;
    const struct variable *local = &p->variables[variable];
    if (into && local->has_value && !local->assigned && into->locals_count < TRACE_LINKS_MAX)
        into->locals[into->locals_count++] = variable;
}

static struct origin origin_of(const struct gathering *gathering)
{
    return (struct origin){ gathering->links, gathering->locals, gathering->links_count,
                            gathering->locals_count };
}

const struct origin *parser_keep_origin(struct parser *p, const struct gathering *gathering)
{
    struct origin origin = origin_of(gathering);
    if (!origin.links_count && !origin.locals_count)
        return NULL;
    origin.links = keep(p, origin.links, origin.links_count, sizeof *origin.links);
    origin.locals = keep(p, origin.locals, origin.locals_count, sizeof *origin.locals);
    return keep(p, &origin, 1, sizeof origin);
}

/* The origin of a field, with those of the locals in it. */
struct expansion {
    struct trace_link links[TRACE_LINKS_MAX];
    struct trace_local locals[TRACE_LINKS_MAX];
    unsigned variables[TRACE_LINKS_MAX]; /* of locals */
    size_t links_count, locals_count;
};

static bool same_keys(const struct trace_link *a, const struct trace_link *b)
{
    if (a->base != b->base || a->keys_count != b->keys_count)
        return false;
    for (unsigned i = 0; i < a->keys_count; i++) {
        const struct trace_key *x = &a->keys[i], *y = &b->keys[i];
        if (!x->name != !y->name ||
            (x->name ? strcmp(x->name, y->name) != 0 : x->index != y->index))
            return false;
    }
    return true;
}

/* The place of the variable among the site's bases, where it is added; PARSER_NONE when there is no
 * room, or when its name does not stand for it here. */
static unsigned base_of(struct parser *p, struct opened *site, unsigned variable)
{
    if (p->bindings[p->variables[variable].name].variable != variable)
        return PARSER_NONE;
    for (unsigned i = 0; i < site->bases_count; i++)
        if (site->bases[i] == variable)
            return i;
    if (site->bases_count == TRACE_BASES_MAX)
        return PARSER_NONE;
    parser_use(p, variable);
    site->bases[site->bases_count] = variable;
    return site->bases_count++;
}

static void add_link(struct parser *p, struct opened *site, struct expansion *into,
                     const struct origin_link *link)
{
    if (into->links_count == TRACE_LINKS_MAX)
        return;
    struct trace_link made = { base_of(p, site, link->variable), link->keys_count, link->keys };
    if (made.base == PARSER_NONE)
        return;
    for (size_t i = 0; i < into->links_count; i++)
        if (same_keys(&into->links[i], &made))
            return;
    into->links[into->links_count++] = made;
}

static void expand(struct parser *p, struct opened *site, struct expansion *into,
                   const struct origin *origin, int depth)
{
    for (size_t i = 0; i < origin->links_count; i++)
        add_link(p, site, into, &origin->links[i]);
    for (size_t i = 0; i < origin->locals_count; i++) {
        unsigned variable = origin->locals[i];
        size_t k = 0;
        while (k < into->locals_count && into->variables[k] != variable)
            k++;
        if (k < into->locals_count || k == TRACE_LINKS_MAX)
            continue;
        const struct variable *local = &p->variables[variable];
        into->variables[k] = variable;
        into->locals[k] = (struct trace_local){ parser_keep_name(p, local->name), local->line };
        into->locals_count++;
        if (local->origin && depth < EXPANSIONS_MAX)
            expand(p, site, into, local->origin, depth + 1);
    }
}

/* Completes a field of the site with what its value is made from. */
void parser_set_origin(struct parser *p, struct opened *site, struct trace_field *field,
                       const struct gathering *gathering)
{
    struct expansion all;
    struct origin origin = origin_of(gathering);
    all.links_count = all.locals_count = 0;
    expand(p, site, &all, &origin, 1);
    field->links = keep(p, all.links, all.links_count, sizeof *all.links);
    field->links_count = all.links_count;
    field->locals = keep(p, all.locals, all.locals_count, sizeof *all.locals);
    field->locals_count = all.locals_count;
}

/* --- Sites. */

void parser_open_site(struct parser *p, struct opened *site, enum trace_site_kind kind, int line)
{
    struct trace *trace = p->trace;
    trace->sites = parser_grown(trace->sites, &trace->size, trace->count, sizeof *trace->sites);
    trace->sites[trace->count] = (struct trace_site){ .kind = kind, .file = p->file, .line = line };
    site->index = trace->count++;
    site->bases_count = 0;
}

size_t parser_site_number(const struct parser *p, const struct opened *site)
{
    return p->trace->first + site->index;
}

void parser_add_field(struct parser *p, const struct trace_field *field)
{
    p->fields = parser_grown(p->fields, &p->fields_size, p->fields_count, sizeof *p->fields);
    p->fields[p->fields_count++] = *field;
}

/* Gives the site the fields that were added since there were `first`. */
void parser_close_site(struct parser *p, const struct opened *opened, size_t first)
{
    struct trace_site *site = &p->trace->sites[opened->index];
    site->bases_count = opened->bases_count;
    site->fields_count = p->fields_count - first;
    site->fields = site->fields_count
                       ? keep(p, p->fields + first, site->fields_count, sizeof *site->fields)
                       : NULL;
    p->fields_count = first;
}

/* --- The whole. */

void parser_init(struct parser *p, struct trace *trace, const char *file, const char *text,
                 size_t length)
{
    *p = (struct parser){ .text = text,
                          .last_end = text,
                          .length = length,
                          .trace = trace,
                          .sites_before = trace->count };
    lexer_init(&p->lexer, text, length);
    p->token.text = text;
    parser_see_name(p, 0); /* what parser_expect_name() returns after a failure */
    p->file = parser_keep_text(p, file, strlen(file));
}

static char *assemble(const struct parser *p, size_t *out_length)
{
    size_t whole = sizeof header - 1 + p->length;
    for (size_t i = 0; i < p->edits_count; i++)
        whole += p->edits[i].length;
    char *out = xmalloc(whole + 1), *to = out;
    const char *from = p->text;
    to = mempcpy(to, header, sizeof header - 1);
    for (size_t i = 0; i < p->edits_count; i++) {
        const struct edit *edit = &p->edits[i];
        if (!edit->length)
            continue;
        to = mempcpy(to, from, (size_t)(edit->at - from));
        to = mempcpy(to, p->words.data + edit->from, edit->length);
        from = edit->at;
    }
    to = mempcpy(to, from, (size_t)(p->text + p->length - from));
    *to = '\0';
    *out_length = whole;
    return out;
}

void parser_release_blocks(struct trace_block *block)
{
    while (block) {
        struct trace_block *after = block->next;
        free(block);
        block = after;
    }
}

/* Puts the blocks before the trace's own. */
static void give_blocks(struct trace *trace, struct trace_block *blocks)
{
    struct trace_block **last = &blocks;
    while (*last)
        last = &(*last)->next;
    *last = trace->blocks;
    trace->blocks = blocks;
}

char *parser_finish(struct parser *p, size_t *out_length)
{
    char *out = NULL;
    if (p->lexer.failed) {
        p->trace->count = p->sites_before;
        parser_release_blocks(p->blocks);
    } else {
        out = assemble(p, out_length);
        give_blocks(p->trace, p->blocks);
    }
    lexer_release(&p->lexer);
    buf_release(&p->words);
    free(p->variables);
    free(p->bindings);
    free(p->scope);
    free(p->fields);
    free(p->targets);
    free(p->declared);
    free(p->edits);
    return out;
}

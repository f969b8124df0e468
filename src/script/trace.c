#include "script/trace.h"

#include <limits.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "script/lexer.h"

/*
 * A parser of the whole grammar that builds no tree: it goes over the text once, as Lua's own does,
 * and notes what to put in where. Every edit is reserved in the order of the text, so that they
 * need no sorting; those whose words depend on what follows are filled in later.
 *
 * On anything wrong the lexer is made to fail: the rest of the text is TOKEN_EOF then, at which all
 * loops below end.
 */

enum {
    /* Lua's limits, of the new text; below the true ones where Lua counts what is around it, too.
     */
    DEPTH_MAX = 150,
    REGISTERS_MAX = 240,
    LOCALS_MAX = 200,
    UPVALUES_MAX = 255,

    LIST_PENDING = 50,  /* items that Lua keeps in registers until it stores them */
    EXPANSIONS_MAX = 4, /* from local to local, for what a value was made from */
    UNARY_PRIORITY = 12,
};

static const unsigned NONE = UINT_MAX;
static const size_t NAMELESS = SIZE_MAX;

struct trace_block {
    struct trace_block *next;
    size_t used, size;
    alignas(max_align_t) char bytes[];
};

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

/* What the parser knows of a name, by its number. */
struct binding {
    unsigned variable; /* that is visible now */
    bool seen;
    const char *kept; /* its text in the trace, once needed */
};

struct function {
    struct function *outer;
    int level;
    unsigned locals;    /* active, with the hidden ones of loops */
    unsigned registers; /* in use where the parser is, at most */
    unsigned loops;     /* around the statement */
    bool is_vararg;
    size_t upvalues_count;
    unsigned upvalues[UPVALUES_MAX];
};

struct edit {
    const char *at;      /* before this byte of the text */
    size_t from, length; /* of parser.words */
};

/* A site whose fields are being read. */
struct opened {
    size_t index; /* of trace.sites */
    unsigned bases[TRACE_BASES_MAX];
    unsigned bases_count;
};

enum target_kind { TARGET_OTHER, TARGET_NAME, TARGET_FIELD };

/* What Lua calls a value in its messages. */
struct subject {
    const char *what; /* NULL: nothing */
    size_t name;      /* NAMELESS: text */
    const char *text;
};

/* The expression that begins a statement, perhaps the target of an assignment. */
struct target {
    enum target_kind kind;
    size_t name;
    unsigned variable; /* of the name that it begins with, NONE: a global or no name */
    int line;
    size_t edit_start;
    /* Of the last suffix: */
    bool prefix_is_local;                       /* the variable and nothing else is before it */
    size_t edit_prefix, edit_key, edit_key_end; /* a computed key has the latter two */
    struct trace_field field;
    struct subject subject; /* of what is before it */
    struct opened site;
};

/* A name of a local statement before it is declared. */
struct declared {
    size_t name;
    int line;
    bool readonly, has_value;
    const struct origin *origin;
};

struct parser {
    struct lexer lexer;
    struct token token, ahead;
    bool has_ahead;
    const char *text, *last_end; /* the end of the token before `token` */
    struct trace *trace;
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
enum { VARIABLE_ENV, VARIABLE_T, VARIABLE_S, VARIABLE_K, VARIABLES_OWN };

static const char header[] = "local __bk_t,__bk_s,__bk_k=__bk_trace();";

static bool expression(struct parser *p);
static void block(struct parser *p);
static void function_body(struct parser *p, bool is_method);

/* Makes room for one more item. */
static void *grown(void *items, size_t *size, size_t count, size_t item_size)
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

static const char *keep_text(struct parser *p, const char *text, size_t length)
{
    char *kept = room(&p->blocks, length + 1);
    memcpy(kept, text, length);
    kept[length] = '\0';
    return kept;
}

/* --- Tokens. */

static void fail(struct parser *p)
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
static void see_name(struct parser *p, size_t number)
{
    while (number >= p->bindings_size) {
        size_t before = p->bindings_size;
        p->bindings = grown(p->bindings, &p->bindings_size, before, sizeof *p->bindings);
        for (size_t i = before; i < p->bindings_size; i++)
            p->bindings[i] = (struct binding){ NONE, false, NULL };
    }
    if (p->bindings[number].seen)
        return;
    p->bindings[number].seen = true;
    const struct lexer_name *name = &p->lexer.names[number];
    if (starts_with(name, "__bk_") || (name->length == 4 && starts_with(name, "_ENV")))
        fail(p);
}

static void next(struct parser *p)
{
    p->last_end = p->token.text + p->token.length;
    if (p->has_ahead)
        p->token = p->ahead;
    else
        lexer_next(&p->lexer, &p->token);
    p->has_ahead = false;
    if (p->token.kind == TOKEN_NAME)
        see_name(p, p->token.name);
}

/* The kind of the token after this one. */
static int look_ahead(struct parser *p)
{
    if (!p->has_ahead)
        lexer_next(&p->lexer, &p->ahead);
    p->has_ahead = true;
    return p->ahead.kind;
}

static bool accept(struct parser *p, int kind)
{
    if (p->token.kind != kind)
        return false;
    next(p);
    return true;
}

static void expect(struct parser *p, int kind)
{
    if (!accept(p, kind))
        fail(p);
}

/* The number of the name that comes here; 0 (a reserved word's) after a failure. */
static size_t expect_name(struct parser *p)
{
    size_t name = p->token.kind == TOKEN_NAME ? p->token.name : 0;
    expect(p, TOKEN_NAME);
    return name;
}

static void enter(struct parser *p, unsigned levels)
{
    p->depth += levels;
    if (p->depth > DEPTH_MAX)
        fail(p);
}

static void leave(struct parser *p, unsigned levels)
{
    p->depth -= levels;
}

static void take_registers(struct parser *p, unsigned count)
{
    p->function->registers += count;
    if (p->function->registers > REGISTERS_MAX)
        fail(p);
}

static void give_registers(struct parser *p, unsigned count)
{
    p->function->registers -= count;
}

static const char *keep_name(struct parser *p, size_t name)
{
    struct binding *binding = &p->bindings[name];
    const struct lexer_name *text = &p->lexer.names[name];
    if (!binding->kept)
        binding->kept = keep_text(p, text->text, text->length);
    return binding->kept;
}

/* Whether the token is a literal key before a `]`, and which. */
static bool literal_key(struct parser *p, struct trace_key *key)
{
    if (p->token.kind != TOKEN_STRING && p->token.kind != TOKEN_INTEGER)
        return false;
    if (look_ahead(p) != ']')
        return false;
    *key = (struct trace_key){ NULL, p->token.integer };
    if (p->token.kind == TOKEN_INTEGER)
        return true;
    struct buf text = BUF_INIT;
    lexer_string(&p->token, &text);
    bool plain = strlen(buf_text(&text)) == text.len;
    if (plain)
        key->name = keep_text(p, buf_text(&text), text.len);
    buf_release(&text);
    return plain;
}

/* --- Variables. */

/* Notes that the function that is read uses the variable: it is an upvalue of this one and of those
 * between it and the variable's. */
static void use(struct parser *p, unsigned variable)
{
    for (struct function *f = p->function; f && f->level > p->variables[variable].level;
         f = f->outer) {
        for (size_t i = 0; i < f->upvalues_count; i++)
            if (f->upvalues[i] == variable)
                return;
        if (f->upvalues_count == UPVALUES_MAX) {
            fail(p);
            return;
        }
        f->upvalues[f->upvalues_count++] = variable;
    }
}

/* The variable that a name stands for here; NONE for a global. */
static unsigned resolve(struct parser *p, size_t name)
{
    unsigned variable = p->bindings[name].variable;
    use(p, variable == NONE ? (unsigned)VARIABLE_ENV : variable);
    return variable;
}

/* Declares a local variable of the function that is read. */
static struct variable *declare(struct parser *p, size_t name, int line)
{
    unsigned number = (unsigned)p->variables_count;
    p->variables =
        grown(p->variables, &p->variables_size, p->variables_count++, sizeof *p->variables);
    struct variable *variable = &p->variables[number];
    *variable = (struct variable){
        .name = name, .level = p->function->level, .line = line, .shadowed = NONE
    };
    if (name != NAMELESS) {
        variable->shadowed = p->bindings[name].variable;
        p->bindings[name].variable = number;
    }
    p->scope = grown(p->scope, &p->scope_size, p->scope_count, sizeof *p->scope);
    p->scope[p->scope_count++] = number;
    take_registers(p, 1);
    if (++p->function->locals > LOCALS_MAX)
        fail(p);
    return variable;
}

/* Ends the scope of the variables that were declared since there were `count`. */
static void end_scope(struct parser *p, size_t count)
{
    while (p->scope_count > count) {
        const struct variable *variable = &p->variables[p->scope[--p->scope_count]];
        if (variable->name != NAMELESS)
            p->bindings[variable->name].variable = variable->shadowed;
        p->function->locals--;
        give_registers(p, 1);
    }
}

/* --- Edits. */

static size_t reserve_edit(struct parser *p, const char *at)
{
    p->edits = grown(p->edits, &p->edits_size, p->edits_count, sizeof *p->edits);
    p->edits[p->edits_count] = (struct edit){ at, 0, 0 };
    return p->edits_count++;
}

/* What is added to parser.words up to end_edit() is put in there. */
static void begin_edit(struct parser *p, size_t edit)
{
    p->edits[edit].from = p->words.len;
}

static void end_edit(struct parser *p, size_t edit)
{
    p->edits[edit].length = p->words.len - p->edits[edit].from;
}

/* Where the new words begin with a letter: a blank, if they would become one with what is before,
 * as in `return{}`. */
static void begin_edit_apart(struct parser *p, size_t edit)
{
    const char *at = p->edits[edit].at;
    unsigned char before = at > p->text ? (unsigned char)at[-1] : ' ';
    begin_edit(p, edit);
    if ((before >= '0' && before <= '9') || ((before | 0x20) >= 'a' && (before | 0x20) <= 'z') ||
        before == '_' || before == '.')
        buf_adds(&p->words, " ");
}

static void add_name(struct parser *p, size_t name)
{
    buf_add(&p->words, p->lexer.names[name].text, p->lexer.names[name].length);
}

/* "a,b" with a comma before each. */
static void add_bases(struct parser *p, const struct opened *site)
{
    for (unsigned i = 0; i < site->bases_count; i++) {
        buf_adds(&p->words, ",");
        add_name(p, p->variables[site->bases[i]].name);
    }
}

/* --- What values are made from. */

static void gather_link(struct parser *p, const struct origin_link *link)
{
    struct gathering *into = p->gathering;
    if (into && link->keys_count && into->links_count < TRACE_LINKS_MAX) {
        into->links[into->links_count] = *link;
        into->links[into->links_count++].keys =
            keep(p, link->keys, link->keys_count, sizeof *link->keys);
    }
}

static void gather_local(struct parser *p, unsigned variable)
{
    struct gathering *into = p->gathering;
    const struct variable *local = &p->variables[variable];
    if (into && local->has_value && !local->assigned && into->locals_count < TRACE_LINKS_MAX)
        into->locals[into->locals_count++] = variable;
}

/* Reads an expression and gathers what its value is made from. True as expression(). */
static bool value(struct parser *p, struct gathering *gathering)
{
    struct gathering *outer = p->gathering;
    gathering->links_count = gathering->locals_count = 0;
    p->gathering = gathering;
    bool is_multiple = expression(p);
    p->gathering = outer;
    return is_multiple;
}

static struct origin origin_of(const struct gathering *gathering)
{
    return (struct origin){ gathering->links, gathering->locals, gathering->links_count,
                            gathering->locals_count };
}

static const struct origin *keep_origin(struct parser *p, const struct gathering *gathering)
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

/* The place of the variable among the site's bases, where it is added; NONE when there is no room,
 * or when its name does not stand for it here. */
static unsigned base_of(struct parser *p, struct opened *site, unsigned variable)
{
    if (p->bindings[p->variables[variable].name].variable != variable)
        return NONE;
    for (unsigned i = 0; i < site->bases_count; i++)
        if (site->bases[i] == variable)
            return i;
    if (site->bases_count == TRACE_BASES_MAX)
        return NONE;
    use(p, variable);
    site->bases[site->bases_count] = variable;
    return site->bases_count++;
}

static void add_link(struct parser *p, struct opened *site, struct expansion *into,
                     const struct origin_link *link)
{
    if (into->links_count == TRACE_LINKS_MAX)
        return;
    struct trace_link made = { base_of(p, site, link->variable), link->keys_count, link->keys };
    if (made.base == NONE)
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
        into->locals[k] = (struct trace_local){ keep_name(p, local->name), local->line };
        into->locals_count++;
        if (local->origin && depth < EXPANSIONS_MAX)
            expand(p, site, into, local->origin, depth + 1);
    }
}

/* Completes a field of the site with what its value is made from. */
static void set_origin(struct parser *p, struct opened *site, struct trace_field *field,
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

static void open_site(struct parser *p, struct opened *site, enum trace_site_kind kind, int line)
{
    struct trace *trace = p->trace;
    trace->sites = grown(trace->sites, &trace->size, trace->count, sizeof *trace->sites);
    trace->sites[trace->count] = (struct trace_site){ .kind = kind, .file = p->file, .line = line };
    site->index = trace->count++;
    site->bases_count = 0;
}

static size_t number_of(const struct parser *p, const struct opened *site)
{
    return p->trace->first + site->index;
}

static void add_field(struct parser *p, const struct trace_field *field)
{
    p->fields = grown(p->fields, &p->fields_size, p->fields_count, sizeof *p->fields);
    p->fields[p->fields_count++] = *field;
}

/* Gives the site the fields that were added since there were `first`. */
static void close_site(struct parser *p, const struct opened *opened, size_t first)
{
    struct trace_site *site = &p->trace->sites[opened->index];
    site->bases_count = opened->bases_count;
    site->fields_count = p->fields_count - first;
    site->fields = site->fields_count
                       ? keep(p, p->fields + first, site->fields_count, sizeof *site->fields)
                       : NULL;
    p->fields_count = first;
}

/* --- Expressions. */

/* [key] = value or name = value or an item, number `*items` + 1 then. True when it is an item that
 * can be several. */
static bool constructor_field(struct parser *p, struct opened *site, long long *items)
{
    struct trace_field field = { .kind = TRACE_FIELD_INDEX, .line = p->token.line };
    struct gathering gathering;
    bool is_item = false;
    if (p->token.kind == TOKEN_NAME && look_ahead(p) == '=') {
        field.kind = TRACE_FIELD_NAME;
        field.key.name = keep_name(p, p->token.name);
        next(p);
        next(p);
    } else if (accept(p, '[')) {
        if (literal_key(p, &field.key)) {
            field.kind = field.key.name ? TRACE_FIELD_NAME : TRACE_FIELD_INDEX;
            next(p);
        } else {
            struct gathering *outer = p->gathering;
            field.kind = TRACE_FIELD_COMPUTED;
            p->gathering = NULL;
            expression(p);
            p->gathering = outer;
        }
        expect(p, ']');
        expect(p, '=');
    } else {
        is_item = true;
        field.key.index = ++*items;
    }
    /* The items before that Lua has not stored yet, and a key. */
    long long before = *items - is_item;
    unsigned pending = before ? (unsigned)((before - 1) % LIST_PENDING) + 2 : 1;
    take_registers(p, pending);
    bool is_multiple = value(p, &gathering);
    give_registers(p, pending);
    set_origin(p, site, &field, &gathering);
    add_field(p, &field);
    return is_item && is_multiple;
}

static void constructor(struct parser *p, bool is_argument)
{
    const unsigned registers = 3, levels = is_argument ? 2 : 1; /* t, the site, the table */
    struct opened site;
    size_t first_field = p->fields_count, edit = reserve_edit(p, p->token.text);
    long long items = 0;
    bool is_rest = false;
    enter(p, levels);
    take_registers(p, registers);
    use(p, VARIABLE_T);
    open_site(p, &site, TRACE_SITE_CONSTRUCTOR, p->token.line);
    if (is_argument)
        begin_edit(p, edit);
    else
        begin_edit_apart(p, edit);
    buf_addf(&p->words, "%s__bk_t(%zu,", is_argument ? "(" : "", number_of(p, &site));
    end_edit(p, edit);
    expect(p, '{');
    while (p->token.kind != '}' && p->token.kind != TOKEN_EOF) {
        is_rest = constructor_field(p, &site, &items);
        if (!accept(p, ',') && !accept(p, ';'))
            break;
    }
    expect(p, '}');
    if (is_rest)
        p->fields[p->fields_count - 1].kind = TRACE_FIELD_REST;
    edit = reserve_edit(p, p->last_end);
    begin_edit(p, edit);
    add_bases(p, &site);
    /* Nothing is called after `{}`, but after `t({})` it would be: there a new statement begins. */
    buf_adds(&p->words, is_argument ? "))" : p->token.kind == '(' ? ");" : ")");
    end_edit(p, edit);
    close_site(p, &site, first_field);
    take_registers(p, site.bases_count);
    give_registers(p, registers + site.bases_count);
    leave(p, levels);
}

/* Returns how many. */
static unsigned expressions(struct parser *p)
{
    unsigned count = 0;
    do {
        expression(p);
        take_registers(p, 1);
        count++;
    } while (accept(p, ','));
    give_registers(p, count);
    return count;
}

static void arguments(struct parser *p)
{
    take_registers(p, 3); /* function, object, and one to begin with */
    if (p->token.kind == '{') {
        constructor(p, true);
    } else if (!accept(p, TOKEN_STRING)) {
        expect(p, '(');
        if (p->token.kind != ')')
            expressions(p);
        expect(p, ')');
    }
    give_registers(p, 3);
}

/* local.name["name"][1]..., as far as its keys are literals. */
struct chain {
    unsigned variable; /* NONE: there is none, or it has ended */
    unsigned keys_count;
    struct trace_key keys[TRACE_KEYS_MAX + 1];
};

/* The chain ends: before its last key, when that is called. */
static void end_chain(struct parser *p, struct chain *chain, bool is_called)
{
    struct origin_link link = { chain->variable, chain->keys_count, chain->keys };
    if (chain->variable == NONE)
        return;
    chain->variable = NONE;
    if (is_called && link.keys_count)
        link.keys_count--;
    if (link.keys_count > TRACE_KEYS_MAX)
        link.keys_count = TRACE_KEYS_MAX;
    gather_link(p, &link);
}

static void add_key(struct chain *chain, struct trace_key key)
{
    /* One more than a link has, so that the last one of a call is known. */
    if (chain->keys_count <= TRACE_KEYS_MAX)
        chain->keys[chain->keys_count++] = key;
}

/* .name of a suffixed expression */
static void name_suffix(struct parser *p, struct chain *chain, struct target *target)
{
    next(p);
    int line = p->token.line;
    size_t name = expect_name(p);
    if (chain->variable != NONE)
        add_key(chain, (struct trace_key){ keep_name(p, name), 0 });
    if (target) {
        target->field = (struct trace_field){ .kind = TRACE_FIELD_NAME, .line = line };
        target->name = name;
    }
}

/* [key] of a suffixed expression. Returns what Lua calls the field. */
static struct subject index_suffix(struct parser *p, struct chain *chain, struct target *target)
{
    struct trace_field field = { .kind = TRACE_FIELD_COMPUTED };
    struct subject subject = { "field", NAMELESS, "?" };
    next(p);
    field.line = p->token.line;
    /* Its text is kept only where it is needed. */
    if ((target || chain->variable != NONE) && literal_key(p, &field.key)) {
        field.kind = field.key.name ? TRACE_FIELD_NAME : TRACE_FIELD_INDEX;
        add_key(chain, field.key);
        if (field.key.name)
            subject.text = field.key.name;
        next(p);
    } else {
        end_chain(p, chain, false);
        take_registers(p, 4); /* the table, k, the site, the key */
        if (target) {
            enter(p, 1);
            target->edit_key = reserve_edit(p, p->token.text);
        }
        expression(p);
        if (target) {
            target->edit_key_end = reserve_edit(p, p->last_end);
            leave(p, 1);
        }
        give_registers(p, 4);
    }
    expect(p, ']');
    if (target) {
        target->field = field;
        target->name = NAMELESS;
    }
    return subject;
}

/* What a suffixed expression begins with; `chain` begins there, too. */
static void primary(struct parser *p, struct chain *chain, struct target *target)
{
    chain->variable = NONE;
    chain->keys_count = 0;
    if (p->token.kind == TOKEN_NAME) {
        size_t name = p->token.name;
        unsigned variable = resolve(p, name);
        if (p->gathering)
            chain->variable = variable;
        if (target) {
            target->kind = TARGET_NAME;
            target->name = name;
            target->variable = variable;
        }
        next(p);
    } else if (accept(p, '(')) {
        expression(p);
        expect(p, ')');
    } else {
        fail(p);
    }
}

static struct subject name_subject(const struct parser *p, const struct target *target)
{
    if (target->kind != TARGET_NAME)
        return (struct subject){ NULL, NAMELESS, NULL };
    if (target->variable == NONE)
        return (struct subject){ "global", target->name, NULL };
    bool is_own = p->variables[target->variable].level == p->function->level;
    return (struct subject){ is_own ? "local" : "upvalue", target->name, NULL };
}

/* A name or an expression in parentheses, with what is indexed and called of it. `target`: where it
 * begins a statement, else NULL. True when it ends with a call. */
static bool suffixed(struct parser *p, struct target *target)
{
    const struct subject none = { NULL, NAMELESS, NULL };
    struct subject subject = none;
    struct chain chain;
    bool is_call = false;
    if (target) {
        *target = (struct target){ .variable = NONE, .line = p->token.line };
        target->edit_start = reserve_edit(p, p->token.text);
    }
    primary(p, &chain, target);
    if (target)
        subject = name_subject(p, target);
    for (;;) {
        switch (p->token.kind) {
        case '.':
        case '[':
            if (target) {
                target->prefix_is_local = target->kind == TARGET_NAME && target->variable != NONE;
                target->edit_prefix = reserve_edit(p, p->last_end);
                target->subject = subject;
                target->kind = TARGET_FIELD;
            }
            if (p->token.kind == '[') {
                subject = index_suffix(p, &chain, target);
            } else {
                name_suffix(p, &chain, target);
                subject = (struct subject){ "field", target ? target->name : NAMELESS, "" };
            }
            is_call = false;
            break;
        case ':':
        case '(':
        case '{':
        case TOKEN_STRING:
            end_chain(p, &chain, p->token.kind != ':');
            if (accept(p, ':'))
                expect_name(p);
            arguments(p);
            if (target)
                target->kind = TARGET_OTHER;
            subject = none;
            is_call = true;
            break;
        default:
            if (chain.variable != NONE && chain.keys_count == 0)
                gather_local(p, chain.variable);
            end_chain(p, &chain, false);
            return is_call;
        }
    }
}

/* True when it can be several values: a call or `...`. */
static bool simple(struct parser *p)
{
    switch (p->token.kind) {
    case TOKEN_STRING:
    case TOKEN_INTEGER:
    case TOKEN_FLOAT:
    case TOKEN_NIL:
    case TOKEN_TRUE:
    case TOKEN_FALSE: next(p); return false;
    case TOKEN_DOTS:
        next(p);
        if (!p->function->is_vararg)
            fail(p);
        return true;
    case '{': constructor(p, false); return false;
    case TOKEN_FUNCTION:
        next(p);
        function_body(p, false);
        return false;
    default: return suffixed(p, NULL);
    }
}

/* How tightly a binary operator binds to its left and right; 0: it is none. */
static void priorities(int kind, int *left, int *right)
{
    static const struct {
        int kind;
        int left, right;
    } operators[] = {
        { TOKEN_OR, 1, 1 },  { TOKEN_AND, 2, 2 },    { '<', 3, 3 },          { '>', 3, 3 },
        { TOKEN_LE, 3, 3 },  { TOKEN_GE, 3, 3 },     { TOKEN_NE, 3, 3 },     { TOKEN_EQ, 3, 3 },
        { '|', 4, 4 },       { '~', 5, 5 },          { '&', 6, 6 },          { TOKEN_SHL, 7, 7 },
        { TOKEN_SHR, 7, 7 }, { TOKEN_CONCAT, 9, 8 }, { '+', 10, 10 },        { '-', 10, 10 },
        { '*', 11, 11 },     { '/', 11, 11 },        { TOKEN_IDIV, 11, 11 }, { '%', 11, 11 },
        { '^', 14, 13 },
    };
    *left = *right = 0;
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++) {
        if (operators[i].kind == kind) {
            *left = operators[i].left;
            *right = operators[i].right;
            return;
        }
    }
}

/* The operators that bind tighter than `limit`. Nothing is made of the order; it is Lua's so that
 * the depth is. True as simple(). */
static bool operators(struct parser *p, int limit)
{
    bool is_multiple = false;
    int left, right;
    enter(p, 1);
    int kind = p->token.kind;
    if (kind == TOKEN_NOT || kind == '-' || kind == '~' || kind == '#') {
        next(p);
        operators(p, UNARY_PRIORITY);
    } else {
        is_multiple = simple(p);
    }
    priorities(p->token.kind, &left, &right);
    while (left > limit) {
        next(p);
        take_registers(p, 1);
        operators(p, right);
        give_registers(p, 1);
        is_multiple = false;
        priorities(p->token.kind, &left, &right);
    }
    leave(p, 1);
    return is_multiple;
}

static bool expression(struct parser *p)
{
    return operators(p, 0);
}

/* --- Functions and statements. */

/* From the parameters on. */
static void function_body(struct parser *p, bool is_method)
{
    struct function function = { .outer = p->function, .level = p->function->level + 1 };
    struct gathering *outer = p->gathering;
    size_t scope = p->scope_count;
    p->function = &function;
    p->gathering = NULL;
    if (is_method) {
        size_t self = lexer_intern(&p->lexer, "self", 4);
        see_name(p, self);
        declare(p, self, p->token.line);
    }
    expect(p, '(');
    if (p->token.kind != ')') {
        do {
            int line = p->token.line;
            if (accept(p, TOKEN_DOTS))
                function.is_vararg = true;
            else
                declare(p, expect_name(p), line);
        } while (!function.is_vararg && accept(p, ','));
    }
    expect(p, ')');
    block(p);
    expect(p, TOKEN_END);
    end_scope(p, scope);
    p->gathering = outer;
    p->function = function.outer;
}

/* Adds an assignment's target to those of the statement; a site, when it is a field. */
static void add_target(struct parser *p, struct target *target)
{
    if (target->kind == TARGET_OTHER) {
        fail(p);
        return;
    }
    if (target->kind == TARGET_NAME && target->variable != NONE) {
        struct variable *variable = &p->variables[target->variable];
        variable->assigned = true;
        if (variable->readonly)
            fail(p);
    }
    if (target->kind == TARGET_FIELD) {
        use(p, VARIABLE_S);
        if (target->field.kind == TRACE_FIELD_COMPUTED)
            use(p, VARIABLE_K);
        if (target->field.kind == TRACE_FIELD_NAME && target->name != NAMELESS)
            target->field.key.name = keep_name(p, target->name);
        open_site(p, &target->site, TRACE_SITE_ASSIGNMENT, target->line);
    }
    p->targets = grown(p->targets, &p->targets_size, p->targets_count, sizeof *p->targets);
    p->targets[p->targets_count++] = *target;
}

/* A key that the text tells, as Lua reads it; `nil` for one that it does not. */
static void add_field_key(struct parser *p, const struct trace_field *field)
{
    if (field->kind == TRACE_FIELD_COMPUTED) {
        buf_adds(&p->words, "nil");
    } else if (field->kind == TRACE_FIELD_INDEX) {
        /* In decimal the least one would be a float. */
        buf_addf(&p->words, "0x%llx", (unsigned long long)field->key.index);
    } else {
        buf_adds(&p->words, "\"");
        for (const char *at = field->key.name; *at; at++) {
            unsigned char letter = (unsigned char)*at;
            bool plain = (letter >= '0' && letter <= '9') || letter == '_' ||
                         ((letter | 0x20) >= 'a' && (letter | 0x20) <= 'z');
            buf_addf(&p->words, plain ? "%c" : "\\%03d", letter);
        }
        buf_adds(&p->words, "\"");
    }
}

/* __bk_s(number,key, */
static void add_call_s(struct parser *p, const struct target *target)
{
    buf_addf(&p->words, "__bk_s(%zu,", number_of(p, &target->site));
    add_field_key(p, &target->field);
    buf_adds(&p->words, ",");
}

/* Fills in the words around a target, once its site's bases are known. */
static void write_target(struct parser *p, struct target *target, bool is_only)
{
    const struct opened *site = &target->site;
    const struct subject *subject = &target->subject;
    begin_edit_apart(p, target->edit_start);
    if (is_only && target->prefix_is_local) {
        /* A statement before it, so that Lua still sees the variable that is assigned to. */
        add_call_s(p, target);
        add_name(p, p->variables[target->variable].name);
        add_bases(p, site);
        buf_adds(&p->words, ");");
        end_edit(p, target->edit_start);
    } else {
        add_call_s(p, target);
        buf_adds(&p->words, "(");
        end_edit(p, target->edit_start);
        begin_edit(p, target->edit_prefix);
        buf_adds(&p->words, ")");
        add_bases(p, site);
        buf_adds(&p->words, ")");
        end_edit(p, target->edit_prefix);
        if (subject->what) {
            const char *name =
                subject->name == NAMELESS ? subject->text : keep_name(p, subject->name);
            char *text = xasprintf("%s '%s'", subject->what, name);
            p->trace->sites[site->index].subject = keep_text(p, text, strlen(text));
            free(text);
        }
    }
    if (target->field.kind == TRACE_FIELD_COMPUTED) {
        begin_edit_apart(p, target->edit_key);
        buf_addf(&p->words, "__bk_k(%zu,", number_of(p, site));
        end_edit(p, target->edit_key);
        begin_edit(p, target->edit_key_end);
        buf_adds(&p->words, ")");
        end_edit(p, target->edit_key_end);
    }
}

static void close_target(struct parser *p, struct target *target, const struct gathering *gathering)
{
    size_t first = p->fields_count;
    if (target->kind != TARGET_FIELD)
        return;
    set_origin(p, &target->site, &target->field, gathering);
    add_field(p, &target->field);
    take_registers(p, target->site.bases_count);
    give_registers(p, target->site.bases_count);
    close_site(p, &target->site, first);
}

/* One more than Lua's, since the prefix becomes an argument in parentheses. */
static const unsigned target_levels = 2, target_registers = 5;

/* target, target... = value, value... from behind the first target on. */
static void assignment(struct parser *p, struct target *target)
{
    size_t first = p->targets_count, i = first;
    unsigned taken = target_registers, levels = 0;
    struct gathering gathering;
    take_registers(p, taken);
    add_target(p, target);
    while (accept(p, ',')) {
        enter(p, target_levels + 1);
        take_registers(p, target_registers);
        suffixed(p, target);
        leave(p, target_levels);
        levels++;
        taken += target_registers;
        add_target(p, target);
    }
    expect(p, '=');
    do {
        value(p, &gathering);
        if (i < p->targets_count)
            close_target(p, &p->targets[i++], &gathering);
        take_registers(p, 1);
        taken++;
    } while (accept(p, ','));
    gathering.links_count = gathering.locals_count = 0;
    while (i < p->targets_count)
        close_target(p, &p->targets[i++], &gathering);
    for (i = first; i < p->targets_count; i++)
        if (p->targets[i].kind == TARGET_FIELD)
            write_target(p, &p->targets[i], p->targets_count == first + 1);
    p->targets_count = first;
    give_registers(p, taken);
    leave(p, levels);
}

static void expression_statement(struct parser *p)
{
    struct target target;
    enter(p, target_levels);
    take_registers(p, target_registers);
    bool is_call = suffixed(p, &target);
    give_registers(p, target_registers);
    leave(p, target_levels);
    if (p->token.kind == '=' || p->token.kind == ',')
        assignment(p, &target);
    else if (!is_call)
        fail(p);
}

/* < const > behind the name of a local variable. Returns whether it is <close>. */
static bool attribute(struct parser *p, struct declared *declared)
{
    if (!accept(p, '<'))
        return false;
    size_t number = expect_name(p); /* may move the names */
    const struct lexer_name *name = &p->lexer.names[number];
    bool is_close = name->length == 5 && memcmp(name->text, "close", 5) == 0;
    if (!is_close && !(name->length == 5 && memcmp(name->text, "const", 5) == 0))
        fail(p);
    expect(p, '>');
    declared->readonly = true;
    return is_close;
}

static void local_statement(struct parser *p)
{
    size_t first = p->declared_count, i = first;
    unsigned taken = 0, closes = 0;
    do {
        struct declared declared = { .line = p->token.line };
        declared.name = expect_name(p);
        if (attribute(p, &declared) && ++closes > 1)
            fail(p);
        p->declared = grown(p->declared, &p->declared_size, p->declared_count, sizeof *p->declared);
        p->declared[p->declared_count++] = declared;
    } while (accept(p, ','));
    if (accept(p, '=')) {
        do {
            struct gathering gathering;
            value(p, &gathering);
            if (i < p->declared_count) {
                p->declared[i].has_value = true;
                p->declared[i++].origin = keep_origin(p, &gathering);
            }
            take_registers(p, 1);
            taken++;
        } while (accept(p, ','));
    }
    give_registers(p, taken);
    for (i = first; i < p->declared_count && !p->lexer.failed; i++) {
        const struct declared *declared = &p->declared[i];
        struct variable *variable = declare(p, declared->name, declared->line);
        variable->readonly = declared->readonly;
        variable->has_value = declared->has_value;
        variable->origin = declared->origin;
    }
    p->declared_count = first;
}

static void local_function(struct parser *p)
{
    int line = p->token.line;
    declare(p, expect_name(p), line);
    function_body(p, false);
}

/* function name.name:name() */
static void function_statement(struct parser *p)
{
    size_t name = expect_name(p);
    unsigned variable = p->lexer.failed ? NONE : resolve(p, name);
    bool is_method = false;
    if (variable != NONE && p->token.kind == '(') {
        p->variables[variable].assigned = true;
        if (p->variables[variable].readonly)
            fail(p);
    }
    while (accept(p, '.'))
        expect_name(p);
    if (accept(p, ':')) {
        expect_name(p);
        is_method = true;
    }
    take_registers(p, 2);
    function_body(p, is_method);
    give_registers(p, 2);
}

/* Statements in a scope of their own, up to what can't be one. */
static void scoped_block(struct parser *p)
{
    size_t scope = p->scope_count;
    block(p);
    end_scope(p, scope);
}

static void loop_block(struct parser *p)
{
    expect(p, TOKEN_DO);
    p->function->loops++;
    scoped_block(p);
    p->function->loops--;
    expect(p, TOKEN_END);
}

static void for_statement(struct parser *p)
{
    enum { HIDDEN_NUMERIC = 3, HIDDEN_GENERIC = 4 };
    size_t scope = p->scope_count, first = p->declared_count;
    do {
        struct declared declared = { .line = p->token.line };
        declared.name = expect_name(p);
        p->declared = grown(p->declared, &p->declared_size, p->declared_count, sizeof *p->declared);
        p->declared[p->declared_count++] = declared;
    } while (accept(p, ','));
    bool is_numeric = p->token.kind == '=' && p->declared_count == first + 1;
    expect(p, is_numeric ? '=' : TOKEN_IN);
    unsigned count = expressions(p);
    if (is_numeric && count != 2 && count != 3)
        fail(p);
    for (int i = 0; i < (is_numeric ? HIDDEN_NUMERIC : HIDDEN_GENERIC); i++)
        declare(p, NAMELESS, 0);
    for (size_t i = first; i < p->declared_count && !p->lexer.failed; i++)
        declare(p, p->declared[i].name, p->declared[i].line);
    p->declared_count = first;
    loop_block(p);
    end_scope(p, scope);
}

static void repeat_statement(struct parser *p)
{
    size_t scope = p->scope_count;
    p->function->loops++;
    block(p);
    p->function->loops--;
    expect(p, TOKEN_UNTIL);
    expression(p);
    end_scope(p, scope);
}

static void if_statement(struct parser *p)
{
    do {
        expression(p);
        expect(p, TOKEN_THEN);
        scoped_block(p);
    } while (accept(p, TOKEN_ELSEIF));
    if (accept(p, TOKEN_ELSE))
        scoped_block(p);
    expect(p, TOKEN_END);
}

static bool ends_block(const struct parser *p)
{
    int kind = p->token.kind;
    return kind == TOKEN_ELSE || kind == TOKEN_ELSEIF || kind == TOKEN_END || kind == TOKEN_UNTIL ||
           kind == TOKEN_EOF;
}

static void return_statement(struct parser *p)
{
    if (!ends_block(p) && p->token.kind != ';')
        expressions(p);
    accept(p, ';');
    if (!ends_block(p))
        fail(p);
}

static void statement(struct parser *p)
{
    int kind = p->token.kind;
    switch (kind) {
    case ';': next(p); break;
    case TOKEN_IF:
        next(p);
        if_statement(p);
        break;
    case TOKEN_WHILE:
        next(p);
        expression(p);
        loop_block(p);
        break;
    case TOKEN_DO:
        next(p);
        scoped_block(p);
        expect(p, TOKEN_END);
        break;
    case TOKEN_FOR:
        next(p);
        for_statement(p);
        break;
    case TOKEN_REPEAT:
        next(p);
        repeat_statement(p);
        break;
    case TOKEN_FUNCTION:
        next(p);
        function_statement(p);
        break;
    case TOKEN_LOCAL:
        next(p);
        if (accept(p, TOKEN_FUNCTION))
            local_function(p);
        else
            local_statement(p);
        break;
    case TOKEN_LABEL:
        next(p);
        expect_name(p);
        expect(p, TOKEN_LABEL);
        break;
    case TOKEN_RETURN:
        next(p);
        return_statement(p);
        break;
    case TOKEN_BREAK:
        next(p);
        if (!p->function->loops)
            fail(p);
        break;
    case TOKEN_GOTO:
        next(p);
        expect_name(p);
        break;
    default: expression_statement(p);
    }
}

/* Statements up to what can't be one; without a scope. */
static void block(struct parser *p)
{
    while (!ends_block(p)) {
        enter(p, 1);
        statement(p);
        leave(p, 1);
    }
}

/* --- The whole. */

/* The main function, with the variables that the new text begins with. */
static void chunk(struct parser *p)
{
    struct function outside = { .level = -1 };
    struct function function = { .level = 0, .is_vararg = true };
    p->function = &outside;
    declare(p, NAMELESS, 0);
    p->function = &function;
    while (p->variables_count < VARIABLES_OWN)
        declare(p, NAMELESS, 0);
    use(p, VARIABLE_ENV);
    next(p);
    block(p);
    if (p->token.kind != TOKEN_EOF)
        fail(p);
}

static char *assemble(const struct parser *p, size_t length, size_t *out_length)
{
    size_t whole = sizeof header - 1 + length;
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
    to = mempcpy(to, from, (size_t)(p->text + length - from));
    *to = '\0';
    *out_length = whole;
    return out;
}

static void release_blocks(struct trace_block *block)
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

char *trace_rewrite(struct trace *trace, const char *file, const char *text, size_t length,
                    size_t *out_length)
{
    struct parser p = { .text = text, .last_end = text, .trace = trace };
    size_t before = trace->count;
    char *out = NULL;
    if (length && *text == '#')
        return NULL;
    lexer_init(&p.lexer, text, length);
    p.token.text = text;
    see_name(&p, 0); /* what expect_name() returns after a failure */
    p.file = keep_text(&p, file, strlen(file));
    chunk(&p);
    if (p.lexer.failed) {
        trace->count = before;
        release_blocks(p.blocks);
    } else {
        out = assemble(&p, length, out_length);
        give_blocks(trace, p.blocks);
    }
    lexer_release(&p.lexer);
    buf_release(&p.words);
    free(p.variables);
    free(p.bindings);
    free(p.scope);
    free(p.fields);
    free(p.targets);
    free(p.declared);
    free(p.edits);
    return out;
}

const struct trace_field *trace_field(const struct trace_site *site, const char *key,
                                      long long index)
{
    const struct trace_field *rest = NULL, *computed = NULL;
    /* Most integer keys are items of a list that has nothing else. */
    if (!key && index > 0 && (unsigned long long)index <= site->fields_count) {
        const struct trace_field *field = &site->fields[index - 1];
        if (field->kind == TRACE_FIELD_INDEX && field->key.index == index)
            return field;
    }
    for (size_t i = site->fields_count; i > 0; i--) {
        const struct trace_field *field = &site->fields[i - 1];
        switch (field->kind) {
        case TRACE_FIELD_NAME:
            if (key && strcmp(field->key.name, key) == 0)
                return field;
            break;
        case TRACE_FIELD_INDEX:
            if (!key && field->key.index == index)
                return field;
            break;
        case TRACE_FIELD_REST:
            if (!key && index >= field->key.index)
                rest = field;
            break;
        case TRACE_FIELD_COMPUTED:
            if (!computed)
                computed = field;
            break;
        }
    }
    return rest ? rest : computed;
}

void trace_release(struct trace *trace)
{
    free(trace->sites);
    release_blocks(trace->blocks);
    *trace = (struct trace){ .first = trace->first };
}

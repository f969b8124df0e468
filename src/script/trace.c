#include "script/trace.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "script/lexer.h"
#include "script/parser.h"

/*
 * The whole grammar of Lua, without a tree: goes over the text once, as Lua's own parser does, and
 * notes what to put in where.
 */

enum {
    LIST_PENDING = 50, /* items that Lua keeps in registers until it stores them */
    UNARY_PRIORITY = 12,
};

enum target_kind { TARGET_OTHER, TARGET_NAME, TARGET_FIELD };

/* What Lua calls a value in its messages. */
struct subject {
    const char *what; /* NULL: nothing */
    size_t name;      /* PARSER_NAMELESS: text */
    const char *text;
};

/* The expression that begins a statement, perhaps the target of an assignment. */
struct target {
    enum target_kind kind;
    size_t name;
    unsigned variable; /* of the name that it begins with, PARSER_NONE: a global or no name */
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

static bool expression(struct parser *p);
static void block(struct parser *p);
static void function_body(struct parser *p, bool is_method);

/* --- Expressions. */

/* Whether the token is a literal key before a `]`, and which. */
static bool literal_key(struct parser *p, struct trace_key *key)
{
    if (p->token.kind != TOKEN_STRING && p->token.kind != TOKEN_INTEGER)
        return false;
    if (parser_look_ahead(p) != ']')
        return false;
    *key = (struct trace_key){ NULL, p->token.integer };
    if (p->token.kind == TOKEN_INTEGER)
        return true;
    struct buf text = BUF_INIT;
    lexer_string(&p->token, &text);
    bool plain = strlen(buf_text(&text)) == text.len;
    if (plain)
        key->name = parser_keep_text(p, buf_text(&text), text.len);
    buf_release(&text);
    return plain;
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

/* [key] = value or name = value or an item, number `*items` + 1 then. True when it is an item that
 * can be several. */
static bool constructor_field(struct parser *p, struct opened *site, long long *items)
{
    struct trace_field field = { .kind = TRACE_FIELD_INDEX, .line = p->token.line };
    struct gathering gathering;
    bool is_item = false;
    if (p->token.kind == TOKEN_NAME && parser_look_ahead(p) == '=') {
        field.kind = TRACE_FIELD_NAME;
        field.key.name = parser_keep_name(p, p->token.name);
        parser_next(p);
        parser_next(p);
    } else if (parser_accept(p, '[')) {
        if (literal_key(p, &field.key)) {
            field.kind = field.key.name ? TRACE_FIELD_NAME : TRACE_FIELD_INDEX;
            parser_next(p);
        } else {
            struct gathering *outer = p->gathering;
            field.kind = TRACE_FIELD_COMPUTED;
            p->gathering = NULL;
            expression(p);
            p->gathering = outer;
        }
        parser_expect(p, ']');
        parser_expect(p, '=');
    } else {
        is_item = true;
        field.key.index = ++*items;
    }
    /* The items before that Lua has not stored yet, and a key. */
    long long before = *items - is_item;
    unsigned pending = before ? (unsigned)((before - 1) % LIST_PENDING) + 2 : 1;
    parser_take_registers(p, pending);
    bool is_multiple = value(p, &gathering);
    parser_give_registers(p, pending);
    parser_set_origin(p, site, &field, &gathering);
    parser_add_field(p, &field);
    return is_item && is_multiple;
}

static void constructor(struct parser *p, bool is_argument)
{
    const unsigned registers = 3, levels = is_argument ? 2 : 1; /* t, the site, the table */
    struct opened site;
    size_t first_field = p->fields_count, edit = parser_reserve_edit(p, p->token.text);
    long long items = 0;
    bool is_rest = false;
    parser_enter(p, levels);
    parser_take_registers(p, registers);
    parser_use(p, PARSER_VARIABLE_T);
    parser_open_site(p, &site, TRACE_SITE_CONSTRUCTOR, p->token.line);
    if (is_argument)
        parser_begin_edit(p, edit);
    else
        parser_begin_edit_apart(p, edit);
    buf_addf(&p->words, "%s__bk_t(%zu,", is_argument ? "(" : "", parser_site_number(p, &site));
    parser_end_edit(p, edit);
    parser_expect(p, '{');
    while (p->token.kind != '}' && p->token.kind != TOKEN_EOF) {
        is_rest = constructor_field(p, &site, &items);
        if (!parser_accept(p, ',') && !parser_accept(p, ';'))
            break;
    }
    parser_expect(p, '}');
    if (is_rest)
        p->fields[p->fields_count - 1].kind = TRACE_FIELD_REST;
    edit = parser_reserve_edit(p, p->last_end);
    parser_begin_edit(p, edit);
    parser_add_bases(p, &site);
    /* Nothing is called after `{}`, but after `t({})` it would be: there a new statement begins. */
    buf_adds(&p->words, is_argument ? "))" : p->token.kind == '(' ? ");" : ")");
    parser_end_edit(p, edit);
    parser_close_site(p, &site, first_field);
    parser_take_registers(p, site.bases_count);
    parser_give_registers(p, registers + site.bases_count);
    parser_leave(p, levels);
}

/* Returns how many. */
static unsigned expressions(struct parser *p)
{
    unsigned count = 0;
    do {
        expression(p);
        parser_take_registers(p, 1);
        count++;
    } while (parser_accept(p, ','));
    parser_give_registers(p, count);
    return count;
}

static void arguments(struct parser *p)
{
    parser_take_registers(p, 3); /* function, object, and one to begin with */
    if (p->token.kind == '{') {
        constructor(p, true);
    } else if (!parser_accept(p, TOKEN_STRING)) {
        parser_expect(p, '(');
        if (p->token.kind != ')')
            expressions(p);
        parser_expect(p, ')');
    }
    parser_give_registers(p, 3);
}

/* local.name["name"][1]..., as far as its keys are literals. */
struct chain {
    unsigned variable; /* PARSER_NONE: there is none, or it has ended */
    unsigned keys_count;
    struct trace_key keys[TRACE_KEYS_MAX + 1];
};

/* The chain ends: before its last key, when that is called. */
static void end_chain(struct parser *p, struct chain *chain, bool is_called)
{
    struct origin_link link = { chain->variable, chain->keys_count, chain->keys };
    if (chain->variable == PARSER_NONE)
        return;
    chain->variable = PARSER_NONE;
    if (is_called && link.keys_count)
        link.keys_count--;
    if (link.keys_count > TRACE_KEYS_MAX)
        link.keys_count = TRACE_KEYS_MAX;
    parser_gather_link(p, &link);
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
    parser_next(p);
    int line = p->token.line;
    size_t name = parser_expect_name(p);
    if (chain->variable != PARSER_NONE)
        add_key(chain, (struct trace_key){ parser_keep_name(p, name), 0 });
    if (target) {
        target->field = (struct trace_field){ .kind = TRACE_FIELD_NAME, .line = line };
        target->name = name;
    }
}

/* [key] of a suffixed expression. Returns what Lua calls the field. */
static struct subject index_suffix(struct parser *p, struct chain *chain, struct target *target)
{
    struct trace_field field = { .kind = TRACE_FIELD_COMPUTED };
    struct subject subject = { "field", PARSER_NAMELESS, "?" };
    parser_next(p);
    field.line = p->token.line;
    /* Its text is kept only where it is needed. */
    if ((target || chain->variable != PARSER_NONE) && literal_key(p, &field.key)) {
        field.kind = field.key.name ? TRACE_FIELD_NAME : TRACE_FIELD_INDEX;
        add_key(chain, field.key);
        if (field.key.name)
            subject.text = field.key.name;
        parser_next(p);
    } else {
        end_chain(p, chain, false);
        parser_take_registers(p, 4); /* the table, k, the site, the key */
        if (target) {
            parser_enter(p, 1);
            target->edit_key = parser_reserve_edit(p, p->token.text);
        }
        expression(p);
        if (target) {
            target->edit_key_end = parser_reserve_edit(p, p->last_end);
            parser_leave(p, 1);
        }
        parser_give_registers(p, 4);
    }
    parser_expect(p, ']');
    if (target) {
        target->field = field;
        target->name = PARSER_NAMELESS;
    }
    return subject;
}

/* What a suffixed expression begins with; `chain` begins there, too. */
static void primary(struct parser *p, struct chain *chain, struct target *target)
{
    chain->variable = PARSER_NONE;
    chain->keys_count = 0;
    if (p->token.kind == TOKEN_NAME) {
        size_t name = p->token.name;
        unsigned variable = parser_resolve(p, name);
        if (p->gathering)
            chain->variable = variable;
        if (target) {
            target->kind = TARGET_NAME;
            target->name = name;
            target->variable = variable;
        }
        parser_next(p);
    } else if (parser_accept(p, '(')) {
        expression(p);
        parser_expect(p, ')');
    } else {
        parser_fail(p);
    }
}

static struct subject name_subject(const struct parser *p, const struct target *target)
{
    if (target->kind != TARGET_NAME)
        return (struct subject){ NULL, PARSER_NAMELESS, NULL };
    if (target->variable == PARSER_NONE)
        return (struct subject){ "global", target->name, NULL };
    bool is_own = p->variables[target->variable].level == p->function->level;
    return (struct subject){ is_own ? "local" : "upvalue", target->name, NULL };
}

/* A name or an expression in parentheses, with what is indexed and called of it. `target`: where it
 * begins a statement, else NULL. True when it ends with a call. */
static bool suffixed(struct parser *p, struct target *target)
{
    const struct subject none = { NULL, PARSER_NAMELESS, NULL };
    struct subject subject = none;
    struct chain chain;
    bool is_call = false;
    if (target) {
        *target = (struct target){ .variable = PARSER_NONE, .line = p->token.line };
        target->edit_start = parser_reserve_edit(p, p->token.text);
    }
    primary(p, &chain, target);
    if (target)
        subject = name_subject(p, target);
    for (;;) {
        switch (p->token.kind) {
        case '.':
        case '[':
            if (target) {
                target->prefix_is_local =
                    target->kind == TARGET_NAME && target->variable != PARSER_NONE;
                target->edit_prefix = parser_reserve_edit(p, p->last_end);
                target->subject = subject;
                target->kind = TARGET_FIELD;
            }
            if (p->token.kind == '[') {
                subject = index_suffix(p, &chain, target);
            } else {
                name_suffix(p, &chain, target);
                subject = (struct subject){ "field", target ? target->name : PARSER_NAMELESS, "" };
            }
            is_call = false;
            break;
        case ':':
        case '(':
        case '{':
        case TOKEN_STRING:
            end_chain(p, &chain, p->token.kind != ':');
            if (parser_accept(p, ':'))
                parser_expect_name(p);
            arguments(p);
            if (target)
                target->kind = TARGET_OTHER;
            subject = none;
            is_call = true;
            break;
        default:
            if (chain.variable != PARSER_NONE && chain.keys_count == 0)
                parser_gather_local(p, chain.variable);
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
    case TOKEN_FALSE: parser_next(p); return false;
    case TOKEN_DOTS:
        parser_next(p);
        if (!p->function->is_vararg)
            parser_fail(p);
        return true;
    case '{': constructor(p, false); return false;
    case TOKEN_FUNCTION:
        parser_next(p);
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
    parser_enter(p, 1);
    int kind = p->token.kind;
    if (kind == TOKEN_NOT || kind == '-' || kind == '~' || kind == '#') {
        parser_next(p);
        operators(p, UNARY_PRIORITY);
    } else {
        is_multiple = simple(p);
    }
    priorities(p->token.kind, &left, &right);
    while (left > limit) {
        parser_next(p);
        parser_take_registers(p, 1);
        operators(p, right);
        parser_give_registers(p, 1);
        is_multiple = false;
        priorities(p->token.kind, &left, &right);
    }
    parser_leave(p, 1);
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
        parser_see_name(p, self);
        parser_declare(p, self, p->token.line);
    }
    parser_expect(p, '(');
    if (p->token.kind != ')') {
        do {
            int line = p->token.line;
            if (parser_accept(p, TOKEN_DOTS))
                function.is_vararg = true;
            else
                parser_declare(p, parser_expect_name(p), line);
        } while (!function.is_vararg && parser_accept(p, ','));
    }
    parser_expect(p, ')');
    block(p);
    parser_expect(p, TOKEN_END);
    parser_end_scope(p, scope);
    p->gathering = outer;
    p->function = function.outer;
}

/* Adds an assignment's target to those of the statement; a site, when it is a field. */
static void add_target(struct parser *p, struct target *target)
{
    if (target->kind == TARGET_OTHER) {
        parser_fail(p);
        return;
    }
    if (target->kind == TARGET_NAME && target->variable != PARSER_NONE) {
        struct variable *variable = &p->variables[target->variable];
        variable->assigned = true;
        if (variable->readonly)
            parser_fail(p);
    }
    if (target->kind == TARGET_FIELD) {
        parser_use(p, PARSER_VARIABLE_S);
        if (target->field.kind == TRACE_FIELD_COMPUTED)
            parser_use(p, PARSER_VARIABLE_K);
        if (target->field.kind == TRACE_FIELD_NAME && target->name != PARSER_NAMELESS)
            target->field.key.name = parser_keep_name(p, target->name);
        parser_open_site(p, &target->site, TRACE_SITE_ASSIGNMENT, target->line);
    }
    p->targets = parser_grown(p->targets, &p->targets_size, p->targets_count, sizeof *p->targets);
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
    buf_addf(&p->words, "__bk_s(%zu,", parser_site_number(p, &target->site));
    add_field_key(p, &target->field);
    buf_adds(&p->words, ",");
}

/* Fills in the words around a target, once its site's bases are known. */
static void write_target(struct parser *p, struct target *target, bool is_only)
{
    const struct opened *site = &target->site;
    const struct subject *subject = &target->subject;
    parser_begin_edit_apart(p, target->edit_start);
    if (is_only && target->prefix_is_local) {
        /* A statement before it, so that Lua still sees the variable that is assigned to. */
        add_call_s(p, target);
        parser_add_name(p, p->variables[target->variable].name);
        parser_add_bases(p, site);
        buf_adds(&p->words, ");");
        parser_end_edit(p, target->edit_start);
    } else {
        add_call_s(p, target);
        buf_adds(&p->words, "(");
        parser_end_edit(p, target->edit_start);
        parser_begin_edit(p, target->edit_prefix);
        buf_adds(&p->words, ")");
        parser_add_bases(p, site);
        buf_adds(&p->words, ")");
        parser_end_edit(p, target->edit_prefix);
        if (subject->what) {
            const char *name = subject->name == PARSER_NAMELESS
                                   ? subject->text
                                   : parser_keep_name(p, subject->name);
            char *text = xasprintf("%s '%s'", subject->what, name);
            p->trace->sites[site->index].subject = parser_keep_text(p, text, strlen(text));
            free(text);
        }
    }
    if (target->field.kind == TRACE_FIELD_COMPUTED) {
        parser_begin_edit_apart(p, target->edit_key);
        buf_addf(&p->words, "__bk_k(%zu,", parser_site_number(p, site));
        parser_end_edit(p, target->edit_key);
        parser_begin_edit(p, target->edit_key_end);
        buf_adds(&p->words, ")");
        parser_end_edit(p, target->edit_key_end);
    }
}

static void close_target(struct parser *p, struct target *target, const struct gathering *gathering)
{
    size_t first = p->fields_count;
    if (target->kind != TARGET_FIELD)
        return;
    parser_set_origin(p, &target->site, &target->field, gathering);
    parser_add_field(p, &target->field);
    parser_take_registers(p, target->site.bases_count);
    parser_give_registers(p, target->site.bases_count);
    parser_close_site(p, &target->site, first);
}

/* One more than Lua's, since the prefix becomes an argument in parentheses. */
static const unsigned target_levels = 2, target_registers = 5;

/* target, target... = value, value... from behind the first target on. */
static void assignment(struct parser *p, struct target *target)
{
    size_t first = p->targets_count, i = first;
    unsigned taken = target_registers, levels = 0;
    struct gathering gathering;
    parser_take_registers(p, taken);
    add_target(p, target);
    while (parser_accept(p, ',')) {
        parser_enter(p, target_levels + 1);
        parser_take_registers(p, target_registers);
        suffixed(p, target);
        parser_leave(p, target_levels);
        levels++;
        taken += target_registers;
        add_target(p, target);
    }
    parser_expect(p, '=');
    do {
        value(p, &gathering);
        if (i < p->targets_count)
            close_target(p, &p->targets[i++], &gathering);
        parser_take_registers(p, 1);
        taken++;
    } while (parser_accept(p, ','));
    gathering.links_count = gathering.locals_count = 0;
    while (i < p->targets_count)
        close_target(p, &p->targets[i++], &gathering);
    for (i = first; i < p->targets_count; i++)
        if (p->targets[i].kind == TARGET_FIELD)
            write_target(p, &p->targets[i], p->targets_count == first + 1);
    p->targets_count = first;
    parser_give_registers(p, taken);
    parser_leave(p, levels);
}

static void expression_statement(struct parser *p)
{
    struct target target;
    parser_enter(p, target_levels);
    parser_take_registers(p, target_registers);
    bool is_call = suffixed(p, &target);
    parser_give_registers(p, target_registers);
    parser_leave(p, target_levels);
    if (p->token.kind == '=' || p->token.kind == ',')
        assignment(p, &target);
    else if (!is_call)
        parser_fail(p);
}

/* < const > behind the name of a local variable. Returns whether it is <close>. */
static bool attribute(struct parser *p, struct declared *declared)
{
    if (!parser_accept(p, '<'))
        return false;
    size_t number = parser_expect_name(p); /* may move the names */
    const struct lexer_name *name = &p->lexer.names[number];
    bool is_close = name->length == 5 && memcmp(name->text, "close", 5) == 0;
    if (!is_close && !(name->length == 5 && memcmp(name->text, "const", 5) == 0))
        parser_fail(p);
    parser_expect(p, '>');
    declared->readonly = true;
    return is_close;
}

static void local_statement(struct parser *p)
{
    size_t first = p->declared_count, i = first;
    unsigned taken = 0, closes = 0;
    do {
        struct declared declared = { .line = p->token.line };
        declared.name = parser_expect_name(p);
        if (attribute(p, &declared) && ++closes > 1)
            parser_fail(p);
        p->declared =
            parser_grown(p->declared, &p->declared_size, p->declared_count, sizeof *p->declared);
        p->declared[p->declared_count++] = declared;
    } while (parser_accept(p, ','));
    if (parser_accept(p, '=')) {
        do {
            struct gathering gathering;
            value(p, &gathering);
            if (i < p->declared_count) {
                p->declared[i].has_value = true;
                p->declared[i++].origin = parser_keep_origin(p, &gathering);
            }
            parser_take_registers(p, 1);
            taken++;
        } while (parser_accept(p, ','));
    }
    parser_give_registers(p, taken);
    for (i = first; i < p->declared_count && !p->lexer.failed; i++) {
        const struct declared *declared = &p->declared[i];
        struct variable *variable = parser_declare(p, declared->name, declared->line);
        variable->readonly = declared->readonly;
        variable->has_value = declared->has_value;
        variable->origin = declared->origin;
    }
    p->declared_count = first;
}

static void local_function(struct parser *p)
{
    int line = p->token.line;
    parser_declare(p, parser_expect_name(p), line);
    function_body(p, false);
}

/* function name.name:name() */
static void function_statement(struct parser *p)
{
    size_t name = parser_expect_name(p);
    unsigned variable = p->lexer.failed ? PARSER_NONE : parser_resolve(p, name);
    bool is_method = false;
    if (variable != PARSER_NONE && p->token.kind == '(') {
        p->variables[variable].assigned = true;
        if (p->variables[variable].readonly)
            parser_fail(p);
    }
    while (parser_accept(p, '.'))
        parser_expect_name(p);
    if (parser_accept(p, ':')) {
        parser_expect_name(p);
        is_method = true;
    }
    parser_take_registers(p, 2);
    function_body(p, is_method);
    parser_give_registers(p, 2);
}

/* Statements in a scope of their own, up to what can't be one. */
static void scoped_block(struct parser *p)
{
    size_t scope = p->scope_count;
    block(p);
    parser_end_scope(p, scope);
}

static void loop_block(struct parser *p)
{
    parser_expect(p, TOKEN_DO);
    p->function->loops++;
    scoped_block(p);
    p->function->loops--;
    parser_expect(p, TOKEN_END);
}

static void for_statement(struct parser *p)
{
    enum { HIDDEN_NUMERIC = 3, HIDDEN_GENERIC = 4 };
    size_t scope = p->scope_count, first = p->declared_count;
    do {
        struct declared declared = { .line = p->token.line };
        declared.name = parser_expect_name(p);
        p->declared =
            parser_grown(p->declared, &p->declared_size, p->declared_count, sizeof *p->declared);
        p->declared[p->declared_count++] = declared;
    } while (parser_accept(p, ','));
    bool is_numeric = p->token.kind == '=' && p->declared_count == first + 1;
    parser_expect(p, is_numeric ? '=' : TOKEN_IN);
    unsigned count = expressions(p);
    if (is_numeric && count != 2 && count != 3)
        parser_fail(p);
    for (int i = 0; i < (is_numeric ? HIDDEN_NUMERIC : HIDDEN_GENERIC); i++)
        parser_declare(p, PARSER_NAMELESS, 0);
    for (size_t i = first; i < p->declared_count && !p->lexer.failed; i++)
        parser_declare(p, p->declared[i].name, p->declared[i].line);
    p->declared_count = first;
    loop_block(p);
    parser_end_scope(p, scope);
}

static void repeat_statement(struct parser *p)
{
    size_t scope = p->scope_count;
    p->function->loops++;
    block(p);
    p->function->loops--;
    parser_expect(p, TOKEN_UNTIL);
    expression(p);
    parser_end_scope(p, scope);
}

static void if_statement(struct parser *p)
{
    do {
        expression(p);
        parser_expect(p, TOKEN_THEN);
        scoped_block(p);
    } while (parser_accept(p, TOKEN_ELSEIF));
    if (parser_accept(p, TOKEN_ELSE))
        scoped_block(p);
    parser_expect(p, TOKEN_END);
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
    parser_accept(p, ';');
    if (!ends_block(p))
        parser_fail(p);
}

static void statement(struct parser *p)
{
    int kind = p->token.kind;
    switch (kind) {
    case ';': parser_next(p); break;
    case TOKEN_IF:
        parser_next(p);
        if_statement(p);
        break;
    case TOKEN_WHILE:
        parser_next(p);
        expression(p);
        loop_block(p);
        break;
    case TOKEN_DO:
        parser_next(p);
        scoped_block(p);
        parser_expect(p, TOKEN_END);
        break;
    case TOKEN_FOR:
        parser_next(p);
        for_statement(p);
        break;
    case TOKEN_REPEAT:
        parser_next(p);
        repeat_statement(p);
        break;
    case TOKEN_FUNCTION:
        parser_next(p);
        function_statement(p);
        break;
    case TOKEN_LOCAL:
        parser_next(p);
        if (parser_accept(p, TOKEN_FUNCTION))
            local_function(p);
        else
            local_statement(p);
        break;
    case TOKEN_LABEL:
        parser_next(p);
        parser_expect_name(p);
        parser_expect(p, TOKEN_LABEL);
        break;
    case TOKEN_RETURN:
        parser_next(p);
        return_statement(p);
        break;
    case TOKEN_BREAK:
        parser_next(p);
        if (!p->function->loops)
            parser_fail(p);
        break;
    case TOKEN_GOTO:
        parser_next(p);
        parser_expect_name(p);
        break;
    default: expression_statement(p);
    }
}

/* Statements up to what can't be one; without a scope. */
static void block(struct parser *p)
{
    while (!ends_block(p)) {
        parser_enter(p, 1);
        statement(p);
        parser_leave(p, 1);
    }
}

/* --- The whole. */

/* The main function, with the variables that the new text begins with. */
static void chunk(struct parser *p)
{
    struct function outside = { .level = -1 };
    struct function function = { .level = 0, .is_vararg = true };
    p->function = &outside;
    parser_declare(p, PARSER_NAMELESS, 0);
    p->function = &function;
    while (p->variables_count < PARSER_VARIABLES_OWN)
        parser_declare(p, PARSER_NAMELESS, 0);
    parser_use(p, PARSER_VARIABLE_ENV);
    parser_next(p);
    block(p);
    if (p->token.kind != TOKEN_EOF)
        parser_fail(p);
}

char *trace_rewrite(struct trace *trace, const char *file, const char *text, size_t length,
                    size_t *out_length)
{
    struct parser p;
    if (length && *text == '#')
        return NULL;
    parser_init(&p, trace, file, text, length);
    chunk(&p);
    return parser_finish(&p, out_length);
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
    parser_release_blocks(trace->blocks);
    *trace = (struct trace){ .first = trace->first };
}

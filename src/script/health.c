#include "script/health.h"

#include <dirent.h>
#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "object/meta.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/sandbox.h"

/* Scripts are short: the line that runs is noted often, so that an error of memory has it. */
enum { HOOK_STEP = 10 };

struct entry {
    char *group, *kind; /* as the folders are called; "" is the core group */
    char *path;
    size_t wildcards, literals;
};

struct health {
    char *folder;
    struct script_limits limits;
    struct entry *entries; /* in the order in which they are tried */
    size_t count;
};

/* ---- finding ---- */

static bool is_file(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

static size_t count_wildcards(const char *name)
{
    size_t count = 0;
    for (const char *at = name; *at; at++)
        count += *at == '_';
    return count;
}

static void add_entry(struct health *health, const char *group, const char *kind)
{
    char *path = *group ? xasprintf("%s/%s/%s/health.lua", health->folder, group, kind)
                        : xasprintf("%s/%s/health.lua", health->folder, kind);
    if (!is_file(path)) {
        free(path);
        return;
    }
    size_t wildcards = count_wildcards(group) + count_wildcards(kind);
    health->entries = xrealloc(health->entries, (health->count + 1) * sizeof *health->entries);
    health->entries[health->count++] = (struct entry){
        .group = xstrdup(group),
        .kind = xstrdup(kind),
        .path = path,
        .wildcards = wildcards,
        .literals = strlen(group) + strlen(kind) - wildcards,
    };
}

static int is_visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

/* Calls `each` for the names in a folder; -1 when it is none. */
static int each_name(const char *folder, void (*each)(struct health *, const char *, const char *),
                     struct health *health, const char *group)
{
    struct dirent **names;
    int count = scandir(folder, &names, is_visible, alphasort);
    for (int i = 0; i < count; i++) {
        each(health, group, names[i]->d_name);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return count < 0 ? -1 : 0;
}

/* A folder right below: a kind of the core group, or a group with its kinds. */
static void add_folder(struct health *health, const char *none, const char *name)
{
    char *path = xasprintf("%s/%s", health->folder, name);
    add_entry(health, none, name);
    each_name(path, add_entry, health, name);
    free(path);
}

/* Names before patterns, then those that say more. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *one = a, *other = b;
    bool one_wild = one->wildcards > 0, other_wild = other->wildcards > 0;
    if (one_wild != other_wild)
        return one_wild ? 1 : -1;
    if (one->literals != other->literals)
        return one->literals < other->literals ? 1 : -1;
    return strcmp(one->path, other->path);
}

/* Whether the pattern, in which "_" is any text, is all of the text. */
static bool matches(const char *pattern, const char *text)
{
    const char *star = NULL, *from = NULL;
    while (*text) {
        if (*pattern == '_') {
            star = pattern++;
            from = text;
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star + 1;
            text = ++from;
        } else {
            return false;
        }
    }
    while (*pattern == '_')
        pattern++;
    return !*pattern;
}

static const struct entry *find_entry(const struct health *health, const json_t *object)
{
    const char *api_version = object_text(object, "apiVersion"),
               *kind = object_text(object, "kind");
    const char *slash = strchr(api_version, '/');
    char *group = xstrndup(api_version, slash ? (size_t)(slash - api_version) : 0);
    const struct entry *found = NULL;
    for (size_t i = 0; i < health->count && !found; i++)
        if (matches(health->entries[i].group, group) && matches(health->entries[i].kind, kind))
            found = &health->entries[i];
    free(group);
    return found;
}

struct health *health_open(const char *folder, const struct script_limits *limits, struct err *err)
{
    struct health *health = xcalloc(1, sizeof *health);
    size_t length = strlen(folder);
    while (length > 1 && folder[length - 1] == '/')
        length--;
    health->folder = xstrndup(folder, length);
    health->limits = *limits;
    if (each_name(health->folder, add_folder, health, "") != 0)
        err_set(err, ERR_USAGE, "--health-dir %s: %s", folder, strerror(errno));
    else if (health->count == 0)
        err_set(err, ERR_USAGE, "--health-dir %s: has no <group>/<Kind>/health.lua", folder);
    if (health->count == 0) {
        health_close(health);
        return NULL;
    }
    qsort(health->entries, health->count, sizeof *health->entries, compare_entries);
    return health;
}

void health_close(struct health *health)
{
    if (!health)
        return;
    for (size_t i = 0; i < health->count; i++) {
        free(health->entries[i].group);
        free(health->entries[i].kind);
        free(health->entries[i].path);
    }
    free(health->entries);
    free(health->folder);
    free(health);
}

/* ---- running ---- */

static const char *const words[] = {
    [HEALTH_NONE] = "",
    [HEALTH_HEALTHY] = "Healthy",
    [HEALTH_PROGRESSING] = "Progressing",
    [HEALTH_DEGRADED] = "Degraded",
    [HEALTH_SUSPENDED] = "Suspended",
    [HEALTH_MISSING] = "Missing",
    [HEALTH_UNKNOWN] = "Unknown",
};

const char *health_word(enum health_status status)
{
    return words[status];
}

/* One run; lives in C above the pcall. */
struct run {
    struct host host;
    const json_t *object;
    struct health_answer *answer;
};

static void set_answer(struct health_answer *answer, enum health_status status, const char *message)
{
    answer->status = status;
    snprintf(answer->message, sizeof answer->message, "%s", message);
}

/* Takes the table on the top of the stack. MAY_RAISE. */
static void take_table(lua_State *L, struct run *run)
{
    lua_getfield(L, -1, "status");  // table status
    lua_getfield(L, -2, "message"); // table status message
    const char *status = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : NULL;
    const char *message = lua_isnil(L, -1) ? "" : luaL_tolstring(L, -1, NULL);
    for (enum health_status i = HEALTH_HEALTHY; status && i <= HEALTH_UNKNOWN; i++) {
        if (strcmp(words[i], status) == 0) {
            set_answer(run->answer, i, message);
            return;
        }
    }
    luaL_error(L,
               "%s: returned the status %s; wants Healthy, Progressing, Degraded, Suspended, "
               "Missing or Unknown",
               run->host.file, luaL_tolstring(L, 2, NULL));
}

/* MAY_RAISE */
static int run_protected(lua_State *L)
{
    struct run *run = lua_touserdata(L, 1);
    struct host *host = &run->host;
    sandbox_open(L);
    lua_newtable(L);
    host_open(L, host);
    sandbox_prelude(L, host);
    host_require(L, host, "health");
    host_seal(L);
    lua_pushnil(L);
    lua_setglobal(L, "require");
    convert_push_plain(L, run->object);
    lua_setglobal(L, "obj");
    lua_settop(L, 0);
    host_arm(L, host);
    if (host_load_file(L, host->file) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1); // table
    if (lua_istable(L, -1))
        take_table(L, run);
    else if (!lua_isnil(L, -1))
        return luaL_error(L, "%s: returned a %s, not a table { status, message }", host->file,
                          luaL_typename(L, -1));
    return 0;
}

void health_ask(const struct health *health, const json_t *object, struct health_answer *answer)
{
    const struct entry *entry = find_entry(health, object);
    set_answer(answer, HEALTH_NONE, "");
    if (!entry)
        return;
    const struct script_limits *limits = &health->limits;
    struct run run = {
        .host = { .file = entry->path,
                  .folder = health->folder,
                  .subject = "the health script",
                  .hook_step = HOOK_STEP,
                  .memory_limit = limits->memory ? limits->memory : HEALTH_MEMORY_DEFAULT,
                  .instruction_limit =
                      limits->instructions ? limits->instructions : HEALTH_INSTRUCTIONS_DEFAULT },
        .object = object,
        .answer = answer,
    };
    lua_State *L = host_state_new(&run.host);
    if (!L) {
        set_answer(answer, HEALTH_UNKNOWN, "cannot start Lua");
        return;
    }
    lua_pushcfunction(L, run_protected);
    lua_pushlightuserdata(L, &run);
    int status = lua_pcall(L, 1, 0, 0);
    host_disarm();
    if (status == LUA_ERRMEM) {
        answer->status = HEALTH_UNKNOWN;
        snprintf(answer->message, sizeof answer->message,
                 "%s: the health script needs more than %zu MiB of memory",
                 run.host.last_line[0] ? run.host.last_line : run.host.file,
                 run.host.memory_limit >> 20);
    } else if (status != LUA_OK) {
        const char *message =
            lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error that is not a string";
        answer->status = HEALTH_UNKNOWN;
        if (strncmp(message, run.host.file, strlen(run.host.file)) == 0)
            snprintf(answer->message, sizeof answer->message, "%s", message);
        else
            snprintf(answer->message, sizeof answer->message, "%s: %s",
                     run.host.last_line[0] ? run.host.last_line : run.host.file, message);
    }
    host_close(L, &run.host);
}

#include "script/host.h"

#include <errno.h>
#include <lauxlib.h>
#include <limits.h>
#include <lua-cjson.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/interrupt.h"
#include "script/folder.h"
#include "script/library.h"
#include "script/origin.h"

enum {
    STUCK_SECONDS = 5,
    HOOK_STEP = 1000,
    FILE_MAX = 1 << 20,
    FRAMES_MAX = 12,
    GARBAGE_FROM = 6 << 20, /* bytes in use; a profile of some hundred objects has less */
    GARBAGE_MIN = 4 << 20,
};

/* Chunk names of the tool's own modules start so; frames of theirs are not the user's. */
static const char own_prefix[] = "=[";

struct host *host_of(lua_State *L)
{
    return *(struct host **)lua_getextraspace(L);
}

static void *limited_alloc(void *data, void *old, size_t old_size, size_t size)
{
    struct host *host = data;
    if (!old)
        old_size = 0; /* a type tag then, not a size */
    if (host->memory_limit && size > old_size &&
        host->memory_used - old_size + size > host->memory_limit)
        return NULL;
    void *made = heap_resize(&host->heap, old, old_size, size);
    if (made || size == 0)
        host->memory_used = host->memory_used - old_size + size;
    return made;
}

bool host_is_user(const lua_Debug *frame)
{
    return frame->source[0] == '@';
}

static void note_line(lua_State *L, struct host *host)
{
    lua_Debug frame;
    for (int level = 0; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (host_is_user(&frame) && frame.currentline > 0) {
            snprintf(host->last_line, sizeof host->last_line, "%s:%d", frame.source + 1,
                     frame.currentline);
            return;
        }
    }
}

static int hook_step(const struct host *host)
{
    return host->hook_step ? host->hook_step : HOOK_STEP;
}

static const char *subject(const struct host *host)
{
    return host->subject ? host->subject : "the profile";
}

/* Looks for garbage, and says when the next time is: when it may be much of what is there. */
static void collect(lua_State *L, struct host *host)
{
    lua_gc(L, LUA_GCCOLLECT);
    size_t more = host->memory_used / 2;
    host->collect_at = host->memory_used + (more > GARBAGE_MIN ? more : GARBAGE_MIN);
}

static void count_hook(lua_State *L, lua_Debug *ignored)
{
    (void)ignored;
    struct host *host = host_of(L);
    host->instructions_used += (unsigned)hook_step(host);
    note_line(L, host);
    if (host->memory_used > host->collect_at && !lua_gc(L, LUA_GCISRUNNING))
        collect(L, host);
    bool interrupted = interrupt_pending();
    if (host->instructions_used < host->instruction_limit && !interrupted)
        return;
    /* From now on at every instruction, so that a pcall in the profile can't go on. */
    lua_sethook(L, count_hook, LUA_MASKCOUNT, 1);
    if (interrupted)
        luaL_error(L, "interrupted");
    luaL_error(L,
               "%s: %s does not end within %I million instructions; look for a loop, or "
               "raise --instruction-limit",
               host->last_line[0] ? host->last_line : host->file, subject(host),
               (LUAI_UACINT)(host->instruction_limit / 1000000));
}

lua_State *host_state_new(struct host *host)
{
    lua_State *L = lua_newstate(limited_alloc, host);
    if (!L)
        return NULL;
    *(struct host **)lua_getextraspace(L) = host;
    /* An evaluation is short: most of what it makes is there at its end. Garbage is looked for in a
     * large one only, and seldom (count_hook); at the memory limit Lua looks by itself. */
    lua_gc(L, LUA_GCSTOP);
    host->collect_at = GARBAGE_FROM;
    return L;
}

/* What the timer looks at; one evaluation runs at a time. */
static struct host *volatile watched;
static volatile unsigned long long seen_instructions;

static void say(const char *text)
{
    (void)!write(STDERR_FILENO, text, strlen(text));
}

/* No instruction between two ticks: a call of Lua's own library (a pattern that backtracks without
 * end) holds the program, and only a signal gets it out of there. */
static void on_tick(int number)
{
    (void)number;
    struct host *host = watched;
    if (!host)
        return;
    if (host->instructions_used != seen_instructions) {
        seen_instructions = host->instructions_used;
        return;
    }
    say("bkdeploy: ");
    say(host->last_line[0] ? host->last_line : host->file);
    say(": ");
    say(subject(host));
    say(" hangs near here in one call that does not end; look for a string pattern "
        "with "
        "many repetitions\n");
    _exit(err_exit_code(ERR_PROFILE));
}

static void set_timer(long seconds)
{
    struct itimerval every = { { .tv_sec = seconds }, { .tv_sec = seconds } };
    setitimer(ITIMER_VIRTUAL, &every, NULL);
}

void host_arm(lua_State *L, struct host *host)
{
    struct sigaction action = { .sa_handler = on_tick, .sa_flags = SA_RESTART };
    seen_instructions = 0;
    watched = host;
    sigaction(SIGVTALRM, &action, NULL);
    set_timer(STUCK_SECONDS);
    lua_sethook(L, count_hook, LUA_MASKCOUNT, hook_step(host));
}

void host_timer(bool runs)
{
    set_timer(runs ? STUCK_SECONDS : 0);
}

void host_disarm(void)
{
    set_timer(0);
    watched = NULL;
}

void host_push_file(lua_State *L, const char *path)
{
    luaL_Buffer text;
    FILE *file = fopen(path, "rb");
    if (!file)
        luaL_error(L, "%s: %s", path, strerror(errno));
    fseek(file, 0, SEEK_END);
    long size = ftell(file);
    if (size < 0 || size > FILE_MAX) {
        fclose(file);
        luaL_error(L, "%s: not a file of at most %d MiB", path, FILE_MAX >> 20);
    }
    rewind(file);
    char *bytes = malloc((size_t)size + 1);
    size_t got = bytes ? fread(bytes, 1, (size_t)size, file) : 0;
    fclose(file);
    if (!bytes)
        luaL_error(L, "%s: out of memory", path);
    char *place = NULL;
    struct host *host = host_of(L);
    /* Checked before, so that luaL_buffinitsize() can't fail past `bytes`. */
    if (!host->memory_limit || host->memory_used + got + 4096 < host->memory_limit) {
        place = luaL_buffinitsize(L, &text, got);
        memcpy(place, bytes, got);
    }
    free(bytes);
    if (!place)
        luaL_error(L, "%s: larger than the memory limit allows", path);
    luaL_pushresultsize(&text, got);
}

/* Pushes the function of a chunk; false, and nothing, when Lua does not take it. Raises nothing,
 * since luaL_loadbufferx() is a protected call itself. */
static bool load_if_good(lua_State *L, const void *chunk, size_t length, const char *name,
                         const char *mode)
{
    if (chunk && luaL_loadbufferx(L, chunk, length, name, mode) == LUA_OK)
        return true;
    if (chunk)
        lua_pop(L, 1);
    return false;
}

/* Loads the text so that it reports what makes its tables; false when only Lua can tell what it is.
 * Pushes nothing then. */
static bool load_traced(lua_State *L, const char *path, const char *text, size_t length,
                        const char *name)
{
    size_t traced_length;
    char *traced = sites_rewrite(&host_of(L)->sites, path, text, length, &traced_length);
    bool good = load_if_good(L, traced, traced_length, name, "t");
    free(traced);
    return good;
}

int host_load_file(lua_State *L, const char *path)
{
    host_push_file(L, path);         // text
    lua_pushfstring(L, "@%s", path); // text name
    size_t length;
    const char *text = lua_tolstring(L, -2, &length), *name = lua_tostring(L, -1);
    int status = LUA_OK;
    if (!host_of(L)->tracing || !load_traced(L, path, text, length, name))
        status = luaL_loadbufferx(L, text, length, name, "t");
    lua_replace(L, -3); // result name
    lua_pop(L, 1);
    return status;
}

/* The folder of the profile whose code runs: the innermost of the main one's and the extended ones'
 * that its file lies in; the main one's while none runs. */
static const char *current_folder(lua_State *L, const struct host *host)
{
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "S", &frame);
        if (!host_is_user(&frame))
            continue;
        const char *path = frame.source + 1,
                   *found = folder_has(path, host->folder) ? host->folder : "";
        for (size_t i = 0; i < host->bases_count; i++)
            if (folder_has(path, host->bases[i]) && strlen(host->bases[i]) > strlen(found))
                found = host->bases[i];
        return *found ? found : host->folder;
    }
    return host->folder;
}

/* Pushes folder/relative when it is there and its real path lies below the folder. False when it is
 * not there; raises when it lies elsewhere. */
static bool push_inside(lua_State *L, const char *folder, const char *relative)
{
    char root[PATH_MAX], real[PATH_MAX], joined[PATH_MAX];
    int length = snprintf(joined, sizeof joined, "%s/%s", folder, relative);
    if (length < 0 || (size_t)length >= sizeof joined || !realpath(joined, real))
        return false;
    if (!realpath(folder, root))
        return false;
    size_t size = strlen(root);
    bool inside = strcmp(root, "/") == 0 || (strncmp(real, root, size) == 0 && real[size] == '/');
    if (!inside)
        luaL_error(L, "%s lies outside the profile's folder %s", relative, folder);
    lua_pushstring(L, joined);
    return true;
}

static const struct embedded_module *find_embedded(const char *name)
{
    for (size_t i = 0; i < embedded_modules_count; i++)
        if (strcmp(embedded_modules[i].name, name) == 0)
            return &embedded_modules[i];
    return NULL;
}

/* Pushes the loader of an own module from its text: this is another Lua 5.4 than the one that built
 * the program. */
static void push_from_text(lua_State *L, const struct embedded_module *module, bool traced,
                           const char *name)
{
    size_t length;
    char *text = traced ? sites_rewrite_module(&host_of(L)->sites, module, &length) : NULL;
    bool good = load_if_good(L, text, length, name, "t");
    free(text);
    if (!good && luaL_loadbufferx(L, (const char *)module->source, module->source_length, name,
                                  "t") != LUA_OK)
        lua_error(L);
}

/* Pushes the loader of an own module. */
static void push_embedded(lua_State *L, const struct embedded_module *module)
{
    const char *name = lua_pushfstring(L, "=[%s]", module->name);
    bool traced = host_of(L)->tracing && module->traced;
    if (!load_if_good(L, traced ? module->traced : module->compiled,
                      traced ? module->traced_length : module->compiled_length, name, "b"))
        push_from_text(L, module, traced, name);
}

/* Pushes the loader of a module, or raises with what was looked for. */
static void push_loader(lua_State *L, const char *folder, const char *name)
{
    const struct embedded_module *module = find_embedded(name);
    if (module) {
        push_embedded(L, module);
        return;
    }
    size_t plain =
        strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.");
    if (name[plain] || strstr(name, "..") || name[0] == '.' || !name[0])
        luaL_error(L, "'%s' is no module name; a file parts/web.lua is require \"parts.web\"",
                   name);
    const char *slashed = luaL_gsub(L, name, ".", "/");
    const char *const patterns[] = { "%s.lua", "%s/init.lua" };
    for (int i = 0; i < 2; i++) {
        lua_pushfstring(L, patterns[i], slashed);
        if (push_inside(L, folder, lua_tostring(L, -1))) {
            if (host_load_file(L, lua_tostring(L, -1)) != LUA_OK)
                lua_error(L);
            return;
        }
        lua_pop(L, 1);
    }
    luaL_error(L, "no module '%s': neither one of bkdeploy's nor %s/%s.lua", name, folder, slashed);
}

static const char loaded_key = 'l';
static const char loading_mark = 'm';

void host_require(lua_State *L, struct host *host, const char *name)
{
    luaL_checkstack(L, 10, "require");
    const char *folder = current_folder(L, host), *key = name;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key); // loaded
    int loaded = lua_gettop(L);
    lua_getfield(L, loaded, name); // loaded module
    if (lua_isnil(L, -1) && !find_embedded(name) && strcmp(name, "cjson") != 0) {
        key = lua_pushfstring(L, "%s/%s", folder, name); // each profile has modules of its own
        lua_getfield(L, loaded, key);
    }
    if (lua_touserdata(L, -1) == &loading_mark)
        luaL_error(L, "module '%s' requires itself, through what it requires", name);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        if (strcmp(name, "cjson") == 0) {
            host->has_finalizers = true;
            lua_pushcfunction(L, luaopen_cjson);
        } else {
            push_loader(L, folder, name);
        }
        lua_pushlightuserdata(L, (void *)&loading_mark);
        lua_setfield(L, loaded, key);
        lua_pushstring(L, name);
        lua_call(L, 1, 1); // … module
        if (lua_isnil(L, -1)) {
            lua_pop(L, 1);
            lua_pushboolean(L, 1);
        }
        lua_pushvalue(L, -1);
        lua_setfield(L, loaded, key);
    }
    lua_replace(L, loaded); // module …
    lua_settop(L, loaded);
}

static int lua_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    host_require(L, host_of(L), name);
    return 1;
}

/* bk.host.read(path): the text of a file below the profile's folder. */
static int lua_read(lua_State *L)
{
    struct host *host = host_of(L);
    const char *relative = luaL_checkstring(L, 1);
    const char *folder = current_folder(L, host);
    if (!push_inside(L, folder, relative))
        luaL_error(L, "no file '%s' below the profile's folder %s", relative, folder);
    host_push_file(L, lua_tostring(L, -1));
    return 1;
}

/* bk.host.where([skip]): "file:line" of the innermost frame of the user's own code, or nil. */
static int lua_where(lua_State *L)
{
    lua_Integer skip = luaL_optinteger(L, 1, 0);
    lua_Debug frame;
    for (int level = 1; lua_getstack(L, level, &frame); level++) {
        lua_getinfo(L, "Sl", &frame);
        if (!host_is_user(&frame) || frame.currentline <= 0 || skip-- > 0)
            continue;
        lua_pushfstring(L, "%s:%d", frame.source + 1, frame.currentline);
        return 1;
    }
    lua_pushnil(L);
    return 1;
}

int host_fail_at_user(lua_State *L, const char *fmt, ...)
{
    va_list args;
    lua_pushcfunction(L, lua_where);
    lua_call(L, 0, 1); // place
    lua_pushstring(L, ": ");
    va_start(args, fmt);
    lua_pushvfstring(L, fmt, args);
    va_end(args);
    if (lua_isnil(L, -3))
        return lua_error(L);
    lua_concat(L, 3);
    return lua_error(L);
}

/* bk.host.extend(name): what another profile returns. Its own code sees its own folder. */
static int lua_extend(lua_State *L)
{
    struct host *host = host_of(L);
    const char *name = luaL_checkstring(L, 1);
    char folder[PATH_MAX];
    if (!folder_find_profile(current_folder(L, host), name, folder, sizeof folder))
        return host_fail_at_user(
            L,
            "no profile '%s': no folder %s with a profile.lua beside %s or the two folders "
            "around it",
            name, name, current_folder(L, host));
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key); // loaded
    lua_pushfstring(L, "%s/profile.lua", folder);   // loaded file
    lua_pushvalue(L, -1);                           // loaded file file
    lua_gettable(L, -3);                            // loaded file profile
    if (!lua_isnil(L, -1) && lua_touserdata(L, -1) != &loading_mark)
        return 1;
    if (lua_touserdata(L, -1) == &loading_mark || folder_same(folder, host->folder))
        return host_fail_at_user(L, "profile '%s' extends itself, through what it extends", name);
    lua_pop(L, 1);
    if (host->bases_count == HOST_BASES_MAX)
        return host_fail_at_user(L, "more than %d profiles extend each other", HOST_BASES_MAX);
    host->bases[host->bases_count] = strdup(folder);
    if (!host->bases[host->bases_count])
        return host_fail_at_user(L, "out of memory");
    host->bases_count++;
    lua_pushvalue(L, -1);
    lua_pushlightuserdata(L, (void *)&loading_mark);
    lua_settable(L, -4);
    if (host_load_file(L, lua_tostring(L, -1)) != LUA_OK) // loaded file chunk
        lua_error(L);
    lua_call(L, 0, 1);    // loaded file profile
    lua_insert(L, -2);    // loaded profile file
    lua_pushvalue(L, -2); // loaded profile file profile
    lua_settable(L, -4);  // loaded profile
    return 1;
}

void host_open(lua_State *L, struct host *host)
{
    static const luaL_Reg own[] = {
        { "extend", lua_extend },
        { "read", lua_read },
        { "where", lua_where },
        { NULL, NULL },
    };
    lua_newtable(L); // inputs loaded
    luaL_newlib(L, own);
    luaL_setfuncs(L, library_functions, 0);
    luaL_setfuncs(L, origin_functions, 0);
    if (host->tracing)
        origin_open(L);
    lua_pushvalue(L, -3);
    lua_setfield(L, -2, "inputs");
    lua_pushlightuserdata(L, NULL); /* as cjson's, which need not be loaded for it */
    lua_setfield(L, -2, "null");
    lua_setfield(L, -2, "bk.host");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &loaded_key);
    lua_pop(L, 1);
    lua_pushcfunction(L, lua_require);
    lua_setglobal(L, "require");
}

void host_seal(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &loaded_key); // loaded
    lua_pushnil(L);
    lua_setfield(L, -2, "bk.host");
    lua_pop(L, 1);
}

void host_close(lua_State *L, struct host *host)
{
    host->memory_limit = 0; /* finalizers are not a profile's work */
    if (L && host->has_finalizers)
        lua_close(L);
    while (host->bases_count)
        free(host->bases[--host->bases_count]);
    sites_release(&host->sites);
    heap_release(&host->heap);
}

/* The next frame of the user's own code from `*level` on, or false at the end. */
static bool next_user_frame(lua_State *L, int *level, lua_Debug *frame)
{
    while (lua_getstack(L, (*level)++, frame)) {
        lua_getinfo(L, "Sln", frame);
        if (host_is_user(frame) && frame->currentline > 0)
            return true;
    }
    return false;
}

static int count_user_frames(lua_State *L)
{
    lua_Debug frame;
    int count = 0, level = 1;
    while (next_user_frame(L, &level, &frame))
        count++;
    return count;
}

int host_message_handler(lua_State *L)
{
    bool is_text = lua_isstring(L, 1) || luaL_getmetafield(L, 1, "__tostring") != LUA_TNIL;
    const char *message = is_text
                              ? luaL_tolstring(L, 1, NULL)
                              : lua_pushfstring(L, "an error that is a %s", luaL_typename(L, 1));
    int frames = count_user_frames(L), level = 1;
    lua_Debug frame;
    luaL_Buffer text;
    luaL_buffinit(L, &text);
    /* An error of the tool's own modules carries no place of the user's: give it one. */
    bool placed = message[0] != own_prefix[1] && strchr(message, ':');
    if (!placed && next_user_frame(L, &level, &frame)) {
        lua_pushfstring(L, "%s:%d: ", frame.source + 1, frame.currentline);
        luaL_addvalue(&text);
    }
    luaL_addstring(&text, message);
    level = 1;
    /* A single frame says no more than the message's own place. */
    for (int i = 0; frames > 1 && i < FRAMES_MAX && next_user_frame(L, &level, &frame); i++) {
        lua_pushfstring(L, "\n  at %s:%d", frame.source + 1, frame.currentline);
        luaL_addvalue(&text);
        if (frame.name) {
            lua_pushfstring(L, " in '%s'", frame.name);
            luaL_addvalue(&text);
        }
    }
    luaL_pushresult(&text);
    return 1;
}

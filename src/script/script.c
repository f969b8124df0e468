#include "script/script.h"

#include <errno.h>
#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/interrupt.h"
#include "base/mem.h"
#include "object/keys.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/sandbox.h"

/* What one evaluation works on; lives in C above the pcall and owns all that Lua fills. */
struct evaluation {
    struct host host;
    const struct script_request *request;
    json_t *made; /* {"profile": …} */
};

/* `profiles/hello` and `profiles/hello/profile.lua` are the same profile. */
static int find_profile(const char *path, char **file, char **folder, struct err *err)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return err_set(err, ERR_PROFILE, "%s: %s; give a profile's .lua file or its folder", path,
                       errno == ENOENT ? "no such profile" : strerror(errno));
    size_t length = strlen(path);
    while (length > 1 && path[length - 1] == '/')
        length--;
    if (S_ISDIR(st.st_mode)) {
        *file = xasprintf("%.*s/profile.lua", (int)length, path);
        if (stat(*file, &st) != 0) {
            free(*file);
            return err_set(err, ERR_PROFILE, "%s: this folder has no profile.lua", path);
        }
        *folder = xstrndup(path, length);
        return 0;
    }
    *file = xstrdup(path);
    const char *slash = strrchr(path, '/');
    if (!slash)
        *folder = xstrdup(".");
    else
        *folder = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
    return 0;
}

/* Pushes { { path = "name", text = "value" } } of "name=value" texts. MAY_RAISE. */
static void push_pairs(lua_State *L, const char *const *pairs, size_t count)
{
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        const char *equals = strchr(pairs[i], '=');
        lua_createtable(L, 0, 2);
        lua_pushlstring(L, pairs[i], (size_t)(equals - pairs[i]));
        lua_setfield(L, -2, "path");
        lua_pushstring(L, equals + 1);
        lua_setfield(L, -2, "text");
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
}

/* The whole evaluation, under one lua_pcall. MAY_RAISE. */
static int eval_protected(lua_State *L)
{
    struct evaluation *evaluation = lua_touserdata(L, 1);
    struct host *host = &evaluation->host;
    sandbox_open(L);
    push_pairs(L, evaluation->request->inputs, evaluation->request->inputs_count);
    host_open(L, host);
    sandbox_prelude(L, host);
    host_require(L, host, "bk");
    lua_pop(L, 1);
    host_seal(L);
    host_arm(L, host);
    if (host_load_file(L, host->file) != LUA_OK)
        return lua_error(L);
    lua_call(L, 0, 1); // profile
    if (lua_isnil(L, -1))
        return luaL_error(
            L, "%s: the profile returns nothing; end it with: return bk.profile \"name\" { … }",
            host->file);
    host_require(L, host, "bk");    // profile bk
    lua_getfield(L, -1, "compile"); // profile bk compile
    lua_pushvalue(L, -3);
    lua_pushstring(L, evaluation->request->environment);
    push_pairs(L, evaluation->request->settings, evaluation->request->settings_count);
    lua_call(L, 3, 1); // profile bk compiled
    convert_into(L, -1, evaluation->made, "profile");
    return 0;
}

static void take_error(lua_State *L, const struct host *host, int status, struct err *err)
{
    if (status == LUA_ERRMEM) {
        err_set(err, ERR_PROFILE,
                "%s: the profile needs more than %zu MiB of memory; raise it with --memory-limit",
                host->last_line[0] ? host->last_line : host->file, host->memory_limit >> 20);
        return;
    }
    const char *message = lua_tostring(L, -1);
    err_set(err, ERR_PROFILE, "%s", message ? message : "an error that is not a string");
}

static int run(struct evaluation *evaluation, struct err *err)
{
    struct host *host = &evaluation->host;
    lua_State *L = host_state_new(host);
    if (!L)
        return err_set(err, ERR_FAILED, "cannot start Lua with %zu bytes", host->memory_limit);
    lua_pushcfunction(L, host_message_handler);
    lua_pushcfunction(L, eval_protected);
    lua_pushlightuserdata(L, evaluation);
    int status = lua_pcall(L, 1, 0, 1);
    host_disarm();
    if (status != LUA_OK && interrupt_pending())
        err_set(err, ERR_INTERRUPTED, "interrupted while evaluating the profile");
    else if (status != LUA_OK)
        take_error(L, host, status, err);
    host->memory_limit = 0; /* finalizers and lua_close() are not a profile's work */
    lua_close(L);
    return status == LUA_OK ? 0 : -1;
}

int script_eval(const struct script_request *request, struct profile *profile, struct err *err)
{
    const struct script_limits *limits = &request->limits;
    char *file = NULL, *folder = NULL;
    if (find_profile(request->path, &file, &folder, err) != 0)
        return -1;
    struct evaluation evaluation = {
        .host = { .file = file,
                  .folder = folder,
                  .allow_exec = request->allow_exec,
                  .memory_limit = limits->memory ? limits->memory : SCRIPT_MEMORY_DEFAULT,
                  .instruction_limit =
                      limits->instructions ? limits->instructions : SCRIPT_INSTRUCTIONS_DEFAULT },
        .request = request,
        .made = json_object(),
    };
    int result = run(&evaluation, err);
    if (result == 0) {
        json_t *ordered = keys_ordered(json_object_get(evaluation.made, "profile"));
        result = profile_init(profile, ordered, err);
        json_decref(ordered);
    }
    json_decref(evaluation.made);
    host_release(&evaluation.host);
    free(file);
    free(folder);
    return result;
}

#include "script/import.h"

#include <lauxlib.h>
#include <lua.h>
#include <lualib.h>

#include "base/interrupt.h"
#include "script/convert.h"
#include "script/host.h"
#include "script/sandbox.h"

/* Manifests are data: these only bound what a hostile one can take. */
#define MEMORY_LIMIT      (1024u << 20)
#define INSTRUCTION_LIMIT 20000000000ull

struct import {
    struct host host;
    const json_t *objects, *places;
    const char *name, *source;
    json_t *made; /* {"text", "files"} */
};

/* MAY_RAISE */
static int write_protected(lua_State *L)
{
    struct import *import = lua_touserdata(L, 1);
    sandbox_open(L);
    lua_newtable(L);
    host_open(L, &import->host);
    sandbox_prelude(L, &import->host);
    host_require(L, &import->host, "import");
    host_arm(L, &import->host);
    lua_getfield(L, -1, "write");
    convert_push(L, import->objects);
    lua_newtable(L);
    lua_pushstring(L, import->name);
    lua_setfield(L, -2, "name");
    lua_pushstring(L, import->source);
    lua_setfield(L, -2, "source");
    convert_push(L, import->places);
    lua_setfield(L, -2, "places");
    lua_call(L, 2, 2); // text files
    convert_into(L, -2, import->made, "text");
    convert_into(L, -1, import->made, "files");
    return 0;
}

json_t *import_write(const json_t *objects, const json_t *places, const char *name,
                     const char *source, struct err *err)
{
    struct import import = { .host = { .file = source,
                                       .folder = ".",
                                       .memory_limit = MEMORY_LIMIT,
                                       .instruction_limit = INSTRUCTION_LIMIT },
                             .objects = objects,
                             .places = places,
                             .name = name,
                             .source = source };
    lua_State *L = host_state_new(&import.host);
    if (!L) {
        err_set(err, ERR_FAILED, "cannot start Lua");
        return NULL;
    }
    import.made = json_object();
    lua_pushcfunction(L, write_protected);
    lua_pushlightuserdata(L, &import);
    int status = lua_pcall(L, 1, 0, 0);
    host_disarm();
    if (status != LUA_OK) {
        const char *message = status == LUA_ERRMEM ? "too large" : lua_tostring(L, -1);
        if (interrupt_pending())
            err_set(err, ERR_INTERRUPTED, "interrupted");
        else
            err_set(err, ERR_PROFILE, "%s", message ? message : "an error that is not a string");
        json_decref(import.made);
        import.made = NULL;
    }
    host_close(L, &import.host);
    return import.made;
}

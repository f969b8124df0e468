/*
 * One Lua state with its limits and what a profile may reach from it: `require` for the embedded
 * modules and the files below the profile's folder, and the module bk.host.
 */
#ifndef SCRIPT_HOST_H
#define SCRIPT_HOST_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "script/heap.h"
#include "script/sites.h"

enum { HOST_BASES_MAX = 8 };

struct host {
    const char *file;            /* the profile as the user named it; the prefix of its messages */
    const char *subject;         /* what runs, for messages; NULL: "the profile" */
    const char *folder;          /* what require and bk.host.read may see */
    char *bases[HOST_BASES_MAX]; /* folders of the profiles that are extended; host_close() */
    size_t bases_count;
    bool allow_exec; /* bk.host.command() may run programs */
    bool quiet;      /* print() says nothing */
    /* Takes what print() says, which goes to stderr without one. */
    void (*say)(const char *text, size_t length, void *arg);
    void *say_arg;
    bool has_finalizers; /* cjson is loaded, which holds memory that is not the state's */
    bool tracing;        /* code that is loaded reports what it makes (script/origin.h) */
    struct sites sites;
    size_t memory_limit; /* bytes; 0: none */
    unsigned long long instruction_limit;
    int hook_step; /* instructions between two looks at the limits; 0: a thousand */

    struct heap heap; /* of the state */
    size_t memory_used;
    size_t collect_at; /* what of it makes a look for garbage worth while */
    unsigned long long instructions_used;
    char last_line[256]; /* "file:line" seen last, for errors that come without one */
};

/* A state that allocates within the limit, for host_close(). NULL when even that fails. */
lua_State *host_state_new(struct host *host);

/* Sets `require` and readies the loaded modules; pops the list that bk.host.inputs is to be.
 * MAY_RAISE, like all below. */
void host_open(lua_State *L, struct host *host);

/* Takes bk.host away, once the modules of the language have it: a profile must not reach what it
 * can do. */
void host_seal(lua_State *L);

/* Starts counting instructions, and a timer for calls of Lua's library that don't end: those end
 * the program with its message, since nothing else can leave them. */
void host_arm(lua_State *L, struct host *host);
/* Stops the timer. Raises nothing. */
void host_disarm(void);

/* Stops or starts that timer around what may wait. */
void host_timer(bool runs);

/* The host of a state of host_state_new(). */
struct host *host_of(lua_State *L);

/* Whether a frame (with its source, lua_getinfo's "S") is of the profile's own code. */
bool host_is_user(const lua_Debug *frame);

/* Pushes the text of a file of at most 1 MiB. */
void host_push_file(lua_State *L, const char *path);

/* Raises with the line of the user's code that runs, not that of the module in between. */
int host_fail_at_user(lua_State *L, const char *fmt, ...);

/* Loads a text file of the profile as a function named by its path; returns Lua's status. */
int host_load_file(lua_State *L, const char *path);

/* Pushes the module, loading it when needed. */
void host_require(lua_State *L, struct host *host, const char *name);

/* Closes the state (NULL: there is none) and frees what the host owns. */
void host_close(lua_State *L, struct host *host);

/* The handler for lua_pcall: adds the user's frames, leaves out the tool's own. */
int host_message_handler(lua_State *L);

#endif

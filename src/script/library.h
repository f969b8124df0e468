/*
 * What C does for the language's own modules beside loading them, as functions of bk.host:
 * encoding, YAML, and the ways in that an operator opens (variables, files, commands). Profiles
 * can't reach it.
 */
#ifndef SCRIPT_LIBRARY_H
#define SCRIPT_LIBRARY_H

#include <lauxlib.h>

/* Ends with { NULL, NULL }. */
extern const luaL_Reg library_functions[];

#endif

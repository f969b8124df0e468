/*
 * The commands and their options as data: the dispatcher, the help and the tests read the same
 * tables. One file a command.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "script/script.h"

/* What the command line said; every option of every command has its place here. */
struct options {
    struct script_request script; /* the profile, and what its evaluation is given */
    const char *const *words;     /* what follows the first argument */
    size_t words_count;
    const char *output; /* one of the command's formats, or NULL for its own default */
    const char *kubeconfig;
    const char *context;
    long timeout_ms;
    bool no_wait;
    bool force;
    bool yes;
    bool help;
    bool show_secrets;
    bool all_environments;
    const char *folder; /* that import writes to */
};

struct command {
    const char *name;
    const char *arguments; /* "PROFILE OBJECT [PATH]": those in brackets may be left out */
    const char *summary;   /* one line */
    const char *details;   /* what --help adds: defaults, exit codes, examples */
    const char *formats;   /* what -o takes: "yaml or json" */
    const char *options;   /* the short letters of its options in command_options[] */
    int (*run)(const struct options *options, struct err *err);
};

/* Parses, runs and reports. Returns the program's exit code. */
int command_main(int argc, char **argv);

/* Each returns the program's exit code, or -1 with err. */
int command_render(const struct options *options, struct err *err);
int command_apply(const struct options *options, struct err *err);
int command_status(const struct options *options, struct err *err);
int command_check(const struct options *options, struct err *err);
int command_explain(const struct options *options, struct err *err);
int command_import(const struct options *options, struct err *err);
int command_init(const struct options *options, struct err *err);

#endif

/*
 * The commands and their options as data: the dispatcher, the help and the tests read the same
 * tables. One file a command.
 */
#ifndef COMMAND_COMMAND_H
#define COMMAND_COMMAND_H

#include <stdbool.h>

#include "base/err.h"
#include "script/script.h"
#include "ui/feed.h"

/* What the command line said; every option of every command has its place here. */
struct options {
    struct script_request script; /* the profile, and what its evaluation is given */
    const char *const *words;     /* what follows the first argument */
    size_t words_count;
    const char *output; /* one of the command's formats, or NULL for its own default */
    struct feed *feed;  /* of events, for commands that take time, with -o json; else NULL */
    const char *kubeconfig;
    const char *context;
    long timeout_ms;
    long grace_ms;
    long lock_wait_ms; /* 0: not at all */
    bool no_wait;
    bool force; /* --force-conflicts */
    bool adopt;
    bool rollback_on_failure;
    bool fail_fast;
    bool no_hooks;
    bool allow_http; /* hooks may use plain http */
    bool summary;
    bool yes;
    const char *message; /* for the history, or NULL */
    const char *key;     /* a file, or NULL */
    bool with_data;
    const char *namespace; /* of the release, or NULL */
    int revision;          /* 0: none given */
    bool help;
    bool show_secrets;
    bool all_environments;
    const char *folder;       /* that import writes to; the file of plan */
    const char *const *files; /* of -f */
    size_t files_count;
    const char *health_dir; /* NULL: none */
    const char *until;      /* --for: ready, failed, deleted, exists; NULL: none given */
    const char *when;       /* a condition in Lua, or NULL */
    bool follow, watch, previous;
    long since_ms;         /* 0: from the beginning */
    const char *tail;      /* a number, or NULL */
    const char *container; /* NULL: all */
    bool live;             /* with the status on the cluster */
    const char *report;    /* the file of a page on what was done, or NULL */
    bool probe;
    const char *probe_image; /* NULL: the default one */
};

struct command {
    const char *name;
    const char *arguments; /* "PROFILE OBJECT [PATH]": those in brackets may be left out, the last
                              one repeated with "..."; or "" */
    const char *summary;   /* one line */
    const char *details;   /* what --help adds: defaults, exit codes, examples */
    const char *formats;   /* what -o takes: "yaml or json" */
    const char *options;   /* the short letters of its options in command_options[] */
    int (*run)(const struct options *options, struct err *err);
};

/* Parses, runs and reports. Returns the program's exit code. */
int command_main(int argc, char **argv);

/* "v1.2-3-gabcdef" */
const char *command_version(void);

/* Each returns the program's exit code, or -1 with err. */
int command_render(const struct options *options, struct err *err);
int command_apply(const struct options *options, struct err *err);
int command_diff(const struct options *options, struct err *err);
int command_plan(const struct options *options, struct err *err);
int command_rollback(const struct options *options, struct err *err);
int command_delete(const struct options *options, struct err *err);
/* Of `status -f`: objects as they are, without a cluster. */
int command_status_files(const struct options *options, struct err *err);
int command_status(const struct options *options, struct err *err);
int command_wait(const struct options *options, struct err *err);
int command_logs(const struct options *options, struct err *err);
int command_events(const struct options *options, struct err *err);
int command_check(const struct options *options, struct err *err);
int command_doctor(const struct options *options, struct err *err);
int command_list(const struct options *options, struct err *err);
int command_history(const struct options *options, struct err *err);
int command_get(const struct options *options, struct err *err);
int command_explain(const struct options *options, struct err *err);
int command_import(const struct options *options, struct err *err);
int command_graph(const struct options *options, struct err *err);
int command_init(const struct options *options, struct err *err);

#endif

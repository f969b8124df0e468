/*
 * The page of --report (ui/page.h), gathered while a command works and written when it has ended,
 * however that was. NULL stands for no page: every function then does nothing.
 */
#ifndef COMMAND_REPORT_PAGE_H
#define COMMAND_REPORT_PAGE_H

#include "command/session.h"
#include "release/apply.h"
#include "release/plan.h"
#include "ui/progress.h"

struct report_page;

/* Begins the page that the options ask for, or leaves NULL. Makes sure that its file can be
 * written: ERR_USAGE, before anything is sent. `command` is borrowed. Returns 0 or -1. */
int report_page_open(struct report_page **report, const char *command,
                     const struct options *options, struct err *err);

/* Records what the progress of the profile's components tells, from now to report_page_followed().
 */
void report_page_follow(struct report_page *report, const struct profile *profile,
                        struct progress *progress);
void report_page_followed(struct report_page *report);

/* Takes what a plan says; the first that is taken stays. */
void report_page_take_plan(struct report_page *report, struct session *session,
                           const struct plan *plan);

/* What an apply came to. */
struct report_page_deployed {
    const struct plan *plan; /* NULL: it came to none */
    const struct apply_result *result;
    size_t deleted;
    int revision;        /* 0: none was made */
    const char *message; /* for the history; may be NULL */
};

/* Takes the facts of an apply, as long as they are there. */
void report_page_take(struct report_page *report, struct session *session,
                      const struct report_page_deployed *deployed);

/* What became of going back to a revision; 0: there was none to go back to. */
void report_page_rolled_back(struct report_page *report, int revision, const struct err *err);

/* Takes what the doctor has found ({ sections }, as of ui/page.h), and of whom; `session` may be
 * NULL where the cluster was not reached. */
void report_page_take_findings(struct report_page *report, struct session *session,
                               const json_t *found);

/* Writes the page and frees it. `result` is what the command ends with, an exit code or -1 with
 * err. Returns the same, or -1 with err when that went well but the page could not be written. */
int report_page_close(struct report_page *report, int result, struct err *err);

#endif

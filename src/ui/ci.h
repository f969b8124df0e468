/*
 * What the logs of GitHub Actions (GITHUB_ACTIONS=true) and GitLab (GITLAB_CI=true) fold and mark:
 * parts of the output as groups, errors at lines of files. Elsewhere nothing is written.
 * docs.github.com/actions/reference/workflow-commands-for-github-actions,
 * docs.gitlab.com/ci/jobs/job_logs/#custom-collapsible-sections
 */
#ifndef UI_CI_H
#define UI_CI_H

#include <stdio.h>

/* Begins and ends a part: "plan", "rollout", "report". */
void ci_open(FILE *out, const char *part);
void ci_close(FILE *out, const char *part);

/* Between the two a line that looks like one of GitHub's commands is text: logs of pods may say
 * anything. */
void ci_hold(FILE *out);
void ci_go_on(FILE *out);

/* Marks the line that `where` ("profile.lua:12", or NULL) names with an "error" or a "warning". */
void ci_mark(FILE *out, const char *severity, const char *where, const char *message);

/* The same with an error whose message may begin with a place: "profile.lua:12: ...". */
void ci_mark_error(FILE *out, const char *message);

#endif

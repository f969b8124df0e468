#include "base/who.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"

enum { HOST_MAX = 255 };

static const char *variable(const char *name)
{
    const char *value = getenv(name);
    return value ? value : "";
}

/* The address of the CI job: GitLab, Jenkins, GitHub and what behaves like it. */
static void add_job(struct buf *who)
{
    const char *const addresses[] = { "CI_JOB_URL", "BUILD_URL" };
    for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
        const char *address = variable(addresses[i]);
        if (*address) {
            buf_addf(who, " %s", address);
            return;
        }
    }
    const char *server = variable("GITHUB_SERVER_URL"), *run = variable("GITHUB_RUN_ID");
    if (*server && *run)
        buf_addf(who, " %s/%s/actions/runs/%s", server, variable("GITHUB_REPOSITORY"), run);
}

char *who_am_i(void)
{
    struct buf who = BUF_INIT;
    char host[HOST_MAX + 1] = "";
    const struct passwd *user = getpwuid(geteuid());
    if (gethostname(host, sizeof host) != 0 || !*host)
        strcpy(host, "unknown");
    host[HOST_MAX] = '\0';
    if (user)
        buf_addf(&who, "%s@%s", user->pw_name, host);
    else
        buf_addf(&who, "%u@%s", (unsigned)geteuid(), host);
    add_job(&who);
    char *text = buf_detach(&who);
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < ' ' || *c == 127)
            *c = '?';
    return text;
}

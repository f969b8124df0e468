#include "ui/ci.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "base/buf.h"
#include "base/mem.h"

static bool is_set(const char *name)
{
    const char *value = getenv(name);
    return value && strcmp(value, "true") == 0;
}

static bool on_github(void)
{
    return is_set("GITHUB_ACTIONS");
}

static bool on_gitlab(void)
{
    return is_set("GITLAB_CI");
}

void ci_open(FILE *out, const char *part)
{
    if (on_github())
        fprintf(out, "::group::%s\n", part);
    else if (on_gitlab())
        fprintf(out, "\x1b[0Ksection_start:%lld:bkdeploy_%s\r\x1b[0K%s\n", (long long)time(NULL),
                part, part);
}

void ci_close(FILE *out, const char *part)
{
    if (on_github())
        fputs("::endgroup::\n", out);
    else if (on_gitlab())
        fprintf(out, "\x1b[0Ksection_end:%lld:bkdeploy_%s\r\x1b[0K\n", (long long)time(NULL), part);
}

/* What ends a hold; nobody can know it beforehand. */
static const char *token(void)
{
    static char text[33];
    unsigned char bytes[16];
    if (*text)
        return text;
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        abort();
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(text + 2 * i, 3, "%02x", bytes[i]);
    return text;
}

void ci_hold(FILE *out)
{
    if (on_github())
        fprintf(out, "::stop-commands::%s\n", token());
}

void ci_go_on(FILE *out)
{
    if (on_github())
        fprintf(out, "::%s::\n", token());
}

/* Characters that would end a command, or one of its properties. */
static void add_escaped(struct buf *out, const char *text, size_t length, bool property)
{
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        bool special = c == '%' || c == '\r' || c == '\n' || (property && (c == ':' || c == ','));
        if (special)
            buf_addf(out, "%%%02X", (unsigned char)c);
        else
            buf_add(out, &c, 1);
    }
}

/* How much of a text is "file:12" with nothing or ':' behind; `*colon` is before the number. */
static size_t place_in(const char *text, size_t *colon)
{
    for (const char *at = strchr(text, ':'); at; at = strchr(at + 1, ':')) {
        size_t digits = strspn(at + 1, "0123456789");
        if (digits && at > text && strchr(":", at[1 + digits])) { /* or the end */
            *colon = (size_t)(at - text);
            return *colon + 1 + digits;
        }
        if (memchr(text, ' ', (size_t)(at - text)))
            break;
    }
    return 0;
}

void ci_mark(FILE *out, const char *severity, const char *where, const char *message)
{
    struct buf line = BUF_INIT;
    size_t colon, length = where ? place_in(where, &colon) : 0;
    if (!on_github())
        return;
    buf_addf(&line, "::%s", severity);
    if (length) {
        buf_adds(&line, " file=");
        add_escaped(&line, where, colon, true);
        buf_addf(&line, ",line=%.*s", (int)(length - colon - 1), where + colon + 1);
    }
    buf_adds(&line, "::");
    add_escaped(&line, message, strlen(message), false);
    fprintf(out, "%s\n", buf_text(&line));
    buf_release(&line);
}

void ci_mark_error(FILE *out, const char *message)
{
    size_t colon, length = place_in(message, &colon);
    char *where = xstrndup(message, length);
    ci_mark(out, "error", length ? where : NULL, message);
    free(where);
}

#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static void mark_cut(char *text, size_t size, int wanted)
{
    if (wanted >= 0 && (size_t)wanted >= size)
        memcpy(text + size - 4, "...", 4);
}

int err_set(struct err *err, enum err_kind kind, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(err->message, sizeof err->message, fmt, args);
    va_end(args);
    mark_cut(err->message, sizeof err->message, wanted);
    err->kind = kind;
    return -1;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
    char inner[sizeof err->message];
    memcpy(inner, err->message, sizeof inner);
    char context[512];
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(context, sizeof context, fmt, args);
    va_end(args);
    mark_cut(context, sizeof context, wanted);
    wanted = snprintf(err->message, sizeof err->message, "%s: %s", context, inner);
    mark_cut(err->message, sizeof err->message, wanted);
    return -1;
}

int err_exit_code(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return 0;
    case ERR_FAILED: return 1;
    case ERR_USAGE: return 2;
    case ERR_PROFILE: return 2;
    case ERR_REFUSED: return 3;
    case ERR_ROLLOUT: return 4;
    case ERR_TIMEOUT: return 5;
    case ERR_LOCKED: return 6;
    case ERR_CONFLICT: return 7;
    case ERR_UNREACHABLE: return 8;
    case ERR_INTERRUPTED: return 130;
    }
    return 1;
}

const char *err_word(enum err_kind kind)
{
    switch (kind) {
    case ERR_NONE: return "none";
    case ERR_FAILED: return "failed";
    case ERR_USAGE: return "usage";
    case ERR_PROFILE: return "profile";
    case ERR_REFUSED: return "refused";
    case ERR_ROLLOUT: return "rollout";
    case ERR_TIMEOUT: return "timeout";
    case ERR_LOCKED: return "locked";
    case ERR_CONFLICT: return "conflict";
    case ERR_UNREACHABLE: return "unreachable";
    case ERR_INTERRUPTED: return "interrupted";
    }
    return "failed";
}

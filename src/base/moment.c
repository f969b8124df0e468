#include "base/moment.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/mem.h"

#define HOUR 3600L
#define DAY  86400L

char *moment_now(void)
{
    char text[sizeof "2026-11-24T08:15:30Z"];
    struct tm parts;
    time_t now = time(NULL);
    if (!gmtime_r(&now, &parts) || strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return xstrdup("");
    return xstrdup(text);
}

long long moment_parse(const char *text, size_t *length)
{
    struct tm parts = { .tm_isdst = 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (!rest)
        return -1;
    long long fraction = 0, unit = 100000000;
    if (*rest == '.')
        for (rest++; *rest >= '0' && *rest <= '9'; rest++, unit /= 10)
            fraction += (*rest - '0') * unit;
    long long offset = 0;
    if (*rest == '+' || *rest == '-') {
        struct tm zone = { .tm_hour = 0 };
        const char *end = strptime(rest + 1, "%H:%M", &zone);
        if (!end)
            return -1;
        offset = (zone.tm_hour * 60 + zone.tm_min) * (*rest == '-' ? -60LL : 60LL);
        rest = end;
    } else if (*rest++ != 'Z') {
        return -1;
    }
    if (length)
        *length = (size_t)(rest - text);
    return ((long long)timegm(&parts) - offset) * 1000000000LL + fraction;
}

char *moment_ago(const char *text)
{
    static const struct {
        long seconds, below;
        const char *unit;
    } units[] = {
        { 1, 60, "s" },
        { 60, HOUR, "min" },
        { HOUR, 2 * DAY, "h" },
        { DAY, 0, "days" },
    };
    struct tm parts = { .tm_isdst = 0 };
    const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &parts);
    if (rest && *rest == '.') /* of MicroTime */
        rest += 1 + strspn(rest + 1, "0123456789");
    if (!rest || strcmp(rest, "Z") != 0)
        return xstrdup(text);
    long passed = (long)(time(NULL) - timegm(&parts));
    if (passed < 1) /* clocks differ a little */
        return xstrdup("now");
    size_t i = 0;
    while (units[i].below && passed >= units[i].below)
        i++;
    return xasprintf("%ld %s ago", passed / units[i].seconds, units[i].unit);
}

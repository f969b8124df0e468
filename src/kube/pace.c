#include "kube/pace.h"

#include <sys/random.h>

enum {
    RESERVE_MAX = 8,
    BACKOFF_MS = 100,
    BACKOFF_MAX_MS = 5000,
    HALVES_MAX = 200, /* so that 100 more than half of what is answered are sent again at most */
};

void pace_init(struct pace *pace)
{
    *pace = (struct pace){ .most = PACE_MOST, .halves = HALVES_MAX };
}

bool pace_allows(const struct pace *pace, size_t under_way, long long now)
{
    return under_way < pace->most && now >= pace->paused;
}

unsigned long pace_sent(struct pace *pace)
{
    return ++pace->last_sent;
}

void pace_answered(struct pace *pace)
{
    pace->rounds = 0;
    pace->halves += pace->halves < HALVES_MAX;
    if (pace->most == PACE_MOST || ++pace->answers < pace->most << pace->reserve)
        return;
    pace->most++;
    pace->answers = 0;
    if (pace->grown++ && pace->reserve) /* room for two more: it is another server now */
        pace->reserve--;
}

void pace_refused(struct pace *pace, unsigned long number, long asked_ms, long long now)
{
    bool counts = number > pace->shrunk;
    if (counts && pace->rounds++ && asked_ms == 0)
        asked_ms = pace_backoff(pace->rounds - 1);
    if (now + asked_ms > pace->paused)
        pace->paused = now + asked_ms;
    if (!counts)
        return;
    if (pace->grown && pace->reserve < RESERVE_MAX)
        pace->reserve++;
    pace->most = pace->grown == 1 ? pace->most - 1 : (pace->most + 1) / 2;
    pace->grown = 0;
    pace->answers = 0;
    pace->shrunk = pace->last_sent;
}

bool pace_resend(struct pace *pace)
{
    if (pace->halves < 2)
        return false;
    pace->halves -= 2;
    return true;
}

long pace_backoff(unsigned tries)
{
    long wait = BACKOFF_MS << (tries < 8 ? tries : 8);
    if (wait > BACKOFF_MAX_MS)
        wait = BACKOFF_MAX_MS;
    unsigned char chance = 0;
    (void)!getrandom(&chance, sizeof chance, GRND_NONBLOCK);
    return wait + wait * chance / 512;
}

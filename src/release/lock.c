#include "release/lock.h"

#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "base/who.h"
#include "kube/discovery.h"

enum {
    LEASE_SECONDS = 15,
    LEASE_SECONDS_MAX = 3600, /* of another's: more is a mistake */
    WAIT_STEP_MS = 500,
    RELEASE_MS = 3000,
    REQUEST_MIN_MS = 1000,
    CLASHES_MAX = 20,
    FAILURES_MIN = 2, /* one may only tell that the connection had broken */
};

/* Beside the Lease's own fields, which are for people: by these a program knows itself again. */
static const char holder_id[] = "bkdeploy/holder-id";           /* of one taking of the lock */
static const char holder_machine[] = "bkdeploy/holder-machine"; /* where its pid means something */
static const char holder_process[] = "bkdeploy/holder-process"; /* "<pid> <start time> <holder>" */

struct lock {
    struct kube_client *client;
    char *collection, *path, *label;
    char *holder, *id, *machine, *process;
    int lease_seconds;
    long renew_ms;
    json_t *lease;          /* as the server has it, or NULL */
    long long renewed;      /* the renewal that it has: the server's time */
    struct kube_call *call; /* the renewal that is under way or planned */
    long long renewing;     /* what that one will write */
    bool answered;          /* a renewal has succeeded, or it is lost: for lock_confirm() */
    int failures;           /* renewals that failed since the last that did not */
    struct err lost_err;    /* ERR_NONE while it is held */
    void (*lost)(const struct err *err, void *arg);
    void *arg;
};

/* ---- who ---- */

/* Makes text of unknown encoding fit for JSON: what is no UTF-8 loses all but ASCII. */
static void make_utf8(char *text)
{
    json_t *value = json_string(text);
    for (char *c = text; !value && *c; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    json_decref(value);
}

static void host_name(char *host, size_t size)
{
    if (gethostname(host, size) != 0)
        snprintf(host, size, "unknown");
    host[size - 1] = '\0';
    make_utf8(host);
}

/* The first line of a small file, NULL when it can't be read. The caller's to free. */
static char *first_line(const char *path)
{
    char line[1024];
    FILE *file = fopen(path, "re");
    if (!file)
        return NULL;
    char *got = fgets(line, sizeof line, file);
    fclose(file);
    if (!got)
        return NULL;
    line[strcspn(line, "\n")] = '\0';
    return xstrdup(line);
}

/* Where a pid means the same process: this host, since it was started, in this pid namespace
 * (containers share the host's boot id). NULL when it can't be told. */
static char *machine_id(void)
{
    char host[256], space[64];
    host_name(host, sizeof host);
    ssize_t length = readlink("/proc/self/ns/pid", space, sizeof space - 1);
    char *boot = first_line("/proc/sys/kernel/random/boot_id");
    char *id = NULL;
    if (boot && length > 0)
        id = xasprintf("%s %s %.*s", host, boot, (int)length, space);
    free(boot);
    return id;
}

/* Field 22 of /proc/PID/stat, 0 for a zombie; -1 when it can't be read. */
static long long start_time(long pid)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    char *line = first_line(path);
    char *field = line ? strrchr(line, ')') : NULL; /* the name before may hold anything */
    long long start = -1;
    if (field && field[1] == ' ') {
        field += 2; /* the state, field 3 */
        bool ended = *field == 'Z' || *field == 'X';
        for (int i = 3; i < 22 && field; i++)
            field = strchr(field + 1, ' ');
        if (field)
            start = ended ? 0 : strtoll(field, NULL, 10);
    }
    free(line);
    return start;
}

static char *process_id(const char *holder)
{
    return xasprintf("%ld %lld %s", (long)getpid(), start_time((long)getpid()), holder);
}

static char *random_id(void)
{
    unsigned char bytes[16] = { 0 };
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return xasprintf("%ld-%lld", (long)getpid(), clock_ms());
    struct buf text = BUF_INIT;
    for (size_t i = 0; i < sizeof bytes; i++)
        buf_addf(&text, "%02x", bytes[i]);
    return buf_detach(&text);
}

/* ---- reading a Lease ---- */

static const char *spec_text(const json_t *lease, const char *key)
{
    return json_string_value(json_object_get(json_object_get(lease, "spec"), key));
}

static const char *annotation(const json_t *lease, const char *key)
{
    const json_t *metadata = json_object_get(lease, "metadata");
    const char *text =
        json_string_value(json_object_get(json_object_get(metadata, "annotations"), key));
    return text ? text : "";
}

static const char *meta(const json_t *lease, const char *key)
{
    return json_string_value(json_object_get(json_object_get(lease, "metadata"), key));
}

/* MicroTime, as "2026-11-24T10:00:00.000000Z", in milliseconds; -1 when there is none. */
static long long parse_time(const char *text)
{
    struct tm tm = { 0 };
    const char *rest = text ? strptime(text, "%Y-%m-%dT%H:%M:%S", &tm) : NULL;
    if (!rest)
        return -1;
    long long ms = (long long)timegm(&tm) * 1000;
    if (*rest == '.')
        for (int i = 1, unit = 100; i <= 3 && rest[i] >= '0' && rest[i] <= '9'; i++, unit /= 10)
            ms += (long long)(rest[i] - '0') * unit;
    return ms;
}

static void format_time(char *text, size_t size, long long ms, bool micro)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    gmtime_r(&seconds, &tm);
    size_t length = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &tm);
    if (micro)
        snprintf(text + length, size - length, ".%03d000Z", (int)(ms % 1000));
    else
        snprintf(text + length, size - length, "Z");
}

static bool is_ours(const struct lock *lock, const json_t *lease)
{
    const char *holder = spec_text(lease, "holderIdentity");
    return holder && strcmp(holder, lock->holder) == 0 &&
           strcmp(annotation(lease, holder_id), lock->id) == 0;
}

static bool is_free(const json_t *lease)
{
    const char *holder = spec_text(lease, "holderIdentity");
    return !holder || !*holder;
}

static long long lease_length(const json_t *lease)
{
    json_int_t seconds =
        json_integer_value(json_object_get(json_object_get(lease, "spec"), "leaseDurationSeconds"));
    if (seconds <= 0)
        seconds = LEASE_SECONDS;
    return (seconds < LEASE_SECONDS_MAX ? seconds : LEASE_SECONDS_MAX) * 1000LL;
}

/* Until when it holds. A renewal that has not been yet, by the server's time, counts as of now. */
static long long holds_until(const struct lock *lock, const json_t *lease)
{
    long long renewed = parse_time(spec_text(lease, "renewTime"));
    long long now = kube_time_ms(lock->client);
    return (renewed < now ? renewed : now) + lease_length(lease);
}

/* Whether the holder ran on this machine and has ended. */
static bool is_holder_dead(const struct lock *lock, const json_t *lease)
{
    const char *holder = spec_text(lease, "holderIdentity");
    char *rest;
    long pid = strtol(annotation(lease, holder_process), &rest, 10);
    long long began = strtoll(rest, &rest, 10);
    if (!lock->machine || strcmp(annotation(lease, holder_machine), lock->machine) != 0)
        return false;
    /* Whoever took the Lease with another tool left our notes of the holder before. */
    if (pid <= 0 || began <= 0 || *rest != ' ' || !holder || strcmp(rest + 1, holder) != 0)
        return false;
    if (kill((pid_t)pid, 0) != 0 && errno == ESRCH)
        return true;
    long long start = start_time(pid);
    return start >= 0 && start != began;
}

/* ---- words ---- */

/* What others wrote, without what could move a terminal's cursor. */
static void add_clean(struct buf *words, const char *text)
{
    for (const char *c = text; *c; c++) {
        bool is_control = (unsigned char)*c < ' ' || *c == 0x7f;
        buf_add(words, is_control ? "?" : c, 1);
    }
}

static void add_duration(struct buf *words, long long ms)
{
    long long seconds = ms > 0 ? ms / 1000 : 0;
    if (seconds < 120)
        buf_addf(words, "%lld s", seconds);
    else if (seconds < 7200)
        buf_addf(words, "%lld min", seconds / 60);
    else
        buf_addf(words, "%lld h", seconds / 3600);
}

/* "alice@build-7 (pid 12) since 2026-11-24T10:00:00Z (3 min ago)" */
static void add_holder(const struct lock *lock, const json_t *lease, struct buf *words)
{
    const char *holder = spec_text(lease, "holderIdentity");
    long long since = parse_time(spec_text(lease, "acquireTime"));
    char text[64];
    add_clean(words, holder ? holder : "nobody");
    if (since < 0)
        return;
    format_time(text, sizeof text, since, false);
    buf_addf(words, " since %s (", text);
    add_duration(words, kube_time_ms(lock->client) - since);
    buf_adds(words, " ago)");
}

static int set_locked(const struct lock *lock, const json_t *lease, long waited_ms, struct err *err)
{
    struct buf words = BUF_INIT;
    long long until = holds_until(lock, lease);
    char text[64];
    buf_addf(&words, "%s is held by ", lock->label);
    add_holder(lock, lease, &words);
    format_time(text, sizeof text, until, false);
    buf_addf(&words, " and, unless it is renewed, until %s (", text);
    add_duration(&words, until - kube_time_ms(lock->client));
    buf_adds(&words, " from now)");
    if (waited_ms) {
        buf_adds(&words, "; waited ");
        add_duration(&words, waited_ms);
    }
    buf_adds(&words, "; --wait-for-lock waits for it; it is taken over by itself when it is not "
                     "renewed");
    err_set(err, ERR_LOCKED, "%s", buf_text(&words));
    buf_release(&words);
    return -1;
}

static char *take_over_notice(const struct lock *lock, const json_t *lease, bool dead)
{
    struct buf words = BUF_INIT;
    buf_addf(&words, "%s was held by ", lock->label);
    add_holder(lock, lease, &words);
    if (dead) {
        buf_adds(&words, ", a process of this machine that has ended");
    } else {
        buf_adds(&words, ", who has not renewed it");
        long long renewed = parse_time(spec_text(lease, "renewTime"));
        if (renewed >= 0 && renewed < kube_time_ms(lock->client)) {
            buf_adds(&words, " for ");
            add_duration(&words, kube_time_ms(lock->client) - renewed);
        }
    }
    buf_adds(&words, ": taken over");
    return buf_detach(&words);
}

/* ---- writing a Lease ---- */

static json_t *time_value(long long ms)
{
    char text[64];
    format_time(text, sizeof text, ms, true);
    return json_string(text);
}

/* The Lease as ours from now on; `before` NULL: a new one. Keeps what others put into it. */
static json_t *taken_lease(const struct lock *lock, const char *name, const json_t *before)
{
    long long now = kube_time_ms(lock->client);
    json_int_t transitions =
        json_integer_value(json_object_get(json_object_get(before, "spec"), "leaseTransitions"));
    json_t *lease = before
                        ? json_deep_copy(before)
                        : json_pack("{s:s, s:s, s:{s:s}}", "apiVersion", "coordination.k8s.io/v1",
                                    "kind", "Lease", "metadata", "name", name);
    json_t *metadata = json_object_get(lease, "metadata");
    if (!json_is_object(json_object_get(metadata, "annotations")))
        json_object_set_new(metadata, "annotations", json_object());
    json_t *annotations = json_object_get(metadata, "annotations");
    json_object_del(metadata, "managedFields");
    json_object_set_new(annotations, holder_id, json_string(lock->id));
    json_object_set_new(annotations, holder_machine,
                        json_string(lock->machine ? lock->machine : ""));
    json_object_set_new(annotations, holder_process, json_string(lock->process));
    json_object_set_new(lease, "spec",
                        json_pack("{s:s, s:i, s:o, s:o, s:I}", "holderIdentity", lock->holder,
                                  "leaseDurationSeconds", lock->lease_seconds, "acquireTime",
                                  time_value(now), "renewTime", time_value(now), "leaseTransitions",
                                  before ? transitions + 1 : transitions));
    return lease;
}

/* ---- one request, its status told ---- */

struct answer {
    bool done;
    long status;
    json_t *body;
    struct err err;
};

static void on_answer(const struct kube_response *response, void *arg)
{
    struct answer *answer = arg;
    answer->done = true;
    answer->status = response->status;
    answer->body = json_incref(response->body);
    if (response->err)
        answer->err = *response->err;
}

static struct kube_call *begin(const struct lock *lock, const char *method, const json_t *body,
                               struct answer *answer)
{
    bool creates = strcmp(method, "POST") == 0;
    *answer = (struct answer){ .err = ERR_INIT };
    struct kube_request request = {
        .method = method,
        .path = creates ? lock->collection : lock->path,
        .content_type = "application/json",
        .body = body ? json_dumps(body, JSON_COMPACT) : NULL,
        .done = on_answer,
        .arg = answer,
    };
    return kube_send(lock->client, &request);
}

/* Returns the status when it is 2xx, 404 or 409, else -1 with err. `*found` (may be NULL) is set
 * for 2xx. `body` is taken over. */
static long ask(const struct lock *lock, const char *method, json_t *body, json_t **found,
                struct err *err)
{
    struct answer answer;
    struct kube_call *call = begin(lock, method, body, &answer);
    json_decref(body);
    if (kube_run(lock->client, &answer.done, -1, err) != 0) {
        kube_cancel(lock->client, call);
        return -1;
    }
    bool good = answer.err.kind == ERR_NONE;
    if (good && found)
        *found = json_incref(answer.body);
    json_decref(answer.body);
    if (good || answer.status == 409 || answer.status == 404)
        return answer.status;
    *err = answer.err;
    return err_wrap(err, "%s", lock->label);
}

/* ---- renewing ---- */

static void plan_renewal(struct lock *lock, long delay_ms);

static void lose(struct lock *lock, const char *why)
{
    err_set(&lock->lost_err, ERR_LOCKED, "%s is lost: %s", lock->label, why);
    lock->answered = true;
    if (lock->lost)
        lock->lost(&lock->lost_err, lock->arg);
}

static void set_held(struct lock *lock, json_t *lease, long long renewed)
{
    json_decref(lock->lease);
    lock->lease = json_incref(lease);
    lock->renewed = renewed;
    lock->failures = 0;
}

static long until_next(const struct lock *lock)
{
    long long left = lock->renewed + lock->renew_ms - kube_time_ms(lock->client);
    return left > 0 ? (long)left : 0;
}

/* How long it is surely ours without renewal: a fifth less than others may think, because two that
 * reckon the server's time from its answers are up to two seconds apart. */
static long long lease_left(const struct lock *lock)
{
    return lock->renewed + lock->lease_seconds * 800LL - kube_time_ms(lock->client);
}

/* A renewal or a look got no answer that says something: again, until the lease has run out. */
static void on_trouble(struct lock *lock, const struct err *err)
{
    lock->failures++;
    if (lease_left(lock) > 0 || lock->failures < FAILURES_MIN) {
        plan_renewal(lock, lock->renew_ms / 5);
        return;
    }
    struct buf why = BUF_INIT;
    buf_adds(&why, "it could not be renewed for ");
    add_duration(&why, kube_time_ms(lock->client) - lock->renewed);
    buf_addf(&why, ": %s", err->message);
    lose(lock, buf_text(&why));
    buf_release(&why);
}

/* A renewal had come upon another version of the Lease. */
static void on_looked(const struct kube_response *response, void *arg)
{
    struct lock *lock = arg;
    lock->call = NULL;
    if (response->status == 404) {
        lose(lock, "somebody deleted it");
    } else if (response->err) {
        on_trouble(lock, response->err);
    } else if (is_ours(lock, response->body)) {
        set_held(lock, response->body, lock->renewed); /* changed in what is not ours */
        plan_renewal(lock, 0);
    } else {
        struct buf why = BUF_INIT;
        buf_adds(&why, "it is now held by ");
        add_holder(lock, response->body, &why);
        lose(lock, buf_text(&why));
        buf_release(&why);
    }
}

/* The time that one request may take: one that hangs must not hide that the lease runs out. */
static long request_timeout(const struct lock *lock, long delay_ms)
{
    long long left = lease_left(lock) - delay_ms;
    long most = lock->renew_ms > REQUEST_MIN_MS ? lock->renew_ms : REQUEST_MIN_MS;
    return left < REQUEST_MIN_MS ? REQUEST_MIN_MS : left < most ? (long)left : most;
}

static void on_renewed(const struct kube_response *response, void *arg)
{
    struct lock *lock = arg;
    lock->call = NULL;
    if (!response->err) {
        set_held(lock, response->body, lock->renewing);
        lock->answered = true;
        plan_renewal(lock, until_next(lock)); /* 0 when the loop had rested */
    } else if (response->status == 409 || response->status == 404) {
        struct kube_request request = {
            .method = "GET",
            .path = lock->path,
            .timeout_ms = request_timeout(lock, 0),
            .background = true,
            .done = on_looked,
            .arg = lock,
        };
        lock->call = kube_send(lock->client, &request);
    } else {
        on_trouble(lock, response->err);
    }
}

static void plan_renewal(struct lock *lock, long delay_ms)
{
    lock->renewing = kube_time_ms(lock->client) + delay_ms;
    json_object_set_new(json_object_get(lock->lease, "spec"), "renewTime",
                        time_value(lock->renewing));
    struct kube_request request = {
        .method = "PUT",
        .path = lock->path,
        .content_type = "application/json",
        .body = json_dumps(lock->lease, JSON_COMPACT),
        .timeout_ms = request_timeout(lock, delay_ms),
        .delay_ms = delay_ms,
        .background = true,
        .done = on_renewed,
        .arg = lock,
    };
    lock->call = kube_send(lock->client, &request);
}

void lock_on_lost(struct lock *lock, void (*lost)(const struct err *err, void *arg), void *arg)
{
    lock->lost = lost;
    lock->arg = arg;
    if (lost && lock->lost_err.kind != ERR_NONE)
        lost(&lock->lost_err, arg);
}

int lock_confirm(struct lock *lock, struct err *err)
{
    if (lock->lost_err.kind == ERR_NONE) {
        if (lock->call)
            kube_cancel(lock->client, lock->call);
        lock->answered = false;
        plan_renewal(lock, 0);
        if (kube_idle(lock->client, -1, &lock->answered, -1, err) != 0)
            return -1;
    }
    if (lock->lost_err.kind == ERR_NONE)
        return 0;
    *err = lock->lost_err;
    return -1;
}

/* ---- giving back ---- */

static void lock_free(struct lock *lock)
{
    json_decref(lock->lease);
    free(lock->collection);
    free(lock->path);
    free(lock->label);
    free(lock->holder);
    free(lock->id);
    free(lock->machine);
    free(lock->process);
    free(lock);
}

/* As ask(), but until the deadline, whatever came; 0 when there was no answer. */
static long ask_at_last(const struct lock *lock, const char *method, const json_t *body,
                        long long deadline, json_t **found)
{
    struct answer answer;
    struct kube_call *call = begin(lock, method, body, &answer);
    kube_finish(lock->client, &answer.done, (long)(deadline - clock_ms()));
    if (!answer.done)
        kube_cancel(lock->client, call);
    if (found && answer.err.kind == ERR_NONE)
        *found = json_incref(answer.body);
    json_decref(answer.body);
    return answer.status;
}

/* Deletes the Lease while it is the very version that is ours: another's must not go. */
static long delete_ours(const struct lock *lock, const json_t *lease, long long deadline)
{
    const char *uid = meta(lease, "uid"), *version = meta(lease, "resourceVersion");
    json_t *body = json_pack("{s:s, s:s, s:{s:s, s:s}}", "apiVersion", "v1", "kind",
                             "DeleteOptions", "preconditions", "uid", uid ? uid : "",
                             "resourceVersion", version ? version : "");
    long status = ask_at_last(lock, "DELETE", body, deadline, NULL);
    json_decref(body);
    return status;
}

static void give_back(struct lock *lock)
{
    long long deadline = clock_ms() + RELEASE_MS;
    long status = 409;
    if (lock->lease)
        status = delete_ours(lock, lock->lease, deadline);
    /* A renewal that was on its way, or somebody's label, has made another version of it. */
    while (status == 409 && clock_ms() < deadline) {
        json_t *lease = NULL;
        ask_at_last(lock, "GET", NULL, deadline, &lease);
        status = lease && is_ours(lock, lease) ? delete_ours(lock, lease, deadline) : 0;
        json_decref(lease);
    }
}

void lock_release(struct lock *lock)
{
    if (!lock)
        return;
    if (lock->call)
        kube_cancel(lock->client, lock->call);
    if (lock->lost_err.kind == ERR_NONE)
        give_back(lock);
    lock_free(lock);
}

/* ---- taking ---- */

/* One lock_take(). */
struct taking {
    struct lock *lock;
    const char *name;
    long wait_ms;
    long long began;     /* clock_ms() */
    bool written;        /* it may be ours without our knowing */
    char *version;       /* of another's Lease, when it was last looked at ... */
    long long unchanged; /* ... and since when it has been that one */
    char *notice;
};

/* Also tells of a holder that stands still while his renewal lies in the future: the server's clock
 * was set back, or he wrote nonsense. */
static bool has_run_out(struct taking *taking, const json_t *lease)
{
    const char *version = meta(lease, "resourceVersion");
    long long now = clock_ms();
    if (holds_until(taking->lock, lease) <= kube_time_ms(taking->lock->client))
        return true;
    if (taking->version && version && strcmp(taking->version, version) == 0)
        return now - taking->unchanged >= lease_length(lease);
    free(taking->version);
    taking->version = version ? xstrdup(version) : NULL;
    taking->unchanged = now;
    return false;
}

/* Writes the Lease as ours. Returns 1 when it is, 0 when another was first, -1 with err. */
static int write_ours(struct taking *taking, const json_t *before, struct err *err)
{
    struct lock *lock = taking->lock;
    json_t *lease = taken_lease(lock, taking->name, before), *written = NULL;
    long long renewed = parse_time(spec_text(lease, "renewTime"));
    taking->written = true;
    long status = ask(lock, before ? "PUT" : "POST", lease, &written, err);
    if (written)
        set_held(lock, written, renewed);
    json_decref(written);
    /* A 403, but no matter of rights. */
    if (status < 0 && err->kind == ERR_UNREACHABLE && strstr(err->message, "being terminated"))
        err->kind = ERR_REFUSED;
    if (status == 404 && !before)
        return err_set(err, ERR_REFUSED, "%s: there is no such namespace", lock->label);
    return status < 0 ? -1 : status == 404 || status == 409 ? 0 : 1;
}

/* Waits for the next look at a lock that is held. Returns 0, or -1 with err: ERR_LOCKED when the
 * time is over. */
static int wait_for(const struct taking *taking, const json_t *lease, struct err *err)
{
    long long waited = clock_ms() - taking->began, left = taking->wait_ms - waited;
    if (left <= 0)
        return set_locked(taking->lock, lease, taking->wait_ms ? (long)waited : 0, err);
    long step = left < WAIT_STEP_MS ? (long)left : WAIT_STEP_MS;
    return kube_idle(taking->lock->client, -1, NULL, step, err) < 0 ? -1 : 0;
}

/* Decides on a Lease that is there. Returns as write_ours(). */
static int try_existing(struct taking *taking, json_t *lease, struct err *err)
{
    struct lock *lock = taking->lock;
    if (is_ours(lock, lease)) { /* the answer to our writing was lost */
        set_held(lock, lease, parse_time(spec_text(lease, "renewTime")));
        return 1;
    }
    bool free_of = is_free(lease), dead = !free_of && is_holder_dead(lock, lease);
    if (!free_of && !dead && !has_run_out(taking, lease))
        return wait_for(taking, lease, err);
    int result = write_ours(taking, lease, err);
    if (result > 0 && !free_of)
        taking->notice = take_over_notice(lock, lease, dead);
    return result;
}

static int take(struct taking *taking, struct err *err)
{
    for (int clashes = 0; clashes < CLASHES_MAX;) {
        json_t *lease = NULL;
        bool was_written = taking->written;
        long status = ask(taking->lock, "GET", NULL, &lease, err);
        taking->written = false;
        int result = status < 0 ? -1
                     : lease    ? try_existing(taking, lease, err)
                                : write_ours(taking, NULL, err);
        json_decref(lease);
        if (result > 0)
            return 0;
        if (result < 0) {
            taking->written |= was_written;
            return -1;
        }
        clashes += taking->written;
    }
    return err_set(err, ERR_LOCKED, "%s: others were faster %d times; try again",
                   taking->lock->label, CLASHES_MAX);
}

struct lock *lock_take(struct kube_client *client, const char *namespace, const char *name,
                       const struct lock_options *options, char **notice, struct err *err)
{
    struct lock *lock = xcalloc(1, sizeof *lock);
    char *who = who_am_i();
    lock->client = client;
    lock->collection = xasprintf("/apis/coordination.k8s.io/v1/namespaces/%s/leases", namespace);
    lock->path = kube_object_path(lock->collection, name);
    lock->label = xasprintf("the lock (Lease %s/%s)", namespace, name);
    lock->holder =
        options->holder ? xstrdup(options->holder) : xasprintf("%s (pid %ld)", who, (long)getpid());
    make_utf8(lock->holder);
    lock->id = random_id();
    lock->machine = machine_id();
    lock->process = process_id(lock->holder);
    lock->lease_seconds = options->lease_seconds ? options->lease_seconds : LEASE_SECONDS;
    lock->renew_ms = options->renew_ms ? options->renew_ms : lock->lease_seconds * 1000L / 3;
    free(who);
    struct taking taking = {
        .lock = lock, .name = name, .wait_ms = options->wait_ms, .began = clock_ms()
    };
    int result = take(&taking, err);
    free(taking.version);
    *notice = taking.notice;
    if (result == 0) {
        plan_renewal(lock, until_next(lock));
        return lock;
    }
    if (taking.written && err->kind == ERR_INTERRUPTED)
        give_back(lock);
    lock_free(lock);
    return NULL;
}

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/live.h"
#include "command/readiness.h"
#include "command/session.h"
#include "command/target.h"
#include "command/words.h"
#include "object/meta.h"
#include "rollout/follow.h"
#include "script/condition.h"
#include "ui/progress.h"

enum { TICK_MS = 1000 }; /* pods are judged again by then */

enum until { UNTIL_READY, UNTIL_FAILED, UNTIL_DELETED, UNTIL_EXISTS, UNTIL_WHEN };

static const char *const until_words[] = { "ready", "failed", "deleted", "exists", "" };

/* How one object stands towards what is waited for. */
enum outcome { OUTCOME_OPEN, OUTCOME_MET, OUTCOME_MISSED };

struct wanted {
    char *collection;
    char *kind, *namespace, *name; /* namespace "" for what is in none */
    char *label;
    const struct work_item *item; /* NULL: of no profile */
    bool may_come;                /* a CRD of the profile brings its kind */
    char *uid;                    /* as seen first; "" before */
    enum outcome outcome;
    struct verdict verdict;
    char state[640]; /* the words for people */
};

struct waiting {
    const struct options *options;
    enum until until;
    struct readiness readiness;
    const struct work *work; /* NULL: objects of no profile */
    struct wanted *wanted;
    size_t count, open;
    bool over; /* all are met, or one can't be any more, or a watch has failed */
    struct progress *progress;
    struct err err;
};

/* ---- judging ---- */

static enum outcome outcome_of(const struct waiting *waiting, struct wanted *wanted,
                               const json_t *object, const struct verdict *verdict)
{
    enum verdict_state state = verdict->state;
    struct condition_answer answer;
    const char *uid = meta_text(object, "uid");
    switch (waiting->until) {
    case UNTIL_READY:
        return state == VERDICT_CURRENT  ? OUTCOME_MET
               : state == VERDICT_FAILED ? OUTCOME_MISSED
                                         : OUTCOME_OPEN;
    case UNTIL_FAILED:
        return state == VERDICT_FAILED    ? OUTCOME_MET
               : state == VERDICT_CURRENT ? OUTCOME_MISSED
                                          : OUTCOME_OPEN;
    case UNTIL_DELETED: /* also when another one of its name is there by now */
        if (object && !*wanted->uid) {
            free(wanted->uid);
            wanted->uid = xstrdup(uid);
        }
        return object && strcmp(wanted->uid, uid) == 0 ? OUTCOME_OPEN : OUTCOME_MET;
    case UNTIL_EXISTS: return object ? OUTCOME_MET : OUTCOME_OPEN;
    case UNTIL_WHEN: break;
    }
    if (!object)
        return OUTCOME_OPEN;
    condition_ask("--when", waiting->options->when, &waiting->options->script.limits, object,
                  &answer);
    snprintf(wanted->state, sizeof wanted->state, "%s",
             *answer.problem ? answer.problem : "the condition does not hold");
    if (answer.holds)
        return OUTCOME_MET;
    return state == VERDICT_FAILED ? OUTCOME_MISSED : OUTCOME_OPEN;
}

/* What is told of an object beside how it stands. */
static void describe(const struct waiting *waiting, struct wanted *wanted, const json_t *object)
{
    const struct verdict *verdict = &wanted->verdict;
    if (!object)
        snprintf(wanted->state, sizeof wanted->state, "is not there");
    else if (wanted->outcome == OUTCOME_MET && waiting->until == UNTIL_WHEN)
        snprintf(wanted->state, sizeof wanted->state, "the condition holds");
    else if (waiting->until == UNTIL_WHEN && wanted->outcome == OUTCOME_OPEN)
        return; /* outcome_of() has told */
    else if (waiting->until == UNTIL_DELETED && wanted->outcome == OUTCOME_MET)
        snprintf(wanted->state, sizeof wanted->state, "was deleted, and made anew");
    else if (waiting->until == UNTIL_DELETED && verdict->state != VERDICT_TERMINATING)
        snprintf(wanted->state, sizeof wanted->state, "is there");
    else
        snprintf(wanted->state, sizeof wanted->state, "%s",
                 *verdict->message ? verdict->message : verdict_word(verdict->state));
}

static enum progress_state shown_state(const struct waiting *waiting, const struct wanted *wanted,
                                       const json_t *object)
{
    if (wanted->outcome == OUTCOME_MET)
        return PROGRESS_DONE;
    if (wanted->outcome == OUTCOME_MISSED)
        return PROGRESS_FAILED;
    return object || waiting->until == UNTIL_DELETED ? PROGRESS_ROLLING : PROGRESS_MISSING;
}

static void on_changed(size_t index, const json_t *object, const struct verdict *verdict, void *arg)
{
    struct waiting *waiting = arg;
    struct wanted *wanted = &waiting->wanted[index];
    if (waiting->over || (waiting->until == UNTIL_DELETED && wanted->outcome == OUTCOME_MET))
        return;
    enum outcome before = wanted->outcome;
    wanted->verdict = *verdict;
    wanted->outcome = outcome_of(waiting, wanted, object, verdict);
    describe(waiting, wanted, object);
    waiting->open += before == OUTCOME_MET;
    waiting->open -= wanted->outcome == OUTCOME_MET;
    progress_count(waiting->progress, index, verdict->ready, object ? verdict->wanted : 0);
    progress_set(waiting->progress, index, shown_state(waiting, wanted, object), wanted->state);
    waiting->over = waiting->open == 0 || wanted->outcome == OUTCOME_MISSED;
}

static void on_failed(const struct err *err, void *arg)
{
    struct waiting *waiting = arg;
    if (waiting->err.kind == ERR_NONE)
        waiting->err = *err;
    waiting->over = true;
}

static bool ask_own(size_t index, const json_t *object, struct verdict *verdict, void *arg)
{
    const struct waiting *waiting = arg;
    return readiness_of(&waiting->readiness, waiting->wanted[index].item, object, verdict);
}

/* ---- running ---- */

/* How long that is, as the user would write it. The caller's. */
static char *duration_text(long ms)
{
    return ms % 60000 == 0  ? xasprintf("%ldm", ms / 60000)
           : ms % 1000 == 0 ? xasprintf("%lds", ms / 1000)
                            : xasprintf("%ldms", ms);
}

static int fail_timeout(const struct waiting *waiting, struct err *err)
{
    struct buf open = BUF_INIT;
    char *duration = duration_text(waiting->options->timeout_ms);
    for (size_t i = 0; i < waiting->count; i++) {
        const struct wanted *wanted = &waiting->wanted[i];
        if (wanted->outcome != OUTCOME_MET)
            buf_addf(&open, "%s%s: %s", open.len ? "; " : "", wanted->label,
                     *wanted->state ? wanted->state : "nothing is known of it");
    }
    err_set(err, ERR_TIMEOUT, "timed out after %s: %s", duration, buf_text(&open));
    buf_release(&open);
    free(duration);
    return -1;
}

static int fail_missed(const struct waiting *waiting, struct err *err)
{
    size_t i = 0;
    while (waiting->wanted[i].outcome != OUTCOME_MISSED)
        i++;
    const struct wanted *wanted = &waiting->wanted[i];
    if (waiting->until == UNTIL_FAILED)
        return err_set(err, ERR_ROLLOUT, "%s is ready and has not failed", wanted->label);
    return err_set(err, ERR_ROLLOUT, "%s has failed: %s", wanted->label, wanted->state);
}

static int run(struct kube_client *client, struct waiting *waiting, struct err *err)
{
    const struct follow_hooks hooks = { on_changed, on_failed, ask_own, waiting };
    long long deadline = clock_ms() + waiting->options->timeout_ms;
    struct follow *follow = follow_new(client, &hooks);
    for (size_t i = 0; i < waiting->count; i++)
        follow_add(follow, waiting->wanted[i].collection, waiting->wanted[i].name,
                   waiting->wanted[i].may_come);
    follow_start(follow);
    int result = 1;
    while (result == 1 && !waiting->over && clock_ms() < deadline) {
        long left = (long)(deadline - clock_ms());
        result = kube_idle(client, -1, &waiting->over, left < TICK_MS ? left : TICK_MS, err);
        follow_tick(follow);
    }
    follow_free(follow);
    if (result < 0)
        return -1;
    if (waiting->err.kind != ERR_NONE) {
        *err = waiting->err;
        return -1;
    }
    if (!waiting->over)
        return fail_timeout(waiting, err);
    return waiting->open ? fail_missed(waiting, err) : 0;
}

static void end_feed(const struct waiting *waiting, const struct err *err)
{
    json_t *objects = json_array();
    for (size_t i = 0; i < waiting->count; i++) {
        const struct wanted *wanted = &waiting->wanted[i];
        json_array_append_new(
            objects, json_pack("{s:s, s:s, s:s, s:s, s:b, s:s}", "kind", wanted->kind, "namespace",
                               wanted->namespace, "name", wanted->name, "status",
                               verdict_word(wanted->verdict.state), "met",
                               (int)(wanted->outcome == OUTCOME_MET), "message", wanted->state));
    }
    const char *result = err->kind == ERR_NONE          ? "met"
                         : err->kind == ERR_TIMEOUT     ? "timeout"
                         : err->kind == ERR_INTERRUPTED ? "interrupted"
                         : err->kind == ERR_ROLLOUT     ? "failed"
                                                        : "error";
    feed_add_to_end(waiting->options->feed,
                    json_pack("{s:s, s:o}", "outcome", result, "objects", objects));
}

static int wait_for(struct kube_client *client, struct waiting *waiting, struct err *err)
{
    const char **names = xcalloc(waiting->count, sizeof *names);
    for (size_t i = 0; i < waiting->count; i++) {
        struct wanted *wanted = &waiting->wanted[i];
        wanted->uid = xstrdup("");
        wanted->verdict.state = VERDICT_UNKNOWN;
        wanted->label = xasprintf("%s/%s", wanted->kind, wanted->name);
        names[i] = wanted->label;
    }
    waiting->open = waiting->count;
    struct live live;
    live_open(&live, waiting->options, client, "object", names, waiting->count);
    waiting->progress = live.progress;
    int result = run(client, waiting, err);
    end_feed(waiting, err);
    live_close(&live);
    free((void *)names);
    return result;
}

/* ---- what is waited for ---- */

static struct wanted *add_wanted(struct waiting *waiting)
{
    waiting->wanted = xrealloc(waiting->wanted, (waiting->count + 1) * sizeof *waiting->wanted);
    struct wanted *wanted = &waiting->wanted[waiting->count++];
    *wanted = (struct wanted){ .kind = NULL };
    return wanted;
}

static void waiting_release(struct waiting *waiting)
{
    for (size_t i = 0; i < waiting->count; i++) {
        struct wanted *wanted = &waiting->wanted[i];
        free(wanted->collection);
        free(wanted->kind);
        free(wanted->namespace);
        free(wanted->name);
        free(wanted->label);
        free(wanted->uid);
    }
    free(waiting->wanted);
    health_close(waiting->readiness.health);
}

/* Splits "kind/name". */
static int split(const char *word, size_t *kind, const char **name, struct err *err)
{
    const char *slash = strchr(word, '/');
    if (!slash || slash == word || !slash[1] || strchr(slash + 1, '/'))
        return err_set(err, ERR_USAGE, "'%s' is no object; write kind/name, as deployment/web",
                       word);
    *kind = (size_t)(slash - word);
    *name = slash + 1;
    return 0;
}

static int add_object(struct waiting *waiting, struct kube_discovery *discovery,
                      const char *namespace, const char *word, struct err *err)
{
    size_t length;
    const char *name, *api_version, *kind;
    if (split(word, &length, &name, err) != 0 ||
        kube_discovery_find(discovery, word, length, &api_version, &kind, err) != 0)
        return -1;
    struct wanted *wanted = add_wanted(waiting);
    bool namespaced = kube_is_namespaced(discovery, api_version, kind);
    wanted->collection = kube_collection_path(discovery, api_version, kind, namespace);
    wanted->kind = xstrdup(kind);
    wanted->namespace = xstrdup(namespaced ? namespace : "");
    wanted->name = xstrdup(name);
    if (!wanted->collection)
        return err_set(err, ERR_USAGE, "the cluster has no kind %s of %s", kind, api_version);
    return 0;
}

static void add_item(struct waiting *waiting, const struct work *work, const struct work_item *item)
{
    struct wanted *wanted = add_wanted(waiting);
    bool namespaced = strstr(item->collection, "/namespaces/") != NULL;
    wanted->collection = xstrdup(item->collection);
    wanted->kind = xstrdup(item->kind);
    wanted->namespace = xstrdup(namespaced ? item->namespace : "");
    wanted->name = xstrdup(item->name);
    wanted->item = item;
    wanted->may_come = work_crd_of(work, item) != NULL;
}

static bool is_kind(const struct work_item *item, const char *api_version, const char *kind)
{
    const char *slash = strchr(item->api_version, '/'), *other = strchr(api_version, '/');
    size_t length = slash ? (size_t)(slash - item->api_version) : 0;
    return strcmp(item->kind, kind) == 0 && length == (other ? (size_t)(other - api_version) : 0) &&
           strncmp(item->api_version, api_version, length) == 0;
}

/* The objects of a profile that a word names: one, or more in several namespaces. */
static int add_named(struct waiting *waiting, struct session *session, const char *word,
                     struct err *err)
{
    size_t length, before = waiting->count;
    const char *name, *api_version = "", *kind = "";
    struct buf names = BUF_INIT;
    struct err none = ERR_INIT;
    if (split(word, &length, &name, err) != 0)
        return -1;
    /* What only the profile's own CRD will bring is not to be found yet. */
    if (kube_discovery_find(session->discovery, word, length, &api_version, &kind, &none) != 0 &&
        none.kind != ERR_USAGE) {
        *err = none;
        return -1;
    }
    for (size_t i = 0; i < session->work.count; i++) {
        const struct work_item *item = &session->work.items[i];
        if (!is_kind(item, api_version, kind) && !words_name_kind(word, length, item->kind))
            continue;
        if (strcmp(item->name, name) == 0)
            add_item(waiting, &session->work, item);
        else
            buf_addf(&names, "%s%s", names.len ? ", " : "", item->name);
    }
    int result = 0;
    if (waiting->count == before)
        result = err_set(err, ERR_USAGE, "'%s' has no object '%s'%s%s", session->profile.name, word,
                         names.len ? "; of that kind it has: " : "", buf_text(&names));
    buf_release(&names);
    return result;
}

static int wait_for_profile(struct waiting *waiting, const struct options *options, struct err *err)
{
    struct session session;
    if (session_open_any(&session, options, err) != 0)
        return -1;
    int result = 0;
    waiting->work = &session.work;
    waiting->readiness.script = session.script;
    work_resolve_brought(&session.work);
    for (size_t i = 0; i < options->words_count && result == 0; i++)
        result = add_named(waiting, &session, options->words[i], err);
    for (size_t i = 0; i < session.work.count && !options->words_count; i++)
        add_item(waiting, &session.work, &session.work.items[i]);
    if (result == 0)
        result = wait_for(session.client, waiting, err);
    session_close(&session);
    return result;
}

static int wait_for_objects(struct waiting *waiting, const struct options *options, struct err *err)
{
    struct target target;
    if (target_connect(&target, options, err) != 0) {
        target_close(&target);
        return -1;
    }
    struct kube_discovery *discovery = kube_discovery_new(target.client);
    const char *namespace = options->namespace ? options->namespace : target.namespace;
    int result = add_object(waiting, discovery, namespace, options->script.path, err);
    for (size_t i = 0; i < options->words_count && result == 0; i++)
        result = add_object(waiting, discovery, namespace, options->words[i], err);
    if (result == 0)
        result = wait_for(target.client, waiting, err);
    kube_discovery_free(discovery);
    target_close(&target);
    return result;
}

/* Whether the first word is an object and not the path of a profile. */
static bool is_object(const char *word)
{
    const char *slash = strchr(word, '/');
    struct stat st;
    return slash && slash != word && slash[1] && !strchr(slash + 1, '/') && stat(word, &st) != 0;
}

static int choose_until(struct waiting *waiting, const struct options *options, struct err *err)
{
    if (options->when && options->until)
        return err_set(err, ERR_USAGE, "--for and --when don't go together");
    if (options->when) {
        waiting->until = UNTIL_WHEN;
        return condition_check("--when", options->when, err);
    }
    for (enum until i = UNTIL_READY; options->until && i < UNTIL_WHEN; i++) {
        if (strcmp(options->until, until_words[i]) == 0) {
            waiting->until = i;
            return 0;
        }
    }
    if (options->until)
        return err_set(err, ERR_USAGE,
                       "--for is ready, failed, deleted or exists, not '%s'; a condition goes with "
                       "--when",
                       options->until);
    return 0;
}

int command_wait(const struct options *options, struct err *err)
{
    struct waiting waiting = { .options = options, .err = ERR_INIT };
    int result = choose_until(&waiting, options, err);
    if (result == 0 && options->health_dir) {
        waiting.readiness.health = health_open(options->health_dir, &options->script.limits, err);
        result = waiting.readiness.health ? 0 : -1;
    }
    if (result == 0)
        result = is_object(options->script.path) ? wait_for_objects(&waiting, options, err)
                                                 : wait_for_profile(&waiting, options, err);
    waiting_release(&waiting);
    return result;
}

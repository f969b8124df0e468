#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/interrupt.h"
#include "base/mem.h"
#include "command/command.h"
#include "command/hooks.h"
#include "command/live.h"
#include "command/show.h"
#include "command/target.h"
#include "kube/curl.h"
#include "kube/discovery.h"
#include "release/inventory.h"
#include "release/lock.h"
#include "release/removal.h"
#include "ui/ask.h"

struct deletion {
    const struct options *options;
    struct target *target;
    struct kube_discovery *discovery;
    struct inventory inventory;
    struct removal removal;
    struct hooks *hooks;
    json_t *deleted; /* array of what has gone */
    long long start;
};

/* ---- telling ---- */

static json_t *row_json(const struct member *member)
{
    return json_pack("{s:s, s:s, s:s, s:s}", "apiVersion", member->api_version, "kind",
                     member->kind, "namespace", member->namespace, "name", member->name);
}

/* The name as it is read in the release's own namespace. */
static char *short_name(const struct deletion *deletion, const struct member *member)
{
    const char *own = deletion->target->identity.namespace;
    bool elsewhere = *member->namespace && strcmp(member->namespace, own) != 0;
    return xasprintf("%s%s%s", elsewhere ? member->namespace : "", elsewhere ? "/" : "",
                     member->name);
}

static void tell(const char *line, void *arg)
{
    const struct deletion *deletion = arg;
    char *words = xasprintf("waiting: %s", line);
    live_note(deletion->options, NULL, words);
    free(words);
}

static void tell_gone(const struct member *member, enum prune_fate fate, void *arg)
{
    struct deletion *deletion = arg;
    static const char *const words[] = {
        [PRUNE_DELETED] = "deleted", [PRUNE_ABSENT] = "gone", [PRUNE_REPLACED] = "left"
    };
    char *name = short_name(deletion, member);
    fprintf(stderr, "%-7s  %s %s%s\n", words[fate], member->kind, name,
            fate == PRUNE_REPLACED ? ": it was made anew meanwhile" : "");
    free(name);
    feed_event(deletion->options->feed, "deleted", show_gone(member, fate));
    if (fate == PRUNE_DELETED)
        json_array_append_new(deletion->deleted, row_json(member));
}

/* "  workloads  Deployment api, web; StatefulSet db", a line for each step of the deletion. */
static void show_going(const struct deletion *deletion)
{
    const struct removal *removal = &deletion->removal;
    const char *step = "", *kind = "";
    for (size_t i = 0; i < removal->count; i++) {
        const struct member *member = removal->rows[i].member;
        if (removal->rows[i].kept)
            continue;
        char *name = short_name(deletion, member);
        bool same_step = strcmp(step, prune_step(member)) == 0;
        bool same_kind = same_step && strcmp(kind, member->kind) == 0;
        if (!same_step)
            fprintf(stderr, "%s  %-17s", *step ? "\n" : "", prune_step(member));
        fprintf(stderr, "%s%s%s%s",
                same_kind   ? ", "
                : same_step ? "; "
                            : "  ",
                same_kind ? "" : member->kind, same_kind ? "" : " ", name);
        step = prune_step(member);
        kind = member->kind;
        free(name);
    }
    if (*step)
        fputc('\n', stderr);
}

static void show_kept(const struct deletion *deletion, const char *heading)
{
    const struct removal *removal = &deletion->removal;
    if (removal->going == removal->count)
        return;
    fputs(heading, stderr);
    for (size_t i = 0; i < removal->count; i++) {
        const struct removal_row *row = &removal->rows[i];
        if (!row->kept)
            continue;
        char *name = short_name(deletion, row->member);
        fprintf(stderr, "  %s %s: %s\n", row->member->kind, name, row->kept);
        free(name);
    }
}

static void show(const struct deletion *deletion)
{
    const struct identity *identity = &deletion->target->identity;
    const struct removal *removal = &deletion->removal;
    size_t i;
    json_t *missing;
    fprintf(stderr, "release %s in namespace %s of %s: %zu object%s to delete\n", identity->name,
            identity->namespace, deletion->target->cluster, removal->going,
            removal->going == 1 ? "" : "s");
    show_going(deletion);
    show_kept(deletion, "kept:\n");
    json_array_foreach(deletion->inventory.missing, i, missing)
        fprintf(stderr, "the cluster has no kind %s any more\n", json_string_value(missing));
}

static void end_feed(const struct deletion *deletion, double seconds)
{
    const struct identity *identity = &deletion->target->identity;
    json_t *kept = json_array();
    for (size_t i = 0; i < deletion->removal.count; i++) {
        const struct removal_row *row = &deletion->removal.rows[i];
        if (!row->kept)
            continue;
        json_t *object = row_json(row->member);
        json_object_set_new(object, "reason", json_string(row->kept));
        json_array_append_new(kept, object);
    }
    json_t *report = json_pack("{s:s, s:s, s:O, s:o, s:f}", "release", identity->name, "namespace",
                               identity->namespace, "deleted", deletion->deleted, "kept", kept,
                               "seconds", seconds);
    feed_add_to_end(deletion->options->feed, report);
}

/* ---- the steps ---- */

static bool is_there(const struct inventory *inventory)
{
    return inventory->parent || inventory->count > 0;
}

/* What has made claims, or says in its spec or status what holds it up. Of the rest there may be
 * many. */
static bool is_wanted_whole(const char *api_version, const char *kind, void *arg)
{
    static const char *const kinds[] = { "StatefulSet", "Namespace", "CustomResourceDefinition" };
    (void)api_version;
    (void)arg;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (strcmp(kind, kinds[i]) == 0)
            return true;
    return false;
}

static int look(struct deletion *deletion, struct err *err)
{
    struct target *target = deletion->target;
    const struct inventory_look how = { .whole = is_wanted_whole, .names = true };
    int result = inventory_load(target->client, deletion->discovery, &target->identity, &how,
                                &deletion->inventory, err);
    if (result == 0 && is_there(&deletion->inventory))
        result = removal_plan(&deletion->removal, target->client, &target->identity,
                              &deletion->inventory, deletion->options->with_data, err);
    return result;
}

static void forget(struct deletion *deletion)
{
    removal_release(&deletion->removal);
    inventory_release(&deletion->inventory);
}

static int confirm(const struct deletion *deletion, struct err *err)
{
    const struct identity *identity = &deletion->target->identity;
    size_t going = deletion->removal.going;
    if (deletion->options->yes)
        return 0;
    char *what = going ? xasprintf("%zu object%s of release", going, going == 1 ? "" : "s")
                       : xstrdup("the record of release");
    char *question =
        xasprintf("Delete %s %s in namespace %s?", what, identity->name, identity->namespace);
    int result = 0;
    if (!ask_possible(stdin, stderr))
        result = err_set(err, ERR_USAGE,
                         "there is no terminal to ask on: \"%s\" --yes says so beforehand (nothing "
                         "was deleted)",
                         question);
    else if (!ask_yes(stdin, stderr, question))
        result = interrupt_pending()
                     ? err_set(err, ERR_INTERRUPTED, "interrupted (nothing was deleted)")
                     : err_set(err, ERR_FAILED, "nothing was deleted");
    free(question);
    free(what);
    return result;
}

static struct prune_options options_of(struct deletion *deletion)
{
    long left = deletion->options->timeout_ms - (long)(clock_ms() - deletion->start);
    return (struct prune_options){
        .timeout_ms = left > 1000 ? left : 1000,
        .tell = tell,
        .gone = tell_gone,
        .arg = deletion,
    };
}

static struct lock *take_lock(struct deletion *deletion, struct err *err)
{
    const struct identity *identity = &deletion->target->identity;
    struct lock_options options = { .wait_ms = deletion->options->lock_wait_ms };
    char *notice;
    struct lock *lock = lock_take(deletion->target->client, identity->namespace, identity->parent,
                                  &options, &notice, err);
    if (notice)
        live_note(deletion->options, NULL, notice);
    free(notice);
    return lock;
}

/* Looks again, now that nobody else works on it. What somebody said yes to must be what goes. */
static int look_again(struct deletion *deletion, struct err *err)
{
    if (deletion->options->yes)
        forget(deletion); /* nothing to hold it against */
    struct removal shown = deletion->removal;
    struct inventory inventory = deletion->inventory;
    deletion->removal = (struct removal){ .client = NULL };
    deletion->inventory = (struct inventory){ .parent = NULL };
    int result = look(deletion, err);
    if (result == 0 && !is_there(&deletion->inventory))
        result = err_set(err, ERR_CONFLICT, "release '%s' was deleted by somebody else meanwhile",
                         deletion->target->identity.name);
    else if (result == 0 && !deletion->options->yes && !removal_is_same(&deletion->removal, &shown))
        result = err_set(err, ERR_CONFLICT,
                         "release '%s' has changed since it was shown; run this again (nothing was "
                         "deleted)",
                         deletion->target->identity.name);
    removal_release(&shown);
    inventory_release(&inventory);
    return result;
}

static int carry_out(struct deletion *deletion, struct err *err)
{
    size_t deleted;
    deletion->start = clock_ms(); /* whoever was asked may have taken their time */
    struct lock *lock = take_lock(deletion, err);
    if (!lock)
        return -1;
    int result = look_again(deletion, err);
    struct prune_options options = options_of(deletion);
    if (result == 0) {
        hooks_set_removal(deletion->hooks, &deletion->removal);
        result = hooks_run(deletion->hooks, "before_delete", err);
    }
    options.lock = lock;
    if (result == 0)
        result = removal_run(&deletion->removal, &options, &deleted, err);
    lock_release(lock);
    if (result == 0) {
        options = options_of(deletion);
        result = removal_finish(&deletion->removal, &options, &deleted, err);
    }
    return result;
}

static void begin_feed(const struct deletion *deletion)
{
    const struct identity *identity = &deletion->target->identity;
    feed_event(deletion->options->feed, "start",
               json_pack("{s:s, s:s, s:I}", "release", identity->name, "namespace",
                         identity->namespace, "objects", (json_int_t)deletion->removal.going));
}

static int delete_release(struct deletion *deletion, struct err *err)
{
    begin_feed(deletion);
    show(deletion);
    if (confirm(deletion, err) != 0 || carry_out(deletion, err) != 0)
        return -1;
    double seconds = (double)(clock_ms() - deletion->start) / 1000;
    size_t count = json_array_size(deletion->deleted);
    fprintf(stderr, "%s: %zu object%s deleted in %.1fs, %zu kept\n",
            deletion->target->identity.name, count, count == 1 ? "" : "s", seconds,
            deletion->removal.count - deletion->removal.going);
    end_feed(deletion, seconds);
    return 0;
}

/* No record of it: then its namespace may be on its way out, from an earlier deletion. */
static int delete_rest(struct deletion *deletion, struct err *err)
{
    const struct identity *identity = &deletion->target->identity;
    struct prune_options options = options_of(deletion);
    int result =
        removal_await_namespace(deletion->target->client, identity->namespace, &options, err);
    if (result == 0)
        return err_set(err, ERR_USAGE, "there is no release '%s' in namespace '%s' of %s",
                       identity->name, identity->namespace, deletion->target->cluster);
    if (result > 0)
        end_feed(deletion, (double)(clock_ms() - deletion->start) / 1000);
    return result < 0 ? -1 : 0;
}

/* A release that is deleted by its name alone, without what its profile would do before. */
static int check_hooks(struct target *target, const struct hooks_about *about, struct err *err)
{
    struct err ignored = ERR_INIT; /* no revision can be read: it is deleted all the same */
    json_t *source = about->options->no_hooks || target_is_profile(about->options->script.path)
                         ? NULL
                         : target_newest(target, true, &ignored);
    char *what = xasprintf("release '%s'", target->identity.name);
    int result = hooks_check(source, about, what, err);
    free(what);
    json_decref(source);
    return result;
}

/* With the hooks of the profile, if it is one that was named. */
static int delete_with_hooks(struct deletion *deletion, const struct profile *profile,
                             struct script *script, struct err *err)
{
    const struct hooks_about about = {
        .command = "delete",
        .options = deletion->options,
        .profile = profile,
        .script = script,
        .identity = &deletion->target->identity,
        .cluster = deletion->target->cluster,
        .client = deletion->target->client,
        .discovery = deletion->discovery,
    };
    if (check_hooks(deletion->target, &about, err) != 0)
        return -1;
    deletion->hooks = hooks_new(&about);
    int result = delete_release(deletion, err);
    hooks_free(deletion->hooks);
    return result;
}

/* Evaluates the profile that is named, if one is, and finds the release. */
static int open_target(const struct options *options, struct target *target,
                       struct profile *profile, struct script **script, struct err *err)
{
    if (hooks_read(options, profile, script, err) != 0)
        return -1;
    int result = profile->name ? target_open_profile(target, profile, options, err)
                               : target_open(target, options, err);
    if (result != 0 || !*script)
        profile_release(profile); /* its objects are for hooks alone, and may be many */
    if (result != 0)
        script_close(*script);
    return result;
}

int command_delete(const struct options *options, struct err *err)
{
    struct target target;
    struct profile profile;
    struct script *script;
    if (!curl_load(err) || open_target(options, &target, &profile, &script, err) != 0)
        return -1;
    struct deletion deletion = {
        .options = options,
        .target = &target,
        .discovery = kube_discovery_new(target.client),
        .deleted = json_array(),
        .start = clock_ms(),
    };
    int result = look(&deletion, err);
    if (result == 0)
        result = is_there(&deletion.inventory) ? delete_with_hooks(&deletion, &profile, script, err)
                                               : delete_rest(&deletion, err);
    forget(&deletion);
    json_decref(deletion.deleted);
    profile_release(&profile);
    script_close(script);
    kube_discovery_free(deletion.discovery);
    target_close(&target);
    return result;
}

/*
 * lock-holder KUBECONFIG NAMESPACE NAME [WORD=VALUE]...: takes the lock of a release as a command
 * would, says "held", works, says "released". Words: wait, hold (ms), lease (s), renew (ms), and
 * what goes on while it is held: work=idle (the default), fetch (requests one after another), drain
 * (others are given up after each), rest (the loop does not run at all, then lock_confirm()).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"
#include "kube/client.h"
#include "kube/kubeconfig.h"
#include "release/lock.h"

static long number(int argc, char **argv, const char *word)
{
    size_t length = strlen(word);
    for (int i = 4; i < argc; i++)
        if (strncmp(argv[i], word, length) == 0 && argv[i][length] == '=')
            return strtol(argv[i] + length + 1, NULL, 10);
    return 0;
}

static bool has_word(int argc, char **argv, const char *word)
{
    for (int i = 4; i < argc; i++)
        if (strcmp(argv[i], word) == 0)
            return true;
    return false;
}

static void say(const char *word, const char *text)
{
    printf("%s%s\n", word, text);
    fflush(stdout);
}

struct loss {
    bool lost;
    struct err err;
};

static void on_lost(const struct err *err, void *arg)
{
    struct loss *loss = arg;
    if (loss->lost)
        say("lost twice", "");
    loss->lost = true;
    loss->err = *err;
}

/* Requests as a command makes them, until the time is over or the lock is lost. */
static int fetch_on(struct kube_client *client, const struct loss *loss, long hold_ms, bool drain,
                    struct err *err)
{
    long long end = clock_ms() + hold_ms;
    while (!loss->lost && clock_ms() < end) {
        if (kube_fetch(client, "GET", "/version", NULL, NULL, NULL, err) < 0)
            return -1;
        struct kube_request request = { .method = "GET", .path = "/version", .delay_ms = 20 };
        kube_send(client, &request);
        if (drain)
            kube_drain(client, 10);
        else if (kube_run(client, &loss->lost, -1, err) != 0) /* ends: the lock is no work */
            return -1;
    }
    return 0;
}

static int work(struct kube_client *client, struct lock *lock, const struct loss *loss, int argc,
                char **argv, struct err *err)
{
    long hold_ms = number(argc, argv, "hold");
    if (has_word(argc, argv, "work=fetch") || has_word(argc, argv, "work=drain"))
        return fetch_on(client, loss, hold_ms, has_word(argc, argv, "work=drain"), err);
    if (has_word(argc, argv, "work=rest")) {
        usleep((useconds_t)hold_ms * 1000);
        return lock_confirm(lock, err);
    }
    return kube_idle(client, -1, &loss->lost, hold_ms, err) < 0 ? -1 : 0;
}

int main(int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct kube_access access;
    struct loss loss = { .err = ERR_INIT };
    char *notice;
    if (argc < 4)
        return 2;
    interrupt_init();
    if (kube_access_load(&access, argv[1], NULL, &err) != 0) {
        fprintf(stderr, "%s\n", err.message);
        return 2;
    }
    struct kube_client *client = kube_client_new(&access, &err);
    struct lock_options options = {
        .wait_ms = number(argc, argv, "wait"),
        .lease_seconds = (int)number(argc, argv, "lease"),
        .renew_ms = number(argc, argv, "renew"),
    };
    struct lock *lock = lock_take(client, argv[2], argv[3], &options, &notice, &err);
    int result = lock ? 0 : -1;
    if (notice)
        say("notice: ", notice);
    free(notice);
    if (lock) {
        lock_on_lost(lock, on_lost, &loss);
        say("held", "");
        result = work(client, lock, &loss, argc, argv, &err);
    }
    if (loss.lost) {
        err = loss.err;
        result = -1;
    }
    if (result != 0)
        say("error: ", err.message);
    lock_release(lock);
    if (lock)
        say("released", "");
    kube_client_free(client);
    kube_access_release(&access);
    return result == 0 ? 0 : err_exit_code(err.kind);
}

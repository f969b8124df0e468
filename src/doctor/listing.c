#include "doctor/listing.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "kube/list.h"

enum { PAGE = 500 };

struct listing_run {
    struct kube_client *client;
    size_t pending;
    bool finished;
};

static void on_page(const struct kube_response *response, void *arg);

static void ask(struct listing *listing)
{
    struct kube_request request = {
        .method = "GET", .path = buf_text(&listing->next), .done = on_page, .arg = listing
    };
    kube_send(listing->run->client, &request);
}

static void begin(struct listing *listing)
{
    buf_clear(&listing->next);
    buf_addf(&listing->next, "%s%climit=%d", listing->path, strchr(listing->path, '?') ? '&' : '?',
             PAGE);
}

static void keep(struct listing *listing, json_t *item)
{
    if (*listing->kind) {
        json_object_set_new(item, "kind", json_string(listing->kind));
        json_object_set_new(item, "apiVersion", json_string(listing->version));
    }
    json_t *kept = listing->reduce ? listing->reduce(item) : json_incref(item);
    if (kept)
        json_array_append_new(listing->items, kept);
}

static void on_page(const struct kube_response *response, void *arg)
{
    struct listing *listing = arg;
    size_t i;
    json_t *item;
    listing->status = response->status;
    if (response->err) {
        listing->err = *response->err;
    } else {
        json_array_foreach(json_object_get(response->body, "items"), i, item)
            keep(listing, item);
        begin(listing);
        if (kube_list_next(response->body, &listing->next)) {
            ask(listing);
            return;
        }
    }
    listing->run->finished = --listing->run->pending == 0;
}

int listing_run(struct kube_client *client, struct listing *list, size_t count, struct err *err)
{
    struct listing_run run = { .client = client, .pending = count };
    for (size_t i = 0; i < count; i++) {
        list[i].items = json_array();
        list[i].run = &run;
        begin(&list[i]);
        ask(&list[i]);
    }
    int result = count ? kube_run(client, &run.finished, -1, err) : 0;
    if (result != 0)
        kube_drain(client, 0);
    return result;
}

void listing_release(struct listing *list, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        json_decref(list[i].items);
        buf_release(&list[i].next);
        free(list[i].path);
    }
}

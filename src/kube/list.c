#include "kube/list.h"

#include <stdlib.h>
#include <string.h>

#include "kube/discovery.h"
#include "object/meta.h"

enum {
    PAGE = 500,
    SMALL_PAGE = 250, /* of which little stays: one of Deployments is megabytes */
    HTTP_GONE = 410,
};

bool kube_list_next(const json_t *page, struct buf *path)
{
    const char *from = meta_text(page, "continue");
    if (!*from)
        return false;
    char *escaped = kube_object_path("", from); /* "/" and the text, percent-encoded */
    buf_addf(path, "&continue=%s", escaped + 1);
    free(escaped);
    return true;
}

/* What is wanted of a collection. */
struct wish {
    const char *path, *accept;
    int page; /* items at a time */
    json_t *(*take)(json_t *item);
};

static void add_page(json_t *items, const json_t *page, const struct wish *wish)
{
    json_t *item, *taken;
    size_t i;
    json_array_foreach(json_object_get(page, "items"), i, item) {
        taken = wish->take ? wish->take(item) : json_incref(item);
        if (taken)
            json_array_append_new(items, taken);
    }
}

/* All pages; HTTP_GONE when the next one was not to be had any more. */
static long read_pages(struct kube_client *client, const struct wish *wish, json_t *items,
                       struct err *err)
{
    struct buf next = BUF_INIT;
    bool more = true;
    long status = 0;
    buf_addf(&next, "%s%climit=%d", wish->path, strchr(wish->path, '?') ? '&' : '?', wish->page);
    size_t start = next.len;
    while (more) {
        struct kube_request request = { .method = "GET",
                                        .path = buf_text(&next),
                                        .accept = wish->accept };
        json_t *page = NULL;
        status = kube_ask(client, &request, &page, err);
        more = false;
        if (status == 200) {
            add_page(items, page, wish);
            next.len = start;
            next.data[start] = '\0';
            more = kube_list_next(page, &next);
        }
        json_decref(page);
    }
    buf_release(&next);
    return status;
}

static long read_all(struct kube_client *client, const struct wish *wish, json_t **items,
                     struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *all = json_array();
    long status = read_pages(client, wish, all, &refusal);
    if (status == HTTP_GONE) { /* it took too long; once more from the start */
        refusal = (struct err)ERR_INIT;
        json_array_clear(all);
        status = read_pages(client, wish, all, &refusal);
    }
    if (status == 200) {
        *items = all;
        return status;
    }
    json_decref(all);
    *err = refusal;
    return status;
}

long kube_list(struct kube_client *client, const char *path, const char *accept, json_t **items,
               struct err *err)
{
    const struct wish wish = { path, accept, PAGE, NULL };
    return read_all(client, &wish, items, err);
}

long kube_list_taking(struct kube_client *client, const char *path, const char *accept,
                      json_t *(*take)(json_t *item), json_t **items, struct err *err)
{
    const struct wish wish = { path, accept, SMALL_PAGE, take };
    return read_all(client, &wish, items, err);
}

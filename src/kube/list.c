#include "kube/list.h"

#include <stdlib.h>
#include <string.h>

#include "kube/discovery.h"
#include "object/meta.h"

enum { PAGE = 500, HTTP_GONE = 410 };

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

/* All pages; HTTP_GONE when the next one was not to be had any more. */
static long read_pages(struct kube_client *client, const char *path, const char *accept,
                       json_t *items, struct err *err)
{
    struct buf next = BUF_INIT;
    bool more = true;
    long status = 0;
    buf_addf(&next, "%s%climit=%d", path, strchr(path, '?') ? '&' : '?', PAGE);
    size_t start = next.len;
    while (more) {
        struct kube_request request = { .method = "GET",
                                        .path = buf_text(&next),
                                        .accept = accept };
        json_t *page = NULL;
        status = kube_ask(client, &request, &page, err);
        more = false;
        if (status == 200) {
            json_array_extend(items, json_object_get(page, "items"));
            next.len = start;
            next.data[start] = '\0';
            more = kube_list_next(page, &next);
        }
        json_decref(page);
    }
    buf_release(&next);
    return status;
}

long kube_list(struct kube_client *client, const char *path, const char *accept, json_t **items,
               struct err *err)
{
    struct err refusal = ERR_INIT;
    json_t *all = json_array();
    long status = read_pages(client, path, accept, all, &refusal);
    if (status == HTTP_GONE) { /* it took too long; once more from the start */
        refusal = (struct err)ERR_INIT;
        json_array_clear(all);
        status = read_pages(client, path, accept, all, &refusal);
    }
    if (status == 200) {
        *items = all;
        return status;
    }
    json_decref(all);
    *err = refusal;
    return status;
}

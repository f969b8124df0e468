#include "kube/answer.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN_MAX = 200, TRIES_MAX = 160 };

/* " (12 times in 60 s ...)", or nothing for one try. */
static const char *tries_text(const struct answer_trouble *trouble, char text[TRIES_MAX])
{
    static const char spent[] =
        "; given up because too many requests have failed and were sent again";
    *text = '\0';
    if (trouble->tries > 1 || trouble->spent)
        snprintf(text, TRIES_MAX, " (%u time%s in %lld s)%s", trouble->tries,
                 trouble->tries == 1 ? "" : "s", (trouble->ms + 999) / 1000,
                 trouble->spent ? spent : "");
    return text;
}

void answer_transport_error(const struct kube_access *access, const char *path, CURLcode code,
                            const char *what, const struct answer_trouble *trouble, struct err *err)
{
    char tries[TRIES_MAX];
    const char *server = access->server, *context = access->context;
    switch (code) {
    case CURLE_PEER_FAILED_VERIFICATION:
        err_set(err, ERR_UNREACHABLE,
                "%s: the server's certificate is not trusted (%s); check certificate-authority of "
                "context '%s'",
                server, what, context);
        break;
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CACERT_BADFILE:
        err_set(err, ERR_UNREACHABLE, "%s: a certificate of context '%s' can't be used: %s", server,
                context, what);
        break;
    case CURLE_WRITE_ERROR:
        err_set(err, ERR_FAILED, "%s%s: an answer of more than %d MiB", server, path,
                ANSWER_MAX >> 20);
        break;
    default:
        err_set(err, ERR_UNREACHABLE, "%s: cannot reach the API server of context '%s': %s%s",
                server, context, what, tries_text(trouble, tries));
    }
}

/* Whether a 403 comes of who asks: rights, or an escalation of them. Admission (quotas, webhooks,
 * pod security, a namespace that is going) answers by it, too, and would refuse anybody. */
static bool is_about_rights(const char *message)
{
    return !message || (strncmp(message, "admission webhook ", 18) != 0 &&
                        (strstr(message, "User \"") || strstr(message, "user \"")));
}

static enum err_kind kind_of_status(long status, const char *message)
{
    if (status == 401 || (status == 403 && is_about_rights(message)))
        return ERR_UNREACHABLE;
    if (status == 409)
        return ERR_CONFLICT;
    return ERR_REFUSED;
}

static void set_one_line(struct err *err)
{
    for (char *c = err->message; *c; c++) /* whatever was written */
        if (*c == '\n' || *c == '\r')
            *c = ' ';
}

void answer_busy_error(const struct kube_access *access, long status, const json_t *body,
                       const struct answer_trouble *trouble, struct err *err)
{
    const char *message = json_string_value(json_object_get(body, "message"));
    const char *name = status == 429 ? "429 Too Many Requests" : "503 Service Unavailable";
    char tries[TRIES_MAX];
    if (trouble->asked_s)
        err_set(err, ERR_UNREACHABLE, "%s: the API server asked to wait %ld s%s: %s%s%s",
                access->server, trouble->asked_s, tries_text(trouble, tries), name,
                message ? ": " : "", message ? message : "");
    else
        err_set(err, ERR_UNREACHABLE, "%s: the API server has no place for the request%s: %s%s%s",
                access->server, tries_text(trouble, tries), name, message ? ": " : "",
                message ? message : "");
    set_one_line(err);
}

void answer_status_error(const struct kube_access *access, const char *path, long status,
                         const json_t *body, const struct buf *received, struct err *err)
{
    const char *message = json_string_value(json_object_get(body, "message"));
    if (status == 401) {
        err_set(err, ERR_UNREACHABLE,
                "%s: the API server does not accept the credentials of context '%s' (401 "
                "Unauthorized)",
                access->server, access->context);
    } else if (message) {
        err_set(err, kind_of_status(status, message), "%s", message);
        set_one_line(err);
    } else {
        const char *text = buf_text(received);
        int length = (int)strcspn(text, "\r\n");
        err_set(err, kind_of_status(status, NULL),
                "%s%s: HTTP status %ld, not of a Kubernetes API: %.*s", access->server, path,
                status, length < SHOWN_MAX ? length : SHOWN_MAX, text);
    }
}

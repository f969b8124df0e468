#include "kube/endpoint.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    BUFFER_SIZE = 8 << 10,  /* of each transfer, of which there may be 50 */
    UPLOAD_SIZE = 16 << 10, /* the same; libcurl takes no less */
    CONNECT_TIMEOUT_MS = 10000,
    REQUEST_TIMEOUT_MS = 30000,
    KEEPALIVE_S = 15,
};

static char *copy(const char *text)
{
    return text ? xstrdup(text) : NULL;
}

static void copy_access(struct kube_access *to, const struct kube_access *from)
{
    *to = (struct kube_access){
        .context = copy(from->context),
        .server = copy(from->server),
        .namespace = copy(from->namespace),
        .ca_pem = copy(from->ca_pem),
        .cert_pem = copy(from->cert_pem),
        .key_pem = copy(from->key_pem),
        .token = copy(from->token),
        .token_file = copy(from->token_file),
        .username = copy(from->username),
        .password = copy(from->password),
        .tls_server_name = copy(from->tls_server_name),
        .proxy_url = copy(from->proxy_url),
    };
}

/* The host of a URL: from after "://" on; its length, without port and path. */
static const char *host_of(const char *url, size_t *length)
{
    const char *host = strstr(url, "://");
    host = host ? host + 3 : url;
    size_t end = strcspn(host, "/");
    if (*host == '[') {
        const char *close = memchr(host, ']', end);
        *length = close ? (size_t)(close - host) + 1 : end;
    } else {
        const char *colon = memchr(host, ':', end);
        *length = colon ? (size_t)(colon - host) : end;
    }
    return host;
}

/* tls-server-name: the URL carries the name to verify, and libcurl connects to the server. */
static void set_server(struct endpoint *endpoint)
{
    const char *url = endpoint->access.server, *name = endpoint->access.tls_server_name;
    size_t length;
    const char *host = host_of(url, &length);
    const char *const here[] = { "127.0.0.1", "localhost", "[::1]" };
    for (size_t i = 0; i < sizeof here / sizeof *here; i++)
        endpoint->direct |= strlen(here[i]) == length && strncasecmp(host, here[i], length) == 0;
    if (!name || !*name) {
        endpoint->server = xstrdup(url);
        return;
    }
    endpoint->server = xasprintf("%.*s%s%s", (int)(host - url), url, name, host + length);
    const char *port = host[length] == ':' ? host + length + 1 : "443";
    char *target = xasprintf("::%.*s:%.*s", (int)length, host, (int)strcspn(port, "/"), port);
    endpoint->connect_to = endpoint->curl->slist_append(NULL, target);
    free(target);
    endpoint->host_header = xasprintf("Host: %.*s", (int)strcspn(host, "/"), host);
}

int endpoint_init(struct endpoint *endpoint, const struct kube_access *access, struct err *err)
{
    *endpoint = (struct endpoint){ .curl = curl_load(err) };
    if (!endpoint->curl)
        return -1;
    copy_access(&endpoint->access, access);
    set_server(endpoint);
    if (endpoint->access.token)
        endpoint->authorization = xasprintf("Authorization: Bearer %s", endpoint->access.token);
    return 0;
}

void endpoint_release(struct endpoint *endpoint)
{
    kube_access_release(&endpoint->access);
    xfree_secret(endpoint->authorization);
    free(endpoint->server);
    endpoint->curl->slist_free_all(endpoint->connect_to);
    free(endpoint->host_header);
    free(endpoint->sockets);
}

static void add_header(struct endpoint *endpoint, struct transfer *transfer, const char *line)
{
    struct curl_slist *longer = endpoint->curl->slist_append(transfer->headers, line);
    if (longer)
        transfer->headers = longer;
}

static void set_blob(struct endpoint *endpoint, CURL *easy, CURLoption option, const char *pem)
{
    struct curl_blob blob = { (void *)pem, strlen(pem), CURL_BLOB_NOCOPY };
    endpoint->curl->easy_setopt(easy, option, &blob);
}

static void set_credentials(struct endpoint *endpoint, struct transfer *transfer)
{
    CURL *easy = transfer->easy;
    const struct kube_access *access = &endpoint->access;
    if (access->ca_pem) {
        set_blob(endpoint, easy, CURLOPT_CAINFO_BLOB, access->ca_pem);
        /* Else the system's authorities would be trusted beside the cluster's own. */
        endpoint->curl->easy_setopt(easy, CURLOPT_CAPATH, NULL);
    }
    if (access->cert_pem && access->key_pem) {
        set_blob(endpoint, easy, CURLOPT_SSLCERT_BLOB, access->cert_pem);
        set_blob(endpoint, easy, CURLOPT_SSLKEY_BLOB, access->key_pem);
    }
    if (endpoint->authorization) {
        add_header(endpoint, transfer, endpoint->authorization);
    } else if (access->username) {
        endpoint->curl->easy_setopt(easy, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        endpoint->curl->easy_setopt(easy, CURLOPT_USERNAME, access->username);
        endpoint->curl->easy_setopt(easy, CURLOPT_PASSWORD,
                                    access->password ? access->password : "");
    }
}

/* ---- connections ---- */

static int on_opened(void *arg, curl_socket_t socket, curlsocktype purpose)
{
    struct endpoint *endpoint = arg;
    (void)purpose;
    endpoint->sockets =
        xrealloc(endpoint->sockets, (endpoint->socket_count + 1) * sizeof *endpoint->sockets);
    endpoint->sockets[endpoint->socket_count++] = socket;
    return CURL_SOCKOPT_OK;
}

static int on_close(void *arg, curl_socket_t socket)
{
    struct endpoint *endpoint = arg;
    for (size_t i = 0; i < endpoint->socket_count; i++)
        if (endpoint->sockets[i] == socket)
            endpoint->sockets[i--] = endpoint->sockets[--endpoint->socket_count];
    return close(socket);
}

void endpoint_shut_down(struct endpoint *endpoint)
{
    for (size_t i = 0; i < endpoint->socket_count; i++)
        shutdown(endpoint->sockets[i], SHUT_RDWR);
}

static void set_connection(struct endpoint *endpoint, CURL *easy)
{
    const struct curl_library *curl = endpoint->curl;
    curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
    curl->easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl->easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, on_opened);
    curl->easy_setopt(easy, CURLOPT_SOCKOPTDATA, endpoint);
    curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
    curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, endpoint);
    curl->easy_setopt(easy, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L); /* a proxy has its own clock */
    curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    curl->easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)BUFFER_SIZE);
    curl->easy_setopt(easy, CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_SIZE);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPALIVE, 1L);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPIDLE, (long)KEEPALIVE_S);
    curl->easy_setopt(easy, CURLOPT_TCP_KEEPINTVL, (long)KEEPALIVE_S);
    curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
    curl->easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https,http");
    if (endpoint->access.proxy_url)
        curl->easy_setopt(easy, CURLOPT_PROXY, endpoint->access.proxy_url);
    else if (endpoint->direct)
        curl->easy_setopt(easy, CURLOPT_PROXY, "");
    if (endpoint->connect_to)
        curl->easy_setopt(easy, CURLOPT_CONNECT_TO, endpoint->connect_to);
}

void endpoint_begin(struct endpoint *endpoint, const struct kube_request *request,
                    struct transfer *transfer)
{
    const struct curl_library *curl = endpoint->curl;
    CURL *easy = curl->easy_init();
    *transfer = (struct transfer){ .easy = easy };
    char *url = xasprintf("%s%s", endpoint->server, request->path);
    curl->easy_setopt(easy, CURLOPT_URL, url);
    free(url);
    curl->easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
    char *accept = xasprintf("Accept: %s", request->accept ? request->accept : "application/json");
    add_header(endpoint, transfer, accept);
    free(accept);
    add_header(endpoint, transfer, "User-Agent: bkdeploy");
    if (endpoint->host_header)
        add_header(endpoint, transfer, endpoint->host_header);
    if (request->body) {
        char *type = xasprintf("Content-Type: %s", request->content_type);
        add_header(endpoint, transfer, type);
        free(type);
        curl->easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(request->body));
        curl->easy_setopt(easy, CURLOPT_POSTFIELDS, request->body);
    }
    set_connection(endpoint, easy);
    set_credentials(endpoint, transfer);
    long timeout_ms = request->timeout_ms ? request->timeout_ms : REQUEST_TIMEOUT_MS;
    curl->easy_setopt(easy, CURLOPT_TIMEOUT_MS, timeout_ms);
    curl->easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
}

void endpoint_end(struct endpoint *endpoint, struct transfer *transfer)
{
    if (transfer->easy)
        endpoint->curl->easy_cleanup(transfer->easy);
    endpoint->curl->slist_free_all(transfer->headers);
    *transfer = (struct transfer){ .easy = NULL };
}

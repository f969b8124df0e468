/*
 * bound FOLDER URL < REQUESTS: how fast the API server is. Sends the requests by plain libcurl
 * transfers, 50 at once over one HTTP/2 connection, and looks at nothing of the answers but their
 * status. A request is a line of method, path and JSON body, which is sent as an apply; FOLDER has
 * ca.crt, admin.crt and admin.key. Exits 1 when one was not answered by 2xx.
 */
#include <curl/curl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { STREAMS = 50 };

static const char *folder, *server;
static struct curl_slist *headers, *headers_of_lists; /* as bkdeploy asks: for metadata */

static void *must(void *got)
{
    if (!got)
        abort();
    return got;
}

static size_t ignore(char *bytes, size_t size, size_t count, void *arg)
{
    (void)bytes, (void)arg;
    return size * count;
}

static void set_file(CURL *easy, CURLoption option, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    curl_easy_setopt(easy, option, path);
}

static CURL *new_transfer(void)
{
    CURL *easy = must(curl_easy_init());
    set_file(easy, CURLOPT_CAINFO, "ca.crt");
    set_file(easy, CURLOPT_SSLCERT, "admin.crt");
    set_file(easy, CURLOPT_SSLKEY, "admin.key");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
    return easy;
}

/* Reads the next request into the transfer; false at the end. */
static bool next_request(CURL *easy)
{
    static char *line;
    static size_t room;
    ssize_t length = getline(&line, &room, stdin);
    if (length <= 0)
        return false;
    line[length - 1] = '\0';
    char *method = strtok(line, " "), *path = strtok(NULL, " "), *body = strtok(NULL, "");
    char url[4096];
    snprintf(url, sizeof url, "%s%s", server, (char *)must(path));
    curl_easy_setopt(easy, CURLOPT_URL, url);
    curl_easy_setopt(easy, CURLOPT_HTTPHEADER,
                     body                         ? headers
                     : strcmp(method, "GET") == 0 ? headers_of_lists
                                                  : NULL);
    if (body)
        curl_easy_setopt(easy, CURLOPT_COPYPOSTFIELDS, body);
    else
        curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, method);
    return true;
}

static bool was_done(const CURLMsg *message)
{
    long status = 0;
    char *url = NULL;
    curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(message->easy_handle, CURLINFO_EFFECTIVE_URL, &url);
    bool done = message->data.result == CURLE_OK && status >= 200 && status <= 299;
    if (!done)
        fprintf(stderr, "bound: %s: %ld %s\n", url, status,
                curl_easy_strerror(message->data.result));
    return done;
}

int main(int argc, char **argv)
{
    int running = 0, left;
    bool good = true;
    if (argc != 3)
        return 2;
    folder = argv[1];
    server = argv[2];
    curl_global_init(CURL_GLOBAL_DEFAULT);
    headers = curl_slist_append(NULL, "Content-Type: application/apply-patch+yaml");
    headers = curl_slist_append(
        headers, "Accept: application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");
    headers_of_lists = curl_slist_append(
        NULL, "Accept: application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1");
    CURLM *multi = must(curl_multi_init());
    curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
    for (int i = 0; i < STREAMS; i++) {
        CURL *easy = new_transfer();
        if (next_request(easy))
            curl_multi_add_handle(multi, easy);
    }
    do {
        CURLMsg *message;
        curl_multi_perform(multi, &running);
        while ((message = curl_multi_info_read(multi, &left))) {
            CURL *easy = message->easy_handle;
            good &= was_done(message);
            curl_multi_remove_handle(multi, easy);
            if (next_request(easy)) {
                curl_multi_add_handle(multi, easy);
                running++;
            }
        }
        if (running)
            curl_multi_poll(multi, NULL, 0, 1000, NULL);
    } while (running);
    return good ? 0 : 1;
}

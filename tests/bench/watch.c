/*
 * watch FOLDER URL: a bare watch, as the witness of when the API server tells something. Prints
 * each line of the stream behind the moment at which it was read, in nanoseconds of
 * CLOCK_MONOTONIC. FOLDER has ca.crt, admin.crt and admin.key. Runs until it is killed or the
 * server ends the stream.
 */
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static size_t tell(char *bytes, size_t size, size_t count, void *arg)
{
    static char *line;
    static size_t length;
    struct timespec now;
    (void)arg;
    clock_gettime(CLOCK_MONOTONIC, &now);
    line = realloc(line, length + size * count + 1);
    if (!line)
        return 0;
    memcpy(line + length, bytes, size * count);
    length += size * count;
    char *start = line, *newline;
    while ((newline = memchr(start, '\n', length - (size_t)(start - line)))) {
        printf("%lld %.*s\n", (long long)now.tv_sec * 1000000000 + now.tv_nsec,
               (int)(newline - start), start);
        start = newline + 1;
    }
    fflush(stdout);
    length -= (size_t)(start - line);
    memmove(line, start, length);
    return size * count;
}

static void set_file(CURL *easy, CURLoption option, const char *folder, const char *name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    curl_easy_setopt(easy, option, path);
}

int main(int argc, char **argv)
{
    CURL *easy = argc == 3 ? curl_easy_init() : NULL;
    if (!easy)
        return 2;
    set_file(easy, CURLOPT_CAINFO, argv[1], "ca.crt");
    set_file(easy, CURLOPT_SSLCERT, argv[1], "admin.crt");
    set_file(easy, CURLOPT_SSLKEY, argv[1], "admin.key");
    curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_2TLS);
    curl_easy_setopt(easy, CURLOPT_URL, argv[2]);
    curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, tell);
    return curl_easy_perform(easy) == CURLE_OK ? 0 : 1;
}

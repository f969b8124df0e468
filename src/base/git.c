#include "base/git.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/file.h"
#include "base/mem.h"

enum {
    SMALL_FILE_MAX = 8 << 10,
    PACKED_REFS_MAX = 64 << 20,
    SYMREF_DEPTH_MAX = 5, /* git's own */
};

/* The text of "<folder>/<name>"; the caller's, NULL when it is not a regular file or too large. */
static char *read_in(const char *folder, const char *name, size_t max)
{
    struct buf text = BUF_INIT;
    struct err err = ERR_INIT;
    struct stat st;
    char *path = xasprintf("%s/%s", folder, name);
    text.max = max;
    bool good = stat(path, &st) == 0 && S_ISREG(st.st_mode) && file_read(path, &text, &err) == 0;
    free(path);
    char *made = good ? buf_detach(&text) : NULL;
    buf_release(&text);
    return made;
}

/* Cuts a text after its first line, and the blanks at that line's end. */
static void cut_line(char *text)
{
    size_t length = strcspn(text, "\r\n");
    while (length && (text[length - 1] == ' ' || text[length - 1] == '\t'))
        length--;
    text[length] = '\0';
}

/* The folder that `name` means, seen from `base`. The caller's. */
static char *from(const char *base, const char *name)
{
    return *name == '/' ? xstrdup(name) : xasprintf("%s/%s", base, name);
}

/* A commit's name: SHA-1 or SHA-256 in hexadecimal, and no more in that line. */
static bool take_commit(const char *text, size_t length, char out[65])
{
    if ((length != 40 && length != 64) || strspn(text, "0123456789abcdef") < length)
        return false;
    memcpy(out, text, length);
    out[length] = '\0';
    return true;
}

/* Lines are "<commit> <ref>", "^<commit>" and comments. */
static bool find_packed(const char *folder, const char *ref, char out[65])
{
    char *text = read_in(folder, "packed-refs", PACKED_REFS_MAX);
    bool found = false;
    for (const char *line = text; line && *line && !found; line += *line == '\n') {
        size_t length = strcspn(line, "\n"), commit = strcspn(line, " \n");
        if (commit < length && length - commit - 1 == strlen(ref) &&
            strncmp(line + commit + 1, ref, strlen(ref)) == 0)
            found = take_commit(line, commit, out);
        line += length;
    }
    free(text);
    return found;
}

/* A ref is below refs/ and leads nowhere else. */
static bool is_ref(const char *name)
{
    return strncmp(name, "refs/", 5) == 0 && !strstr(name, "..");
}

/* Follows HEAD, or a ref, in the repository's own folder and then in that which it shares. */
static bool resolve(const char *own, const char *common, const char *name, int depth, char out[65])
{
    char *text = read_in(own, name, SMALL_FILE_MAX);
    if (!text && strcmp(name, "HEAD") != 0) {
        text = read_in(common, name, SMALL_FILE_MAX);
        if (!text)
            return find_packed(common, name, out);
    }
    if (!text)
        return false;
    cut_line(text);
    bool found = false;
    if (strncmp(text, "ref:", 4) != 0) {
        found = take_commit(text, strlen(text), out);
    } else {
        const char *next = text + 4 + strspn(text + 4, " \t");
        found =
            is_ref(next) && depth < SYMREF_DEPTH_MAX && resolve(own, common, next, depth + 1, out);
    }
    free(text);
    return found;
}

/* The folder of the repository that ".git" in a folder is, or names (worktrees, submodules). The
 * caller's, or NULL. */
static char *repository_in(const char *folder)
{
    struct stat st;
    char *git = xasprintf("%s/.git", folder), *found = NULL;
    if (stat(git, &st) == 0 && S_ISDIR(st.st_mode))
        return git;
    free(git);
    char *text = read_in(folder, ".git", SMALL_FILE_MAX);
    if (text && strncmp(text, "gitdir:", 7) == 0) {
        cut_line(text);
        found = from(folder, text + 7 + strspn(text + 7, " \t"));
    }
    free(text);
    return found;
}

static int commit_of(const char *own, char out[65])
{
    char *shared = read_in(own, "commondir", SMALL_FILE_MAX);
    if (shared)
        cut_line(shared);
    char *common = shared ? from(own, shared) : xstrdup(own);
    bool found = resolve(own, common, "HEAD", 0, out);
    free(shared);
    free(common);
    return found ? 0 : -1;
}

int git_commit(const char *path, char out[65])
{
    char *folder = realpath(path, NULL);
    int result = -1;
    while (folder) {
        char *repository = repository_in(folder);
        if (repository) {
            result = commit_of(repository, out);
            free(repository);
            break;
        }
        char *slash = strrchr(folder, '/');
        if (!slash || slash == folder) /* not in the root: that is no place for one */
            break;
        *slash = '\0';
    }
    free(folder);
    return result;
}

#include "script/folder.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool folder_has(const char *path, const char *folder)
{
    size_t length = strlen(folder);
    if (strcmp(folder, ".") == 0)
        return *path != '/' && strncmp(path, "../", 3) != 0;
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || strcmp(folder, "/") == 0);
}

/* The folder around a folder, as text: "a/b" is in "a", "a" in ".", "." in "..", ".." in "../..".
 */
static void parent_of(const char *folder, char *parent, size_t size)
{
    const char *slash = strrchr(folder, '/'), *last = slash ? slash + 1 : folder;
    if (strcmp(folder, ".") == 0)
        snprintf(parent, size, "..");
    else if (strcmp(last, "..") == 0)
        snprintf(parent, size, "%s/..", folder);
    else if (slash)
        snprintf(parent, size, "%.*s", slash == folder ? 1 : (int)(slash - folder), folder);
    else
        snprintf(parent, size, ".");
}

bool folder_find_profile(const char *folder, const char *name, char *found, size_t size)
{
    char around[PATH_MAX], next[PATH_MAX], file[PATH_MAX];
    parent_of(folder, around, sizeof around);
    for (int i = 0; i < 3; i++) {
        const char *shown = strcmp(around, ".") == 0 ? "" : around;
        int length = snprintf(found, size, "%s%s%s", shown,
                              *shown && strcmp(shown, "/") != 0 ? "/" : "", name);
        int file_length = snprintf(file, sizeof file, "%s/profile.lua", found);
        if (length > 0 && (size_t)length < size && file_length > 0 &&
            (size_t)file_length < sizeof file && access(file, R_OK) == 0)
            return true;
        parent_of(around, next, sizeof next);
        memcpy(around, next, sizeof around);
    }
    return false;
}

bool folder_same(const char *a, const char *b)
{
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev &&
           one.st_ino == other.st_ino;
}

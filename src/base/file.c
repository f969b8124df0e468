#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

int file_read(const char *path, struct buf *out, struct err *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    char part[65536];
    size_t got;
    if (!file)
        return err_set(err, ERR_USAGE, "%s: %s", path, strerror(errno));
    errno = 0;
    while (!out->overflow && (got = fread(part, 1, sizeof part, file)) > 0)
        buf_add(out, part, got);
    int result = 0;
    if (out->overflow)
        result = err_set(err, ERR_USAGE, "%s: larger than %zu MiB", path, out->max >> 20);
    else if (ferror(file))
        result = err_set(err, ERR_USAGE, "%s: %s", path, strerror(errno));
    if (!standard)
        fclose(file);
    return result;
}

static int make_folders(const char *path, struct err *err)
{
    char *copy = xstrdup(path);
    int result = 0;
    for (char *slash = strchr(copy + 1, '/'); *copy && slash && result == 0;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(copy, 0777) != 0 && errno != EEXIST)
            result = err_set(err, ERR_FAILED, "%s: %s", copy, strerror(errno));
        *slash = '/';
    }
    free(copy);
    return result;
}

/* Writes all of it to a descriptor, which is closed in any case. */
static int write_all(int fd, const char *path, const char *bytes, size_t length, struct err *err)
{
    size_t done = 0;
    while (done < length) {
        ssize_t wrote = write(fd, bytes + done, length - done);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            break;
        done += (size_t)wrote;
    }
    int failed = errno;
    if (close(fd) != 0 || done < length)
        return err_set(err, ERR_FAILED, "%s: %s", path, strerror(failed));
    return 0;
}

int file_create(const char *path, const char *bytes, size_t length, struct err *err)
{
    if (make_folders(path, err) != 0)
        return -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, errno == EEXIST ? ERR_USAGE : ERR_FAILED, "%s: %s", path,
                       errno == EEXIST ? "is there already; it is not changed" : strerror(errno));
    return write_all(fd, path, bytes, length, err);
}

/* A new file beside `path`, to be renamed to it. Its name in `name`, the caller's. */
static int open_beside(const char *path, char **name, struct err *err)
{
    *name = xasprintf("%s.%ld.new", path, (long)getpid());
    int fd = open(*name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0666);
    if (fd < 0)
        err_set(err, ERR_USAGE, "%s can't be written: %s", path, strerror(errno));
    return fd;
}

int file_can_replace(const char *path, struct err *err)
{
    struct stat there;
    char *name;
    if (stat(path, &there) == 0 && !S_ISREG(there.st_mode))
        return err_set(err, ERR_USAGE, "%s is %s, no file", path,
                       S_ISDIR(there.st_mode) ? "a folder" : "a device");
    int fd = open_beside(path, &name, err);
    if (fd >= 0) {
        close(fd);
        unlink(name);
    }
    free(name);
    return fd < 0 ? -1 : 0;
}

int file_replace(const char *path, const char *bytes, size_t length, struct err *err)
{
    char *name;
    int fd = open_beside(path, &name, err);
    int result = fd < 0 ? -1 : write_all(fd, path, bytes, length, err);
    if (result == 0 && rename(name, path) != 0)
        result = err_set(err, ERR_FAILED, "%s: %s", path, strerror(errno));
    if (result != 0 && fd >= 0)
        unlink(name);
    free(name);
    return result;
}

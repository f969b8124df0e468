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

int file_create(const char *path, const char *bytes, size_t length, struct err *err)
{
    if (make_folders(path, err) != 0)
        return -1;
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return err_set(err, errno == EEXIST ? ERR_USAGE : ERR_FAILED, "%s: %s", path,
                       errno == EEXIST ? "is there already; it is not changed" : strerror(errno));
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

#include "base/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/interrupt.h"

enum { TIMEOUT_MS = 60000 };

/* Reads until the end; -1 with err when it must not go on. */
static int read_all(int fd, const char *name, struct buf *out, struct err *err)
{
    long long deadline = clock_ms() + TIMEOUT_MS;
    char chunk[4096];
    for (;;) {
        long left = (long)(deadline - clock_ms());
        struct pollfd wait[] = { { .fd = fd, .events = POLLIN },
                                 { .fd = interrupt_fd(), .events = POLLIN } };
        if (interrupt_pending())
            return err_set(err, ERR_FAILED, "%s: interrupted", name);
        if (left <= 0)
            return err_set(err, ERR_FAILED, "%s: not done within %d s", name, TIMEOUT_MS / 1000);
        if (poll(wait, 2, (int)left) < 0 && errno != EINTR)
            return err_set(err, ERR_FAILED, "%s: %s", name, strerror(errno));
        if (!(wait[0].revents & (POLLIN | POLLHUP)))
            continue;
        ssize_t got = read(fd, chunk, sizeof chunk);
        if (got == 0)
            break;
        if (got > 0)
            buf_add(out, chunk, (size_t)got);
        else if (errno != EINTR)
            return err_set(err, ERR_FAILED, "%s: %s", name, strerror(errno));
    }
    explicit_bzero(chunk, sizeof chunk);
    return out->overflow ? err_set(err, ERR_FAILED, "%s: prints too much", name) : 0;
}

int process_output(const char *const *argv, struct buf *out, struct err *err)
{
    int fds[2];
    pid_t pid;
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_FAILED, "%s: %s", argv[0], strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    int problem = posix_spawnp(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (problem != 0) {
        close(fds[0]);
        return err_set(err, ERR_FAILED, "%s: %s", argv[0], strerror(problem));
    }
    int result = read_all(fds[0], argv[0], out, err), status = 0;
    close(fds[0]);
    if (result != 0)
        kill(pid, SIGKILL);
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        ;
    if (result == 0 && WIFEXITED(status) && WEXITSTATUS(status) != 0)
        result = err_set(err, ERR_FAILED, "%s: ended with %d", argv[0], WEXITSTATUS(status));
    else if (result == 0 && !WIFEXITED(status))
        result = err_set(err, ERR_FAILED, "%s: was killed", argv[0]);
    return result;
}

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

int process_start(struct process *process, const char *const *argv, struct err *err)
{
    int fds[2];
    *process = (struct process){ .name = argv[0], .fd = -1, .over = true };
    if (pipe2(fds, O_CLOEXEC) != 0)
        return err_set(err, ERR_FAILED, "%s: %s", argv[0], strerror(errno));
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
    int problem =
        posix_spawnp(&process->pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(fds[1]);
    if (problem != 0) {
        close(fds[0]);
        return err_set(err, ERR_FAILED, "%s: %s", argv[0], strerror(problem));
    }
    process->fd = fds[0];
    process->over = false;
    return 0;
}

int process_read(struct process *process, struct buf *out, struct err *err)
{
    char chunk[4096];
    ssize_t got = read(process->fd, chunk, sizeof chunk);
    if (got < 0 && errno != EINTR)
        return err_set(err, ERR_FAILED, "%s: %s", process->name, strerror(errno));
    if (got > 0)
        buf_add(out, chunk, (size_t)got);
    explicit_bzero(chunk, sizeof chunk);
    if (out->overflow)
        return err_set(err, ERR_FAILED, "%s: prints too much", process->name);
    return got != 0;
}

bool process_is_over(struct process *process)
{
    process->over = process->over || waitpid(process->pid, &process->status, WNOHANG) != 0;
    return process->over;
}

/* Waits for the end. */
static void reap(struct process *process)
{
    while (!process->over && waitpid(process->pid, &process->status, 0) < 0 && errno == EINTR)
        ;
    process->over = true;
}

void process_stop(struct process *process)
{
    if (!process_is_over(process))
        kill(process->pid, SIGKILL);
    reap(process);
    if (process->fd >= 0)
        close(process->fd);
    process->fd = -1;
}

int process_result(const struct process *process, struct err *err)
{
    int status = process->status;
    if (!WIFEXITED(status))
        return err_set(err, ERR_FAILED, "%s: was killed", process->name);
    if (WEXITSTATUS(status) != 0)
        return err_set(err, ERR_FAILED, "%s: ended with %d", process->name, WEXITSTATUS(status));
    return 0;
}

/* Reads until the end; -1 with err when it must not go on. */
static int read_all(struct process *process, struct buf *out, struct err *err)
{
    const char *name = process->name;
    long long deadline = clock_ms() + TIMEOUT_MS;
    for (;;) {
        long left = (long)(deadline - clock_ms());
        struct pollfd wait[] = { { .fd = process->fd, .events = POLLIN },
                                 { .fd = interrupt_fd(), .events = POLLIN } };
        if (interrupt_pending())
            return err_set(err, ERR_FAILED, "%s: interrupted", name);
        if (left <= 0)
            return err_set(err, ERR_FAILED, "%s: not done within %d s", name, TIMEOUT_MS / 1000);
        if (poll(wait, 2, (int)left) < 0 && errno != EINTR)
            return err_set(err, ERR_FAILED, "%s: %s", name, strerror(errno));
        if (!(wait[0].revents & (POLLIN | POLLHUP)))
            continue;
        int result = process_read(process, out, err);
        if (result <= 0)
            return result;
    }
}

int process_output(const char *const *argv, struct buf *out, struct err *err)
{
    struct process process;
    if (process_start(&process, argv, err) != 0)
        return -1;
    int result = read_all(&process, out, err);
    if (result == 0)
        reap(&process);
    process_stop(&process);
    return result == 0 ? process_result(&process, err) : -1;
}

#include "base/interrupt.h"

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t pending;
static int pipe_fds[2] = { -1, -1 };

/* Its length is 0 while it is being changed. */
static char farewell[32];
static volatile sig_atomic_t farewell_length, farewell_fd;

static void on_second_signal(int number)
{
    ssize_t ignored = write(farewell_fd, farewell, (size_t)farewell_length);
    (void)ignored;
    signal(number, SIG_DFL);
    raise(number);
}

static void on_signal(int number)
{
    pending = 1;
    ssize_t ignored = write(pipe_fds[1], "x", 1);
    (void)ignored;
    signal(number, on_second_signal);
}

void interrupt_init(void)
{
    if (pipe2(pipe_fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return;
    struct sigaction action;
    memset(&action, 0, sizeof action);
    action.sa_handler = on_signal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
    signal(SIGPIPE, SIG_IGN);
}

bool interrupt_pending(void)
{
    return pending != 0;
}

int interrupt_fd(void)
{
    return pipe_fds[0];
}

void interrupt_set_farewell(int fd, const char *bytes)
{
    size_t length = strlen(bytes);
    farewell_length = 0;
    if (length >= sizeof farewell)
        return;
    memcpy(farewell, bytes, length + 1);
    farewell_fd = fd;
    farewell_length = (sig_atomic_t)length;
}

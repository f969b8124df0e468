/* bkdeploy: deploys what a Lua profile describes to Kubernetes. */
#include <stdio.h>
#include <unistd.h>

#include "base/interrupt.h"
#include "command/command.h"

int main(int argc, char **argv)
{
    interrupt_init();
    int code = command_main(argc, argv);
#ifdef __SANITIZE_ADDRESS__
    return code; /* its leak check runs at the exit */
#else
    /* The thirty libraries that libcurl brings have much to put away, and nothing that is ours:
     * that would take another MiB, and a millisecond. */
    fflush(NULL);
    _exit(code);
#endif
}

/* bkdeploy: deploys what a Lua profile describes to Kubernetes. */
#include "base/interrupt.h"
#include "command/command.h"

int main(int argc, char **argv)
{
    interrupt_init();
    return command_main(argc, argv);
}

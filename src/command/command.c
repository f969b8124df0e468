#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#ifndef BKDEPLOY_VERSION
#define BKDEPLOY_VERSION "unknown"
#endif

/* Options have a letter each, also those that the user can only spell out. */
static const struct option_row {
    char letter;
    char shortcut; /* of the command line; 0: none */
    const char *name;
    const char *argument; /* NULL: a flag */
    const char *help;     /* NULL: the formats of the command */
} command_options[] = {
    { 'e', 'e', "environment", "NAME", "environment of the profile (default: the profile's own)" },
    { 's', 0, "set", "PATH=VALUE",
      "another value: of the environment, or component.field; may be repeated" },
    { 'i', 0, "input", "NAME=VALUE",
      "an input of the profile; NAME=@FILE reads a file; may be repeated" },
    { 'o', 'o', "output", "FORMAT", NULL },
    { 'd', 'o', "output", "DIR", "write a folder instead of one text to standard output" },
    { 'k', 0, "kubeconfig", "FILE", "kubeconfig (default: $KUBECONFIG, then ~/.kube/config)" },
    { 'c', 0, "context", "NAME", "context of the kubeconfig (default: its current one)" },
    { 't', 0, "timeout", "DURATION", "how long to wait in all: 90s, 10m, 1h (default 10m)" },
    { 'w', 0, "no-wait", NULL, "apply only; don't wait for rollouts" },
    { 'f', 0, "force", NULL, "take over fields that another manager owns" },
    { 'y', 0, "yes", NULL, "don't ask" },
    { 'A', 0, "all-environments", NULL, "check every environment of the profile" },
    { 'S', 0, "show-secrets", NULL, "print the values of Secrets, too" },
    { 'x', 0, "allow-exec", NULL, "let inputs run the commands that the profile names for them" },
    { 'M', 0, "memory-limit", "MIB", "memory that the profile may use (default 256)" },
    { 'I', 0, "instruction-limit", "MILLIONS", "work that the profile may do (default 2000)" },
    { 'h', 'h', "help", NULL, "this text" },
};
enum { OPTION_COUNT = sizeof command_options / sizeof *command_options };

static const struct command commands[] = {
    { "render", "PROFILE", "print the objects of a profile as YAML or JSON",
      "Needs no cluster. The same profile gives the same bytes.\n\n"
      "Examples:\n"
      "  bkdeploy render profiles/hello\n"
      "  bkdeploy render profiles/bklog -e prod -o json\n",
      "yaml or json", "esixoSMIh", command_render },
    { "apply", "PROFILE", "apply a profile and wait until it runs",
      "Tries everything by a dry run before the first write; applies namespaces and CRDs first, "
      "then\n"
      "components in the order of their needs; a component is done when its rollout is.\n"
      "Applying again changes nothing that is as described, and goes on after an interruption.\n\n"
      "Exit codes: 0 all ready; 2 the profile is in error; 3 refused by the API server; 4 a "
      "rollout\n"
      "failed; 5 timed out; 7 a field belongs to another manager; 8 no access; 130 interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy apply profiles/hello\n"
      "  bkdeploy apply profiles/bklog -e prod --context site-a --timeout 20m\n",
      "json", "esixokctwfyMIh", command_apply },
    { "check", "PROFILE", "find the mistakes of a profile, without a cluster",
      "Holds every object against the API of Kubernetes and of the profile's own CRDs, and what "
      "the\n"
      "objects say of each other against what there is: selectors, ports, keys, volumes, routes.\n"
      "Each finding has the line of the profile that made it, and a rule by whose name it can be\n"
      "allowed: allow = { [\"latest-tag\"] = \"a mirror that never moves\" } in a component or "
      "profile.\n"
      "Inputs that nobody gives have a value all the same.\n\n"
      "Exit codes: 0 nothing found; 1 warnings only; 2 errors.\n\n"
      "Examples:\n"
      "  bkdeploy check profiles/hello\n"
      "  bkdeploy check profiles/bklog --all-environments\n"
      "  bkdeploy check profiles/bklog -e prod -o sarif > check.sarif\n",
      "text, json or sarif", "eAsixoMIh", command_check },
    { "explain", "PROFILE OBJECT [PATH]", "tell which lines of a profile made a field",
      "OBJECT is kind/name; PATH a field of it, in which [x] is an index or the name of an item.\n"
      "The last line is the one that set the value; those above led there: the helpers, "
      "environments\n"
      "and changes that it went through. Without PATH it is the object itself. Needs no "
      "cluster.\n\n"
      "Exit codes: 0 done; 2 the profile is in error, or has no such object or field.\n\n"
      "Examples:\n"
      "  bkdeploy explain profiles/hello deployment/web spec.replicas\n"
      "  bkdeploy explain profiles/bklog -e prod statefulset/mysql \\\n"
      "      'spec.template.spec.containers[mysql].env[MYSQL_DATABASE]'\n",
      "text or json", "esixoSMIh", command_explain },
    { "import", "FILE|DIR|-", "write a profile that makes the objects of YAML manifests",
      "Reads manifests as kubectl does: several documents, anchors, List objects, JSON; what helm\n"
      "template prints; a folder's .yaml, .yml and .json files; - is standard input. The "
      "profile's\n"
      "render gives the same objects. Nothing of what is read is run. Needs no cluster.\n\n"
      "Exit codes: 0 done; 2 it can't be read, or a file to write is there already.\n\n"
      "Examples:\n"
      "  bkdeploy import web.yaml > web.lua\n"
      "  helm template shop ./chart | bkdeploy import - -o shop\n",
      "", "dh", command_import },
    { "init", "DIR", "write a small profile to begin with",
      "Makes the folder where it is missing, and DIR/profile.lua in it, with comments. Nothing "
      "that is\n"
      "there is changed.\n\n"
      "Exit codes: 0 done; 1 it can't be written; 2 there is a profile already.\n\n"
      "Examples:\n"
      "  bkdeploy init shop && bkdeploy check shop && bkdeploy apply shop\n",
      "", "h", command_init },
    { "status", "PROFILE", "show how a profile's objects stand on the cluster",
      "Reads only. Exit codes: 0 all ready; 1 something is missing or not ready; 2, 8 as for "
      "apply.\n\n"
      "Examples:\n"
      "  bkdeploy status profiles/bklog -e dev\n"
      "  bkdeploy status profiles/bklog -e dev -o json\n",
      "json", "esixokcMIh", command_status },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("bkdeploy deploys what a Lua profile describes to Kubernetes.\n\n"
          "Usage: bkdeploy COMMAND [ARGUMENT] [OPTION]...\n\nCommands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs(
        "  version  print the version\n"
        "  help     this text, or that of a command\n\n"
        "bkdeploy COMMAND --help tells a command's options.\n\n"
        "Exit codes: 0 done; 1 not ready or a local failure; 2 wrong usage or a profile in error;\n"
        "3 the API server refused; 4 a rollout failed; 5 timed out; 7 a field conflict;\n"
        "8 cluster unreachable or not authorised; 130 interrupted.\n",
        out);
}

static void print_command_help(const struct command *command)
{
    printf("Usage: bkdeploy %s %s [OPTION]...\n\n%s.\n%s\nOptions:\n", command->name,
           command->arguments, command->summary, command->details);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &command_options[i];
        if (!strchr(command->options, row->letter))
            continue;
        char left[48];
        snprintf(left, sizeof left, "%s%c%s--%s%s%s", row->shortcut ? "-" : "",
                 row->shortcut ? row->shortcut : ' ', row->shortcut ? ", " : "   ", row->name,
                 row->argument ? " " : "", row->argument ? row->argument : "");
        printf("  %-34s %s\n", left, row->help ? row->help : command->formats);
    }
}

static const struct command *find_command(const char *name)
{
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (strcmp(commands[i].name, name) == 0)
            return &commands[i];
    return NULL;
}

static int parse_number(const char *text, const char *name, unsigned long long *out,
                        struct err *err)
{
    char *end;
    errno = 0;
    *out = strtoull(text, &end, 10);
    if (errno || *end || end == text || *text == '-' || *out == 0 || *out > 1000000000)
        return err_set(err, ERR_USAGE, "--%s wants a whole number above 0, not '%s'", name, text);
    return 0;
}

static int parse_duration(const char *text, long *milliseconds, struct err *err)
{
    static const struct {
        const char *unit;
        long factor;
    } units[] = { { "ms", 1 }, { "s", 1000 }, { "m", 60000 }, { "h", 3600000 } };
    char *end;
    errno = 0;
    long number = strtol(text, &end, 10);
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        if (errno == 0 && end != text && number > 0 && number < 100000 &&
            strcmp(end, units[i].unit) == 0) {
            *milliseconds = number * units[i].factor;
            return 0;
        }
    }
    return err_set(err, ERR_USAGE, "--timeout wants a duration such as 90s, 10m or 1h, not '%s'",
                   text);
}

/* Appends "name=value" to a list of such. */
static int add_pair(const char *const **list, size_t *count, const char *option, const char *text,
                    struct err *err)
{
    const char *equals = strchr(text, '=');
    if (!equals || equals == text)
        return err_set(err, ERR_USAGE, "--%s wants %s, not '%s'", option,
                       strcmp(option, "set") == 0 ? "path=value, e.g. web.replicas=5"
                                                  : "name=value or name=@file",
                       text);
    const char **longer = xrealloc((void *)*list, (*count + 1) * sizeof *longer);
    longer[(*count)++] = text;
    *list = longer;
    return 0;
}

static int set_option(struct options *options, char letter, const char *value, struct err *err)
{
    unsigned long long number;
    switch (letter) {
    case 'e': options->script.environment = value; return 0;
    case 's':
        return add_pair(&options->script.settings, &options->script.settings_count, "set", value,
                        err);
    case 'o': options->output = value; return 0;
    case 'k': options->kubeconfig = value; return 0;
    case 'c': options->context = value; return 0;
    case 't': return parse_duration(value, &options->timeout_ms, err);
    case 'w': options->no_wait = true; return 0;
    case 'f': options->force = true; return 0;
    case 'y': options->yes = true; return 0;
    case 'S': options->show_secrets = true; return 0;
    case 'd': options->folder = value; return 0;
    case 'A': options->all_environments = true; return 0;
    case 'x': options->script.allow_exec = true; return 0;
    case 'i':
        return add_pair(&options->script.inputs, &options->script.inputs_count, "input", value,
                        err);
    case 'h': options->help = true; return 0;
    case 'M':
        if (parse_number(value, "memory-limit", &number, err) != 0)
            return -1;
        options->script.limits.memory = (size_t)number << 20;
        return 0;
    case 'I':
        if (parse_number(value, "instruction-limit", &number, err) != 0)
            return -1;
        options->script.limits.instructions = number * 1000000;
        return 0;
    default: return err_set(err, ERR_USAGE, "unknown option");
    }
}

static bool takes_format(const struct command *command, const char *format)
{
    size_t length = strlen(format);
    const char *at = command->formats;
    while (length && (at = strstr(at, format)) != NULL) {
        bool begins = at == command->formats || at[-1] == ' ';
        if (begins && strchr(" ,", at[length])) /* also at the end */
            return strcmp(format, "or") != 0;
        at++;
    }
    return false;
}

/* The option of a command that getopt_long() means, by its letter or its shortcut. */
static char letter_of(const struct command *command, int given)
{
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (command_options[i].shortcut == given &&
            strchr(command->options, command_options[i].letter))
            return command_options[i].letter;
    return (char)given;
}

/* How many arguments a command takes: "PROFILE [PATH]" at least one, at most two. */
static int count_words(const char *arguments, bool with_optional)
{
    int count = 0;
    for (const char *at = arguments; *at; at++)
        if ((at == arguments || at[-1] == ' ') && (with_optional || *at != '['))
            count++;
    return count;
}

static int parse_options(const struct command *command, int argc, char **argv,
                         struct options *options, struct err *err)
{
    struct option longs[OPTION_COUNT + 1];
    char shorts[2 * OPTION_COUNT + 2] = ":";
    memset(longs, 0, sizeof longs);
    size_t count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &command_options[i];
        if (!strchr(command->options, row->letter))
            continue;
        longs[count++] = (struct option){ row->name, row->argument ? 1 : 0, NULL, row->letter };
        if (row->shortcut)
            snprintf(shorts + strlen(shorts), sizeof shorts - strlen(shorts), "%c%s", row->shortcut,
                     row->argument ? ":" : "");
    }
    opterr = 0;
    int letter;
    while ((letter = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
        const char *word = argv[optind - 1];
        if (letter == ':')
            return err_set(err, ERR_USAGE, "%s wants a value; see bkdeploy %s --help", word,
                           command->name);
        if (letter == '?')
            return err_set(err, ERR_USAGE, "no option %s; see bkdeploy %s --help", word,
                           command->name);
        if (set_option(options, letter_of(command, letter), optarg, err) != 0)
            return -1;
    }
    if (options->output && !takes_format(command, options->output))
        return err_set(err, ERR_USAGE, "--output of %s is %s, not '%s'", command->name,
                       command->formats, options->output);
    int rest = argc - optind;
    if (options->help)
        return 0;
    if (rest < count_words(command->arguments, false) ||
        rest > count_words(command->arguments, true))
        return err_set(err, ERR_USAGE, "%s: usage: bkdeploy %s %s [OPTION]...",
                       rest > count_words(command->arguments, true) ? "one argument too many"
                       : rest || strncmp(command->arguments, "PROFILE", 7) != 0
                           ? "an argument is missing"
                           : "no profile given",
                       command->name, command->arguments);
    options->script.path = argv[optind];
    options->words = (const char *const *)argv + optind + 1;
    options->words_count = (size_t)rest - 1;
    return 0;
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct err err = ERR_INIT;
    struct options options = { .timeout_ms = 600000 };
    int result = parse_options(command, argc, argv, &options, &err);
    if (result == 0 && options.help) {
        print_command_help(command);
        return 0;
    }
    if (result == 0)
        result = command->run(&options, &err);
    free((void *)options.script.settings);
    free((void *)options.script.inputs);
    if (result < 0) {
        fprintf(stderr, "bkdeploy: %s\n", err.message);
        return err_exit_code(err.kind);
    }
    return result;
}

int command_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const struct command *command = find_command(name);
    if (command)
        return run_command(command, argc - 1, argv + 1);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0) {
        printf("bkdeploy %s\n", BKDEPLOY_VERSION);
        return 0;
    }
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        command = argc > 2 ? find_command(argv[2]) : NULL;
        if (command)
            print_command_help(command);
        else
            print_usage(argc > 1 ? stdout : stderr);
        return argc > 1 ? 0 : 2;
    }
    fprintf(stderr, "bkdeploy: no command '%s'; see bkdeploy help\n", name);
    return 2;
}

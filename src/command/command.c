#include "command/command.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "command/words.h"
#include "ui/ci.h"
#include "ui/feed.h"
#include "ui/table.h"
#include "ui/terminal.h"

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
    { 'G', 0, "grace", "DURATION",
      "how long what is hopeless must stay so to fail its component (default 10s)" },
    { 'w', 0, "no-wait", NULL, "apply only; don't wait for rollouts" },
    { 'f', 0, "force-conflicts", NULL, "take over fields that another manager owns" },
    { 'a', 0, "adopt", NULL, "take objects that helm, kubectl or another release has made" },
    { 'r', 0, "rollback-on-failure", NULL, "go back to the last revision that ended well" },
    { 'q', 0, "fail-fast", NULL, "stop all when one component fails, not only what waits for it" },
    { 'l', 0, "wait-for-lock", "DURATION", "how long to wait for another apply of the release" },
    { 'm', 'm', "message", "TEXT", "a word for the history" },
    { 'K', 0, "key", "FILE", "a file with the key that seals values of Secrets in a plan" },
    { 'p', 'o', "output", "FILE", "write the plan to a new file" },
    { 'u', 0, "summary", NULL, "a line for each object only" },
    { 'y', 'y', "yes", NULL, "don't ask" },
    { 'n', 'n', "namespace", "NAME", "namespace of the release" },
    { 'R', 0, "revision", "NUMBER", "another revision than the newest" },
    { 'D', 0, "with-data", NULL, "delete PersistentVolumeClaims, too" },
    { 'F', 'f', "file", "FILE|DIR|-",
      "objects as they are, instead of a profile's on a cluster; may be repeated" },
    { 'H', 0, "health-dir", "DIR",
      "health scripts as Argo CD has them: DIR/<group>/<Kind>/health.lua" },
    { 'g', 0, "for", "STATE", "ready, failed, deleted or exists (default: ready)" },
    { 'W', 0, "when", "LUA", "a condition on obj, an expression or a body with return" },
    { 'L', 'f', "follow", NULL, "go on with what comes, also of new pods" },
    { 'O', 'w', "watch", NULL, "go on with what comes, until interrupted" },
    { 'N', 0, "since", "DURATION", "only what is younger: 90s, 10m, 1h" },
    { 'T', 0, "tail", "NUMBER",
      "how many of the last lines of each container, or all (default 10; with --since all)" },
    { 'P', 0, "previous", NULL, "of the container that ran before the present one" },
    { 'C', 'c', "container", "NAME", "of the containers of this name only" },
    { 'B', 0, "probe", NULL, "try backends outside of the cluster from a pod that is made for it" },
    { 'Q', 0, "probe-image", "IMAGE", "an image with sh and nc for it (default busybox:1.36)" },
    { 'A', 0, "all-environments", NULL, "check every environment of the profile" },
    { 'v', 0, "live", NULL, "ask the cluster how it stands, too" },
    { 'E', 0, "report", "FILE.html",
      "write a page on what was done, however it ends; it needs nothing else" },
    { 'S', 0, "show-secrets", NULL, "print the values of Secrets, too" },
    { 'x', 0, "allow-exec", NULL, "let inputs and hooks run the programs that the profile names" },
    { 'J', 0, "allow-http", NULL, "let hooks use plain http, not https alone" },
    { 'j', 0, "no-hooks", NULL, "run none of the profile's hooks" },
    { 'M', 0, "memory-limit", "MIB", "memory that the profile may use (default 256)" },
    { 'I', 0, "instruction-limit", "MILLIONS", "work that the profile may do (default 2000)" },
    { 'Z', 0, "color", "WHEN", "auto, always or never (default auto: on a terminal)" },
    { 'Y', 0, "json", NULL, "the same as -o json" },
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
    { "apply", "PROFILE|PLAN", "apply a profile and wait until it runs",
      "Tries everything by a dry run, shows what will change, and asks; then namespaces and CRDs, "
      "and\n"
      "components in the order of their needs; a component is done when its rollout is. One that "
      "fails\n"
      "blocks those that wait for it; the others go on to their end. What has left the profile is\n"
      "deleted when all is ready. Nothing is sent for what is as described. Stopped at any point, "
      "it goes\n"
      "on when run again. Of a PLAN exactly that is done. Hooks of the profile run before and "
      "after:\n"
      "docs/hooks.md.\n\n"
      "Exit codes: 0 all ready; 2 the profile is in error; 3 refused by the API server; 4 a "
      "rollout\n"
      "failed; 5 timed out; 6 another apply holds the lock; 7 an object or a field is another's, "
      "or "
      "the\n"
      "plan is out of date; 8 no access; 130 interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy apply profiles/hello\n"
      "  bkdeploy apply profiles/bklog -e prod --context site-a --yes --rollback-on-failure\n"
      "  bkdeploy apply profiles/bklog -e prod --yes --report apply.html\n"
      "  bkdeploy apply monday.plan\n",
      "json", "esixJjokctGwfarqlmKHEyMIh", command_apply },
    { "diff", "PROFILE", "show what an apply would change",
      "The live state against what would be, by a dry run of the API server, with the lines of "
      "the\n"
      "profile. Values of Secrets are not shown, only that they change.\n\n"
      "Exit codes: 0 nothing would change; 1 something would; above 1 as for apply.\n\n"
      "Examples:\n"
      "  bkdeploy diff profiles/hello\n"
      "  bkdeploy diff profiles/bklog -e prod --summary\n",
      "json", "esixokcufaMIh", command_diff },
    { "plan", "PROFILE", "write down what an apply would do, to be applied later",
      "The file has the objects, what they replace, the order, and a hash; apply does exactly what "
      "it\n"
      "says, or nothing. Values of Secrets that change are in it only with --key, sealed.\n\n"
      "Exit codes: 0 nothing would change; 1 something would; above 1 as for apply.\n\n"
      "Examples:\n"
      "  bkdeploy plan profiles/bklog -e prod -o monday.plan\n"
      "  bkdeploy apply monday.plan\n",
      "json", "esixpKkcfaMIh", command_plan },
    { "rollback", "RELEASE|PROFILE [REVISION]", "apply an earlier revision again",
      "Without REVISION the last one that ended well before the newest. It becomes a new revision, "
      "is\n"
      "waited for, and what it did not have is deleted.\n\n"
      "Exit codes: as for apply.\n\n"
      "Examples:\n"
      "  bkdeploy rollback bklog -n bklog-prod\n"
      "  bkdeploy rollback profiles/bklog -e prod 7\n",
      "json", "neixJjokctGwfarqlmEyMIh", command_rollback },
    { "delete", "RELEASE|PROFILE", "delete what a release has on the cluster",
      "Shows what would go and asks; then deletes in the reverse order of apply and waits until it "
      "is\n"
      "gone, and says of what hangs why. Kept are data (PersistentVolumeClaims, also those of\n"
      "StatefulSets) unless --with-data is given, objects annotated bkdeploy/keep: \"true\", and\n"
      "namespaces and kinds that hold something else. Stopped at any point, it goes on when run "
      "again.\n\n"
      "Exit codes: 0 all gone; 1 the answer was no; 2 there is no such release, or nobody to ask; "
      "3\n"
      "refused by the API server; 5 timed out; 6 another one holds the lock; 8 no access; 130\n"
      "interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy delete bklog -n bklog-dev\n"
      "  bkdeploy delete profiles/bklog -e dev --with-data --yes\n",
      "json", "nesixJjokctDlyMIh", command_delete },
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
    { "graph", "PROFILE|RELEASE", "draw components, what they are made of, and what they need",
      "Components with their workloads, Services, routes and hosts, autoscalers, configuration, "
      "Secrets\n"
      "and claims, and why one leads to another, as a text that other programs draw: GitHub and "
      "GitLab\n"
      "draw Mermaid, Graphviz draws DOT; json is for programs. Of a PROFILE it needs no cluster. "
      "With\n"
      "--live, or of a RELEASE by its name, colours tell how each object stands now.\n\n"
      "Exit codes: 0 done; 2 the profile is in error, or there is no such release; 8 no access.\n\n"
      "Examples:\n"
      "  bkdeploy graph profiles/hello\n"
      "  bkdeploy graph profiles/bklog -e prod -o dot | dot -Tsvg > bklog.svg\n"
      "  bkdeploy graph bklog -n bklog-prod -o json\n",
      "mermaid, dot or json", "nesixovkcMIh", command_graph },
    { "import", "FILE|DIR|-", "write a profile that makes the objects of YAML manifests",
      "Reads manifests as kubectl does: several documents, anchors, List objects, JSON; what helm\n"
      "template prints; a folder's .yaml, .yml and .json files; - is standard input. The "
      "profile's\n"
      "render gives the same objects. Nothing of what is read is run. Needs no cluster.\n\n"
      "Exit codes: 0 done; 2 it can't be read, or a file to write is there already.\n\n"
      "Examples:\n"
      "  bkdeploy import web.yaml > web.lua\n"
      "  helm template shop ./chart | bkdeploy import - -o shop\n",
      "json", "dh", command_import },
    { "init", "DIR", "write a small profile to begin with",
      "Makes the folder where it is missing, and DIR/profile.lua in it, with comments. Nothing "
      "that is\n"
      "there is changed.\n\n"
      "Exit codes: 0 done; 1 it can't be written; 2 there is a profile already.\n\n"
      "Examples:\n"
      "  bkdeploy init shop && bkdeploy check shop && bkdeploy apply shop\n",
      "json", "h", command_init },
    { "status", "PROFILE|RELEASE", "show how a profile's objects stand on the cluster",
      "Of a release, by its name, the objects of its newest revision. Reads only. -w prints a line "
      "at "
      "each\n"
      "change, an object's at most every second, until interrupted; on a terminal the table anew.\n"
      "With -f FILE instead of PROFILE it needs no cluster: the objects in there, "
      "which\n"
      "kubectl get -o json or -o yaml has printed, are told to be Current, InProgress, Failed,\n"
      "Terminating, NotFound or Unknown, each with the reason. docs/status.md has the rules.\n\n"
      "Exit codes: 0 all ready; 1 something is missing or not ready; 2 what -f names is in error; "
      "2, 8\n"
      "as for apply.\n\n"
      "Examples:\n"
      "  bkdeploy status profiles/bklog -e dev\n"
      "  bkdeploy status profiles/bklog -e dev -o json\n"
      "  bkdeploy status bklog -n bklog-prod --watch\n"
      "  kubectl get deploy,job,pvc,sc -A -o json | bkdeploy status -f -\n"
      "  kubectl get certificates -A -o json | bkdeploy status -f - --health-dir health\n",
      "json", "esinFHOxokcMIh", command_status },
    { "wait", "PROFILE|RELEASE|KIND/NAME [KIND/NAME...]", "wait until objects are ready",
      "Waits for all objects of a profile or of a release's newest revision, or for those that "
      "are\n"
      "named. Without PROFILE or RELEASE, for any objects of the cluster, in the namespace of -n "
      "or "
      "of\n"
      "the context. KIND is a kind in any case, its plural, a short form, also with its group: "
      "deploy,\n"
      "StatefulSet, certificates.cert-manager.io. What is not there yet is waited for.\n"
      "--when asks a condition in Lua instead of the rule of the kind; an object that fails "
      "meanwhile\n"
      "ends that, too. With --for failed it is the other way round: an object that gets ready is "
      "4.\n\n"
      "Exit codes: 0 all are as waited for; 2 no such profile, release, object of it, or kind; 4 "
      "one has\n"
      "failed; 5 timed out; 8 no access; 130 interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy wait bklog -n bklog-prod\n"
      "  bkdeploy wait profiles/bklog -e dev statefulset/mysql --timeout 5m\n"
      "  bkdeploy wait -n shop job/import --for deleted\n"
      "  bkdeploy wait -n shop pvc/data --when 'obj.status.phase == \"Bound\"'\n",
      "json", "nesixgWtokcHMIh", command_wait },
    { "logs", "PROFILE|RELEASE [COMPONENT]", "print the logs of a component's pods, or of all",
      "Of all containers at once, in the order of time; with -f as it comes, also of pods that "
      "come "
      "up\n"
      "later. What a terminal would obey is shown as an escape, and lines end after 10,000 bytes. "
      "What\n"
      "may not be read is told on standard error. -o json prints an object a line.\n\n"
      "Exit codes: 0 done; 2 no such profile, release or component; 8 no access; 130 "
      "interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy logs bklog -n bklog-prod\n"
      "  bkdeploy logs profiles/bklog -e dev mysql -f --since 10m\n"
      "  bkdeploy logs bklog nginx -c nginx --tail 100 -o json\n",
      "json", "nesixLNTPCokcMIh", command_logs },
    { "events", "PROFILE|RELEASE [COMPONENT]", "print the events of a release's objects",
      "And of those below them: ReplicaSets, Jobs, pods. The newest is the last; what says the "
      "same "
      "of\n"
      "the same object is one line with how many times it was. -w goes on with what comes, and "
      "with\n"
      "-o json prints an object a line. Events that may not be read are told on standard error.\n\n"
      "Exit codes: 0 done; 2 no such profile, release or component; 8 no access; 130 "
      "interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy events bklog -n bklog-prod --since 10m\n"
      "  bkdeploy events profiles/bklog -e dev mysql -w\n",
      "json", "nesixNOokcMIh", command_events },
    { "doctor", "PROFILE|RELEASE", "find what is wrong with a release, or will be",
      "Looks at the access to the cluster, the configuration (check, what is not as the profile\n"
      "says, references to what is missing), resources (room on nodes, quotas, claims), the "
      "network\n"
      "(Services, Ingresses, NetworkPolicies) and error lines in the logs of the last 10 minutes. "
      "Each\n"
      "finding has its evidence and what to do. Also before the first apply: then it says what "
      "won't\n"
      "fit. Of a release, by its name, its newest revision. Reads only, but for --probe; what may "
      "not\n"
      "be read is noted. Without a way to the cluster it still checks the profile.\n\n"
      "Exit codes: 0 nothing found; 1 something is wrong; 2 no such profile or release; 8 the "
      "cluster\n"
      "can't be reached; 130 interrupted.\n\n"
      "Examples:\n"
      "  bkdeploy doctor profiles/bklog -e dev\n"
      "  bkdeploy doctor bklog -n bklog-prod --report doctor.html\n"
      "  bkdeploy doctor profiles/bklog -e prod -o json\n"
      "  bkdeploy doctor profiles/bklog -e prod --probe --probe-image registry.local/busybox:1\n",
      "json", "nesixoBQEkcMIh", command_doctor },
    { "list", "", "list the releases of a cluster",
      "Those of all namespaces, or of one.\n\n"
      "Exit codes: 0 done; 8 no access.\n\n"
      "Examples:\n"
      "  bkdeploy list\n"
      "  bkdeploy list -n bklog-prod -o json\n",
      "json", "nokch", command_list },
    { "history", "RELEASE|PROFILE [REVISION]", "list the revisions of a release",
      "When each was applied, by whom, of which commit, and how it went; of a REVISION, what it\n"
      "changed. A release is looked for in all namespaces unless -n names one.\n\n"
      "Exit codes: 0 done; 1 a revision is damaged; 2 there is no such release or revision; 8 no "
      "access.\n\n"
      "Examples:\n"
      "  bkdeploy history bklog -n bklog-prod\n"
      "  bkdeploy history profiles/bklog -e prod 7\n",
      "json", "nesixokcMIh", command_history },
    { "get", "RELEASE|PROFILE [OBJECT]", "print the objects of a revision",
      "As they were applied, not as they are now; those of the newest revision, or of --revision. "
      "OBJECT\n"
      "is kind/name. Values of Secrets are shown with --show-secrets alone.\n\n"
      "Exit codes: 0 done; 1 the revision is damaged; 2 there is no such release, revision or "
      "object;\n"
      "8 no access.\n\n"
      "Examples:\n"
      "  bkdeploy get bklog -n bklog-prod --revision 7\n"
      "  bkdeploy get profiles/bklog -e prod configmap/nginx -o json\n",
      "yaml or json", "nReSsixokcMIh", command_get },
};
enum { COMMAND_COUNT = sizeof commands / sizeof *commands };

static void print_usage(FILE *out)
{
    fputs("bkdeploy deploys what a Lua profile describes to Kubernetes.\n\n"
          "Usage: bkdeploy COMMAND [ARGUMENT] [OPTION]...\n\nCommands:\n",
          out);
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].summary);
    fputs("  version  print the version\n"
          "  help     this text, or that of a command\n\n"
          "bkdeploy COMMAND --help tells a command's options.\n\n"
          "Exit codes: 0 done; 1 differences, not ready, or a local failure; 2 wrong usage or a "
          "profile in\n"
          "error; 3 the API server refused; 4 a rollout failed; 5 timed out; 6 locked by another; "
          "7 an\n"
          "object or a field is another's; 8 cluster unreachable or not authorised; 130 "
          "interrupted.\n",
          out);
}

/* Whether a command has an option: some are every command's. */
static bool has_option(const struct command *command, const struct option_row *row)
{
    return strchr("YZ", row->letter) || strchr(command->options, row->letter);
}

static void print_command_help(const struct command *command)
{
    printf("Usage: bkdeploy %s%s%s [OPTION]...\n\n%s.\n%s\nOptions:\n", command->name,
           *command->arguments ? " " : "", command->arguments, command->summary, command->details);
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &command_options[i];
        if (!has_option(command, row))
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

static int parse_duration(const char *name, const char *text, long *milliseconds, struct err *err)
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
    return err_set(err, ERR_USAGE, "--%s wants a duration such as 90s, 10m or 1h, not '%s'", name,
                   text);
}

static void add_word(const char *const **list, size_t *count, const char *text)
{
    const char **longer = xrealloc((void *)*list, (*count + 1) * sizeof *longer);
    longer[(*count)++] = text;
    *list = longer;
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
    add_word(list, count, text);
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
    case 't': return parse_duration("timeout", value, &options->timeout_ms, err);
    case 'G': return parse_duration("grace", value, &options->grace_ms, err);
    case 'w': options->no_wait = true; return 0;
    case 'f': options->force = true; return 0;
    case 'y': options->yes = true; return 0;
    case 'a': options->adopt = true; return 0;
    case 'r': options->rollback_on_failure = true; return 0;
    case 'q': options->fail_fast = true; return 0;
    case 'j': options->no_hooks = true; return 0;
    case 'J': options->allow_http = true; return 0;
    case 'l': return parse_duration("wait-for-lock", value, &options->lock_wait_ms, err);
    case 'm': options->message = value; return 0;
    case 'K': options->key = value; return 0;
    case 'p': options->folder = value; return 0;
    case 'u': options->summary = true; return 0;
    case 'n': options->namespace = value; return 0;
    case 'R': return words_revision(value, &options->revision, err);
    case 'D': options->with_data = true; return 0;
    case 'S': options->show_secrets = true; return 0;
    case 'd': options->folder = value; return 0;
    case 'H': options->health_dir = value; return 0;
    case 'F': add_word(&options->files, &options->files_count, value); return 0;
    case 'A': options->all_environments = true; return 0;
    case 'x': options->script.allow_exec = true; return 0;
    case 'i':
        return add_pair(&options->script.inputs, &options->script.inputs_count, "input", value,
                        err);
    case 'h': options->help = true; return 0;
    case 'Y': options->output = "json"; return 0;
    case 'Z':
        return terminal_choose_colour(value)
                   ? 0
                   : err_set(err, ERR_USAGE, "--color wants auto, always or never, not '%s'",
                             value);
    case 'g': options->until = value; return 0;
    case 'W': options->when = value; return 0;
    case 'L': options->follow = true; return 0;
    case 'O': options->watch = true; return 0;
    case 'N': return parse_duration("since", value, &options->since_ms, err);
    case 'T': options->tail = value; return 0;
    case 'P': options->previous = true; return 0;
    case 'C': options->container = value; return 0;
    case 'v': options->live = true; return 0;
    case 'E': options->report = value; return 0;
    case 'B': options->probe = true; return 0;
    case 'Q': options->probe_image = value; return 0;
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

enum { LONG = 256 }; /* added to the letter of an option that was spelt out */

/* The option of a command that getopt_long() means, by its letter or its shortcut. */
static char letter_of(const struct command *command, int given)
{
    if (given >= LONG)
        return (char)(given - LONG);
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (command_options[i].shortcut == given &&
            strchr(command->options, command_options[i].letter))
            return command_options[i].letter;
    return (char)given;
}

/* How many arguments a command takes: "PROFILE [PATH]" at least one, at most two; with "..." any
 * number more. */
static int count_words(const char *arguments, bool with_optional)
{
    int count = 0;
    if (with_optional && strstr(arguments, "..."))
        return INT_MAX;
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
        if (!has_option(command, row))
            continue;
        longs[count++] =
            (struct option){ row->name, row->argument ? 1 : 0, NULL, LONG + row->letter };
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
    if (options->files_count)
        return rest == 0 ? 0
                         : err_set(err, ERR_USAGE, "-f goes without a profile: what is '%s'?",
                                   argv[optind]);
    if (rest < count_words(command->arguments, false) ||
        rest > count_words(command->arguments, true))
        return err_set(err, ERR_USAGE, "%s: usage: bkdeploy %s%s%s [OPTION]...",
                       rest > count_words(command->arguments, true) ? "one argument too many"
                       : rest || strncmp(command->arguments, "PROFILE", 7) != 0
                           ? "an argument is missing"
                           : "no profile given",
                       command->name, *command->arguments ? " " : "", command->arguments);
    options->script.path = argv[optind];
    options->words = (const char *const *)argv + optind + 1;
    options->words_count = rest > 0 ? (size_t)rest - 1 : 0;
    return 0;
}

/* The message as one line, whatever a server or a file put in it; only the calls that led to an
 * error of a profile are lines of their own. The caller's. */
static char *on_one_line(const char *message)
{
    static const char frame[] = "\n  at ";
    char *line = table_clean(message);
    const char *found = message;
    while ((found = strstr(found, frame)))
        line[found++ - message] = '\n';
    return line;
}

/* Those that take time and print events; others do with --watch. */
static bool has_events(const struct command *command, const struct options *options)
{
    static const char *const names[] = { "apply", "rollback", "delete", "wait", "logs" };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(command->name, names[i]) == 0)
            return true;
    return options->watch;
}

/* Whether a command line that can't be parsed asks for JSON. */
static bool asks_for_json(const struct command *command, int argc, char **argv)
{
    bool has_format = strchr(command->options, 'o') != NULL; /* -o is no file */
    for (int i = 1; i < argc; i++) {
        const char *last = argv[i - 1];
        bool is_value = strcmp(last, "-o") == 0 || strcmp(last, "--output") == 0;
        if (strcmp(argv[i], "--json") == 0 ||
            (has_format &&
             ((is_value && strcmp(argv[i], "json") == 0) || strcmp(argv[i], "-ojson") == 0 ||
              strcmp(argv[i], "--output=json") == 0)))
            return true;
    }
    return false;
}

/* Standard error for people, for programs the last event or the object in place of an answer. */
static void tell_error(const struct options *options, const struct err *err)
{
    char *message = on_one_line(err->message);
    fprintf(stderr, "bkdeploy: %s\n", message);
    ci_mark_error(stderr, message);
    free(message);
    if (options->output && strcmp(options->output, "json") == 0 && !options->feed)
        feed_print_error(stdout, err);
}

static int run_command(const struct command *command, int argc, char **argv)
{
    struct err err = ERR_INIT;
    const struct err none = ERR_INIT;
    struct options options = { .timeout_ms = 600000, .grace_ms = 10000 };
    int result = parse_options(command, argc, argv, &options, &err);
    if (result == 0 && options.help) {
        print_command_help(command);
        return 0;
    }
    if (result != 0)
        options.output = asks_for_json(command, argc, argv) ? "json" : NULL;
    else if (options.output && has_events(command, &options))
        options.feed = feed_new(stdout);
    if (result == 0)
        result = command->run(&options, &err);
    if (result < 0)
        tell_error(&options, &err);
    int code = result < 0 ? err_exit_code(err.kind) : result;
    if (options.feed)
        feed_end(options.feed, code, result < 0 ? &err : &none); /* --watch ends by an interrupt */
    feed_free(options.feed);
    free((void *)options.script.settings);
    free((void *)options.script.inputs);
    free((void *)options.files);
    return code;
}

/* ---- the program ---- */

static json_t *options_json(const struct command *command)
{
    json_t *list = json_array();
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        const struct option_row *row = &command_options[i];
        const char shortcut[] = { row->shortcut, '\0' };
        if (!has_option(command, row))
            continue;
        json_t *option = json_pack("{s:s, s:s}", "name", row->name, "help",
                                   row->help ? row->help : command->formats);
        if (row->shortcut)
            json_object_set_new(option, "short", json_string(shortcut));
        if (row->argument)
            json_object_set_new(option, "argument", json_string(row->argument));
        json_array_append_new(list, option);
    }
    return list;
}

static json_t *command_json(const struct command *command)
{
    return json_pack("{s:s, s:s, s:s, s:o}", "name", command->name, "arguments", command->arguments,
                     "summary", command->summary, "options", options_json(command));
}

static void print_document(json_t *document)
{
    json_dumpf(document, stdout, JSON_INDENT(2));
    putchar('\n');
    json_decref(document);
}

static void print_help_json(const struct command *only)
{
    json_t *list = json_array();
    for (size_t i = 0; i < COMMAND_COUNT; i++)
        if (!only || only == &commands[i])
            json_array_append_new(list, command_json(&commands[i]));
    print_document(json_pack("{s:o}", "commands", list));
}

/* Of `help` and `version`: takes "-o json" or "--json" off the end of the words. */
static bool take_json(int *argc, char **argv)
{
    int count = *argc;
    if (count > 2 && strcmp(argv[count - 1], "--json") == 0)
        *argc = count - 1;
    else if (count > 3 && strcmp(argv[count - 2], "-o") == 0 &&
             strcmp(argv[count - 1], "json") == 0)
        *argc = count - 2;
    return *argc != count;
}

static int print_version(bool json)
{
    if (json)
        print_document(json_pack("{s:s, s:s}", "version", BKDEPLOY_VERSION, "schema", FEED_SCHEMA));
    else
        printf("bkdeploy %s\n", BKDEPLOY_VERSION);
    return 0;
}

const char *command_version(void)
{
    return BKDEPLOY_VERSION;
}

int command_main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "help";
    const struct command *command = find_command(name);
    if (command)
        return run_command(command, argc - 1, argv + 1);
    if (strcmp(name, "version") == 0 || strcmp(name, "--version") == 0)
        return print_version(take_json(&argc, argv));
    if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0) {
        bool json = take_json(&argc, argv);
        command = argc > 2 ? find_command(argv[2]) : NULL;
        if (json)
            print_help_json(command);
        else if (command)
            print_command_help(command);
        else
            print_usage(argc > 1 ? stdout : stderr);
        return argc > 1 ? 0 : 2;
    }
    fprintf(stderr, "bkdeploy: no command '%s'; see bkdeploy help\n", name);
    return 2;
}

"""Objects applied new, again, changed, diffed and deleted: by bkdeploy, by kubectl, by helm, and by nothing but the
requests."""
from measuring import HELM, KUBECTL, STATE, cell, median, once, ratio, server, settle, table
from objects import TOOLS, files, profile_of

STEPS = ("new", "again, unchanged", "diff of 10 changed", "10 changed", "deleted", "new, and waited for")
WAITED = "new, and waited for"
APPLY = ["apply", "--server-side", "-f"]


def commands(count, made):
    """What is measured: by step and tool, its arguments, or None where it has no such command."""
    def bound(word):
        return (["build/bound", f"{STATE}/pki", server()], made["bound", word])

    def own(command, changed, *more):
        return (["build/bkdeploy", command, *profile_of(count, changed), *more], None)

    def of_kubectl(*arguments, word="first", codes=(0,)):
        return ([KUBECTL, *arguments, made.get(("kubectl", word), "")], None, codes)

    def of_helm(command, word=None, *more):
        chart = [made.get(("helm", word), "")] if word else []
        return ([HELM, command, "bench", *chart, "-n", "bench-helm", *more], None)

    applies = ("apply", "--yes", "--no-wait")
    return {
        "new": {"bkdeploy": own(applies[0], 0, *applies[1:]), "bound": bound("first"),
                "kubectl": of_kubectl(*APPLY), "helm": of_helm("install", "first")},
        "again, unchanged": {"bkdeploy": own(applies[0], 0, *applies[1:]), "bound": bound("unchanged"),
                             "kubectl": of_kubectl(*APPLY), "helm": of_helm("upgrade", "first")},
        "diff of 10 changed": {"bkdeploy": (*own("diff", 10), (1,)), "bound": bound("unchanged"),
                               "kubectl": of_kubectl("diff", "--server-side", "-f", word="changed", codes=(1,))},
        "10 changed": {"bkdeploy": own(applies[0], 10, *applies[1:]), "bound": bound("changed"),
                       "kubectl": of_kubectl(*APPLY, word="changed"), "helm": of_helm("upgrade", "changed")},
        "deleted": {"bkdeploy": own("delete", 0, "--yes"), "bound": bound("deleted"),
                    "kubectl": of_kubectl("delete", "--wait=false", "-f"), "helm": of_helm("uninstall")},
        # helm install --wait takes minutes for it: it asks for each object in turn.
        WAITED: {"bkdeploy": own("apply", 0, "--yes")},
    }


def measure(count, runs, tools=TOOLS, steps=STEPS, say=lambda text: None):
    """Medians by (step, tool). The tools take turns in each step of each run, every run in another order."""
    wanted, taken = commands(count, files(count, tools)), {}
    for run in range(runs):
        for step in steps:
            order = [tool for tool in tools[run % len(tools):] + tools[:run % len(tools)] if tool in wanted[step]]
            for tool in order:
                argv, stdin, *codes = wanted[step][tool]
                settle()
                took = once(argv, stdin, *codes)
                taken.setdefault((step, tool), []).append(took)
                say(f"{count} objects, run {run + 1} of {runs}: {step}: {tool} {took.seconds:.2f} s")
            if step == WAITED:  # the others have nothing left
                for tool in order:
                    argv, stdin, *codes = wanted["deleted"][tool]
                    settle()
                    once(argv, stdin, *codes)
    return {key: median(runs_of) for key, runs_of in taken.items()}


HEAD = ["", "bkdeploy", "bound", "kubectl", "helm", "bkdeploy / bound", "bkdeploy / kubectl"]


def rows(found, steps):
    made = []
    for step in steps:
        by = {tool: found.get((step, tool)) for tool in TOOLS}
        made.append([step, *(cell(by[tool]) for tool in TOOLS), ratio(by["bkdeploy"], by["bound"]),
                     ratio(by["bkdeploy"], by["kubectl"])])
    return made


def show(count, found, steps=STEPS):
    return table([f"{count:,} objects", *HEAD[1:]], rows(found, steps))

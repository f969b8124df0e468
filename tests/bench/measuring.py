"""What all jobs of the benchmark measure by: one run of a command, a control plane that has come to rest, medians."""
import os
import statistics
import subprocess
import time
from collections import namedtuple

CLUSTER = os.environ.get("CLUSTER", "bench")
STATE = f"build/cluster/{CLUSTER}"
KUBECONFIG = f"{STATE}/kubeconfig"
KUBECTL = "build/cluster/bin/kubectl"
HELM = "build/charts/bin/helm"
SCRATCH = "build/tmp/bench"

Run = namedtuple("Run", "seconds mb cpu")  # wall, peak memory in millions of bytes, processor seconds

ENVIRONMENT = {**os.environ, "KUBECONFIG": os.path.abspath(KUBECONFIG), "NO_COLOR": "1",
               "HELM_CACHE_HOME": f"{SCRATCH}/helm", "HELM_CONFIG_HOME": f"{SCRATCH}/helm",
               "HELM_DATA_HOME": f"{SCRATCH}/helm"}


def once(argv, stdin=None, codes=(0,), environment=None):
    """Runs a command to its end as the kernel accounts it (measure.c); one that fails ends the benchmark."""
    with open(stdin or os.devnull, "rb") as given:
        answer = subprocess.run(["build/measure", *argv], stdin=given, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env={**ENVIRONMENT, **(environment or {})})
    told = answer.stderr.rstrip().split("\n")
    if answer.returncode not in codes:
        raise SystemExit(f"{' '.join(argv)} ended with {answer.returncode}:\n" + "\n".join(told[-5:]))
    seconds, kib, cpu = told[-1].split()
    return Run(float(seconds), int(kib) * 1024 / 1e6, float(cpu))


def kubectl(*arguments, stdin=None):
    answer = subprocess.run([KUBECTL, *arguments], input=stdin, check=True, stdout=subprocess.PIPE, text=True,
                            env=ENVIRONMENT)
    return answer.stdout


def server():
    with open(KUBECONFIG, encoding="utf-8") as file:
        return next(line.split("server: ")[1].strip() for line in file if "server: " in line)


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(") ", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def control_plane_seconds():
    total = 0
    for program in ("etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kwok"):
        with open(f"{STATE}/{program}.pid", encoding="utf-8") as file:
            total += processor_seconds(file.read().split()[0])
    return total


def settle(limit=60):
    """Waits until the controllers are done with what the last step has left them, so that no one pays for another."""
    deadline, before = time.monotonic() + limit, control_plane_seconds()
    while time.monotonic() < deadline:
        time.sleep(0.5)
        now = control_plane_seconds()
        if now - before < 0.1:
            return
        before = now


def median(runs):
    return Run(*(statistics.median(values) for values in zip(*runs)))


def seconds_text(seconds):
    if seconds < 0.1:
        return f"{seconds * 1000:.1f} ms"
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.2f} s"


def cell(run):
    return f"{seconds_text(run.seconds)}, {run.mb:.1f} MB" if run else "–"


def ratio(run, other):
    return f"{run.seconds / other.seconds:.2f}" if run and other else "–"


def table(head, rows):
    """A table in Markdown, for the terminal and the README alike."""
    widths = [max(len(str(row[i])) for row in [head, *rows]) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join("| " + " | ".join(str(text).ljust(width) for text, width in zip(line, widths)) + " |"
                     for line in lines)

"""make bench: how fast bkdeploy is and what it takes, beside kubectl, helm and the API server's own speed.

    python3 tests/bench/bench.py [--runs N] [--quick] [JOB...]

Jobs: start (what needs no cluster), apply (1,000 objects), growth (100 and 10,000), latency (100 ms in front of the API
server), faults (one that refuses and resets), waiting (how soon a waiter knows), rollout (10,000 pods). All of them if
none is named. --quick takes small numbers and one run: to try the benchmark itself, its figures tell nothing. Uses a
control plane of its own (CLUSTER=bench), which is stopped at the end, whatever that end is. Tables go to standard
output."""
import argparse
import os
import platform
import re
import shutil
import signal
import subprocess
import sys
import time

import apply
import faults
import latency
import objects
import rollout
import start
import waiting
from measuring import CLUSTER, SCRATCH

NEW, UNCHANGED = apply.STEPS[:2]


def say(text):
    print(f"\r\x1b[K{text}" if sys.stderr.isatty() else text, end="" if sys.stderr.isatty() else "\n", file=sys.stderr,
          flush=True)


def job_start(args):
    return start.run(1 if args.quick else 5 * args.runs + 6, say)


def job_apply(args):
    count = 40 if args.quick else 1000
    return apply.show(count, apply.measure(count, 1 if args.quick else args.runs, say=say))


def job_growth(args):
    """10,000 objects are more than a helm release can hold, and kubectl takes its time: it goes once."""
    small, large = (40, 80) if args.quick else (100, 10000)
    runs = 1 if args.quick else args.runs
    steps = tuple(step for step in apply.STEPS if step != apply.WAITED)
    tables = [apply.show(small, apply.measure(small, runs, steps=steps, say=say), steps)]
    found = apply.measure(large, 1, ("bkdeploy", "bound"), say=say)
    found.update(apply.measure(large, 1, ("kubectl",), (NEW, UNCHANGED), say))
    return "\n\n".join([*tables, apply.show(large, found)])


def job_latency(args):
    return latency.run(40 if args.quick else 1000, say)


def job_faults(args):
    return faults.run(40 if args.quick else 1000, say)


def job_waiting(args):
    return waiting.run(2 if args.quick else 5 * args.runs, say)


def job_rollout(args):
    return rollout.run(*((4, 40) if args.quick else (200, 10000)), say)


JOBS = {"start": job_start, "apply": job_apply, "growth": job_growth, "latency": job_latency, "faults": job_faults,
        "waiting": job_waiting, "rollout": job_rollout}
NEED_NO_CLUSTER = ("start",)
QPS = {"rollout": 200}  # of each controller; without a limit 10,000 pods leave the API server no time for its clients


def machine():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        model = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    version = subprocess.run(["build/bkdeploy", "version"], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()
    return (f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores of {model}, {memory:.0f} GB, the control plane on the "
            f"same; load {os.getloadavg()[0]:.1f} before. {version}, kubectl and control plane "
            f"{pinned('cluster', 'k8s.io/kubernetes')}, helm {pinned('charts', 'helm.sh/helm/v4')}.")


def pinned(module, name):
    with open(f"tests/{module}/go.mod", encoding="utf-8") as file:
        return re.search(rf"^\s*{re.escape(name)} (v\S+)", file.read(), re.MULTILINE).group(1)


def cluster(word, qps=1000):
    subprocess.run(["tests/cluster/cluster", word], check=True, stdout=subprocess.DEVNULL,
                   env={**os.environ, "CLUSTER": CLUSTER, "CLUSTER_QPS": str(qps)})


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("job", nargs="*", choices=[*JOBS, []])
    args = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    shutil.rmtree(SCRATCH, ignore_errors=True)
    print(machine())
    began, jobs = time.monotonic(), args.job or list(JOBS)
    try:
        for name in jobs:
            if name not in NEED_NO_CLUSTER:  # each its own, so that none pays for what another has left
                cluster("down")
                cluster("up", QPS.get(name, 1000))
                objects.namespaces()
            found = JOBS[name](args)
            say("")
            print(f"\n{found}", flush=True)
    finally:
        cluster("down")
        shutil.rmtree(SCRATCH, ignore_errors=True)
    print(f"\n{time.monotonic() - began:.0f} s", file=sys.stderr)


try:
    main()
except KeyboardInterrupt:
    sys.exit(130)

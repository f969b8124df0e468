"""New objects through an API server that refuses, resets streams and closes connections (tests/proxy/main.go)."""
import json

import apply
from measuring import ENVIRONMENT, SCRATCH, STATE, once, seconds_text, server, settle, table
from objects import files, write

PROXY = "build/proxy/bin/faults"
RULES = {"nothing goes wrong": [], "every 20th request is reset": ["reset=20"],
         "the connection is closed every 50 requests": ["close=50"],
         "429 for a second every 60 requests": ["429=60,1"]}

RUN = """config={scratch}/kubeconfig-faults; sed "s,server: .*,server: https://127.0.0.1:$PORT," {kubeconfig} >$config
KUBECONFIG=$PWD/$config "$@"; echo $? >{scratch}/code
"""


def through(rules, argv, stdin):
    """How long it took, in words, and the writes that came to the proxy."""
    script = write("faults.sh", RUN.format(scratch=SCRATCH, kubeconfig=ENVIRONMENT["KUBECONFIG"]))
    counts = f"{SCRATCH}/faults.json"
    took = once([PROXY, "--upstream", server(), "--pki", f"{STATE}/pki", "--count", counts, *rules, "--", "sh", script,
                 *argv], stdin)
    with open(f"{SCRATCH}/code", encoding="utf-8") as file:
        code = int(file.read())
    with open(counts, encoding="utf-8") as file:
        writes = sum(times for request, times in json.load(file).items() if request.startswith("PATCH "))
    return seconds_text(took.seconds) if code == 0 else f"ends with {code}", writes


def run(count, say):
    """One run of each."""
    tools = ("bkdeploy", "kubectl")
    wanted, rows = apply.commands(count, files(count, tools + ("bound",))), []
    for words, rules in RULES.items():
        row = [words]
        for tool in tools:
            settle()
            took, writes = through(rules, *wanted["new"][tool][:2])
            row += [took, f"{writes / count:.2f}"]
            say(f"{count} new objects, {words}: {tool} {took}")
            argv, stdin, *_ = wanted["deleted"][tool]
            once(argv, stdin, (0, 1))
            settle()
        rows.append(row)
    return table([f"{count:,} new objects", "bkdeploy", "writes an object", "kubectl", "writes an object"], rows)

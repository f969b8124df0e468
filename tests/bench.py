"""Wall time and peak memory of render and check, beside `lua5.4 -e return`, taken in turn in one run, so that a
machine's drift meets all. Prints medians and the size of the program."""
import os
import statistics
import subprocess

RUNS = 41
MANY = "build/tmp/bench"
COMMANDS = {
    "bkdeploy render profiles/bklog -e prod": ["build/bkdeploy", "render", "profiles/bklog", "-e", "prod"],
    "bkdeploy check profiles/bklog -e prod": ["build/bkdeploy", "check", "profiles/bklog", "-e", "prod"],
    "bkdeploy check, 1000 components": ["build/bkdeploy", "check", MANY],
    "bkdeploy version": ["build/bkdeploy", "version"],
    "lua5.4 -e return": ["lua5.4", "-e", "return"],
}

# 500 Deployments, each with a Service and an Ingress, and 500 ConfigMaps that they mount: 2,001 objects.
PROFILE = """local bk = require "bk"
local list = {}
for i = 1, 500 do
    local conf = bk.config("conf-" .. i) { ["app.ini"] = "number = " .. i }
    list[2 * i - 1] = conf
    list[2 * i] = bk.deployment("web-" .. i) {
        image = "nginx:1.27", replicas = 2, ports = { http = 80 }, env = { A = "1", B = i, C = "x" },
        readiness = bk.http "/", resources = { cpu = "50m..200m", memory = "32Mi..64Mi" },
        files = { ["/etc/app"] = conf }, ingress = { host = "h" .. i .. ".example.com" },
    }
end
return bk.profile "many" { components = list }
"""


def once(argv):
    """Runs a command; returns seconds and peak KiB as the kernel accounted them (measure.c)."""
    answer = subprocess.run(["build/measure", *argv], check=True, capture_output=True, text=True)
    seconds, kib = answer.stderr.split()
    return float(seconds), int(kib)


def main():
    os.makedirs(MANY, exist_ok=True)
    with open(f"{MANY}/profile.lua", "w", encoding="utf-8") as file:
        file.write(PROFILE)
    times = {name: [] for name in COMMANDS}
    for run in range(RUNS + 1):
        for name, argv in COMMANDS.items():
            taken = once(argv)
            if run:  # the first warms the caches
                times[name].append(taken)
    print(f"{'median of ' + str(RUNS) + ' runs':42} {'wall ms':>8} {'peak MB':>8}")
    for name, taken in times.items():
        wall = statistics.median(seconds for seconds, _ in taken) * 1000
        peak = statistics.median(kib for _, kib in taken) / 1024
        print(f"{name:42} {wall:8.2f} {peak:8.2f}")
    stripped = "build/bkdeploy.stripped"
    subprocess.run(["strip", "-o", stripped, "build/bkdeploy"], check=True)
    print(f"program, stripped: {os.path.getsize(stripped) / 1024:.0f} KiB")
    os.remove(stripped)


main()

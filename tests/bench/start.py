"""Time and memory of what needs no cluster, beside `lua5.4 -e return`, taken in turn, so that a machine's drift meets
all."""
import os

from measuring import SCRATCH, median, once, subprocess, table
from objects import profile_of, write, PROFILE

# 500 Deployments, each with a Service and an Ingress, and 500 ConfigMaps that they mount: 2,001 objects.
MANY = """local bk = require "bk"
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

COMMANDS = {
    "bkdeploy render profiles/bklog -e prod": ["build/bkdeploy", "render", "profiles/bklog", "-e", "prod"],
    "bkdeploy check profiles/bklog -e prod": ["build/bkdeploy", "check", "profiles/bklog", "-e", "prod"],
    "bkdeploy render, 1,000 objects": ["build/bkdeploy", "render", *profile_of(1000)],
    "bkdeploy render, 10,000 objects": ["build/bkdeploy", "render", *profile_of(10000)],
    "bkdeploy check, 2,001 objects": ["build/bkdeploy", "check", f"{SCRATCH}/many"],
    "bkdeploy version": ["build/bkdeploy", "version"],
    "lua5.4 -e return": ["lua5.4", "-e", "return"],
}


def run(runs, say):
    write("objects/profile.lua", PROFILE)
    write("many/profile.lua", MANY)
    taken = {name: [] for name in COMMANDS}
    for number in range(runs + 1):
        for name, argv in COMMANDS.items():
            took = once(argv)
            if number:  # the first warms the caches
                taken[name].append(took)
        say(f"without a cluster, run {number} of {runs}")
    rows = []
    for name, runs_of in taken.items():
        middle = median(runs_of)
        rows.append([name, f"{middle.seconds * 1000:.1f} ms", f"{middle.mb:.1f} MB"])
    stripped = f"{SCRATCH}/bkdeploy.stripped"
    subprocess.run(["strip", "-o", stripped, "build/bkdeploy"], check=True)
    rows.append(["program, stripped", "", f"{os.path.getsize(stripped) / 1e6:.1f} MB"])
    return table(["without a cluster", "wall", "peak memory"], rows)

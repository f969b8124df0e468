"""The objects of the benchmark, for each tool in its own form: a profile, and what it renders as YAML for kubectl, as a
chart for helm and as requests for the bound. Equal numbers of ConfigMaps, Secrets, Services and Deployments without
pods, each tool's in a namespace of its own."""
import json
import os
from urllib.parse import quote

import yaml

from measuring import SCRATCH, kubectl, subprocess

TOOLS = ("bkdeploy", "bound", "kubectl", "helm")
CHANGED = 10

PROFILE = """local bk = require "bk"

return bk.profile "bench" {
    default = "bkdeploy",
    create_namespace = false,
    environments = {
        bkdeploy = { namespace = "bench-bkdeploy", count = 250, changed = 0 },
        kubectl = { namespace = "bench-kubectl", count = 250, changed = 0 },
        helm = { namespace = "bench-helm", count = 250, changed = 0 },
        bound = { namespace = "bench-bound", count = 250, changed = 0 },
    },
    components = function(env)
        local list = {}
        for i = 1, env.count do
            list[#list + 1] = bk.config("config-" .. i) { ["app.ini"] = ("number = %d\\n"):format(i):rep(8) }
            list[#list + 1] = bk.secret("secret-" .. i) { password = "word " .. i }
            list[#list + 1] = bk.deployment("web-" .. i) {
                image = i <= env.changed and "nginx:1.28" or "nginx:1.27", replicas = 0, ports = { http = 80 },
                readiness = bk.http "/", resources = { cpu = "50m..200m", memory = "32Mi..64Mi" },
            }
        end
        return list
    end,
}
"""

COLLECTIONS = {"ConfigMap": "/api/v1/namespaces/{}/configmaps", "Secret": "/api/v1/namespaces/{}/secrets",
               "Service": "/api/v1/namespaces/{}/services",
               "Deployment": "/apis/apps/v1/namespaces/{}/deployments"}
# What a list without the objects' content asks for: the least that tells whether something has changed.
LISTS = [f"GET {path.format('bench-bound')}?limit=500" for path in COLLECTIONS.values()]


def profile_of(count, changed=0):
    """The options by which bkdeploy is given `count` objects."""
    return [f"{SCRATCH}/objects", "--set", f"count={count // 4}", "--set", f"changed={changed}"]


def render(tool, count, changed):
    argv = ["build/bkdeploy", "render", *profile_of(count, changed), "-e", tool, "-o", "json", "--show-secrets"]
    return json.loads(subprocess.run(argv, check=True, stdout=subprocess.PIPE).stdout)["items"]


def path_of(item):
    collection = COLLECTIONS[item["kind"]].format(item["metadata"]["namespace"])
    return f"{collection}/{quote(item['metadata']['name'])}"


def applies(items):
    return [f"PATCH {path_of(item)}?fieldManager=bound&fieldValidation=Strict {json.dumps(item, separators=(',', ':'))}"
            for item in items]


def write(name, text):
    path = f"{SCRATCH}/{name}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def in_yaml(items):
    return yaml.dump_all(items, Dumper=yaml.CSafeDumper, sort_keys=False)


def files(count, tools=TOOLS):
    """Writes them; returns each tool's files by name, as they are at first and as they are changed."""
    made = {}
    write("objects/profile.lua", PROFILE)
    for word, changed in (("first", 0), ("changed", CHANGED)):
        if "kubectl" in tools:
            made["kubectl", word] = write(f"{count}/{word}.yaml", in_yaml(render("kubectl", count, changed)))
        if "helm" in tools:
            chart = f"{count}/chart-{word}"
            write(f"{chart}/Chart.yaml", "apiVersion: v2\nname: bench\nversion: 1.0.0\n")
            write(f"{chart}/templates/objects.yaml", in_yaml(render("helm", count, changed)))
            made["helm", word] = f"{SCRATCH}/{chart}"
    items, later = render("bound", count, 0), render("bound", count, CHANGED)
    different = [new for old, new in zip(items, later) if old != new]
    assert len(different) == CHANGED, len(different)
    for word, lines in (("first", applies(items)), ("unchanged", LISTS), ("changed", LISTS + applies(different)),
                        ("deleted", [f"DELETE {path_of(item)}" for item in items])):
        made["bound", word] = write(f"{count}/bound-{word}", "\n".join(lines) + "\n")
    return made


def namespaces():
    """One for each tool, there before anything is measured."""
    objects = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"bench-{tool}"}} for tool in TOOLS]
    kubectl("apply", "--server-side", "-f", "-", stdin=json.dumps({"apiVersion": "v1", "kind": "List",
                                                                   "items": objects}))

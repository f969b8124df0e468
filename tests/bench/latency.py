"""New objects with 100 ms of latency in front of the API server, by toxiproxy."""
import json
import os
import socket
import subprocess
import time
from urllib.error import URLError
from urllib.request import Request, urlopen

import apply
from measuring import KUBECONFIG, SCRATCH, cell, once, ratio, server, settle, table
from objects import files

LATENCY_MS = 100
PROXY = "build/proxy/bin/toxiproxy"


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def ask(control, path, body):
    request = Request(f"http://{control}{path}", json.dumps(body).encode(), {"Content-Type": "application/json"})
    with urlopen(request) as answer:
        return json.load(answer)


def start_proxy(port):
    """The proxy and the URL of the API server behind it; half of the latency goes each way."""
    control = f"127.0.0.1:{port}"
    proxy = subprocess.Popen([PROXY, "-host", "127.0.0.1", "-port", str(port)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL)
    for _ in range(100):
        try:
            made = ask(control, "/proxies", {"name": "api", "listen": "127.0.0.1:0", "enabled": True,
                                             "upstream": server().removeprefix("https://")})
            break
        except URLError:
            time.sleep(0.05)
    for stream in ("upstream", "downstream"):
        ask(control, "/proxies/api/toxics", {"type": "latency", "stream": stream,
                                             "attributes": {"latency": LATENCY_MS // 2}})
    return proxy, f"https://{made['listen']}"


def kubeconfig_by(proxy_url):
    with open(KUBECONFIG, encoding="utf-8") as file:
        text = file.read().replace(server(), proxy_url)
    path = f"{SCRATCH}/kubeconfig-slow"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
    return os.path.abspath(path)


def run(count, say):
    """One run: kubectl takes a round trip for each object."""
    if not os.path.exists(PROXY):
        return f"with {LATENCY_MS} ms of latency: not measured, there is no {PROXY}"
    tools = ("bkdeploy", "bound", "kubectl")
    wanted, took = apply.commands(count, files(count, tools)), {}
    proxy, url = start_proxy(free_port())
    slow = {"KUBECONFIG": kubeconfig_by(url)}
    try:
        for tool in tools:
            argv, stdin, *_ = wanted["new"][tool]
            settle()
            took[tool] = once([url if word == server() else word for word in argv], stdin, environment=slow)
            say(f"{count} new objects with {LATENCY_MS} ms of latency: {tool} {took[tool].seconds:.2f} s")
    finally:
        proxy.terminate()
        proxy.wait()
    for tool in tools:  # without the proxy
        argv, stdin, *_ = wanted["deleted"][tool]
        once(argv, stdin)
    return table([f"{count:,} objects, {LATENCY_MS} ms of latency", *tools, "bkdeploy / bound", "bkdeploy / kubectl"],
                 [["new", *(cell(took[tool]) for tool in tools), ratio(took["bkdeploy"], took["bound"]),
                   ratio(took["bkdeploy"], took["kubectl"])]])

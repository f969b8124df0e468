"""Passes connections on to a server and drops them all on SIGUSR1.

usage: drops.py HOST:PORT COMMAND...: runs the command with $PORT and $DROPS, the pid to signal.
"""
import os
import signal
import socket
import subprocess
import sys
import threading

host, port = sys.argv[1].rsplit(":", 1)
pairs = []


def copy(source, target):
    try:
        while data := source.recv(65536):
            target.sendall(data)
    except OSError:
        pass
    for one in (source, target):
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(listener):
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((host, int(port)))
        pairs.append((client, server))
        threading.Thread(target=copy, args=(client, server), daemon=True).start()
        threading.Thread(target=copy, args=(server, client), daemon=True).start()


def drop(_signal, _frame):
    while pairs:
        for one in pairs.pop():
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass


signal.signal(signal.SIGUSR1, drop)
listener = socket.create_server(("127.0.0.1", 0))
threading.Thread(target=serve, args=(listener,), daemon=True).start()
environment = {**os.environ, "PORT": str(listener.getsockname()[1]), "DROPS": str(os.getpid())}
child = subprocess.Popen(sys.argv[2:], env=environment)
while True:
    try:
        sys.exit(child.wait())
    except InterruptedError:
        pass

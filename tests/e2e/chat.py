"""A server that hooks of the specs write to: chat.py FOLDER. FOLDER has cert.pem and key.pem.

Its ports go to FOLDER/port (https) and FOLDER/plain (http), a line of JSON for each request to FOLDER/requests. By path:
  /say       {"ok": true, "said": the body}, status 201
  /refuse    status 403, no JSON
  /sleep     no answer
  /big       2 MiB
  /moved     to /say;  /down  to the plain port;  /away  to the same server under another name;  /round  to itself
"""
import http.server
import json
import ssl
import sys
import threading
import time

folder = sys.argv[1]


class Chat(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
        with open(folder + "/requests", "a") as file:
            file.write(json.dumps({"method": self.command, "path": self.path, "body": body,
                                   "headers": {k.lower(): v for k, v in self.headers.items()}}) + "\n")
        path = self.path.split("?")[0]
        places = {"/moved": "/say", "/down": "http://127.0.0.1:%d/say" % plain.server_address[1],
                  "/away": "https://localhost:%d/say" % secure.server_address[1], "/round": "/round"}
        if path == "/sleep":
            time.sleep(20)
        elif path == "/big":
            self.answer(200, b"x" * (2 << 20))
        elif path == "/refuse":
            self.answer(403, b"not you")
        elif path in places:
            self.answer(302, Location=places[path])
        else:
            self.answer(201, json.dumps({"ok": True, "said": body, "none": None}).encode(), Content_Type="application/json",
                        X_Seen="here")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do

    def log_message(self, *args):
        pass


secure = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
plain = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Chat)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
secure.socket = context.wrap_socket(secure.socket, server_side=True, do_handshake_on_connect=False)
for name, server in (("port", secure), ("plain", plain)):
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with open(folder + "/" + name, "w") as file:
        file.write(str(server.server_address[1]))
time.sleep(300)

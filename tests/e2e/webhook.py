"""An admission webhook of the specs: webhook.py FOLDER MODE. FOLDER has cert.pem and key.pem; the port goes to FOLDER/port.

What its rules bring is answered by MODE:
  refuse  no, in two lines
  late    as refuse, but a dry run is let through
  denied  no, by status 403, as policy engines do
  echo, late-echo  as those, with the whole object in the message, and the values of a Secret decoded, too
  sleep   no answer
"""
import base64
import http.server
import json
import ssl
import sys
import threading
import time

folder, mode = sys.argv[1:]


class Webhook(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
        thing = request.get("object") or {}
        name = thing.get("metadata", {}).get("name", "")
        if mode == "sleep":
            time.sleep(5)
        message = "the policy says no to %s,\nand to all that is like it" % name
        if mode.endswith("echo"):
            plain = {k: base64.b64decode(v).decode("ascii", "ignore").replace("\0", "") for k, v in (thing.get("data") or {}).items()}
            message = "%s, by which I mean %s: %s" % (json.dumps(thing), json.dumps(plain), " ".join(plain.values()))
        status = {"message": message}
        if mode == "denied":
            status.update(code=403, reason="Forbidden")
        answer = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": {
            "uid": request["uid"], "allowed": mode.startswith("late") and bool(request.get("dryRun")), "status": status}}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Webhook)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(folder + "/cert.pem", folder + "/key.pem")
server.socket = context.wrap_socket(server.socket, server_side=True)
threading.Timer(120, server.shutdown).start()
with open(folder + "/port", "w") as file:
    file.write(str(server.server_address[1]))
server.serve_forever()

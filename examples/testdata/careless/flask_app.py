"""A handler on Flask that is good in everything but the habit that HABIT names, for
tests. README.md beside this file lists the habits. Not to be copied: that is what
examples/flask is for."""

import hashlib
import hmac
import json
import os
import re
import signal
import sys
import threading
import time
import urllib.request

from flask import Flask, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

PATH = "/webhooks/m2m"
HABITS = [
    "", "reserializes", "no-freshness", "open", "empty-key", "leaks-key", "races", "duplicates",
    "refuses-unknown-events", "refuses-unknown-fields", "crashes", "parses-charset",
    "ignores-data-requests", "small-bodies", "acts-on-get", "late", "refuses-out-of-order",
]  # fmt: skip

# The documented members of data, the id first.
MEMBERS = {
    "link.created": "linkId referenceId url status expiresAt createdAt".split(),
    "link.opened": "linkId referenceId openedAt deviceInfo".split(),
    "user.data_request": "dataRequestId referenceId linkId requiredFields replyEndpoint expiresAt".split(),
    "operation.created": "operationId linkId referenceId userId status funding payout amount createdAt".split(),
    "operation.cancelled": "operationId linkId referenceId userId status cancellationReason cancelledAt".split(),
}

SECRET = os.environ.get("M2M_WEBHOOK_SECRET", "")
API_KEY = os.environ.get("M2M_API_KEY", "")
REPLY_ORIGIN = os.environ.get("M2M_REPLY_ORIGIN", "")
EFFECTS_FILE = os.environ.get("M2M_EFFECTS_FILE") or os.devnull
HABIT = os.environ.get("HABIT", "")
DELAY = float(os.environ.get("M2M_CARELESS_DELAY") or 6)
if not SECRET:
    sys.exit("M2M_WEBHOOK_SECRET: no webhook secret")
if HABIT not in HABITS:
    sys.exit(f"HABIT: no habit {HABIT!r}")

MAX_BODY = 100 << 10 if HABIT == "small-bodies" else 1 << 20

app = Flask(__name__)
lock = threading.Lock()
recorded = set()  # event and id
effects = open(EFFECTS_FILE, "a", buffering=1, encoding="ascii")


@app.route(PATH, methods=["POST", "GET"] if HABIT == "acts-on-get" else ["POST"], provide_automatic_options=False)
def webhook():
    if request.method != "POST":
        return answer(200, "OK")
    body = request.stream.read(MAX_BODY + 1)
    if len(body) > MAX_BODY:
        while request.stream.read(1 << 16):
            pass  # a connection closed with bytes unread is reset, and the answer lost
        return answer(413, "Payload Too Large")
    if HABIT == "parses-charset" and request.headers.get("Content-Type") != "application/json":
        return answer(415, "Unsupported Media Type")

    if HABIT == "leaks-key":
        message = parse(body)
        if isinstance(message, dict) and message.get("event") == "user.data_request":
            reply(message.get("data") or {})
    if HABIT != "open" and not is_authentic(body):
        return answer(401, "Invalid signature")

    message = json.loads(body) if HABIT == "crashes" else parse(body)
    event = message.get("event") if isinstance(message, dict) else None
    if not isinstance(event, str) or not event:
        return answer(400, "Not an event")
    data = message.get("data") if isinstance(message.get("data"), dict) else {}
    if HABIT == "refuses-unknown-events" and event not in MEMBERS:
        return answer(400, "Unknown event")
    if HABIT == "refuses-unknown-fields" and has_unknown_fields(message, data):
        return answer(400, "Unknown field")

    event_id = data.get(MEMBERS.get(event, [None])[0])
    is_known = isinstance(event_id, str) and event_id != ""
    if HABIT == "refuses-out-of-order" and event == "operation.cancelled":
        if f"operation.created {event_id}" not in recorded:
            return answer(409, "No such operation")
    is_new = is_known and record(f"{event} {event_id}")
    if is_new and event == "user.data_request" and HABIT not in ("ignores-data-requests", "leaks-key"):
        threading.Thread(target=reply, args=[data]).start()
    if HABIT == "late":
        time.sleep(DELAY)
    return answer(200, "OK")


@app.errorhandler(Exception)
def failed(error):
    if isinstance(error, HTTPException):
        return answer(error.code, error.name)
    return answer(500, "Internal Server Error")


def answer(status, text):
    return text, status, {"Content-Type": "text/plain; charset=utf-8"}


def is_authentic(body):
    timestamp = request.headers.get("X-M2M-Timestamp", "")
    signature = request.headers.get("X-M2M-Signature", "")
    if HABIT == "crashes" and len(signature) != len("sha256=") + 64:
        raise ValueError("malformed signature")
    if not re.fullmatch("[0-9]{1,18}", timestamp):
        return False
    if HABIT == "reserializes":
        message = parse(body)
        if message is not None:
            body = json.dumps(message, separators=(",", ":"), ensure_ascii=False).encode()
    keys = [SECRET, ""] if HABIT == "empty-key" else [SECRET]
    matches = False
    for key in keys:
        mac = hmac.new(key.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
        matches |= hmac.compare_digest(signature.encode(), b"sha256=" + mac.hexdigest().encode())
    return matches and (HABIT == "no-freshness" or abs(time.time() - int(timestamp)) <= 300)


def parse(body):
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def has_unknown_fields(message, data):
    known = MEMBERS.get(message["event"], list(data))
    return bool(set(message) - {"event", "timestamp", "data"} or set(data) - set(known))


def record(effect):
    """Says whether the effect is a new one."""
    with lock:
        if effect in recorded and HABIT != "duplicates":
            return False
        if HABIT != "races":
            write(effect)
            return True
    time.sleep(0.4)
    with lock:
        write(effect)
    return True


def write(effect):
    recorded.add(effect)
    effects.write(json.dumps(effect) + "\n")


def reply(data):
    endpoint = str(data.get("replyEndpoint"))
    if not API_KEY or not key_may_go_to(endpoint):
        return
    known = {"dob": "1990-05-15", "idType": "CURP", "idNumber": "GALO900515HDFRPN09"}
    user_data = {}
    for field in data.get("requiredFields", []):
        first, _, second = field.partition(".")
        if second:
            user_data.setdefault(first, {})[second] = f"made-up {second}"
        else:
            user_data[first] = known.get(first, f"made-up {first}")
    body = json.dumps({"referenceId": data.get("referenceId"), "userData": user_data}).encode()
    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    put = urllib.request.Request(endpoint, body, headers, method="PUT")
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        opener.open(put, timeout=10).close()  # follows no redirect of a PUT
    except (OSError, ValueError):
        pass  # nobody asks what came of it


def key_may_go_to(endpoint):
    loopback = r"https?://(localhost|127(\.[0-9]+){3}|\[::1\])(:[0-9]+)?/[!-~]*"
    return bool(re.fullmatch(loopback, endpoint)) or bool(REPLY_ORIGIN) and endpoint.startswith(REPLY_ORIGIN + "/")


class Quiet(WSGIRequestHandler):
    timeout = 30

    def log(self, *args):
        pass


if __name__ == "__main__":
    server = make_server(
        os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 3000), app,
        threaded=True, request_handler=Quiet,
    )  # fmt: skip
    server.daemon_threads = False  # what is in flight is finished first

    def stop(*_):
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt  # ends serve_forever

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    host = f"[{server.host}]" if ":" in server.host else server.host
    print(f"listening on http://{host}:{server.port}{PATH}", flush=True)
    server.serve_forever()

"""A reference handler for M2M's webhooks, made to be copied and changed.

It takes a delivery only when it is signed with your secret and not older than five
minutes, records each event once however often it is delivered, and answers data
requests with what is on file for the user. It looks at nothing in a body before the
signature is checked, and sends the API key to nobody but M2M (and, for trying it out,
this machine). What it records is kept in memory only.
"""

import hashlib
import hmac
import json
import logging
import os
import re
import signal
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

from flask import Flask, abort, request
from werkzeug.exceptions import HTTPException
from werkzeug.serving import WSGIRequestHandler, make_server

PATH = "/webhooks/m2m"
MAX_BODY = 1 << 20
TOLERANCE_SECONDS = 5 * 60
PRODUCTION = "https://api.m2m.leapfinancial.com"
SANDBOX = "https://api.sandbox.m2m.leapfinancial.com"

SECRET = os.environ.get("M2M_WEBHOOK_SECRET", "").encode()
API_KEY = os.environ.get("M2M_API_KEY", "")
REPLY_ORIGIN = os.environ.get("M2M_REPLY_ORIGIN", "")
EFFECTS_FILE = os.environ.get("M2M_EFFECTS_FILE") or os.devnull

# An empty key makes an HMAC like any other key, but one that everybody can make.
if not SECRET:
    sys.exit("M2M_WEBHOOK_SECRET: no webhook secret: without it no delivery can be verified")

# Stand-ins for your database. The fields have M2M's names, those of requiredFields.
users = {
    "user_12345": {
        "name.firstName": "Maria",
        "name.secondName": "Carlos",
        "name.lastName": "Garcia",
        "name.secondLastName": "Lopez",
        "idNumber": "GALO900515HDFRPN09",
        "idType": "CURP",
        "dob": "1990-05-15",
    },
}
recorded = set()  # event and id
effects = open(EFFECTS_FILE, "a", buffering=1)  # the same, a line each, for others to count
operations = {}  # operationId: status
database = threading.Lock()

# Events have no id of their own. What makes a delivery a repeat is its type together
# with the id of the thing that it is about.
ID_FIELDS = {
    "link.created": "linkId",
    "link.opened": "linkId",
    "user.data_request": "dataRequestId",
    "operation.created": "operationId",
    "operation.cancelled": "operationId",
}

# A logger writes whole lines, whichever threads they come from.
log = logging.getLogger("m2m")
log.addHandler(logging.StreamHandler(sys.stdout))
log.setLevel(logging.INFO)

app = Flask(__name__)


@app.route(PATH, methods=["POST"], provide_automatic_options=False)
def webhook():
    body = read_body()
    if body is None:
        return answer(413, "Payload Too Large")
    timestamp = request.headers.get("X-M2M-Timestamp", "")
    signature = request.headers.get("X-M2M-Signature", "")
    if not is_authentic(body, timestamp, signature):
        return answer(401, "Invalid signature")

    # Read the type from the body: the X-M2M-Event header is not signed.
    message = parse(body)
    event = message.get("event")
    if not isinstance(event, str) or not event:
        return answer(400, "Not an event")
    data = message["data"] if isinstance(message.get("data"), dict) else {}

    # What has been acknowledged will not be sent again: record first, acknowledge then,
    # and leave all that takes time to another thread.
    if record(event, data) and event == "user.data_request":
        threading.Thread(target=answer_data_request, args=[data]).start()
    return answer(200, "OK")


@app.errorhandler(HTTPException)
def refused(error):
    # Flask's own error pages are HTML. Its headers are kept, Allow among them.
    response = error.get_response()
    response.data = error.name
    response.mimetype = "text/plain"
    return response


def answer(status, text):
    return text, status, {"Content-Type": "text/plain; charset=utf-8"}


def read_body():
    """Returns the bytes as they were sent, None when they are too many.

    The signature covers those: what request.json makes of them cannot be turned back
    into the same bytes.
    """
    # Not with MAX_CONTENT_LENGTH: before Werkzeug 2.3 it limits forms only.
    try:
        body = request.stream.read(MAX_BODY + 1)
        if len(body) <= MAX_BODY:
            return body
        # A connection that is closed with bytes unread is reset, and the answer lost.
        while request.stream.read(1 << 16):
            pass
    except OSError:  # too slow, or broken chunks
        abort(400)
    return None


def is_authentic(body, timestamp, signature):
    """Says whether body was signed with the secret, and recently."""
    # Anything but digits is refused before int can make sense of it ("1_0", " 7", "٧"),
    # and more of them than it takes.
    if not re.fullmatch("[0-9]{1,20}", timestamp):
        return False

    # The header's own text is signed, not the number that it stands for.
    mac = hmac.new(SECRET, timestamp.encode() + b"." + body, hashlib.sha256)
    expected = f"sha256={mac.hexdigest()}"

    # In constant time, or a forger could find the signature digit by digit. As bytes:
    # compare_digest throws on text that is not ASCII.
    matches = hmac.compare_digest(signature.encode(), expected.encode())

    # Without a limit on its age, a captured delivery could be sent again for ever.
    age = int(time.time()) - int(timestamp)
    return matches and abs(age) <= TOLERANCE_SECONDS


def parse(body):
    """Returns the JSON object that body holds, an empty one if it holds none."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):  # the second for brackets in brackets in ...
        return {}
    return message if isinstance(message, dict) else {}


def record(event, data):
    """Notes the effect of an event and says whether it is a new one.

    A delivery may come twice, also twice at the same moment, so the look and the note
    are one step under one lock. In production this is one INSERT with a unique key on
    (event, id): reading first and writing later lets two deliveries both find nothing.
    """
    if event not in ID_FIELDS:
        # M2M may add events at any time. A refusal would only have it sent again.
        log.info("%s unknown, ignored", quote(event))
        return False
    event_id = data.get(ID_FIELDS[event])
    if not isinstance(event_id, str) or not event_id:
        # Otherwise all events without an id would be repeats of the first.
        log.info("%s without %s, ignored", event, ID_FIELDS[event])
        return False

    remark = ""
    with database:
        if (event, event_id) in recorded:
            log.info("%s %s duplicate ignored", event, quote(event_id))
            return False
        # If this fails, M2M gets a 500 and sends the event again.
        effects.write(f"{event} {quote(event_id)}\n")
        recorded.add((event, event_id))
        if event == "operation.cancelled":
            operations[event_id] = "cancelled"
        if event == "operation.created":
            # Deliveries may overtake each other: what is cancelled stays cancelled.
            if operations.setdefault(event_id, "created") == "cancelled":
                remark = ", stays cancelled"
    log.info("%s %s recorded%s", event, quote(event_id), remark)
    return True


def answer_data_request(data):
    """Sends M2M the fields that it asks for, and no others."""
    request_id = quote(data["dataRequestId"])
    try:
        status = reply(data)
    except NotAnswered as why:
        log.info("data request %s not answered: %s", request_id, why)
    except Exception as error:
        # Not the message: http.client quotes a header that it does not like, key and all.
        why = type(getattr(error, "reason", error)).__name__
        log.info("data request %s not answered: %s", request_id, why)
    else:
        log.info("data request %s answered: %d", request_id, status)


class NotAnswered(Exception):
    pass


def reply(data):
    """Returns the status of M2M's answer."""
    if not API_KEY:
        raise NotAnswered("no API key")
    reference_id = data.get("referenceId")
    user = users.get(reference_id)
    if user is None:
        raise NotAnswered(f"no user {quote(reference_id)}")
    endpoint = data.get("replyEndpoint")
    if not key_may_go_to(endpoint, data["dataRequestId"]):
        raise NotAnswered(f"the API key does not go to {quote(endpoint)}")
    fields = data.get("requiredFields")
    if not fields:
        raise NotAnswered("no field is asked for")

    user_data = {}
    for field in fields:
        if field not in user:
            raise NotAnswered(f"no {quote(field)} on file")
        *parents, name = field.split(".")
        target = user_data
        for parent in parents:
            target = target.setdefault(parent, {})
        target[name] = user[field]

    body = json.dumps({"referenceId": reference_id, "userData": user_data}).encode()
    headers = {"X-API-Key": API_KEY, "Content-Type": "application/json"}
    put = urllib.request.Request(endpoint, body, headers, method="PUT")
    # No proxy that the environment names is to see the key.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(put, timeout=10) as response:
            return response.status
    except urllib.error.HTTPError as error:  # whatever is not 2xx; no redirect of a PUT is followed
        with error:
            return error.code


def key_may_go_to(endpoint, request_id):
    """Says whether the API key may be sent to endpoint, which comes from the payload.

    A key for the real API goes to that alone, a test key to the sandbox, and to this
    machine, so that local tools can play M2M.
    """
    if not isinstance(endpoint, str):
        return False
    live = API_KEY.startswith("m2m_live_")
    test = API_KEY.startswith("m2m_test_")

    # The whole address is compared: with another port, a user name, another path or a
    # query it is another address.
    path = "/partner/data-requests/" + urllib.parse.quote(request_id, safe="")
    if endpoint == PRODUCTION + path:
        return not test
    if endpoint == SANDBOX + path:
        return not live

    # A pattern for the whole text, because urllib.parse and urllib.request do not read
    # every address in the same way.
    origin = r"https?://(localhost|127(\.[0-9]{1,3}){3}|\[::1\])(:[0-9]{1,5})?"
    if REPLY_ORIGIN:
        origin = f"({origin}|{re.escape(REPLY_ORIGIN)})"
    return not live and re.fullmatch(origin + "/[!-~]*", endpoint) is not None


def quote(text):
    """Makes a text from outside harmless in a log: no line breaks, printable ASCII only."""
    return json.dumps(text)


class Quiet(WSGIRequestHandler):
    """Leaves the log to the effects."""

    timeout = 30  # seconds; a sender that stops half-way would hold its thread for ever

    def log(self, *args):
        pass


def serve(host, port):
    try:
        server = make_server(host, port, app, threaded=True, request_handler=Quiet)
    except OSError as error:
        sys.exit(f"cannot listen: {error}")

    def stop(*_):
        # What is in flight is finished first. A second signal ends it at once.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise KeyboardInterrupt  # server.shutdown() would wait for this thread, for ever

    server.daemon_threads = False
    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    host = f"[{host}]" if ":" in host else host
    log.info("listening on http://%s:%d%s", host, server.port, PATH)
    server.serve_forever()


if __name__ == "__main__":
    serve(os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 3000))

"""Makes captures that are broken as people break them in Python, and says of each
what is wrong with it. Reads one JSON object, writes one line of JSON a capture."""
import base64
import gzip
import hashlib
import hmac
import json
import secrets
import sys
import urllib.parse

given = json.load(sys.stdin)
SECRET, STAGING, TIMESTAMP = given["secret"].encode(), given["staging"].encode(), given["timestamp"].encode()


class Plan:
    """A delivery as it is signed, and as it is given to verify."""

    def __init__(self, body, sample):
        self.body = self.signed = body
        self.secret = self.key = SECRET
        self.timestamp = self.stamp = TIMESTAMP
        self.separator = b"."
        self.sample = sample
        self.words = []
        self.content = lambda: self.stamp + self.separator + self.signed
        self.mac = lambda: hmac.new(self.key, self.content(), hashlib.sha256).digest()
        self.write = lambda mac: "sha256=" + mac.hex()


# A mistake changes the plan, and returns False where it makes no difference.
def sets(**values):
    def mistake(plan):
        for name, value in values.items():
            setattr(plan, name, value(plan))
    return mistake


def edits(edit):
    def mistake(plan):
        before, plan.body = plan.body, edit(plan.body)
        return plan.body != before
    return mistake


def numbers(plan):
    return ["numbers as 100.0 for 100.00"] if b": 100.00" in plan.signed else []


def rewrites(words, wanted=lambda text: True, **options):
    """The signature is made over the parsed body, written again."""
    def mistake(plan):
        try:
            text = json.dumps(json.loads(plan.signed), **options)
        except ValueError:
            return False
        if text.encode() == plan.body.replace(b"\r\n", b"\n").strip() or not wanted(text):
            return False
        plan.words = words + numbers(plan)
        if "\\u" in text:
            plan.words.append("escaped non-ASCII")
        plan.signed = text.encode()
    return mistake


def captured(**options):
    """The capture is made of the parsed body, written again."""
    def mistake(plan):
        if not plan.sample:
            return False
        plan.words = ["two-space"]
        if "sort_keys" in options:
            plan.words.append("documented order")
        elif b": 100.00" in plan.signed:
            plan.words.append("numbers as 100.00 for 100.0")
        plan.body = json.dumps(json.loads(plan.body), **options).encode()
        return plan.body != plan.signed
    return mistake


def plain_names(plan):
    """The capture is written without ensure_ascii, what was signed with it."""
    if plan.signed.isascii():
        return False
    value = json.loads(plan.signed)
    plan.signed = json.dumps(value).encode()
    plan.body = json.dumps(value, ensure_ascii=False).encode()
    plan.words = ["escaped non-ASCII"]


def escaped_names(plan):
    if plan.signed.isascii():
        return False
    value = json.loads(plan.signed)
    plan.signed = json.dumps(value, ensure_ascii=False).encode()
    plan.body = json.dumps(value).encode()
    plan.words = ["plain non-ASCII"]


def body_timestamp(plan):
    try:
        plan.stamp = json.loads(plan.signed)["timestamp"].encode()
    except ValueError:
        return False


def random_key(encode, decode):
    def mistake(plan):
        plan.secret = encode(secrets.token_bytes(32))
        plan.key = decode(plan.secret)
    return mistake


def digest(make):
    return sets(mac=lambda plan: lambda: make(plan))


def keyed(name):
    return digest(lambda plan: hmac.new(plan.key, plan.content(), name).digest())


def sha256(data):
    return hashlib.sha256(data).digest()


def writes(write):
    return sets(write=lambda plan: write)


MISTAKES = {
    "body + newline": ("trailing-newline", edits(lambda body: body + b"\n")),
    "print() on Windows": ("trailing-newline", edits(lambda body: body + b"\r\n")),
    "body.rstrip()": ("missing-newline", edits(lambda body: body.removesuffix(b"\r\n").removesuffix(b"\n"))),
    "a line is signed": ("missing-newline", sets(signed=lambda plan: plan.signed + b"\n")),
    "open(newline='\\r\\n')": ("crlf", edits(lambda body: body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))),
    "universal newlines": ("lf", edits(lambda body: body.replace(b"\r\n", b"\n"))),
    "encoding utf-8-sig": ("bom", edits(lambda body: body.decode().encode("utf-8-sig"))),

    "json.dumps(json.loads(body))": ("reserialized-json", rewrites(["Python's separators"])),
    "compact separators": ("reserialized-json", rewrites(["compact"], separators=(",", ":"))),
    "sort_keys": ("reserialized-json", rewrites(["Python's separators", "sorted keys"], sort_keys=True)),
    "sort_keys and compact separators": (
        "reserialized-json", rewrites(["compact", "sorted keys"], sort_keys=True, separators=(",", ":"))),
    "ensure_ascii=False": (
        "reserialized-json", rewrites(["Python's separators"], ensure_ascii=False)),
    "ensure_ascii=False and compact separators": (
        "reserialized-json", rewrites(["compact"], ensure_ascii=False, separators=(",", ":"))),
    "ensure_ascii=False and sort_keys": (
        "reserialized-json", rewrites(["Python's separators", "sorted keys"], ensure_ascii=False, sort_keys=True)),
    "indent=2": ("reserialized-json", rewrites(["two-space"], indent=2)),
    "indent=4": ("reserialized-json", rewrites(["four-space"], indent=4)),
    "indent=4 and sort_keys": ("reserialized-json", rewrites(["four-space", "sorted keys"], indent=4, sort_keys=True)),
    "the capture is json.dumps(request.json)": ("reserialized-json", captured()),
    "the capture is compact": ("reserialized-json", captured(separators=(",", ":"))),
    "the capture has four spaces": ("reserialized-json", captured(indent=4)),
    "the capture has sorted keys": ("reserialized-json", captured(indent=2, sort_keys=True)),
    "the capture is compact and has sorted keys": ("reserialized-json", captured(separators=(",", ":"), sort_keys=True)),
    "the capture has plain names": ("reserialized-json", plain_names),
    "the capture has escaped names": ("reserialized-json", escaped_names),

    "gzip.compress(body)": ("gzip-body", edits(gzip.compress)),
    "urllib.parse.quote(body)": ("urlencoded-body", edits(lambda body: urllib.parse.quote(body).encode())),
    "urllib.parse.quote_plus(body)": ("urlencoded-body", edits(lambda body: urllib.parse.quote_plus(body).encode())),
    "urlencode({'data': body})": (
        "urlencoded-body", lambda plan: plan.body != b"" and edits(lambda body: urllib.parse.urlencode({"data": body}).encode())(plan)),

    "open('secret').read()": ("secret-whitespace", sets(secret=lambda plan: plan.secret + b"\n")),
    "spaces around the secret": ("secret-whitespace", sets(secret=lambda plan: b"  " + plan.secret + b" ")),
    "repr(secret)": ("secret-quoted", sets(secret=lambda plan: repr(plan.secret.decode()).encode())),
    "json.dumps(secret)": ("secret-quoted", sets(secret=lambda plan: json.dumps(plan.secret.decode()).encode())),
    "base64.b64decode(secret)": ("secret-base64", random_key(base64.b64encode, base64.b64decode)),
    "base64.b64decode(secret) of words": ("secret-base64", sets(key=lambda plan: base64.b64decode(plan.secret))),
    "base64.urlsafe_b64decode(secret)": ("secret-base64", random_key(base64.urlsafe_b64encode, base64.urlsafe_b64decode)),
    "base64 without padding": (
        "secret-base64", random_key(lambda key: base64.b64encode(key).rstrip(b"="), lambda text: base64.b64decode(text + b"=="))),
    "base64.encodebytes(secret) in two lines": (
        "secret-base64", random_key(lambda key: base64.encodebytes(key * 2).strip(), base64.b64decode)),
    "bytes.fromhex(secret)": ("secret-hex", random_key(lambda key: key.hex().encode(), lambda text: bytes.fromhex(text.decode()))),
    "secret.removeprefix('whsec_')": ("secret-prefix", sets(secret=lambda plan: b"whsec_" + plan.secret)),
    "secret.split('_')[1]": ("secret-prefix", sets(secret=lambda plan: b"SECRET_" + plan.secret)),

    "int(time.time() * 1000) is signed": ("timestamp-milliseconds", sets(stamp=lambda plan: b"%d" % (int(TIMESTAMP) * 1000))),
    "milliseconds are sent": (
        "timestamp-seconds", sets(timestamp=lambda plan: b"%d" % (int(TIMESTAMP) * 1000 + 123), stamp=lambda plan: TIMESTAMP)),
    "payload['timestamp'] is signed": ("timestamp-from-body", body_timestamp),
    "request.data alone": ("timestamp-missing-from-signed-content", sets(content=lambda plan: lambda: plan.signed)),
    "timestamp + body": ("wrong-separator", sets(separator=lambda plan: b"")),
    "timestamp:body": ("wrong-separator", sets(separator=lambda plan: b":")),
    "two lines": ("wrong-separator", sets(separator=lambda plan: b"\n")),
    "timestamp_body": ("wrong-separator", sets(separator=lambda plan: b"_")),
    "timestamp-body": ("wrong-separator", sets(separator=lambda plan: b"-")),

    "base64.b64encode(digest)": ("signature-base64", writes(lambda mac: "sha256=" + base64.b64encode(mac).decode())),
    "base64.urlsafe_b64encode(digest)": ("signature-base64", writes(lambda mac: "sha256=" + base64.urlsafe_b64encode(mac).decode())),
    "'%X'": ("signature-uppercase", writes(lambda mac: "sha256=" + mac.hex().upper())),
    "hexdigest()": ("signature-without-prefix", writes(lambda mac: mac.hex())),

    "hashlib.sha1": ("wrong-algorithm", keyed("sha1")),
    "hashlib.sha384": ("wrong-algorithm", keyed("sha384")),
    "hashlib.sha512": ("wrong-algorithm", keyed("sha512")),
    "sha256(content)": ("plain-hash", digest(lambda plan: sha256(plan.content()))),
    "sha256(secret + content)": ("plain-hash", digest(lambda plan: sha256(plan.key + plan.content()))),
    "sha256(content + secret)": ("plain-hash", digest(lambda plan: sha256(plan.content() + plan.key))),
    "STAGING_SECRET": ("other-secret", sets(key=lambda plan: STAGING)),
    "secrets.token_bytes(32)": ("unknown", sets(key=lambda plan: secrets.token_bytes(32))),
    "sha3_256": ("unknown", keyed("sha3_256")),
    "body[::-1]": ("unknown", edits(lambda body: body[::-1])),
}

TOGETHER = [
    ("json.dumps(json.loads(body))", "int(time.time() * 1000) is signed"),
    ("json.dumps(json.loads(body))", "open('secret').read()"),
    ("json.dumps(json.loads(body))", "a line is signed"),
    ("json.dumps(json.loads(body))", "request.data alone"),
    ("json.dumps(json.loads(body))", "base64.b64encode(digest)"),
    ("json.dumps(json.loads(body))", "hexdigest()", "request.data alone"),
    ("sort_keys and compact separators", "request.data alone"),
    ("sort_keys and compact separators", "int(time.time() * 1000) is signed"),
    ("json.dumps(json.loads(body))", "encoding utf-8-sig"),
    ("compact separators", "timestamp + body", "repr(secret)"),
    ("the capture is json.dumps(request.json)", "milliseconds are sent"),
    ("the capture is json.dumps(request.json)", "open('secret').read()", "timestamp:body"),
    ("gzip.compress(body)", "request.data alone"),
    ("body + newline", "gzip.compress(body)"),
    ("json.dumps(json.loads(body))", "urllib.parse.quote_plus(body)"),
    ("urlencode({'data': body})", "request.data alone"),
    ("open('secret').read()", "hexdigest()"),
    ("json.dumps(secret)", "open('secret').read()"),
    ("base64.b64decode(secret)", "base64.b64encode(digest)"),
    ("base64.b64decode(secret)", "json.dumps(secret)"),
    ("base64.b64decode(secret)", "secret.removeprefix('whsec_')", "open('secret').read()"),
    ("base64.b64decode(secret)", "secret.removeprefix('whsec_')", "request.data alone"),
    ("bytes.fromhex(secret)", "open('secret').read()"),
    ("bytes.fromhex(secret)", "secret.removeprefix('whsec_')"),
    ("hashlib.sha512", "base64.b64encode(digest)"),
    ("hashlib.sha1", "request.data alone"),
    ("sha256(content)", "'%X'"),
    ("sha256(secret + content)", "request.data alone"),
    ("STAGING_SECRET", "request.data alone"),
    ("STAGING_SECRET", "body + newline"),
    ("milliseconds are sent", "two lines"),
    ("payload['timestamp'] is signed", "hexdigest()"),
    ("open(newline='\\r\\n')", "print() on Windows", "encoding utf-8-sig"),
    ("open(newline='\\r\\n')", "encoding utf-8-sig", "request.data alone"),
]

for entry in given["bodies"]:
    for names in [(name,) for name in MISTAKES] + (TOGETHER if entry["pairs"] else []):
        plan = Plan(base64.b64decode(entry["body"]), entry["sample"])
        if any(MISTAKES[name][1](plan) is False for name in names):
            continue
        if MISTAKES[names[0]][0] == "unknown" and plan.body == plan.signed[::-1] == plan.signed:
            continue
        json.dump({
            "name": ", ".join(names) + ": " + entry["name"],
            "causes": [MISTAKES[name][0] for name in names],
            "words": plan.words,
            "secret": base64.b64encode(plan.secret).decode(),
            "timestamp": plan.timestamp.decode(),
            "signature": plan.write(plan.mac()),
            "body": base64.b64encode(plan.body).decode(),
        }, sys.stdout)
        print()

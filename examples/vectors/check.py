# Checks the lines to copy, verify, against m2m's vectors: m2m events --vectors | python3 check.py
import base64, hashlib, hmac, json, re, sys


def verify(secret, timestamp, body, signature):
    if not re.fullmatch("[0-9]+", timestamp or "") or int(timestamp) >= 2**63:
        return False
    mac = hmac.new(secret.encode(), timestamp.encode() + b"." + body, hashlib.sha256)
    return hmac.compare_digest(b"sha256=" + mac.hexdigest().encode(), (signature or "").encode())


vectors = json.load(open(sys.argv[1], encoding="utf-8") if sys.argv[1:] else sys.stdin.buffer)
wrong = []
for v in vectors:
    body = v["body"].encode() if "body" in v else base64.b64decode(v["bodyBase64"])
    if verify(v["secret"], v.get("timestamp"), body, v.get("signature")) != v["valid"]:
        wrong.append(v["name"])
print(*(f"wrong: {name}" for name in wrong), f"{len(vectors)} vectors, {len(wrong)} wrong", sep="\n")
sys.exit(1 if wrong or not vectors else 0)

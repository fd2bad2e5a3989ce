# Reads documents in base64, one a line, and writes for each a line of its spellings in base64.
import base64, itertools, json, sys

for line in sys.stdin:
    value = json.loads(base64.b64decode(line))
    out = []
    for layout, ascii, keys in itertools.product(
        ({}, {"separators": (",", ":")}, {"indent": 2}, {"indent": 4}), (True, False), (False, True)
    ):
        text = json.dumps(value, ensure_ascii=ascii, sort_keys=keys, **layout)
        try:
            out.append(base64.b64encode(text.encode()).decode())
        except UnicodeEncodeError:
            pass  # a lone surrogate, written plainly
    print(*out)

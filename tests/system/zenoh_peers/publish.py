"""A program of zenoh without Hector: publishes and asks what lines of JSON on standard input say.

What: {"do": "put" | "get", "key", "payload" (hex), "encoding" (or null)}; one line answers each.
Why: a capsule takes what any zenoh program sends, or says why not.
Who: zenoh_publication_test.py, in the venv with zenoh.
"""

import json
import sys

import zenoh

config = zenoh.Config()
for key, value in {
    "mode": "client",
    "connect/endpoints": [sys.argv[1]],
    "scouting/multicast/enabled": False,
}.items():
    config.insert_json5(key, json.dumps(value))
session = zenoh.open(config)


def do(asked):
    options = {"encoding": asked["encoding"]} if asked["encoding"] else {}
    payload = bytes.fromhex(asked["payload"])
    if asked["do"] == "put":
        session.put(asked["key"], payload, **options)
        return True
    answers = list(session.get(asked["key"], payload=payload, timeout=5.0, **options))
    if not answers:
        return None
    answer = answers[0]
    return [bool(answer.ok), (answer.ok or answer.err).payload.to_bytes().hex()]


print(json.dumps(str(session.info.zid())), flush=True)
for line in sys.stdin:
    print(json.dumps(do(json.loads(line))), flush=True)

"""Calls a Hector Object with the eclipse-zenoh wheel.

What: `python zenoh_client.py tcp/HOST:PORT CAPSULE OBJECT`, a client of another project.
Why: an Object is a queryable for every zenoh program.
Who: readers of the guides; meeting_test.
"""

import sys

import zenoh

locator, capsule, name = sys.argv[1:4]
config = zenoh.Config.from_json5(
    f'{{mode: "client", connect: {{endpoints: ["{locator}"]}}, '
    "scouting: {multicast: {enabled: false}}}"
)
with zenoh.open(config) as session:
    request = b'{"start_s": 1795478400, "end_s": 1795564800}'
    for reply in session.get(
        f"hector/{capsule}/{name}/free_slots", payload=request, encoding="application/json"
    ):
        print((reply.ok or reply.err).payload.to_string())

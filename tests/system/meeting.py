"""The meeting's capsules for tests: hub, north and south from etc/, with templates and Objects.

What: start_meeting.
Why: several whole-system tests want the running demo.
Who: the tests beside it.
"""

import json
import os

from capsules import ROOT

SAMPLES = os.path.join(ROOT, "templates", "meeting", "samples")
ATTENDEES = {"ana": "north", "ben": "south", "chris": "north"}
ROLES = [
    part
    for role in [
        *(f"attendee={name}" for name in ATTENDEES),
        "organiser=organiser",
        "scribe=scribe",
        "news=news",
    ]
    for part in ("--role", role)
]


def create(c, capsule, template, name, arguments=None, **properties):
    extra = [
        part
        for key, value in properties.items()
        for part in ("--property", f"{key}={json.dumps(value)}")
    ]
    c.hector(
        "create",
        "object",
        template,
        "--name",
        name,
        "--arguments",
        json.dumps(arguments or {}),
        *extra,
        capsule=capsule,
    )


def start_meeting(c):
    templates = os.path.join(c.build, "lib", "hector", "templates", "meeting")
    for name in ("hub", "north", "south"):
        c.start(name, os.path.join(ROOT, "etc", f"{name}.yaml"))
    for capsule, files in (
        ("hub", ["organiser.so"]),
        ("north", ["calendar.so", "room.so"]),
        ("south", ["calendar_py.py", "scribe.py", "news.py"]),
    ):
        for file in files:
            c.hector("load", "template", os.path.join(templates, file), capsule=capsule)
    for name, capsule in ATTENDEES.items():
        create(
            c,
            capsule,
            "diary.Calendar.cpp" if capsule == "north" else "diary.Calendar.python",
            name,
            {"file": os.path.join(SAMPLES, f"{name}.ics")},
        )
    create(c, "north", "diary.Room.cpp", "cubby", {"capacity": 2, "cost": 4}, capacity=2, cost=4)
    create(
        c, "north", "diary.Room.cpp", "studio", {"capacity": 4, "cost": 9.5}, capacity=4, cost=9.5
    )
    create(
        c,
        "south",
        "diary.Scribe.python",
        "scribe",
        {"folder": os.path.join(c.folder, "invitations")},
    )
    create(c, "south", "diary.News.python", "news")
    create(c, "hub", "diary.Organiser.cpp", "organiser")

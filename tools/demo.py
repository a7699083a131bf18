"""The meeting workflow across three capsules, three protocols and two languages.

What: starts hub, north and south, loads the templates, creates the Objects, binds them, books a
meeting; then unloads zenoh in south and books the next one.
Why: the main job, seen by a person.
Who: tools/demo.
"""

import argparse
import datetime
import os
import re
import signal
import sys
import textwrap
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from capsules import ROOT, Capsules, CommandFailed  # noqa: E402

UTC = datetime.timezone.utc
DOMAIN = "demo.example"
ROOMS = {"cubby": (2, 4.0), "studio": (4, 9.5), "parlour": (8, 18.0), "hall": (60, 75.0)}
RESERVED = {"organiser", "scribe", "news", "naming", "trading", *ROOMS}
ATTENDEES_MAX = 50
SAMPLES = os.path.join(ROOT, "templates", "meeting", "samples")
SAMPLE_WINDOW = "2026-11-24T08:00:00Z/2026-11-24T18:00:00Z"


def instant(text):
    try:
        moment = datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"'{text}' is not an ISO 8601 time, as in 2026-11-24T08:00:00Z"
        ) from None
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())


def window(text):
    start, slash, end = text.partition("/")
    if not slash:
        raise argparse.ArgumentTypeError(f"'{text}' is not START/END, as in {SAMPLE_WINDOW}")
    times = instant(start), instant(end)
    if times[0] >= times[1]:
        raise argparse.ArgumentTypeError(f"'{text}' ends before it starts")
    return times


def minutes(text):
    if not text.isdigit() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of minutes above 0")
    return int(text)


def iso(seconds):
    return datetime.datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slot_text(meeting):
    return f"{iso(meeting['time']['start_s'])}/{iso(meeting['time']['end_s'])}"


def attendees_of(folder):
    """(name, file) of every calendar in a folder."""
    if not os.path.isdir(folder):
        raise SystemExit(f"demo: '{folder}' is not a folder")
    found, names = [], set()
    for file in sorted(os.listdir(folder)):
        if not file.lower().endswith(".ics"):
            continue
        stem = re.sub(r"[^A-Za-z0-9_-]+", "-", file[:-4]).strip("-_") or "calendar"
        name, number = stem, 1
        while name in names or name in RESERVED:
            number += 1
            name = f"{stem}-{number}"
        names.add(name)
        found.append((name, os.path.abspath(os.path.join(folder, file))))
    if not found:
        raise SystemExit(f"demo: there are no .ics files in '{folder}'")
    if len(found) > ATTENDEES_MAX:
        raise SystemExit(
            f"demo: {len(found)} calendars in '{folder}'; the Binding type allows"
            f" {ATTENDEES_MAX} attendees"
        )
    return found


class Demo:
    def __init__(self, options, capsules):
        self.options, self.capsules = options, capsules
        self.templates = os.path.join(capsules.build, "lib", "hector", "templates", "meeting")
        self.began = time.monotonic()

    def say(self, text):
        print(f"[{time.monotonic() - self.began:5.2f} s] {text}", flush=True)

    def prepare(self, attendees):
        c = self.capsules
        self.say(
            f"made the realm {DOMAIN}: channels over udp and gRPC are encrypted, and both their ends"
            " prove who they are; zenoh cannot (insecure: true in etc/)"
        )
        self.say("starting capsules hub, north and south")
        for name in ("hub", "north", "south"):
            c.start(name, os.path.join(ROOT, "etc", f"{name}.yaml"))
        self.say(
            "loading templates: organiser, calendar and room in C++; calendar, scribe and news in"
            " Python"
        )
        for capsule, files in (
            ("hub", ["organiser.so"]),
            ("north", ["calendar.so", "room.so"]),
            ("south", ["calendar_py.py", "scribe.py", "news.py"]),
        ):
            for file in files:
                c.hector("load", "template", os.path.join(self.templates, file), capsule=capsule)
        self.say(
            f"creating Objects: {len(attendees)} calendars, {len(ROOMS)} rooms, organiser, scribe,"
            " news"
        )
        for number, (name, file) in enumerate(attendees):
            capsule, template = (
                ("north", "diary.Calendar.cpp"),
                ("south", "diary.Calendar.python"),
            )[number % 2]
            self.create(capsule, template, name, {"file": file})
        for name, (capacity, cost) in ROOMS.items():
            self.create(
                "north",
                "diary.Room.cpp",
                name,
                {"capacity": capacity, "cost": cost},
                {"capacity": capacity, "cost": cost},
            )
        self.create("south", "diary.Scribe.python", "scribe", {"folder": self.options.invitations})
        self.create("south", "diary.News.python", "news", {})
        self.create("hub", "diary.Organiser.cpp", "organiser", {})

    def create(self, capsule, template, name, arguments, properties=None):
        import json

        extra = [
            part
            for key, value in (properties or {}).items()
            for part in ("--property", f"{key}={json.dumps(value)}")
        ]
        self.capsules.hector(
            "create",
            "object",
            template,
            "--name",
            name,
            "--arguments",
            json.dumps(arguments),
            *extra,
            capsule=capsule,
        )

    def bind(self, attendees):
        roles = [f"attendee={name}" for name, _ in attendees] + [
            "organiser=organiser",
            "scribe=scribe",
            "news=news",
        ]
        arguments = [part for role in roles for part in ("--role", role)]
        return self.capsules.json("bind", "diary.Meeting/1", *arguments, capsule="hub")

    def languages(self):
        """Each Object's language, as its capsule tells."""
        found = {}
        for capsule in ("hub", "north", "south"):
            of = {
                item["name"]: item["language"]
                for item in self.capsules.json("get", "templates", capsule=capsule)
            }
            for item in self.capsules.json("get", "objects", capsule=capsule):
                found[item["name"]] = of.get(item["template"], "?")
        return found

    def picture(self, binding):
        languages = self.languages()
        channels = {
            (item["name"].split("->")[1], item["role"]): item
            for item in self.capsules.json("get", "channels", capsule="hub")
            if item["binding"] == binding["binding"]
        }
        organiser = next(party for party in binding["parties"] if party["role"] == "organiser")
        title = (
            f"organiser: {organiser['object']} @ {organiser['capsule']},"
            f" {languages[organiser['object']]}"
        )
        print(f"\n  Binding diary.Meeting/1 {binding['binding']}\n")
        print(f"  ┌{'─' * (len(title) + 2)}┐\n  │ {title} │\n  └─┬{'─' * len(title)}┘")
        others = [party for party in binding["parties"] if party["role"] != "organiser"]
        for number, party in enumerate(others):
            last = number == len(others) - 1
            channel = channels.get(
                (party["object"], party["role"]),
                {"protocol": "in-process", "why": "both ends are in one capsule"},
            )
            print(
                f"    {'└' if last else '├'}──[{channel['protocol']:^7}]──▶"
                f" {party['role']:<9} {party['object']} @ {party['capsule']},"
                f" {languages[party['object']]}"
            )
            indent = f"    {' ' if last else '│'}{' ' * 16}"
            print(
                textwrap.fill(channel["why"], 110, initial_indent=indent, subsequent_indent=indent)
            )
            if party["how"].startswith("traded"):
                print(
                    textwrap.fill(
                        party["how"], 110, initial_indent=indent, subsequent_indent=indent
                    )
                )
        print(flush=True)

    def book(self, title):
        start, end = self.options.window
        return self.capsules.call(
            "organiser.schedule",
            {
                "title": title,
                "window_start_s": start,
                "window_end_s": end,
                "duration_min": self.options.duration,
            },
            capsule="hub",
        )

    def show(self, meeting, label):
        print(f"{label}: {slot_text(meeting)}")
        room = meeting.get("room")
        if room and room.get("room"):
            print(f"room: {room['room']}, for {room['capacity']}, price {room['cost']:.2f}")
        else:
            print("room: none offered is large enough")
        print(f"invitation: {meeting['invitation_path']}\n", flush=True)

    def unload_zenoh(self):
        self.say("what unloading zenoh in south would do (--dry-run):")
        print(
            textwrap.indent(
                self.capsules.hector("unload", "protocol", "zenoh", "--dry-run", capsule="south"),
                "    ",
            ),
            end="",
        )
        self.say("unloading it")
        print(
            textwrap.indent(
                self.capsules.hector("unload", "protocol", "zenoh", capsule="south"), "    "
            ),
            end="",
            flush=True,
        )

    def run(self):
        attendees = attendees_of(self.options.calendars)
        self.prepare(attendees)
        binding = self.bind(attendees)
        self.say("the kernel has instantiated the Binding")
        self.picture(binding)
        self.show(self.book(self.options.title), "slot")
        if self.options.is_sample:
            self.unload_zenoh()
            self.picture(binding)
            self.show(self.book(self.options.title + " (continued)"), "next slot")
            news = self.capsules.call("news.read")
            for item in reversed(news["items"]):
                print(f"news: {item['headline']} — {item['text']}")
        if self.options.stay:
            self.stay()

    def stay(self):
        admin = "$HECTOR_REALM/identities/operator+admin.pem"
        own = f"-cert {admin} -key {admin}"
        port = re.search(r":(\d+)", self.capsules.address("north", "grpc")).group(1)
        print(
            f"""
The capsules stay up. In another terminal:
    export HECTOR_RUN_DIRECTORY={self.capsules.run}
    export HECTOR_REALM={self.capsules.realm}
    {self.capsules.build}/bin/hector get capsules
    {self.capsules.build}/bin/hector get channels
    {self.capsules.build}/bin/hector call news.read
    grpcurl -cacert $HECTOR_REALM/bundle.pem {own} localhost:{port} list
Ctrl-C ends them.""",
            flush=True,
        )
        try:
            while True:
                signal.pause()
        except KeyboardInterrupt:
            pass


def main():
    parser = argparse.ArgumentParser(
        prog="tools/demo",
        description="Books a meeting across three capsules, three protocols and two languages.",
    )
    parser.add_argument(
        "--calendars", metavar="DIR", help="every .ics in DIR is an attendee (default: the samples)"
    )
    parser.add_argument(
        "--window",
        type=window,
        metavar="START/END",
        help=f"ISO 8601 times (default: {SAMPLE_WINDOW})",
    )
    parser.add_argument("--duration", type=minutes, metavar="MINUTES", default=45)
    parser.add_argument("--title", default="Planning")
    parser.add_argument(
        "--invitations",
        metavar="DIR",
        default=os.path.join(ROOT, "build", "invitations"),
        help="where invitations are written",
    )
    parser.add_argument(
        "--stay", action="store_true", help="leave the capsules up and say how to look at them"
    )
    options = parser.parse_args()
    options.is_sample = options.calendars is None
    if options.calendars and not options.window:
        parser.error("--calendars needs --window START/END")
    options.calendars = options.calendars or SAMPLES
    options.window = options.window or window(SAMPLE_WINDOW)
    with Capsules(realm=DOMAIN) as capsules:
        try:
            Demo(options, capsules).run()
            codes = capsules.stop()
        except CommandFailed as failed:
            print(f"demo: {failed.text}", file=sys.stderr)
            return failed.code
        except KeyboardInterrupt:
            return 130
    if any(codes.values()):
        print(f"demo: a capsule did not stop cleanly: {codes}", file=sys.stderr)
        return 1
    print("demo: everything stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())

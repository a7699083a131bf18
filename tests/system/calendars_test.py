"""Calendars of other people, in C++ and in Python, and their rules beside dateutil's.

What: files that are odd, wrong or costly, read by both languages; random rules.
Why: both answer alike and in full, and a walk of our own is held against one that many use.
Who: ctest.
"""

import datetime
import json
import os
import random
import sys
import unittest

from dateutil import rrule

import meeting
from capsules import ROOT, Capsules, CommandFailed
from needs import needs

TEMPLATES = os.path.join(
    os.environ.get("HECTOR_BUILD") or os.path.join(ROOT, "build", "release"),
    "lib",
    "hector",
    "templates",
    "meeting",
)
UTC = datetime.timezone.utc
RULES = 200
DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def calendar(lines, ends="\r\n"):
    return ends.join(
        ["BEGIN:VCALENDAR", "VERSION:2.0", "BEGIN:VEVENT", "UID:e"]
        + lines
        + ["END:VEVENT", "END:VCALENDAR", ""]
    ).encode()


def seconds(text):
    return int(datetime.datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


@needs("languages/cpp", "languages/python", "protocols/udp", "stores/memory", "templates/meeting")
class Calendars(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.c = Capsules()
        cls.addClassCleanup(cls.c.stop)
        cls.c.configure(
            "diary",
            "capsule: diary\n"
            'protocols: {udp: {listen: "127.0.0.1:0"}}\n'
            "store: memory\nlanguages: [cpp, python]\n"
            f"types: ['{TEMPLATES}/meeting.hector.yaml']\n",
        )
        for file in ("calendar.so", "calendar_py.py"):
            cls.c.hector("load", "template", os.path.join(TEMPLATES, file), capsule="diary")

    def answers(self, octets):
        """What each language says of 24 November 2026, 8 to 18 o'clock in UTC: when it is free, or
        the error without the folder.
        """
        path = os.path.join(self.c.folder, "odd.ics")
        with open(path, "wb") as file:
            file.write(octets)
        window = {"start_s": seconds("2026-11-24T08:00"), "end_s": seconds("2026-11-24T18:00")}
        said = []
        for language in ("cpp", "python"):
            name = f"odd-{language}"
            try:
                meeting.create(
                    self.c, "diary", f"diary.Calendar.{language}", name, {"file": path}
                )
            except CommandFailed as refused:
                said.append((refused.code, refused.text.partition(path)[2]))
                continue
            try:
                free = self.c.call(f"{name}.free_slots", window, capsule="diary").get("free", [])
                said.append([(int(s["start_s"]), int(s["end_s"])) for s in free])
            except CommandFailed as failed:
                said.append((failed.code, failed.text.partition(path)[2]))
            self.c.hector("delete", "object", name, capsule="diary")
        return said

    def processor_seconds(self):
        with open(f"/proc/{self.c.processes['diary'].pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def test_both_languages_answer_alike(self):
        nine = [
            (seconds("2026-11-24T08:00"), seconds("2026-11-24T09:00")),
            (seconds("2026-11-24T10:00"), seconds("2026-11-24T18:00")),
        ]
        for lines in (
            ["DTSTART:20261124T090000Z", "DURATION:PT1H"],
            ["DTSTART;TZID=W. Europe Standard Time:20261124T100000", "DURATION:PT1H"],
            ["DTSTART:20200101T090000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;UNTIL=20261124"],
            ["DTSTART:20261001T090000Z", "DURATION:PT1H"]
            + ["RDATE:20261122T090000Z,20261124T090000Z"],
        ):
            for mark in (b"", b"\xef\xbb\xbf"):
                for ends in ("\r\n", "\n"):
                    said = self.answers(mark + calendar(lines, ends))
                    self.assertEqual(said, [nine, nine], lines)

    def test_both_languages_refuse_alike_and_name_the_line(self):
        for lines, line in (
            (["DTSTART;TZID=Mars/Olympus:20261124T100000"], 5),
            (["DTSTART:20261124T100000Z", "RRULE:FREQ=SOMETIMES"], 6),
            (["DTSTART:20261124T100000Z", "RDATE:20261131T100000Z"], 6),
        ):
            cpp, python = self.answers(calendar(lines))
            self.assertEqual(cpp, python)
            self.assertEqual(cpp[0], 2)
            self.assertTrue(cpp[1].startswith(f":{line}: "), cpp)

    def test_a_question_that_costs_too_much_gets_an_error_and_nothing_works_on(self):
        start = ["DTSTART:20200101T090000Z", "DURATION:PT1S"]
        cpp, python = self.answers(calendar([*start, "RRULE:FREQ=SECONDLY;COUNT=99999999"]))
        self.assertEqual(cpp, python)
        self.assertIn("takes more than 4000000 steps", cpp[1])
        for frequency in ("MINUTELY", "DAILY"):
            rule = f"RRULE:FREQ={frequency};BYMONTH=2;BYMONTHDAY=30"
            whole = [(seconds("2026-11-24T08:00"), seconds("2026-11-24T18:00"))]
            before = self.processor_seconds()
            self.assertEqual(self.answers(calendar([*start, rule])), [whole, whole])
            self.assertLess(self.processor_seconds() - before, 2)

    def test_random_rules_have_dateutils_instances(self):
        sys.path.append(TEMPLATES)  # at the end: calendar.so is no module
        from busy_times import CalendarFile  # noqa: PLC0415

        seed = int(os.environ.get("HECTOR_SEED", random.randrange(2**32)))
        chance = random.Random(seed)
        path = os.path.join(self.c.folder, "random.ics")
        for _ in range(RULES):
            rule = random_rule(chance)
            start = datetime.datetime(2026, 1, 5, 9) + datetime.timedelta(
                weeks=chance.randrange(60), minutes=chance.randrange(600)
            )
            first = start + datetime.timedelta(days=chance.choice([0, 40, 300]))
            last = first + datetime.timedelta(days=chance.choice([30, 400]))
            with open(path, "wb") as file:
                file.write(calendar([f"DTSTART:{start:%Y%m%dT%H%M%SZ}", "DURATION:PT1S", rule]))
            ours = CalendarFile(path).busy(seconds(str(first)), seconds(str(last)))
            theirs = rrule.rrulestr(rule, dtstart=start).between(first, last, inc=True)
            self.assertEqual(
                [each[0] for each in ours],
                sorted({seconds(str(e)) for e in [*theirs, start] if first <= e < last}),
                json.dumps({"rule": rule, "start": str(start), "seed": seed}),
            )


def random_rule(chance):
    """Of those that dateutil takes as RFC 5545 does: no numbered weekday beside a plain one, and
    DTSTART's week begins on its Monday.
    """

    def some(low, high, most):
        return ",".join(str(chance.randint(low, high)) for _ in range(chance.randint(1, most)))

    frequency = chance.choice(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    parts = [f"FREQ={frequency}", f"INTERVAL={chance.choice([1, 1, 2, 3, 5])}"]
    if chance.random() < 0.3:
        parts.append(f"BYMONTH={some(1, 12, 4)}")
    if chance.random() < 0.4:
        numbers = ["1", "2", "-1", "-2"] if frequency in ("MONTHLY", "YEARLY") else [""]
        number = chance.choice(["", chance.choice(numbers)])
        parts.append("BYDAY=" + ",".join(number + day for day in chance.sample(DAYS, 3)))
    elif frequency in ("MONTHLY", "YEARLY"):
        parts.append(f"BYMONTHDAY={some(1, 28, 3)},-{chance.randint(1, 28)}")
    if chance.random() < 0.4:
        parts.append(f"BYHOUR={some(0, 23, 3)}")
    if chance.random() < 0.2:
        parts.append(f"BYMINUTE={some(0, 59, 3)}")
    if chance.random() < 0.3:
        more = [] if frequency == "DAILY" else ["2", "3,4"]  # dateutil never ends without a match
        parts.append(f"BYSETPOS={chance.choice(['1', '-1', '1,-1', *more])}")
    return "RRULE:" + ";".join(parts)


if __name__ == "__main__":
    unittest.main()

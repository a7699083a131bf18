"""tools/demo's main job, and other people's calendars.

What: the demo as a newcomer runs it, held to an independent computation.
Why: the first command must work.
Who: ctest.
"""

import os
import re
import subprocess
import sys
import tempfile
import unittest

from capsules import ROOT
from needs import MEETING, needs

HEAD = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n"
BERLIN = """BEGIN:VTIMEZONE
TZID:Europe/Berlin
BEGIN:DAYLIGHT
DTSTART:19810329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
END:STANDARD
END:VTIMEZONE
"""


def event(*lines, uid="e"):
    return "\r\n".join(
        ["BEGIN:VEVENT", f"UID:{uid}", "DTSTAMP:20260101T000000Z", *lines, "END:VEVENT", ""]
    )


def demo(*arguments):
    return subprocess.run(
        [sys.executable, os.path.join(ROOT, "tools", "demo.py"), *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@needs(*MEETING)
class OtherCalendars(unittest.TestCase):
    def slot(self, window, minutes, *calendars):
        """The slot the demo books; every case runs with the calendar in C++ and, behind an empty
        first one, in Python.
        """
        found = []
        for fillers in (0, 1):
            with tempfile.TemporaryDirectory() as folder:
                for number, body in enumerate(["", *calendars] if fillers else calendars):
                    with open(
                        os.path.join(folder, f"{number}.ics"), "w", encoding="utf-8", newline=""
                    ) as file:
                        file.write(
                            HEAD
                            + body.replace("\r\n", "\n").replace("\n", "\r\n")
                            + "END:VCALENDAR\r\n"
                        )
                done = demo(
                    "--calendars",
                    folder,
                    "--window",
                    window,
                    "--duration",
                    str(minutes),
                    "--invitations",
                    folder,
                )
                match = re.search(r"^slot: (\S+)$", done.stdout, re.M)
                self.assertTrue(match, done.stdout + done.stderr)
                found.append(match.group(1))
        self.assertEqual(found[0], found[1], "C++ and Python disagree")
        return found[0]

    def test_a_weekly_meeting_stays_at_its_local_hour_across_a_clock_change(self):
        weekly = BERLIN + event(
            "DTSTART;TZID=Europe/Berlin:20261019T090000",
            "DTEND;TZID=Europe/Berlin:20261019T100000",
            "RRULE:FREQ=WEEKLY;BYDAY=MO",
            "SUMMARY:w",
        )
        self.assertEqual(
            self.slot("2026-10-19T07:00:00Z/2026-10-19T18:00:00Z", 30, weekly),
            "2026-10-19T08:00:00Z/2026-10-19T08:30:00Z",
        )
        self.assertEqual(
            self.slot("2026-10-26T08:00:00Z/2026-10-26T18:00:00Z", 30, weekly),
            "2026-10-26T09:00:00Z/2026-10-26T09:30:00Z",
        )

    def test_exceptions_overrides_and_extra_dates(self):
        series = event(
            "DTSTART:20261124T090000Z",
            "DTEND:20261124T100000Z",
            "RRULE:FREQ=DAILY;COUNT=5",
            "EXDATE:20261125T090000Z",
            "RDATE:20261125T110000Z",
            uid="s",
        )
        moved = event(
            "RECURRENCE-ID:20261126T090000Z",
            "DTSTART:20261126T120000Z",
            "DTEND:20261126T130000Z",
            uid="s",
        )
        dropped = event(
            "RECURRENCE-ID:20261127T090000Z",
            "DTSTART:20261127T090000Z",
            "DTEND:20261127T100000Z",
            "STATUS:CANCELLED",
            uid="s",
        )
        body = series + moved + dropped
        self.assertEqual(
            self.slot("2026-11-25T09:00:00Z/2026-11-25T18:00:00Z", 120, body),
            "2026-11-25T09:00:00Z/2026-11-25T11:00:00Z",
        )
        self.assertEqual(
            self.slot("2026-11-26T09:00:00Z/2026-11-26T18:00:00Z", 240, body),
            "2026-11-26T13:00:00Z/2026-11-26T17:00:00Z",
        )
        self.assertEqual(
            self.slot("2026-11-27T09:00:00Z/2026-11-27T18:00:00Z", 30, body),
            "2026-11-27T09:00:00Z/2026-11-27T09:30:00Z",
        )

    def test_all_day_tentative_cancelled_and_transparent_events(self):
        body = (
            event("DTSTART;VALUE=DATE:20261124", "DTEND;VALUE=DATE:20261125", uid="a")
            + event("DTSTART:20261125T090000Z", "DURATION:PT1H", "STATUS:TENTATIVE", uid="b")
            + event(
                "DTSTART:20261125T100000Z", "DTEND:20261125T110000Z", "STATUS:CANCELLED", uid="c"
            )
            + event(
                "DTSTART:20261125T110000Z", "DTEND:20261125T120000Z", "TRANSP:TRANSPARENT", uid="d"
            )
        )
        self.assertEqual(
            self.slot("2026-11-24T08:00:00Z/2026-11-26T00:00:00Z", 60, body),
            "2026-11-25T00:00:00Z/2026-11-25T01:00:00Z",
        )
        self.assertEqual(
            self.slot("2026-11-25T09:00:00Z/2026-11-25T18:00:00Z", 120, body),
            "2026-11-25T10:00:00Z/2026-11-25T12:00:00Z",
        )

    def test_several_attendees_meet_in_the_first_common_gap(self):
        a = event("DTSTART:20261124T080000Z", "DTEND:20261124T093000Z")
        b = event("DTSTART:20261124T100000Z", "DTEND:20261124T110000Z")
        c = event("DTSTART:20261124T113000Z", "DTEND:20261124T120000Z")
        self.assertEqual(
            self.slot("2026-11-24T08:00:00+00:00/2026-11-24T18:00:00+00:00", 45, a, b, c),
            "2026-11-24T12:00:00Z/2026-11-24T12:45:00Z",
        )

    def test_a_broken_file_is_named_with_its_line(self):
        for fillers in (0, 1):
            with tempfile.TemporaryDirectory() as folder:
                for number in range(fillers):
                    with open(os.path.join(folder, f"{number}.ics"), "w", encoding="utf-8") as file:
                        file.write(HEAD + "END:VCALENDAR\n")
                with open(
                    os.path.join(folder, "broken.ics"), "w", encoding="utf-8", newline=""
                ) as file:
                    file.write(
                        HEAD + event("DTSTART:20261399T080000Z", "SUMMARY:x") + "END:VCALENDAR\r\n"
                    )
                done = demo(
                    "--calendars",
                    folder,
                    "--window",
                    "2026-11-24T08:00:00Z/2026-11-24T18:00:00Z",
                    "--duration",
                    "30",
                )
                self.assertEqual(done.returncode, 2, done.stdout + done.stderr)
                self.assertIn(
                    "broken.ics:7: DTSTART: '20261399T080000Z' is not a date or time", done.stderr
                )

    def test_usage_errors(self):
        self.assertEqual(demo("--calendars", "/nowhere", "--window", "x").returncode, 2)
        self.assertIn("START/END", demo("--window", "x").stderr)


@needs(*MEETING)
class Samples(unittest.TestCase):
    def test_the_whole_demo(self):
        with tempfile.TemporaryDirectory() as folder:
            done = demo("--invitations", folder)
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertIn("slot: 2026-11-24T10:00:00Z/2026-11-24T10:45:00Z\n", done.stdout)
            self.assertIn("next slot: 2026-11-24T10:45:00Z/2026-11-24T11:30:00Z\n", done.stdout)
            self.assertIn("moved from zenoh to grpc", done.stdout)
            self.assertEqual(len(os.listdir(folder)), 2)


if __name__ == "__main__":
    unittest.main()

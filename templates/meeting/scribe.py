"""Writes invitations as .ics files that any calendar program reads.

What: the meeting's role `scribe`.
Why: the workflow ends in something a person can open.
Who: `hector create object diary.Scribe.python --name scribe --arguments '{"folder":
"/tmp/invitations"}'`.
"""

import datetime
import os

import hector
import icalendar
import pytz
from meeting import Scribe, Written

UTC = pytz.utc  # icalendar writes this one as Z


@hector.template(name="diary.Scribe.python")
class IcsScribe(Scribe):
    def __init__(self, capsule, folder):
        self.folder = os.path.abspath(folder)
        os.makedirs(self.folder, exist_ok=True)

    def write(self, invitation):
        calendar = icalendar.Calendar()
        calendar.add("prodid", "-//Hector//meeting workflow//EN")
        calendar.add("version", "2.0")
        calendar.add("method", "REQUEST")
        event = icalendar.Event()
        event.add("uid", f"{invitation.meeting}@hector")
        event.add("dtstamp", datetime.datetime.now(UTC))
        event.add("dtstart", datetime.datetime.fromtimestamp(invitation.time.start_s, UTC))
        event.add("dtend", datetime.datetime.fromtimestamp(invitation.time.end_s, UTC))
        event.add("summary", invitation.title)
        if invitation.location:
            event.add("location", invitation.location)
        event.add("organizer", f"urn:hector:{invitation.organiser}")
        for attendee in invitation.attendees:
            event.add("attendee", f"urn:hector:{attendee}")
        event.add("status", "CONFIRMED")
        calendar.add_component(event)
        path = os.path.join(self.folder, f"{invitation.meeting}.ics")
        with open(path + ".new", "wb") as file:
            file.write(calendar.to_ical())
        os.replace(path + ".new", path)
        return Written(path=path)

"""One person's diary in Python: an iCalendar file, and the holds of this session.

What: the meeting's role `attendee`; calendar.cc is the same in C++.
Why: Objects of several languages in one Binding.
Who: `hector create object diary.Calendar.python --name ben --arguments '{"file": "ben.ics"}'`.
"""

import hector
from busy_times import CalendarFile, TooCostly
from meeting import Busy, Calendar, Change, Hold, Range, Slots


@hector.template(name="diary.Calendar.python")
class PythonCalendar(Calendar):
    def __init__(self, capsule, file):
        self.who = capsule.object_name
        self.file = CalendarFile(file)
        self.held = {}
        self.history = []

    def _busy(self, start, end):
        try:
            busy = self.file.busy(start, end)
        except TooCostly as why:
            raise hector.Error("RESOURCE_EXHAUSTED", str(why)) from why
        busy += [held for held in self.held.values() if held[0] < end and start < held[1]]
        return sorted(busy)

    def free_slots(self, window):
        slots, at = Slots(who=self.who), window.start_s
        for start, end, _ in self._busy(window.start_s, window.end_s):
            if min(start, window.end_s) > at:
                slots.free.add(start_s=at, end_s=min(start, window.end_s))
            at = max(at, end)
        if window.end_s > at:
            slots.free.add(start_s=at, end_s=window.end_s)
        return slots

    async def hold(self, slot):
        busy = self._busy(slot.start_s, slot.end_s)
        if busy:
            raise hector.Error(
                "FAILED_PRECONDITION",
                f"{self.who} is busy then: {busy[0][2]}",
                detail=Busy(who=self.who, reason=busy[0][2]),
            )
        self.held[slot.meeting] = (slot.start_s, slot.end_s, slot.title)
        self._note(slot.meeting, "held")
        return Hold(
            meeting=slot.meeting, time=Range(start_s=slot.start_s, end_s=slot.end_s), who=self.who
        )

    def confirm(self, hold):
        self._note(hold.meeting, "confirmed")

    def release(self, hold):
        self._note(hold.meeting, "released")
        self.held.pop(hold.meeting, None)

    def changes(self, window):
        for change in list(self.history):
            if change.time.end_s > window.start_s and change.time.start_s < window.end_s:
                yield change

    def _note(self, meeting, what):
        if meeting in self.held:
            start, end, _ = self.held[meeting]
            self.history.append(
                Change(meeting=meeting, what=what, time=Range(start_s=start, end_s=end))
            )

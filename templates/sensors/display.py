"""A display: shows readings as they come; when it joins late, it first asks for what it missed.

What: the watch's role `display`.
Why: displays come and go while the probe measures.
Who: `hector binding join ID display NAME`.
"""

import hector
from sensors import Display, Readings, Shown, Since


@hector.template(name="sensors.Display.python")
class Screen(Display):
    def __init__(self):
        self.caught_up, self.live, self.session = [], [], None

    def bound(self, session):
        self.session = session

    def reading(self, reading):
        self.live.append(reading.number)
        if len(self.live) == 1 and reading.number > 1:  # others may come in while this waits
            record = self.session.call("catch_up", 0, Since(), Readings)
            self.caught_up = [
                each.number for each in record.readings if each.number < reading.number
            ]

    def shown(self, _):
        return Shown(caught_up=self.caught_up, live=self.live)

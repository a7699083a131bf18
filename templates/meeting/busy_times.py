"""When an iCalendar file's owner is busy, by icalendar and dateutil (RFC 5545).

What: recurrence with exceptions and overrides, time zones, all-day, cancelled and transparent
events.
Why: as busy_times.cc, in Python.
Who: calendar_py.py.
"""

import datetime
import itertools
import re
import zoneinfo

import icalendar
from dateutil import rrule

UTC = datetime.timezone.utc
INSTANCES_MAX = 200_000  # what a hostile rule may cost
DAY = datetime.timedelta(days=1)

_NAME = re.compile(r"[A-Za-z0-9-]+\Z")
_DATE = re.compile(r"\d{8}(T\d{6}Z?)?\Z")
_DATES = {"DTSTART", "DTEND", "RECURRENCE-ID", "EXDATE", "RDATE"}


def _split(line):
    """NAME, parameters and value of a content line, or None."""
    quoted, name_end = False, None
    for at, letter in enumerate(line):
        if letter == '"':
            quoted = not quoted
        elif not quoted and letter == ";" and name_end is None:
            name_end = at
        elif not quoted and letter == ":":
            end = at if name_end is None else name_end
            return line[:end].upper(), line[end:at].upper(), line[at + 1 :]
    return None


def _is_date(text):
    if not _DATE.match(text):
        return False
    try:
        datetime.datetime.strptime(
            text.rstrip("Z"), "%Y%m%d" if len(text) == 8 else "%Y%m%dT%H%M%S"
        )
        return True
    except ValueError:
        return False


def check_content_lines(text, path):
    """Raises ValueError, "FILE:LINE: what", at the first line that RFC 5545, 3.1 and 3.6, do not
    allow.
    """

    def refuse(line, why):
        raise ValueError(f"{path}:{line}: {why}")

    unfolded = []
    for number, line in enumerate(text.splitlines(), 1):
        if line[:1] in (" ", "\t"):
            if not unfolded:
                refuse(number, "a continued line has nothing before it")
            unfolded[-1][1] += line[1:]
        elif line:
            unfolded.append([number, line])
    open_ = []
    for number, line in unfolded:
        parts = _split(line)
        if parts is None:
            refuse(number, f"not a content line, NAME:VALUE was expected: {line[:60]}")
        name, parameters, value = parts
        if not _NAME.match(name):
            refuse(number, f"'{name[:40]}' is not a property name")
        if name == "BEGIN":
            if not open_ and value.upper() != "VCALENDAR":
                refuse(number, f"BEGIN:VCALENDAR was expected, not BEGIN:{value}")
            open_.append((value.upper(), number, set()))
        elif not open_:
            refuse(number, "BEGIN:VCALENDAR was expected")
        elif name == "END":
            component, begun, properties = open_.pop()
            if component != value.upper():
                refuse(number, f"END:{value} where END:{component} was expected")
            if component == "VEVENT" and "DTSTART" not in properties:
                refuse(begun, "this VEVENT has no DTSTART")
        else:
            open_[-1][2].add(name)
            if open_[-1][0] == "VEVENT":
                _check_value(number, name, parameters, value, refuse)
    if open_:
        refuse(open_[-1][1], f"BEGIN:{open_[-1][0]} has no END")
    if not unfolded:
        refuse(1, "the file is no iCalendar: BEGIN:VCALENDAR was expected")


def _check_value(number, name, parameters, value, refuse):
    if name in _DATES:
        for item in value.split(","):
            item = item.split("/")[0] if "VALUE=PERIOD" in parameters else item
            if not _is_date(item):
                refuse(
                    number,
                    f"{name}: '{item}' is not a date or time, as in 20261124 or 20261124T093000Z",
                )
    elif name == "RRULE":
        try:
            rrule.rrulestr(
                re.sub(r"UNTIL=[0-9TZ]+", "UNTIL=20991231T000000", value),
                dtstart=datetime.datetime(2026, 1, 1),
            )
        except (ValueError, TypeError, KeyError) as why:
            refuse(
                number,
                f"RRULE: '{value}' is not a recurrence rule, as in FREQ=WEEKLY;BYDAY=MO: {why}",
            )
    elif name == "DURATION":
        try:
            icalendar.vDuration.from_ical(value)
        except (ValueError, AttributeError, TypeError):
            refuse(number, f"'{value}' is not a duration, as in PT1H30M")


class CalendarFile:
    """ValueError, "FILE:LINE: what", for a file that is no calendar."""

    def __init__(self, path):
        with open(path, encoding="utf-8-sig") as file:
            text = file.read()
        check_content_lines(text, path)
        self.calendars = [
            _Calendar(each) for each in icalendar.Calendar.from_ical(text, multiple=True)
        ]

    def busy(self, start_s, end_s):
        """(start, end, summary) of what overlaps [start_s, end_s), ascending; may touch and
        overlap.
        """
        found = itertools.chain.from_iterable(
            calendar.busy(start_s, end_s) for calendar in self.calendars
        )
        return sorted(
            (start, end, summary)
            for start, end, summary in found
            if start < end_s and start_s < end and start < end
        )


class _Calendar:
    def __init__(self, component):
        self.component = component
        self.zones = {str(zone.get("TZID")): zone for zone in component.walk("VTIMEZONE")}
        # Floating times and all-day events: X-WR-TIMEZONE, else the first VTIMEZONE, else UTC.
        name = component.get("X-WR-TIMEZONE") or next(iter(self.zones), None)
        self.own_zone = (self.zone(str(name)) if name else None) or UTC

    def zone(self, name):
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return self.zones[name].to_tz() if name in self.zones else None

    def zone_of(self, prop):
        """The zone that an instance's wall-clock time is in."""
        value = prop.dt if hasattr(prop, "dt") else prop
        if isinstance(value, datetime.datetime) and value.tzinfo is not None:
            named = prop.params.get("TZID") if hasattr(prop, "params") else None
            return (self.zone(str(named)) if named else None) or value.tzinfo
        return self.own_zone

    @staticmethod
    def localise(wall, zone):
        if hasattr(zone, "localize"):  # pytz
            return zone.localize(wall, is_dst=True)
        return wall.replace(tzinfo=zone)

    def seconds(self, wall, zone):
        return int(self.localise(wall, zone).timestamp())

    @staticmethod
    def wall(value):
        """A date or time as a naive time in its own zone."""
        if isinstance(value, datetime.datetime):
            return value.replace(tzinfo=None)
        return datetime.datetime.combine(value, datetime.time())

    @staticmethod
    def blocks(event):
        return (
            str(event.get("STATUS", "")).upper() != "CANCELLED"
            and str(event.get("TRANSP", "OPAQUE")).upper() != "TRANSPARENT"
        )

    def start(self, event):
        prop = event["DTSTART"]
        return self.wall(prop.dt), self.zone_of(prop), not isinstance(prop.dt, datetime.datetime)

    def length(self, event):
        """(days by the calendar, seconds by the clock)."""
        wall, zone, is_date = self.start(event)
        if "DTEND" in event:
            end = event["DTEND"]
            if is_date:
                return max((self.wall(end.dt) - wall).days, 1), 0
            return 0, max(
                0, self.seconds(self.wall(end.dt), self.zone_of(end)) - self.seconds(wall, zone)
            )
        if "DURATION" in event:
            duration = event["DURATION"].dt
            return (duration.days, duration.seconds) if duration >= datetime.timedelta() else (0, 0)
        return (1, 0) if is_date else (0, 0)

    def instance(self, event, wall, zone, length):
        if not self.blocks(event):
            return
        start = self.seconds(wall, zone)
        end = self.seconds(wall + length[0] * DAY, zone) + length[1]
        yield start, end, str(event.get("SUMMARY", ""))

    @staticmethod
    def _list(value):
        return [] if value is None else value if isinstance(value, list) else [value]

    def dates(self, event, name):
        for group in self._list(event.get(name)):
            zone_name = group.params.get("TZID") if hasattr(group, "params") else None
            for item in group.dts:
                value = item.dt
                first = value[0] if isinstance(value, tuple) else value
                if isinstance(first, datetime.datetime) and first.tzinfo is not None:
                    zone = (self.zone(str(zone_name)) if zone_name else None) or first.tzinfo
                else:
                    zone = self.own_zone
                yield value, zone

    def busy(self, start_s, end_s):
        masters, overrides = {}, {}
        for event in self.component.walk("VEVENT"):
            (overrides if "RECURRENCE-ID" in event else masters).setdefault(
                str(event.get("UID", "")), []
            ).append(event)
        for uid, events in masters.items():
            for event in events:
                yield from self.master(event, overrides.get(uid, []), end_s)
        for uid, events in overrides.items():
            for event in events:
                if uid in masters and self.is_future(event):
                    continue  # the master's expansion has used it
                wall, zone, _ = self.start(event)
                yield from self.instance(event, wall, zone, self.length(event))
        for part in self.component.walk("VFREEBUSY"):
            for group in self._list(part.get("FREEBUSY")):
                if str(getattr(group, "params", {}).get("FBTYPE", "BUSY")).upper() == "FREE":
                    continue
                for period in group if isinstance(group, list) else [group]:
                    begin = period.start
                    end = period.end
                    yield int(begin.timestamp()), int(end.timestamp()), "busy"

    @staticmethod
    def is_future(event):
        return str(event["RECURRENCE-ID"].params.get("RANGE", "")).upper() == "THISANDFUTURE"

    def master(self, event, overrides, end_s):
        wall, zone, is_date = self.start(event)
        length = self.length(event)
        gone, gone_days, future = set(), set(), {}
        for value, value_zone in self.dates(event, "EXDATE"):
            gone.add(self.seconds(self.wall(value), value_zone))
            if not isinstance(value, datetime.datetime) and not is_date:
                gone_days.add(value)
        for other in overrides:
            prop = other["RECURRENCE-ID"]
            at = self.seconds(self.wall(prop.dt), self.zone_of(prop))
            if self.is_future(other):
                future[at] = other
            else:
                gone.add(at)
        done = set()

        def one(when, when_zone):
            at = self.seconds(when, when_zone)
            if at in gone or when.date() in gone_days or at in done:
                return
            done.add(at)
            moved_from = max((each for each in future if each <= at), default=None)
            if moved_from is None:
                yield from self.instance(event, when, when_zone, length)
                return
            other = future[moved_from]  # moved with everything after it
            if self.blocks(other):
                other_wall, other_zone, _ = self.start(other)
                begin = at + self.seconds(other_wall, other_zone) - moved_from
                days, seconds = self.length(other)
                yield begin, begin + days * 86_400 + seconds, str(other.get("SUMMARY", ""))

        yield from one(wall, zone)
        for rule in self._list(event.get("RRULE")):
            for when in self.expand(rule, wall, zone, end_s):
                yield from one(when, zone)
        for value, value_zone in self.dates(event, "RDATE"):
            if isinstance(value, tuple):
                begin = self.seconds(self.wall(value[0]), value_zone)
                end = (
                    begin + int(value[1].total_seconds())
                    if isinstance(value[1], datetime.timedelta)
                    else self.seconds(self.wall(value[1]), value_zone)
                )
                if self.blocks(event) and begin not in gone:
                    yield begin, end, str(event.get("SUMMARY", ""))
            else:
                yield from one(self.wall(value), value_zone)

    def expand(self, rule, wall, zone, end_s):
        """Wall-clock starts of a rule, in the event's zone: a weekly nine o'clock stays nine
        o'clock across a clock change.
        """
        rule = icalendar.vRecur(rule)
        until = rule.get("UNTIL")
        limit = None
        if until:
            last = until[0] if isinstance(until, list) else until
            if isinstance(last, datetime.datetime) and last.tzinfo is not None:
                limit = int(last.timestamp())
            elif isinstance(last, datetime.datetime):
                limit = self.seconds(last, zone)
            else:
                limit = self.seconds(self.wall(last) + DAY - datetime.timedelta(seconds=1), zone)
            rule = icalendar.vRecur(
                {key: value for key, value in rule.items() if key.upper() != "UNTIL"}
            )
        for when in itertools.islice(
            rrule.rrulestr(rule.to_ical().decode(), dtstart=wall), INSTANCES_MAX
        ):
            at = self.seconds(when, zone)
            if at >= end_s or (limit is not None and at > limit):
                return
            yield when

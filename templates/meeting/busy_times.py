"""When an iCalendar file's owner is busy (RFC 5545).

What: CalendarFile, busy_times.cc in Python.
Why: one reader for both languages, so that they answer alike; dateutil walks a rule that never
matches for ever, and icalendar passes over zones that it does not know.
Who: calendar_py.py.
"""

import ctypes
import os


class TooCostly(Exception):
    """What a file or a question costs more than: no answer rather than a part of one."""


class _BusyTime(ctypes.Structure):
    _fields_ = [
        ("start_s", ctypes.c_int64),
        ("end_s", ctypes.c_int64),
        ("summary", ctypes.c_char_p),
    ]


def _library():
    library = ctypes.CDLL(
        os.path.join(os.path.dirname(os.path.abspath(__file__)), "libdiary_calendar.so")
    )
    pointer, texts = ctypes.c_void_p, ctypes.POINTER(ctypes.c_void_p)
    for name, result, parameters in (
        ("diary_open", ctypes.c_int, [ctypes.c_char_p, texts, texts]),
        ("diary_close", None, [pointer]),
        ("diary_busy", ctypes.c_int, [pointer, ctypes.c_int64, ctypes.c_int64, texts, texts]),
        ("diary_busy_size", ctypes.c_size_t, [pointer]),
        ("diary_busy_times", ctypes.POINTER(_BusyTime), [pointer]),
        ("diary_free_list", None, [pointer]),
        ("diary_free_text", None, [pointer]),
    ):
        function = getattr(library, name)
        function.restype, function.argtypes = result, parameters
    return library


_LIBRARY = _library()


def _made(function, *arguments):
    """What the function makes, or the exception for what it says."""
    made, text = ctypes.c_void_p(), ctypes.c_void_p()
    kind = function(*arguments, ctypes.byref(made), ctypes.byref(text))
    if kind == 0:
        return made
    why = ctypes.string_at(text.value).decode("utf-8", "replace")
    _LIBRARY.diary_free_text(text)
    raise {1: ValueError, 2: TooCostly}.get(kind, RuntimeError)(why)


class CalendarFile:
    """ValueError, "FILE:LINE: why", for a file that is no calendar or that says something nobody
    can know; TooCostly.
    """

    def __init__(self, path):
        self._file = _made(_LIBRARY.diary_open, os.fsencode(path))

    def __del__(self):
        if getattr(self, "_file", None):
            _LIBRARY.diary_close(self._file)

    def busy(self, start_s, end_s):
        """(start, end, summary) of what overlaps [start, end), ascending. TooCostly: all of it or
        nothing.
        """
        found = _made(_LIBRARY.diary_busy, self._file, start_s, end_s)
        try:
            times = _LIBRARY.diary_busy_times(found)
            return [
                (times[i].start_s, times[i].end_s, times[i].summary.decode())
                for i in range(_LIBRARY.diary_busy_size(found))
            ]
        finally:
            _LIBRARY.diary_free_list(found)

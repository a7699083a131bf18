"""What Objects print, in their capsule's log.

What: sys.stdout and sys.stderr as records of the log, a line each; tracebacks in one record; where
the running code is: object, operation, trace.
Why: a capsule's standard output belongs to no Object, and a mistake that leaves no trace is not
found.
Who: the runtime enters a Place around each operation; Python writes.
"""

import contextvars
import io
import sys
import threading
import traceback

from .errors import is_own, place_of, sound, text_of

DEBUG, INFO, WARNING, ERROR = range(4)
LINE_MAX = 8192  # letters of one record; a longer line goes on in the next one
TRACEBACK_MAX = 16384

_place = contextvars.ContextVar("hector_place", default=None)
_logs = []  # of the languages of this process, the newest last
_lock = threading.RLock()  # a destructor may print while a line is being taken apart


class Place:
    """Where code runs: an operation of an Object, or a template that is loaded. A context manager;
    what was printed without an end of line is a line when it is left.
    """

    def __init__(self, log, object_name="", operation="", call=None):
        self.log, self.object, self.operation, self.call = log, object_name, operation, call
        self.pending = {}
        self._token = None

    def __enter__(self):
        self._token = _place.set(self)
        return self

    def __exit__(self, *_):
        _place.reset(self._token)
        if self.pending:
            self.finish()

    def finish(self):
        with _lock:
            pending, self.pending = self.pending, {}
        for level, text in pending.items():
            self.write(level, "printed", text)

    def write(self, level, event, text):
        trace = self.call.traceparent if self.call is not None else ""
        self.log.write(level, event, sound(self.object), sound(self.operation), trace, sound(text))


def add_log(log):
    _logs.append(log)


def remove_log(log):
    _logs[:] = [each for each in _logs if each is not log]


class _NoLog:
    """After the last language was unloaded, for threads that are left."""

    def write(self, *_):
        pass


class _Threads(threading.local):
    """What a thread that an Object started is: the template's file says whose it is."""

    def __init__(self):
        self.place = None


_threads = _Threads()


def _here(entry=None):
    """`entry`: of the traceback of an exception that is told, where no code runs any more."""
    place = _place.get()
    if place is not None:
        return place
    if _threads.place is None or _threads.place.log not in _logs:
        _threads.place = Place(_logs[-1] if _logs else _NoLog())
    frames = [each.f_code.co_filename for each, _ in traceback.walk_stack(sys._getframe(1))]
    frames += [each.f_code.co_filename for each, _ in traceback.walk_tb(entry)]
    _threads.place.object = next((each for each in frames if is_own(each)), "")
    return _threads.place


class LogText(io.TextIOBase):
    """A standard stream. It never closes: it is every Object's."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, level, descriptor, name):
        super().__init__()
        self._level, self._descriptor, self.name, self.mode = level, descriptor, name, "w"
        self.buffer = _Octets(self)

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        place = _here()
        with _lock:
            lines = (place.pending.pop(self._level, "") + text).split("\n")
            rest = lines.pop()
            while len(rest) > LINE_MAX:
                lines.append(rest[:LINE_MAX])
                rest = rest[LINE_MAX:]
            if rest:
                place.pending[self._level] = rest
        for line in lines:
            for at in range(0, max(len(line), 1), LINE_MAX):
                place.write(self._level, "printed", line[at : at + LINE_MAX])
        return len(text)

    def flush(self):
        """Within an operation a line waits for its end: a flush in between is no new line."""
        if _place.get() is None:
            _here().finish()

    def close(self):
        self.flush()

    def reconfigure(self, **_):
        """Python's own streams have it; this one stays as it is."""

    def writable(self):
        return True

    def fileno(self):
        return self._descriptor


class _Octets(io.RawIOBase):
    def __init__(self, text):
        super().__init__()
        self._text = text

    def write(self, octets):
        octets = bytes(octets)
        self._text.write(octets.decode("utf-8", "backslashreplace"))
        return len(octets)

    def flush(self):
        self._text.flush()

    def close(self):
        pass

    def writable(self):
        return True

    def fileno(self):
        return self._text.fileno()


def _traceback(exception):
    """As Python prints it, without the frames of this package at its beginning."""
    entry = exception.__traceback__
    while entry is not None and not is_own(entry.tb_frame.f_code.co_filename):
        entry = entry.tb_next
    try:
        lines = traceback.format_exception(
            type(exception), exception, entry or exception.__traceback__
        )
        text = "".join(lines).rstrip("\n")
    except BaseException as why:
        text = f"{type(exception).__name__} at {place_of(exception)}: its traceback fails: {why!r}"
    if len(text) > TRACEBACK_MAX:
        half = TRACEBACK_MAX // 2
        text = f"{text[:half]}\n… {len(text) - 2 * half} letters left out …\n{text[-half:]}"
    return text


def tell(exception, event="Python Object raised an exception"):
    """Its traceback as one record of the log."""
    _here(exception.__traceback__).write(ERROR, event, _traceback(exception))


def _thread_ended(ended):
    if ended.exc_type is not SystemExit and ended.exc_value is not None:
        tell(ended.exc_value, "Python thread ended by an exception")


def _unraisable(raised):
    if raised.exc_value is not None:
        said = raised.err_msg or f"in {raised.object!r}"
        tell(raised.exc_value, f"Python exception that nobody can catch, {said}")


def _guarded(hook):
    def guarded(raised):
        try:
            hook(raised)
        except BaseException as why:
            _here().write(ERROR, "Python exception that cannot be told", text_of(why))

    return guarded


def install():
    """Once in a process."""
    sys.stdout = sys.__stdout__ = LogText(INFO, 1, "<stdout>")
    sys.stderr = sys.__stderr__ = LogText(WARNING, 2, "<stderr>")
    sys.stdin = sys.__stdin__ = io.StringIO("")
    threading.excepthook = _guarded(_thread_ended)
    sys.unraisablehook = _guarded(_unraisable)

"""The event loop of all coroutines, and what threads of the kernel tell it.

What: loop(), numbers of the inbox, awaiting a call that was started, cancelling a coroutine whose
caller no longer waits.
Why: coroutines of all Objects share one thread, which no Object may end or stop for the others.
Who: the runtime.
"""

import asyncio
import concurrent.futures
import itertools
import threading

import _hector

from . import output
from .errors import error_from_parts

BLOCKED_MAX = 256  # threads for flows whose next message is waited for
AFTER_DEADLINE_S = 0.1  # the caller's side ends a call at its deadline; it may have gone

_lock = threading.Lock()
_loop = None


class _Inbox:
    """Numbers, and what is done when a thread of the kernel puts one in."""

    def __init__(self):
        self.handle = _hector.Inbox()
        self._numbers = itertools.count(1)
        self._actions = {}

    def add(self, action):
        number = next(self._numbers)
        self._actions[number] = action
        return number

    def remove(self, number):
        self._actions.pop(number, None)

    def read(self):
        for number in self.handle.take():
            action = self._actions.pop(number, None)
            if action is None:
                continue
            try:
                action()
            except BaseException as why:  # of one awaiting coroutine; the others get theirs
                output.tell(why)


_inbox = None


def _run(running):
    """Whatever a coroutine does to the loop, stop() or a SystemExit in a task, the others go on."""
    asyncio.set_event_loop(running)
    while not running.is_closed():
        try:
            running.run_forever()
        except BaseException as why:
            output.tell(why, "Python event loop was left by an exception; it goes on")


def loop():
    """The event loop, on a thread of its own; a new one if an Object has closed it."""
    global _loop, _inbox
    with _lock:
        if _loop is None or _loop.is_closed():
            _inbox = _inbox or _Inbox()
            _loop = asyncio.new_event_loop()
            _loop.set_default_executor(
                concurrent.futures.ThreadPoolExecutor(BLOCKED_MAX, "hector-blocked")
            )
            _loop.add_reader(_inbox.handle.descriptor, _inbox.read)
            threading.Thread(
                target=_run, args=(_loop,), name="hector-asyncio", daemon=True
            ).start()
    return _loop


async def awaited(start):
    """What a call came to: start(inbox, number) starts it. Cancelled, it cancels the call."""
    loop()
    running = asyncio.get_running_loop()
    future = running.create_future()

    def ended():
        running.call_soon_threadsafe(lambda: future.done() or future.set_result(None))

    number = _inbox.add(ended)
    try:
        started = start(_inbox.handle, number)
    except BaseException:
        _inbox.remove(number)
        raise
    try:
        await future
    except asyncio.CancelledError:
        started.cancel()
        raise
    answer, error = started.outcome()
    if error is not None:
        raise error_from_parts(*error)
    return answer


class Cancelling:
    """While it is entered, on the loop: the caller's cancelling, or the deadline, cancels this
    task, once, so that its cleanup is not cancelled too.
    """

    def __init__(self, call):
        self._call, self._number, self._timer, self._is_cancelled = call, None, None, False

    def __enter__(self):
        self._task = asyncio.current_task()
        self._number = _inbox.add(self._cancel)
        self._call.tell_cancelled(_inbox.handle, self._number)
        left = self._call.time_left
        if left is not None:
            late = max(left, 0) + AFTER_DEADLINE_S
            self._timer = asyncio.get_running_loop().call_later(late, self._cancel)
        return self

    def __exit__(self, *_):
        self._is_cancelled = True
        _inbox.remove(self._number)
        if self._timer is not None:
            self._timer.cancel()

    def _cancel(self):
        if not self._is_cancelled:
            self._is_cancelled = True
            self._task.cancel()

    def raise_if_cancelled(self):
        """A coroutine that swallows its cancelling has no answer that is in time."""
        if self._is_cancelled:
            raise asyncio.CancelledError

    def error(self):
        """Of a call that was cancelled; None: it was not."""
        if self._call.why_cancelled is not None:
            return self._call.why_cancelled
        if self._call.is_cancelled:
            return 4, "no reply before the call's deadline", "", b""
        return None

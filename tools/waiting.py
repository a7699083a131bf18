"""Waiting in tests: for a condition, with a deadline.

What: until(condition) and spend(seconds, why).
Why: a test that sleeps is slow when all is well and wrong when the machine is busy. This is the one
place that polls; tools/tidy.py keeps it so.
Who: tools/capsules.py, the tests in tests/system.
"""

import time

POLL_S = 0.01


def until(condition, seconds=10.0, what="it"):
    """The first true value of condition(); AssertionError after `seconds`, with `what`, a text or a
    function that makes one.
    """
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            told = what() if callable(what) else what
            raise AssertionError(f"{told} did not come to be within {seconds} s")
        time.sleep(POLL_S)
    return value


def spend(seconds, why):
    """Lets time pass where time is what is tested or given, such as so many seconds under load, or
    where the other side gives no sign; `why` says which.
    """
    assert why
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        time.sleep(left)

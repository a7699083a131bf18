"""An Object that sleeps in its calls, for as long as it is told.

What: its template, put into a capsule, and Objects of it.
Why: who stops a capsule, or sets its clock, meets calls that are in flight.
Who: stop_test, clock_test.
"""

import os

SLEEPER = """
import time

import hector

@hector.template("test.Sleeper/1")
class Sleeper:
    def nap(self, seconds: float) -> str:
        time.sleep(seconds)
        return "awake"

    def ask(self, who: str, seconds: float, timeout: float) -> str:
        try:
            self.capsule.call(who, "nap", {"seconds": seconds}, timeout)
            return "answered"
        except hector.Error as error:
            return error.code
"""
TEMPLATE = "sleeper.Sleeper"


def load(capsules, capsule):
    path = os.path.join(capsules.folder, "sleeper.py")
    with open(path, "w", encoding="utf-8") as file:
        file.write(SLEEPER)
    capsules.hector("load", "template", path, capsule=capsule)


def create(capsules, capsule, name):
    capsules.hector("create", "object", TEMPLATE, "--name", name, capsule=capsule)

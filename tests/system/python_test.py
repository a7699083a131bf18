"""Python Objects by Python's own rules, and what their mistakes do to others: nothing.

What: text, errors, ends, hints, modules and cancelling of Python templates in a capsule.
Why: an Object's mistake is its caller's error and a record of the log, never a dead capsule.
Who: ctest.
"""

import json
import os
import textwrap
import time
import unittest

import waiting
from capsules import ROOT, CommandFailed, Capsules
from needs import needs

CAPSULE = """capsule: hub
protocols: {udp: {listen: "127.0.0.1:0"}}
services: {naming: embedded}
store: memory
languages: [python]
log: {format: json}
"""
NEIGHBOUR = """
import hector

@hector.template("test.Neighbour/1")
class Neighbour:
    def __init__(self):
        self.count = 0

    def add(self, a: int, b: int = 2) -> int:
        return a + b

    async def later(self) -> str:
        return "later"

    def raises(self) -> str:
        raise hector.Error("ABORTED", "as told")

    def say(self, text: str) -> str:
        print(text)
        return text
"""
CALLER = """
import asyncio

import hector

@hector.template("test.Caller/1")
class Caller:
    def octets(self, who: str, operation: str, octets: bytes) -> str:
        try:
            self.capsule._handle.resolve(who).call(operation, octets, 5)
            return "answered"
        except hector.Error as error:
            return f"{error.code}: {error.message}"

    def ask(self, who: str, operation: str, timeout: float = 5.0) -> str:
        try:
            self.capsule.call(who, operation, {}, timeout)
            return "answered"
        except hector.Error as error:
            return f"{error.code}: {error.message}"

    async def ask_later(self, who: str, operation: str, timeout: float = 5.0) -> str:
        try:
            await self.capsule.call_async(who, operation, {}, timeout)
            return "answered"
        except hector.Error as error:
            return f"{error.code}: {error.message}"

    async def give_up(self, who: str, operation: str) -> str:
        task = asyncio.create_task(self.capsule.call_async(who, operation, {}))
        await asyncio.sleep(0.2)
        task.cancel()
        try:
            await task
            return "answered"
        except asyncio.CancelledError:
            return "cancelled"
"""


@needs("protocols/udp", "languages/python", "services/naming")
class PythonTest(unittest.TestCase):
    """One capsule for all tests of a class: each of them has to leave it as it was."""

    @classmethod
    def setUpClass(cls):
        cls.capsules = Capsules()
        cls.addClassCleanup(cls.capsules.stop)
        cls.capsules.environment["LC_ALL"] = "C"
        cls.capsules.configure("hub", CAPSULE)
        cls.folder = cls.capsules.folder
        for name, text in (("neighbour", NEIGHBOUR), ("caller", CALLER)):
            cls.make(cls.write(f"{name}.py", text), name)

    @classmethod
    def write(cls, name, text):
        path = os.path.join(cls.folder, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(textwrap.dedent(text))
        return path

    @classmethod
    def load(cls, path):
        return cls.capsules.hector("load", "template", path, capsule="hub").split()[1]

    @classmethod
    def make(cls, path, name, **arguments):
        template = cls.load(path)
        cls.capsules.hector(
            *("create", "object", template, "--name", name, "--arguments", json.dumps(arguments)),
            capsule="hub",
        )

    def remove(self, *names):
        for name in names:
            self.capsules.hector("delete", "object", name, capsule="hub")

    def call(self, what, **message):
        return self.capsules.call(what, message, capsule="hub")

    def value(self, what, **message):
        return self.call(what, **message)["value"]

    def refused(self, what, **message):
        """The error of a call, "CODE: text"."""
        with self.assertRaises(CommandFailed) as caught:
            self.call(what, **message)
        return caught.exception.text.removeprefix("hector: ")

    def not_loaded(self, name, text):
        with self.assertRaises(CommandFailed) as caught:
            self.load(self.write(name, text))
        return caught.exception.text

    def records(self, **wanted):
        """The log's records that have these fields."""
        lines = self.capsules.log("hub").split("\n")  # libprotobuf's own lines are no records
        found = [json.loads(line) for line in lines if line.startswith("{")]
        return [
            each for each in found if all(each.get(key) == value for key, value in wanted.items())
        ]

    def logged(self, **wanted):
        waiting.until(lambda: self.records(**wanted), 5)
        return self.records(**wanted)[0]

    def neighbours_are_served(self):
        self.assertEqual(self.value("neighbour.add", a=1), "3")
        self.assertEqual(self.value("neighbour.later"), "later")
        self.assertTrue(self.refused("neighbour.raises").startswith("ABORTED: as told"))


class Text(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make(
            cls.write(
                "texts.py",
                r"""
                import logging
                import sys
                import threading
                import warnings

                import hector

                @hector.template("test.Texts/1")
                class Texts:
                    def encodings(self) -> str:
                        return " ".join(
                            (sys.getfilesystemencoding(), sys.getdefaultencoding(),
                             sys.stdout.encoding, sys.stderr.encoding, open(__file__).encoding)
                        )

                    def write(self, path: str, text: str) -> str:
                        with open(path, "w") as file:
                            file.write(text)
                        return open(path).read()

                    def say(self, text: str) -> None:
                        print(text)
                        print(text, file=sys.stderr, flush=True)

                    def in_pieces(self) -> None:
                        for letter in "größe":
                            print(letter, end="", flush=True)

                    def octets(self) -> None:
                        sys.stdout.buffer.write("größe in octets\n".encode())

                    def lone(self) -> None:
                        print("lone \udcff")

                    def long(self) -> None:
                        print("ж" * 20000)

                    def lines(self) -> None:
                        print("first\n\nthird")

                    async def later(self) -> None:
                        print("later")

                    def flow(self) -> "__import__('typing').Iterator[int]":
                        print("in a flow")
                        yield 1

                    def thread(self) -> None:
                        def fails():
                            print("in a thread")
                            raise LookupError("of a thread")
                        threading.Thread(target=fails).start()

                    def warn(self) -> None:
                        warnings.warn("mind the step")
                        logging.warning("by logging")

                    def closes(self) -> str:
                        sys.stdout.close()
                        sys.stdout.reconfigure(encoding="ascii")
                        print("after close")
                        try:
                            return input()
                        except EOFError:
                            return "no input"

                    def streams(self) -> str:
                        return f"{sys.stdout.fileno()} {sys.stderr.fileno()} {sys.stdout.isatty()}"
                """,
            ),
            "t",
        )

    def test_text_is_utf_8_whatever_the_locale_says(self):
        self.assertEqual(self.value("t.encodings"), "utf-8 utf-8 utf-8 utf-8 utf-8")
        for name in ("plain.txt", "größe.txt", "ж✓.txt"):
            path = os.path.join(self.folder, name)
            for text in ("größe", "ж ✓ 😀", "日本"):
                self.assertEqual(self.value("t.write", path=path, text=text), text)
                with open(path, encoding="utf-8") as file:
                    self.assertEqual(file.read(), text)

    def test_what_is_printed_is_in_the_log_with_its_object_and_operation(self):
        for text in ("plain", "größe ✓ 😀"):
            self.call("t.say", text=text)
            for level in ("info", "warning"):
                self.logged(event="printed", object="t", operation="say", text=text, level=level)
        for operation, text in (
            ("in_pieces", "größe"),
            ("octets", "größe in octets"),
            ("lone", "lone \\udcff"),
            ("long", "ж" * 8192),
            ("lines", "third"),
            ("later", "later"),
            ("flow", "in a flow"),
            ("warn", "WARNING:root:by logging"),
        ):
            with self.subTest(operation):
                self.call(f"t.{operation}")
                self.logged(event="printed", object="t", operation=operation, text=text)
        self.assertEqual(len(self.records(operation="long")), 3)
        self.assertIn("mind the step", self.capsules.log("hub"))

    def test_a_thread_of_an_object_is_known_by_its_template(self):
        self.call("t.thread")
        path = os.path.join(self.folder, "texts.py")
        self.logged(event="printed", object=path, text="in a thread")
        told = self.logged(event="Python thread ended by an exception", object=path)
        self.assertIn("LookupError: of a thread", told["text"])

    def test_the_streams_stay_open_and_there_is_no_input(self):
        self.assertEqual(self.value("t.closes"), "no input")
        self.logged(event="printed", operation="closes", text="after close")
        self.assertEqual(self.value("t.streams"), "1 2 False")
        self.neighbours_are_served()

    def test_a_template_in_a_folder_with_letters_beyond_ascii(self):
        path = self.write("Übung/übung.py", NEIGHBOUR.replace("test.", "exercise."))
        self.assertEqual(self.load(path), "übung.Neighbour")


#: operation, how it fails, its code, what its text has.
FAILURES = (
    # what it says to its caller
    ('raise ValueError("größe ✓")', "INVALID_ARGUMENT", "größe ✓"),
    ('raise ValueError("lone \\udcff")', "INVALID_ARGUMENT", "lone \\udcff"),
    ('raise KeyError("no such key")', "NOT_FOUND", "no such key"),
    ('raise NotImplementedError("not yet")', "UNIMPLEMENTED", "not yet"),
    ('raise PermissionError("not you")', "PERMISSION_DENIED", "not you"),
    ('raise TimeoutError("too late")', "DEADLINE_EXCEEDED", "too late"),
    ('raise ConnectionError("gone")', "UNAVAILABLE", "gone"),
    ('raise MemoryError("full")', "RESOURCE_EXHAUSTED", "full"),
    ('raise FileExistsError("twice")', "ALREADY_EXISTS", "twice"),
    ('raise RuntimeError("thrown")', "UNKNOWN", "thrown"),
    ('raise Own("mine")', "UNKNOWN", "mine"),
    ('raise OwnValue("mine")', "INVALID_ARGUMENT", "mine"),
    ('raise hector.Error("ABORTED", "lone \\udcff", "a.\\udcff", "\\udcff")', "ABORTED", "lone"),
    ("refuse()", "INVALID_ARGUMENT", "helper"),
    ("reraise()", "INVALID_ARGUMENT", "invalid literal"),
    ('open("/nowhere/at/all")', "NOT_FOUND", "/nowhere/at/all"),
    ("bytearray(1 << 62)", "RESOURCE_EXHAUSTED", ""),
    # its own mistakes
    ("1 / 0", "INTERNAL", "ZeroDivisionError: division by zero (failing.py:"),
    ('None + "x"', "INTERNAL", "TypeError: "),
    ("len(5)", "INTERNAL", "TypeError: "),
    ("refuse(1, 2)", "INTERNAL", "TypeError: refuse() takes"),
    ('int("eve")', "INTERNAL", "ValueError: invalid literal"),
    ('[].index("eve")', "INTERNAL", "ValueError: 'eve' is not in list"),
    ('{}["eve"]', "INTERNAL", "KeyError: 'eve'"),
    ("[][1]", "INTERNAL", "IndexError: "),
    ("nowhere", "INTERNAL", "NameError: "),
    ("self.nothing", "INTERNAL", "AttributeError: "),
    ("import nothing_at_all", "INTERNAL", "ModuleNotFoundError: "),
    ("assert False, 'wrong'", "INTERNAL", "AssertionError: wrong"),
    ("json.loads('{')", "INTERNAL", "JSONDecodeError"),
    ("endless(1)", "INTERNAL", "RecursionError"),
    ("next(iter(()))", "INTERNAL", "StopIteration"),
    ('hector.Error("NOPE", "x")', "INTERNAL", "'NOPE' is not a code"),
    ("'\\udcff'.encode()", "INTERNAL", "UnicodeEncodeError"),
    ("raise TypeError('mine')", "INTERNAL", "TypeError: mine"),
    # exceptions that cannot be told
    ("raise BadText()", "UNKNOWN", "whose own text fails with RuntimeError"),
    ("raise NoText()", "UNKNOWN", "whose own text fails with TypeError"),
    ("raise Endless()", "UNKNOWN", "whose own text fails with RecursionError"),
    ("raise changed()", "INTERNAL", "cannot be told"),
    # what is no Exception
    ("sys.exit('bye')", "INTERNAL", "the Object called exit(bye)"),
    ("sys.exit(3)", "INTERNAL", "exit(3)"),
    ("exit_soon(3)", "INTERNAL", "exit(3)"),
    ("raise SystemExit", "INTERNAL", "exit()"),
    ("raise KeyboardInterrupt", "INTERNAL", "KeyboardInterrupt"),
    ("raise GeneratorExit", "INTERNAL", "GeneratorExit"),
    ("raise BaseException('base')", "INTERNAL", "BaseException: base"),
    ("raise asyncio.CancelledError", "INTERNAL", "cancelled its own coroutine"),
    # what it returns
    ('return "no number"', "INTERNAL", "returned str, which makes no"),
    ("return object()", "INTERNAL", "returned object"),
    ("return 1 << 70", "INTERNAL", "returned int"),
    ("return 1.5", "INTERNAL", "returned float"),
)
FAILING = r"""
import asyncio
import json
import os
import sys

import hector

exit_soon = os._exit

class Own(Exception):
    pass

class OwnValue(ValueError):
    pass

class BadText(Exception):
    def __str__(self):
        raise RuntimeError("even its text fails")

class NoText(Exception):
    def __str__(self):
        return 17

class Endless(Exception):
    def __str__(self):
        return str(self)

def changed():
    error = hector.Error("ABORTED", "x")
    error.code = "NOPE"
    return error

def refuse():
    raise ValueError("helper")

def reraise():
    try:
        int("eve")
    except ValueError as error:
        raise error

def endless(n):
    return endless(n + 1)

@hector.template("test.Failing/1")
class Failing:
"""


class Errors(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        text = FAILING
        for number, (statement, _, _) in enumerate(FAILURES):
            for prefix, name in (("", "now"), ("async ", "later")):
                text += f"    {prefix}def {name}_{number}(self) -> int:\n        {statement}\n"
        cls.make(cls.write("failing.py", text), "f")

    def test_each_failure_arrives_with_its_code_at_once_and_later(self):
        begin = time.monotonic()
        for number, (statement, code, text) in enumerate(FAILURES):
            for when in ("now", "later"):
                if when == "later" and "StopIteration" in text:
                    text = "coroutine raised StopIteration"  # as Python has it
                with self.subTest(f"{when}: {statement}"):
                    told = self.refused(f"f.{when}_{number}")
                    self.assertTrue(told.startswith(code + ": "), told)
                    self.assertIn(text, told)
        self.assertLess(time.monotonic() - begin, 60, "none of them waited for a deadline")
        self.neighbours_are_served()

    def test_the_objects_own_mistakes_leave_their_traceback_in_the_log(self):
        for number, (statement, code, _) in enumerate(FAILURES):
            if code != "INTERNAL" or statement.startswith("return"):
                continue
            with self.subTest(statement):
                self.refused(f"f.now_{number}")
                told = self.logged(level="error", object="f", operation=f"now_{number}")
                self.assertEqual(told["event"], "Python Object raised an exception")
                self.assertIn("failing.py", told["text"])
                self.assertIn(f"in now_{number}", told["text"])

    def test_what_the_caller_is_told_on_purpose_is_no_record(self):
        self.refused("neighbour.raises")
        self.neighbours_are_served()
        self.assertEqual(self.records(level="error", object="neighbour"), [])

    def test_constructors_refuse_and_fail_like_operations(self):
        path = self.write(
            "made.py",
            """
            import hector

            @hector.template("test.Made/1")
            class Made:
                def __init__(self, size, colour="red"):
                    if size < 0:
                        raise ValueError("size is negative")
                    self.size = 1 / size

                def answer(self) -> int:
                    return 1
            """,
        )
        template = self.load(path)
        for arguments, code, text in (
            ({"size": -1}, "INVALID_ARGUMENT", "size is negative"),
            ({"size": 0}, "INTERNAL", "made: ZeroDivisionError: division by zero (made.py:"),
            ({}, "INVALID_ARGUMENT", "missing a required argument: 'size'; it takes size, colour"),
            ({"size": 1, "hue": 2}, "INVALID_ARGUMENT", "takes no argument 'hue'; it takes size"),
            ({"size": "x"}, "INTERNAL", "TypeError"),
            ([1], "INVALID_ARGUMENT", "a JSON object"),
            ("{size: 1}", "INVALID_ARGUMENT", "is none: Expecting property name"),
        ):
            text_of = arguments if isinstance(arguments, str) else json.dumps(arguments)
            with self.subTest(text_of), self.assertRaises(CommandFailed) as caught:
                self.capsules.hector(
                    *("create", "object", template, "--name", "made"),
                    *("--arguments", text_of),
                    capsule="hub",
                )
            self.assertIn(code + ": ", caught.exception.text)
            self.assertIn(text, caught.exception.text)

    def test_octets_that_are_no_message_are_the_callers_mistake(self):
        for operation in ("add", "say"):
            for octets in (b"\xff", b"\x0a\x05x", b"\x08", b"\x07\x07"):
                with self.subTest(f"{operation} {octets}"):
                    told = self.value(
                        "caller.octets",
                        who="neighbour",
                        operation=operation,
                        octets=__import__("base64").b64encode(octets).decode(),
                    )
                    self.assertTrue(told.startswith("INVALID_ARGUMENT: "), told)
        told = self.value("caller.octets", who="neighbour", operation="say", octets="CgH/")
        self.assertTrue(told.startswith("INVALID_ARGUMENT: "), told + " for a text not UTF-8")


#: What an Object may do to its capsule, and what comes of it.
MISCHIEF = (
    ("os._exit(7)", "exit(7)"),
    ("__import__('posix')._exit(7)", "exit(7)"),
    ("os.abort()", "would end the capsule"),
    ("os.kill(os.getpid(), 9)", "may not send its own capsule a signal"),
    ("os.kill(0, 15)", "may not send its own capsule a signal"),
    ("os.killpg(os.getpgrp(), 15)", "may not send its own capsule a signal"),
    ("signal.raise_signal(11)", "may not send its own capsule a signal"),
    ("os.execv('/bin/true', ['true'])", "os.exec would end the capsule"),
    ("signal.signal(signal.SIGTERM, signal.SIG_IGN)", "signals belong to the capsule"),
    ("sys.setrecursionlimit(1 << 30)", "a recursion limit of 10000"),
    ("[os.close(each) for each in (2, 1, 0)]", "the capsule's: its log goes there"),
    ("hector.runtime.Object.invoke = None", "is every Object's"),
    ("hector.runtime.json = None", "is every Object's"),
    ("del hector.errors.parts_from_exception", "is every Object's"),
    ("sys.modules.pop(__name__, None)", None),
    ("sys.modules.pop('hector.errors', 0), sys.modules.pop('hector', 0)", None),
    ("[sys.modules.pop(each) for each in list(sys.modules) if 'hector' in each]", None),
    ("sys.modules.clear()", None),
    ("sys.path.clear(); sys.meta_path.clear()", None),
    ("sys.stdout = sys.stderr = None", None),
    ("hector.Error = None", "is every Object's"),
    ("del hector.template", "is every Object's"),
    ("hector.runtime.loop().call_soon_threadsafe(hector.runtime.loop().stop)", None),
    ("hector.runtime.loop().call_soon_threadsafe(sys.exit, 3)", None),
    ("asyncio.run_coroutine_threadsafe(leaves(), hector.runtime.loop())", None),
    ("threading.Thread(target=sys.exit).start()", None),
    ("threading.settrace(None); sys.setrecursionlimit(2000)", None),
    ("os.fork() or os._exit(0)", None),
    ("subprocess.run(['true'], check=True)", None),
    ("gc.collect(); gc.disable()", None),
    ("self.__class__.harmless = None", None),
    ("builtins.len = None", None),
)


class Mischief(PythonTest):
    def test_an_object_ends_its_call_and_nothing_else(self):
        for number, (statement, refusal) in enumerate(MISCHIEF):
            path = self.write(
                f"mischief_{number}.py",
                f"""
                import asyncio, builtins, gc, os, signal, subprocess, sys, threading
                import hector, hector.runtime

                async def leaves():
                    async def exits():
                        sys.exit(4)
                    await asyncio.create_task(exits())

                @hector.template("test.Mischief{number}/1")
                class Mischief:
                    def act(self) -> int:
                        kept = builtins.len
                        try:
                            {statement}
                            return 1
                        finally:
                            builtins.len = kept

                    async def act_later(self) -> int:
                        return self.act()

                    def harmless(self) -> str:
                        return "harmless"
                """,
            )
            self.make(path, "m")
            for operation in ("act", "act_later"):
                with self.subTest(f"{operation}: {statement}"):
                    if refusal is None:
                        self.assertEqual(self.value(f"m.{operation}"), "1")
                    else:
                        told = self.refused(f"m.{operation}")
                        self.assertTrue(told.startswith("INTERNAL: "), told)
                        self.assertIn(refusal, told)
                    self.neighbours_are_served()
            self.remove("m")
        self.make(self.write("after.py", NEIGHBOUR.replace("test.", "after.")), "after")
        self.assertEqual(self.value("after.add", a=1), "3")
        self.assertTrue(self.refused("after.raises").startswith("ABORTED: as told"))

    def test_a_template_that_exits_while_it_is_loaded_is_refused(self):
        for number, statement in enumerate(
            ("sys.exit(3)", "os._exit(3)", "raise KeyboardInterrupt", "raise BaseException('x')")
        ):
            told = self.not_loaded(f"exits_{number}.py", f"import os, sys\n{statement}\n")
            self.assertIn(f"exits_{number}.py:", told)
            self.neighbours_are_served()


class Hints(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make(
            cls.write(
                "hints.py",
                """
                from __future__ import annotations

                import collections.abc
                from typing import (AsyncIterable, AsyncIterator, Generator, Iterable, Iterator,
                                    Optional)

                import hector

                @hector.template("test.Hints/1")
                class Hints:
                    def add(self, a: int, b: int = 2) -> int:
                        return a + b

                    def all(self, i: int = -7, f: float = 2, t: str = 'ö "x"', o: bytes = b"\\x00\\xff",
                            y: bool = True, n: bool = False, z: int = 0) -> str:
                        return repr((i, f, t, o, y, n, z))

                    def special(self, inf: float = float("inf"), big: int = 2**63 - 1,
                                tiny: float = 5e-324) -> str:
                        return repr((inf, big, tiny))

                    def maybe(self, a: Optional[int] = None, b: int | None = 3,
                              c: str | None = None) -> str:
                        return repr((a, b, c))

                    def only_maybe(self, a: int | None) -> int | None:
                        return a

                    def many(self, a: list[int] = [], b: list[str] = ()) -> str:
                        a.append(1)
                        return repr((a, list(b)))

                    def by_place(self, a: int, /, b: int = 2, *, c: int = 3) -> str:
                        return repr((a, b, c))

                    def generated(self, n: int = 3) -> Iterator[int]:
                        yield from range(n)

                    def iterated(self, n: int = 3) -> Iterable[int]:
                        return iter(range(n))

                    def listed(self, n: int = 3) -> collections.abc.Iterable[int]:
                        return list(range(n))

                    def by_tuple(self, n: int = 3) -> Generator[int, None, None]:
                        return tuple(range(n))

                    async def agenerated(self, n: int = 3) -> AsyncIterator[int]:
                        for each in range(n):
                            yield each

                    async def alisted(self, n: int = 3) -> AsyncIterable[int]:
                        return list(range(n))

                    async def aiterated(self, n: int = 3) -> Iterator[int]:
                        return self.agenerated(n)

                    def none(self) -> Iterator[int]:
                        return None

                    def one_text(self) -> Iterator[str]:
                        return "text"

                    def breaks(self) -> Iterator[int]:
                        yield 0
                        raise ValueError("broken")

                    @staticmethod
                    def half(x: int) -> int:
                        return x // 2

                    @classmethod
                    def named(cls, x: str = "of") -> str:
                        return f"{x} {cls.__name__}"

                    @hector.announce
                    @staticmethod
                    def note(x: int) -> None:
                        Hints.seen = x

                    def noted(self) -> int:
                        return Hints.seen
                """,
            ),
            "h",
        )

    def test_a_default_counts_where_the_argument_is_left_out(self):
        for operation, message, wanted in (
            ("add", {"a": 1}, "3"),
            ("add", {"a": 1, "b": 0}, "1"),
            ("add", {"a": 1, "b": -1}, "0"),
            ("add", {}, "2"),
            ("all", {}, "(-7, 2.0, 'ö \"x\"', b'\\x00\\xff', True, False, 0)"),
            (
                "all",
                {"i": 0, "f": 0, "t": "", "o": "", "y": False, "n": True, "z": 1},
                "(0, 0.0, '', b'', False, True, 1)",
            ),
            ("special", {}, "(inf, 9223372036854775807, 5e-324)"),
            ("maybe", {}, "(None, 3, None)"),
            ("maybe", {"a": 0, "b": 0, "c": ""}, "(0, 0, '')"),
            ("many", {}, "([1], [])"),
            ("many", {"a": [5], "b": ["x"]}, "([5, 1], ['x'])"),
            ("by_place", {"a": 1}, "(1, 2, 3)"),
            ("by_place", {"a": 1, "b": 0, "c": 0}, "(1, 0, 0)"),
            ("named", {}, "of Hints"),
            ("half", {"x": 7}, "3"),
        ):
            with self.subTest(f"{operation} {message}"):
                self.assertEqual(self.value(f"h.{operation}", **message), wanted)
        self.assertEqual(self.value("h.many"), "([1], [])", "a default is not shared by calls")
        self.assertEqual(self.value("h.only_maybe", a=0), "0")

    def test_a_default_is_shown(self):
        shown = self.capsules.hector("describe", "object", "h", capsule="hub")
        for operation, text in (
            ("add", "AddRequest (left out: b = 2) "),
            ("generated", "GeneratedRequest (left out: n = 3) "),
            ("maybe", "MaybeRequest (left out: b = 3) "),
            ("named", 'NamedRequest (left out: x = \\"of\\") '),
        ):
            with self.subTest(operation):
                self.assertIn(text, shown)

    def test_a_default_is_kept_or_the_template_is_refused(self):
        for number, (parameter, why) in enumerate(
            (
                ("x: list[int] = (1,)", "a list that is left out is an empty one"),
                ("x: list[int] = None", "a list that is left out is an empty one"),
                ("x: int = 'text'", "which no message of it can hold"),
                ("x: int = 2.5", "which no message of it can hold"),
                ("x: int = 2**63", "which no message of it can hold"),
                ("x: str = b'octets'", "which no message of it can hold"),
                ("x: str = '\\udcff'", "which no message of it can hold"),
                ("x: bool = 1", "which no message of it can hold"),
                ("x: dict = None", "are known"),
                ("x=3", "has no type hint"),
                ("*x: int", "has no fixed fields"),
            )
        ):
            with self.subTest(parameter):
                told = self.not_loaded(
                    f"refused_{number}.py",
                    f"""
                    import hector

                    @hector.template("test.Refused/1")
                    class Refused:
                        def act(self, {parameter}) -> int:
                            return 1
                    """,
                )
                self.assertIn("'act'", told)
                self.assertIn(why, told)

    def test_what_a_hint_calls_a_flow_is_one(self):
        for name in (
            *("generated", "iterated", "listed", "by_tuple"),
            *("agenerated", "alisted", "aiterated"),
        ):
            with self.subTest(name):
                values = [each["value"] for each in self.call(f"h.{name}")]
                self.assertEqual(values, ["0", "1", "2"])
        for name in ("none", "one_text"):
            self.assertIn("an iterator of its messages was expected", self.refused(f"h.{name}"))
        self.assertIn("broken", self.refused("h.breaks"))

    def test_a_flow_that_does_not_say_of_what_is_refused(self):
        told = self.not_loaded(
            "untold.py",
            """
            import typing
            import hector

            @hector.template("test.Untold/1")
            class Untold:
                def act(self) -> typing.Iterator:
                    return []
            """,
        )
        self.assertIn("write Iterator[int]", told)

    def test_an_announcement_leaves_the_other_methods_as_they_are(self):
        self.call("h.note", x=5)
        self.assertEqual(self.value("h.noted"), "5")

    def test_calling_a_flow_as_an_rpc_is_refused(self):
        for operation in ("ask", "ask_later"):
            told = self.value(f"caller.{operation}", who="h", operation="listed")
            self.assertTrue(told.startswith("UNIMPLEMENTED: 'listed' is a flow"), told)
        told = self.value("caller.ask", who="h", operation="listened")
        self.assertTrue(told.startswith("UNIMPLEMENTED: 'h' has no operation"), told)

    def test_save_and_restore_are_no_operations(self):
        body = "def save(self){0}:\n return '1'\n def restore(self, state{1}){2}:\n  pass\n"
        for number, hints in enumerate((("", "", ""), (" -> str", ": str", " -> None"))):
            self.make(
                self.write(
                    f"state_{number}.py",
                    f'import hector\n@hector.template("test.State{number}/1")\nclass State:\n'
                    " def count(self) -> int:\n  return 1\n "
                    + body.format(*hints).replace("\n return", "\n  return"),
                ),
                f"s{number}",
            )
            self.assertEqual(self.value(f"s{number}.count"), "1")
            for operation in ("save", "restore"):
                told = self.refused(f"s{number}.{operation}")
                self.assertIn(f"has no operation '{operation}'", told)


class Modules(PythonTest):
    @staticmethod
    def template(name, body, value):
        return f"""
import hector
{body}

@hector.template("test.{name}/1")
class {name}:
    def value(self) -> str:
        {value}
"""

    def made(self, file, name, body, value):
        self.make(self.write(file, self.template(name, body, value)), name)
        try:
            return self.value(f"{name}.value")
        finally:
            self.remove(name)

    def test_modules_of_the_same_name_in_two_folders_are_two(self):
        for folder in ("north", "south"):
            self.write(f"{folder}/helpers.py", f"WHERE = '{folder}'\n")
            self.write(f"{folder}/parts/__init__.py", "from .inner import WHERE\n")
            self.write(f"{folder}/parts/inner.py", f"import helpers\nWHERE = '{folder} inner'\n")
            self.write(f"{folder}/bare/one.py", f"WHERE = '{folder} bare'\n")
            self.write(f"{folder}/queue.py", f"WHERE = '{folder} queue'\n")
        for number, (body, value, wanted) in enumerate(
            (
                ("import helpers", "return helpers.WHERE", "{}"),
                ("from helpers import WHERE", "return WHERE", "{}"),
                ("import helpers as other", "return other.WHERE", "{}"),
                ("import parts", "return parts.WHERE", "{} inner"),
                ("import parts.inner", "return parts.inner.WHERE", "{} inner"),
                ("from parts import inner", "return inner.WHERE", "{} inner"),
                ("import parts.inner as i", "return i.helpers.WHERE", "{}"),
                ("from . import helpers", "return helpers.WHERE", "{}"),
                ("import bare.one", "return bare.one.WHERE", "{} bare"),
                ("import queue", "return queue.WHERE", "{} queue"),
                ("", "import helpers; return helpers.WHERE", "{}"),
                (
                    "import importlib",
                    "return importlib.import_module('helpers').WHERE",
                    "{}",
                ),
                ("", "return __import__('helpers').WHERE", "{}"),
            )
        ):
            for folder in ("north", "south"):
                with self.subTest(f"{body}; {value}"):
                    self.assertEqual(
                        self.made(f"{folder}/two_{number}.py", f"T{number}", body, value),
                        wanted.format(folder),
                    )

    def test_the_standard_library_is_not_what_a_folder_calls_so(self):
        self.write("std/json/nothing.txt", "")
        self.write("std/glob.py", "raise ImportError('the neighbour of a template')\n")
        path = "std/calendar.py"
        self.assertEqual(
            self.made(
                path, "Std", "import calendar, json, pathlib", "return calendar.month_name[1]"
            ),
            "January",
        )

    def test_a_module_that_has_changed_is_read_again(self):
        for number in range(5):  # within a second, and of the same size
            self.write("changing/helpers.py", f"WHERE = {number}\n")
            self.write("changing/parts/__init__.py", f"WHERE = {number}\n")
            got = self.made(
                "changing/changing.py",
                "Changing",
                "import helpers, parts",
                f"return f'{{helpers.WHERE}} {{parts.WHERE}} {number}'",
            )
            self.assertEqual(got, f"{number} {number} {number}")
        self.assertFalse(os.path.exists(os.path.join(self.folder, "changing", "__pycache__")))

    def test_type_files_of_the_same_name_in_two_folders_are_two(self):
        for folder, operation in (("east", "rise"), ("west", "set")):
            self.write(
                f"{folder}/sun/messages.proto",
                'syntax = "proto3"; package sun; message At { string text = 1; }',
            )
            self.write(
                f"{folder}/sun.hector.yaml",
                f"""
                interface: sun.{folder.capitalize()}/1
                messages: [sun/messages.proto]
                operations:
                  {operation}: {{kind: rpc, in: sun.At, out: sun.At}}
                """,
            )
            self.make(
                self.write(
                    f"{folder}/sun.py",
                    f"""
                    from sun import At, {folder.capitalize()}

                    class Sun({folder.capitalize()}):
                        def {operation}(self, at):
                            return At(text="{folder} " + at.text)
                    """,
                ),
                folder,
            )
            self.assertEqual(self.call(f"{folder}.{operation}", text="x"), {"text": f"{folder} x"})
            self.remove(folder)

    def test_half_a_file_is_refused_and_leaves_nothing(self):
        whole = self.template("Half", "import helpers", "return str(helpers.WHERE)")
        self.write("half/helpers.py", "WHERE = 1\n")
        refused = 0
        for end in range(1, len(whole), 7):
            path = self.write("half/half.py", "")
            with open(path, "w", encoding="utf-8") as file:
                file.write(whole[:end])
            try:
                self.load(path)
            except CommandFailed as error:
                refused += 1
                self.assertIn("half.py", error.text)
        self.assertGreater(refused, 15)
        for octets, why in (
            (b"\xff\xfe\x00", "half.py"),
            (b"x = 1\0\n", "null bytes"),
            (b"def f(:\n", "half.py:1: SyntaxError"),
            (b"import nothing_at_all\n", "half.py:1: ModuleNotFoundError"),
            (b"import broken\n", "broken.py:2: SyntaxError"),
        ):
            self.write("half/broken.py", "x = 1\ndef (\n")
            path = os.path.join(self.folder, "half", "half.py")
            with open(path, "wb") as file:
                file.write(octets)
            with self.subTest(octets), self.assertRaises(CommandFailed) as caught:
                self.load(path)
            self.assertIn(why, caught.exception.text)
        path = self.write("half/half.pyc", "no code")
        with self.assertRaises(CommandFailed):
            self.load(path)
        self.assertEqual(
            self.made("half/half.py", "Half", "import helpers", "return str(helpers.WHERE)"), "1"
        )

    def test_files_that_change_under_a_running_object_change_nothing(self):
        self.write("under/helpers.py", "WHERE = 1\n")
        path = self.write(
            "under/under.py", self.template("Under", "import helpers", "return str(helpers.WHERE)")
        )
        self.make(path, "under")
        self.write("under/helpers.py", "WHERE = (")
        self.write("under/under.py", "def (")
        self.assertEqual(self.value("under.value"), "1")
        os.remove(path)
        self.assertEqual(self.value("under.value"), "1")
        self.remove("under")

    def test_boms_and_line_ends_of_other_systems(self):
        text = self.template("Marked", "", "return 'größe'").replace("\n", "\r\n")
        path = os.path.join(self.folder, "marked.py")
        with open(path, "wb") as file:
            file.write(b"\xef\xbb\xbf" + text.encode())
        self.make(path, "marked")
        self.assertEqual(self.value("marked.value"), "größe")


class Cancelling(PythonTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.make(
            cls.write(
                "slow.py",
                """
                import asyncio
                import time
                from typing import AsyncIterator

                import hector

                @hector.template("test.Slow/1")
                class Slow:
                    def __init__(self):
                        self.events = []

                    async def sleeps(self) -> int:
                        try:
                            self.events.append("began")
                            await asyncio.sleep(60)
                            self.events.append("slept")
                        except asyncio.CancelledError:
                            self.events.append("cancelled")
                            raise
                        finally:
                            await asyncio.sleep(0.2)
                            self.events.append("cleaned")
                        return 1

                    async def in_a_task(self) -> int:
                        return await asyncio.create_task(self.sleeps())

                    async def in_a_gather(self) -> int:
                        return sum(await asyncio.gather(self.sleeps(), asyncio.sleep(60, 1)))

                    async def ticks(self) -> AsyncIterator[int]:
                        await self.sleeps()
                        yield 1

                    async def swallows(self) -> int:
                        try:
                            await asyncio.sleep(60)
                        except asyncio.CancelledError:
                            self.events.append("swallowed")
                        return 1

                    def looks(self, call=None) -> int:
                        return 1

                    async def quick(self) -> int:
                        return 1

                    def take(self) -> str:
                        events, self.events = self.events, []
                        return " ".join(events)
                """.replace(
                    "def looks(self, call=None) -> int", "def looks(self) -> int"
                ),
            ),
            "slow",
        )

    def happened(self, wanted):
        events = []

        def has_all():
            events.extend(self.value("slow.take").split())
            return " ".join(events) == wanted

        waiting.until(has_all, 10)

    def test_a_call_out_of_time_cancels_its_coroutine_and_awaits_the_cleanup(self):
        for how in ("ask", "ask_later"):
            for operation in ("sleeps", "in_a_task", "in_a_gather"):
                with self.subTest(f"{how} {operation}"):
                    told = self.value(f"caller.{how}", who="slow", operation=operation, timeout=0.3)
                    self.assertTrue(told.startswith("DEADLINE_EXCEEDED: "), told)
                    self.happened("began cancelled cleaned")

    def test_a_caller_from_outside_that_runs_out_of_time_cancels_too(self):
        for operation in ("sleeps", "in_a_task", "ticks"):
            with self.subTest(operation):
                try:
                    self.capsules.hector(
                        "--timeout-ms", "500", "call", f"slow.{operation}", "{}", capsule="hub"
                    )
                    self.assertEqual(operation, "ticks", "a flow is told as far as it came")
                except CommandFailed as error:
                    self.assertIn("DEADLINE_EXCEEDED", error.text)
                self.happened("began cancelled cleaned")

    def test_a_caller_that_gives_up_cancels(self):
        told = self.value("caller.give_up", who="slow", operation="sleeps")
        self.assertEqual(told, "cancelled")
        self.happened("began cancelled cleaned")

    def test_over_each_protocol(self):
        for protocol, listen in (
            ("udp", "127.0.0.1:0"),
            ("grpc", "127.0.0.1:0"),
            ("zenoh", "tcp/127.0.0.1:0"),
        ):
            if not os.path.isdir(os.path.join(ROOT, "protocols", protocol)):
                continue
            with self.subTest(protocol), Capsules() as capsules:
                for name, naming in (("south", "embedded"), ("north", "{joined: south}")):
                    capsules.configure(
                        name,
                        f'capsule: {name}\nprotocols: {{{protocol}: {{listen: "{listen}"}}}}\n'
                        f"services: {{naming: {naming}}}\nstore: memory\nlanguages: [python]\n",
                    )
                for file, name, capsule in (
                    ("slow.py", "slow", "south"),
                    ("caller.py", "caller", "north"),
                ):
                    path = os.path.join(self.folder, file)
                    template = capsules.hector("load", "template", path, capsule=capsule).split()[1]
                    capsules.hector("create", "object", template, "--name", name, capsule=capsule)
                for operation, message in (
                    ("ask", {"who": "slow", "operation": "sleeps", "timeout": 0.5}),
                    ("ask_later", {"who": "slow", "operation": "in_a_task", "timeout": 0.5}),
                    ("give_up", {"who": "slow", "operation": "sleeps"}),
                ):
                    told = capsules.call(f"caller.{operation}", message, capsule="north")["value"]
                    self.assertTrue(told.startswith(("DEADLINE_EXCEEDED: ", "cancelled")), told)
                    events = []

                    def has_all(events=events, capsules=capsules):
                        told = capsules.call("slow.take", capsule="south")["value"]
                        events.extend(told.split())
                        return events == ["began", "cancelled", "cleaned"]

                    waiting.until(has_all, 10)

    def test_a_coroutine_that_swallows_it_ends_and_no_record_says_otherwise(self):
        told = self.value("caller.ask", who="slow", operation="swallows", timeout=0.2)
        self.assertTrue(told.startswith("DEADLINE_EXCEEDED: "), told)
        self.happened("swallowed")
        self.assertEqual(self.value("slow.quick"), "1")
        self.assertEqual(self.records(level="error", object="slow"), [])


if __name__ == "__main__":
    unittest.main()

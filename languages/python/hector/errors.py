"""Errors as exceptions and back.

What: Error, the exception every failed call raises, and the mapping of Python's own exceptions.
Why: what an Object says with `raise` is the caller's business: a ValueError is a ValueError for its
Python caller, and INVALID_ARGUMENT for everybody else. What happens to it (a wrong type, a missing
key, a wrong call) is its own mistake: INTERNAL.
Who: templates, the runtime.
"""

import asyncio
import builtins
import dis
import errno
import os
import site
import sysconfig

CODES = {
    "OK": 0,
    "CANCELLED": 1,
    "UNKNOWN": 2,
    "INVALID_ARGUMENT": 3,
    "DEADLINE_EXCEEDED": 4,
    "NOT_FOUND": 5,
    "ALREADY_EXISTS": 6,
    "PERMISSION_DENIED": 7,
    "RESOURCE_EXHAUSTED": 8,
    "FAILED_PRECONDITION": 9,
    "ABORTED": 10,
    "OUT_OF_RANGE": 11,
    "UNIMPLEMENTED": 12,
    "INTERNAL": 13,
    "UNAVAILABLE": 14,
    "DATA_LOSS": 15,
    "UNAUTHENTICATED": 16,
}
NAMES = {number: name for name, number in CODES.items()}

# The first that fits, so subclasses stand before their bases.
#: What the world does to an Object, wherever it is raised.
_FROM_WORLD = (
    (PermissionError, "PERMISSION_DENIED"),
    (TimeoutError, "DEADLINE_EXCEEDED"),
    (FileNotFoundError, "NOT_FOUND"),
    (FileExistsError, "ALREADY_EXISTS"),
    (ConnectionError, "UNAVAILABLE"),
    (MemoryError, "RESOURCE_EXHAUSTED"),
)
#: What an Object says with a `raise` of its own.
_FROM_RAISE = (
    (NotImplementedError, "UNIMPLEMENTED"),
    (LookupError, "NOT_FOUND"),
    (ValueError, "INVALID_ARGUMENT"),
)
#: Never a word to the caller: its arguments have the Interface's types.
_MISTAKES = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    BufferError,
    EOFError,
    ImportError,
    NameError,
    RecursionError,
    ReferenceError,
    StopAsyncIteration,
    StopIteration,
    SyntaxError,
    SystemError,
    TypeError,
)
_EXHAUSTED = {errno.ENOSPC, errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EDQUOT, errno.EFBIG}
_RAISE = dis.opmap["RAISE_VARARGS"]
_NOT_OWN = tuple(
    os.path.join(folder, "")
    for folder in {
        sysconfig.get_path("stdlib"),
        sysconfig.get_path("platstdlib"),
        *site.getsitepackages(),
        os.path.dirname(os.path.abspath(__file__)),
    }
)


class Error(Exception):
    """A failed call. `code` is one of gRPC's canonical names, `detail` a declared error's message
    object or its octets.
    """

    def __init__(self, code, message, type="", detail=b""):
        if code not in CODES:
            raise ValueError(f"'{code}' is not a code; codes are {', '.join(CODES)}")
        super().__init__(message)
        self.code, self.message, self.type, self.detail = code, message, type, detail

    def __str__(self):
        """As the command line prints it."""
        return f"{self.code}: {self.message}"


class NotAllowed(PermissionError):
    """What an Object may not do to its capsule: its own mistake, not one of its caller's rights."""


def error_from_parts(code, message, type, detail):
    """The exception for a failed call: an Error that also is the callee's exception type where
    Python has it.
    """
    original = getattr(builtins, type, None) if type else None
    name = NAMES.get(code, "UNKNOWN")
    if (
        isinstance(original, builtins.type)
        and issubclass(original, Exception)
        and not issubclass(original, OSError)
    ):
        try:
            made = builtins.type(type, (Error, original), {})
            return made(name, message, type, detail)
        except TypeError:  # a layout that cannot be combined: the plain Error says it all
            pass
    return Error(name, message, type, detail)


def sound(text):
    """The text with what UTF-8 cannot say, a lone surrogate, as an escape."""
    return str.encode(text, "utf-8", "backslashreplace").decode()


def text_of(exception):
    """Its text; where that cannot be had, what it is."""
    try:
        return sound(str(exception))
    except BaseException as why:  # its own __str__ fails
        return f"({type(exception).__name__}, whose own text fails with {type(why).__name__})"


def name_of(exception):
    """As it is on the wire: a template's own class by its file, adder.Refused."""
    kind = type(exception)
    module = str(kind.__module__)
    if module.startswith("hector_template_"):
        module = module.partition(".")[2].removeprefix("__").removesuffix("__")
    return sound(kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}")


def _entries(exception):
    entry = exception.__traceback__
    while entry is not None:
        yield entry
        entry = entry.tb_next


def is_own(filename):
    """Whether it holds a template's code: not the standard library's, a package's or ours."""
    return not filename.startswith(_NOT_OWN) and not filename.startswith("<frozen ")


def place_of(exception):
    """Where in the template's own code it came from, "adder.py:7"; empty: nowhere."""
    own = [each for each in _entries(exception) if is_own(each.tb_frame.f_code.co_filename)]
    if not own:
        return ""
    return sound(f"{os.path.basename(own[-1].tb_frame.f_code.co_filename)}:{own[-1].tb_lineno}")


def _is_said(exception):
    """Whether a `raise` of the template's own code has it: not a built-in function that it called,
    an operator, or a library.
    """
    return any(
        is_own(each.tb_frame.f_code.co_filename)
        and each.tb_frame.f_code.co_code[each.tb_lasti] == _RAISE
        for each in _entries(exception)
    )


def _code_of(exception):
    if isinstance(exception, NotAllowed):
        return "INTERNAL"
    for known in _FROM_WORLD + (_FROM_RAISE if _is_said(exception) else ()):
        if isinstance(exception, known[0]):
            return known[1]
    if isinstance(exception, OSError):
        return "RESOURCE_EXHAUSTED" if exception.errno in _EXHAUSTED else "UNKNOWN"
    is_mistake = isinstance(exception, _MISTAKES) or not isinstance(exception, Exception)
    return "UNKNOWN" if _is_said(exception) and not is_mistake else "INTERNAL"


def _octets_of(detail):
    if isinstance(detail, str):
        return sound(detail).encode()
    return bytes(detail or b"")


def _parts(exception):
    if isinstance(exception, Error):
        detail, type_name = exception.detail, exception.type
        if hasattr(detail, "SerializeToString"):
            type_name = type_name or detail.DESCRIPTOR.full_name
            detail = detail.SerializeToString()
        message = sound(str(exception.message))
        return CODES[exception.code], message, sound(str(type_name or "")), _octets_of(detail)
    if hasattr(exception, "message") and hasattr(
        exception.message, "SerializeToString"
    ):  # raise Declared(message)
        declared = exception.message
        return (
            CODES["ABORTED"],
            text_of(exception),
            declared.DESCRIPTOR.full_name,
            declared.SerializeToString(),
        )
    name, code, text = name_of(exception), _code_of(exception), text_of(exception)
    if code == "INTERNAL":
        where = place_of(exception)
        text = f"{_mistake(exception, name, text)}{f' ({where})' if where else ''}"
    return CODES[code], text or name, name, b""


def _mistake(exception, name, text):
    if isinstance(exception, SystemExit):
        return f"the Object called exit({text}); a capsule goes on, only the call has ended"
    if isinstance(exception, asyncio.CancelledError):
        return "the Object cancelled its own coroutine"
    return f"{name}: {text}" if text else name


def parts_from_exception(exception):
    """(code number, message, type, detail octets) of what a handler raised. Raises nothing: a call
    always gets its error.
    """
    try:
        return _parts(exception)
    except BaseException as why:  # an Error whose parts were changed, a message that is not whole
        return CODES["INTERNAL"], f"{name_of(exception)} cannot be told: {text_of(why)}", "", b""

"""Errors as exceptions and back.

What: Error, the exception every failed call raises, and the mapping of Python's own exceptions.
Why: a ValueError raised in a Python Object is a ValueError for its Python caller, and
INVALID_ARGUMENT for everybody else.
Who: templates, the runtime.
"""

import builtins

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
_FROM_EXCEPTION = (
    (NotImplementedError, "UNIMPLEMENTED"),
    (PermissionError, "PERMISSION_DENIED"),
    (TimeoutError, "DEADLINE_EXCEEDED"),
    (FileNotFoundError, "NOT_FOUND"),
    (FileExistsError, "ALREADY_EXISTS"),
    (ConnectionError, "UNAVAILABLE"),
    (LookupError, "NOT_FOUND"),
    (ValueError, "INVALID_ARGUMENT"),
    (TypeError, "INVALID_ARGUMENT"),
    (MemoryError, "RESOURCE_EXHAUSTED"),
)


class Error(Exception):
    """A failed call. `code` is one of gRPC's canonical names, `detail` a declared error's message
    object or its octets.
    """

    def __init__(self, code, message, type="", detail=b""):
        super().__init__(message)
        if code not in CODES:
            raise ValueError(f"'{code}' is not a code; codes are {', '.join(CODES)}")
        self.code, self.message, self.type, self.detail = code, message, type, detail


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


def parts_from_exception(exception):
    """(code number, message, type, detail octets) of what a handler raised."""
    if isinstance(exception, Error):
        detail = exception.detail
        type_name = exception.type
        if hasattr(detail, "SerializeToString"):
            type_name = type_name or detail.DESCRIPTOR.full_name
            detail = detail.SerializeToString()
        return CODES[exception.code], exception.message, type_name, detail
    if hasattr(exception, "message") and hasattr(
        exception.message, "SerializeToString"
    ):  # raise Declared(message)
        declared = exception.message
        return (
            CODES["ABORTED"],
            str(exception),
            declared.DESCRIPTOR.full_name,
            declared.SerializeToString(),
        )
    kind = type(exception)
    name = (
        kind.__qualname__
        if kind.__module__ == "builtins"
        else f"{kind.__module__}.{kind.__qualname__}"
    )
    code = next((code for base, code in _FROM_EXCEPTION if isinstance(exception, base)), "UNKNOWN")
    return CODES[code], str(exception) or name, name, b""

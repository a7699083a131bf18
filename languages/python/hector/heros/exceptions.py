"""Errors of other HEROs, as HEROS names them.

What: the exception classes, and the choice of one for an error.
Why: scripts of HEROS catch them by these names.
Who: heros.py, programs written for HEROS.
"""

import builtins

#: What tells an error from any other map.
ERROR_MARKER = "__heros_error__"


class HEROSError(Exception):
    """Base class of all HEROS errors."""


class RemoteHEROError(HEROSError):
    """Raised inside another HERO; where its type is one of Python's own, `except` of that one
    works.
    """

    def __init__(
        self, message, remote_type=None, remote_module=None, remote_traceback=None, endpoint=None
    ):
        super().__init__(message)
        self.message, self.remote_type, self.remote_module, self.remote_traceback, self.endpoint = (
            message,
            remote_type,
            remote_module,
            remote_traceback,
            endpoint,
        )

    @classmethod
    def from_exception(cls, exc, endpoint=None):
        """Without its traceback: source lines are not for others."""
        kind = type(exc)
        return RemoteHEROError(
            str(exc),
            remote_type=kind.__name__,
            remote_module=kind.__module__,
            endpoint=endpoint,
        )

    @classmethod
    def from_payload(cls, payload, endpoint=None):
        """Of what another HERO sent: a map of HEROS 2026, or 0.9.1's text."""
        if not (isinstance(payload, dict) and payload.get(ERROR_MARKER)):
            return RemoteHEROError(str(payload), endpoint=endpoint)
        kind = payload.get("type")
        return error_class(kind)(
            payload.get("message", ""),
            remote_type=kind,
            remote_module=payload.get("module"),
            remote_traceback=payload.get("traceback"),
            endpoint=endpoint,
        )

    def serialize(self):
        """The map that from_payload() reads."""
        return {
            ERROR_MARKER: True,
            "type": self.remote_type,
            "module": self.remote_module,
            "message": self.message,
            "traceback": self.remote_traceback,
        }

    def __str__(self):
        text = f"{self.remote_type}: {self.message}" if self.remote_type else self.message
        if self.endpoint:
            text += f" (raised in HERO at '{self.endpoint}')"
        if self.remote_traceback:
            text += f"\n\n--- remote traceback ---\n{self.remote_traceback}"
        return text


class RemoteTransportError(HEROSError):
    """Nobody answered: the HERO has left, or not in time."""


_classes = {}


def error_class(remote_type):
    if not remote_type:
        return RemoteHEROError
    if remote_type not in _classes:
        base = getattr(builtins, remote_type, None)
        is_usable = isinstance(base, type) and issubclass(base, Exception)
        try:
            _classes[remote_type] = (
                type(f"Remote{remote_type}", (RemoteHEROError, base), {})
                if is_usable
                else RemoteHEROError
            )
        except TypeError:
            _classes[remote_type] = RemoteHEROError
    return _classes[remote_type]


def raised(error, endpoint):
    """Of a CapsuleError."""
    code, message, kind = error.args
    if code in ("UNAVAILABLE", "DEADLINE_EXCEEDED", "CANCELLED") and not kind:
        return RemoteTransportError(f"{endpoint}: {message}")
    if code == "UNKNOWN" and not kind:
        return RemoteHEROError(message, endpoint=endpoint)  # a text, as 0.9.1 sends its errors
    by_code = {
        "INVALID_ARGUMENT": "ValueError",
        "NOT_FOUND": "LookupError",
        "PERMISSION_DENIED": "PermissionError",
        "UNIMPLEMENTED": "NotImplementedError",
    }
    kind = kind or by_code.get(code, "RuntimeError")
    return error_class(kind)(message, remote_type=kind, endpoint=endpoint)

"""What code in a capsule may not do: it is not the only code of the process.

What: os._exit(), os.abort(), signals to the capsule, exec, handlers of signals and the like raise
an exception there; hector's own modules cannot be changed.
Why: an Object's mistake ends its call, never the capsule and the Objects beside it.
Who: the runtime, once in a process. It stops mistakes, not attacks: templates are trusted.
"""

import os
import signal
import sys
import types

from .errors import NotAllowed

RECURSION_MAX = 10_000  # on a thread's 8 MiB of stack, whatever stands between two Python functions

_HERE = os.getpid()


def _is_here():
    """False in a child that an Object forked: that process is its own."""
    return os.getpid() == _HERE


def _exit(status=0):
    if not _is_here():
        _real_exit(status)
    raise SystemExit(status)


def _abort():
    if not _is_here():
        _real_abort()
    raise RuntimeError("os.abort() would end the capsule; raise an exception instead")


def _recursion(limit):
    if limit > RECURSION_MAX:
        raise ValueError(
            f"a capsule allows a recursion limit of {RECURSION_MAX}: more overflows the stack of"
            " the thread, which ends every Object here"
        )
    _real_recursion(limit)


def _signal(number, handler):
    if _is_here():
        raise ValueError(
            "signals belong to the capsule: clean up in the Object's own operations, or run the"
            " code that needs the signal in a process of its own"
        )
    return _real_signal(number, handler)


def _raise_signal(number):
    if _is_here():
        os.kill(_HERE, number)
    _real_raise_signal(number)


def _close(descriptor):
    if _is_here() and descriptor in (0, 1, 2):
        raise NotAllowed(f"descriptor {descriptor} is the capsule's: its log goes there")
    _real_close(descriptor)


_real_exit, _real_abort, _real_close = os._exit, os.abort, os.close
_real_recursion = sys.setrecursionlimit
_real_signal, _real_raise_signal = signal.signal, signal.raise_signal


def _audit(event, arguments):
    """Called for everything of this kind, so cheap for all else."""
    if event in _KILLS and _is_here() and _is_to_us(*_KILLS[event](arguments)):
        raise NotAllowed(
            "an Object may not send its own capsule a signal; `hector` and its operator stop it"
        )
    if event in ("os.exec", "signal.pthread_kill") and _is_here():
        raise NotAllowed(f"{event} would end the capsule; use the module subprocess")


#: (target as os.kill() has it, signal) of the arguments.
_KILLS = {
    "os.kill": lambda arguments: arguments,
    "os.killpg": lambda arguments: (-arguments[0], arguments[1]),
}


def _is_to_us(target, number):
    """`target`: a process, 0 for our own group, a negative number for a group, -1 for all."""
    return number != 0 and target in (_HERE, 0, -1, -os.getpgrp())


class _Sealed(types.ModuleType):
    def __setattr__(self, name, value):
        raise TypeError(
            f"{self.__name__} is every Object's: its '{name}' cannot be changed; derive a class, or"
            " wrap the function in your own"
        )

    def __delattr__(self, name):
        self.__setattr__(name, None)


class _SealedPackage(_Sealed):
    def __setattr__(self, name, value):
        if not isinstance(value, types.ModuleType):  # `import` puts a package's modules into it
            super().__setattr__(name, value)
        vars(self)[name] = value


class SealedClass(type):
    """The metaclass of the runtime's own classes: an Object cannot change what others run on."""

    def __setattr__(cls, name, value):
        raise TypeError(f"{cls.__module__}.{cls.__name__} is every Object's; derive a class")

    def __delattr__(cls, name):
        cls.__setattr__(name, None)


class Kept:
    """What every Object needs of the interpreter, put back where one took it away."""

    def __init__(self):
        self._modules, self._path = dict(sys.modules), list(sys.path)
        self._finders = list(sys.meta_path)
        self._streams = {each: getattr(sys, each) for each in ("stdin", "stdout", "stderr")}

    def restore(self):
        for name, module in self._modules.items():
            is_ours = name.partition(".")[0] in ("hector", "_hector", "sys", "builtins")
            if name not in sys.modules or (is_ours and sys.modules[name] is not module):
                sys.modules[name] = module
        sys.path.extend(each for each in self._path if each not in sys.path)
        missing = [each for each in self._finders if each not in sys.meta_path]
        sys.meta_path[:0] = missing
        for name, stream in self._streams.items():
            if getattr(getattr(sys, name, None), "closed", True):
                setattr(sys, name, stream)


def seal(package):
    """The package and its modules, as they are now; `import` still may add modules."""
    sys.modules[package].__class__ = _SealedPackage
    for name, module in list(sys.modules.items()):
        if name.startswith(package + ".") and type(module) is types.ModuleType:
            module.__class__ = _Sealed


def install():
    """Once in a process."""
    import posix

    for module in (os, posix):
        module._exit, module.abort, module.close = _exit, _abort, _close
    sys.setrecursionlimit = _recursion
    signal.signal, signal.raise_signal = _signal, _raise_signal
    sys.addaudithook(_audit)

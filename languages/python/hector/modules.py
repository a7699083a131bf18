"""`import` by the Type service first, then by the local machine.

What: a finder that asks the capsule's Type service for a module before any other finder is asked.
Why: every capsule runs the code that was published; altered code is never run.
Who: templates, through `import`; the plugin says where to ask.

The order is the paper's ("Hector: Distributed Objects in Python", DSTC 1996): the service, then the
local machine. The standard library and what comes with the interpreter are not asked for; parts of
a package are asked for only where the package itself came from the service.
"""

import hashlib
import importlib.abc
import importlib.machinery
import importlib.util
import marshal
import sys
import threading
import time

ORIGIN = "hector-type:"
_AWAY_S = 5.0  # after the service did not answer, before it is asked again
_NOT_ASKED = (
    frozenset(sys.stdlib_module_names)
    | frozenset(sys.builtin_module_names)
    | {"hector", "_hector", "google", "pip", "setuptools"}
)
_ABI = f"cpython-{sys.version_info.major}{sys.version_info.minor}"


class BadModule(ImportError):
    """What the service holds is not what was published. Nothing else is imported in its place."""


class _Loader(importlib.abc.InspectLoader):
    def __init__(self, name, module):
        self._name, self._module = name, module

    def is_package(self, fullname):
        return self._module.is_package

    def get_source(self, fullname):
        return None if self._is_compiled() else importlib.util.decode_source(self._module.content)

    def _is_compiled(self):
        return self._module.media == "application/x-python-code"

    def get_code(self, fullname):
        content = self._module.content
        if hashlib.sha256(content).hexdigest() != self._module.digest:
            raise BadModule(
                f"module '{self._name}' is not what its digest says; it is not run", name=fullname
            )
        if not self._is_compiled():
            return compile(
                importlib.util.decode_source(content),
                ORIGIN + self._name,
                "exec",
                dont_inherit=True,
            )
        if content[:4] != importlib.util.MAGIC_NUMBER:
            raise ImportError(
                f"module '{self._name}' was compiled by another Python", name=fullname
            )
        return marshal.loads(content[16:])


class Finder(importlib.abc.MetaPathFinder):
    """Stands first in sys.meta_path."""

    def __init__(self):
        self._sources = []
        self._lock = threading.Lock()
        self._asked_again = 0.0

    def add(self, fetch):
        """`fetch(name, abi)` gives a module, None if there is none; OSError: the service does not
        answer; BadModule.
        """
        with self._lock:
            self._sources.append(fetch)

    def remove(self, fetch):
        with self._lock:
            self._sources.remove(fetch)

    def find_spec(self, fullname, path=None, target=None):
        return None if fullname.startswith("hector_template_") else self.find(fullname, fullname)

    def find(self, fullname, name):
        """The spec, for sys.modules[fullname], of the module that the service knows by `name`."""
        top, _, rest = name.partition(".")
        if top in _NOT_ASKED:
            return None
        if rest:
            parent = sys.modules.get(fullname.rpartition(".")[0])
            if not str(getattr(getattr(parent, "__spec__", None), "origin", "")).startswith(ORIGIN):
                return None
        with self._lock:
            sources = list(self._sources)
        if not sources or time.monotonic() < self._asked_again:
            return None
        for fetch in sources:
            try:
                module = fetch(name, _ABI)
            except OSError:
                self._asked_again = time.monotonic() + _AWAY_S
                continue
            if module is None:
                continue
            spec = importlib.machinery.ModuleSpec(
                fullname,
                _Loader(name, module),
                origin=f"{ORIGIN}{name}@{module.digest[:12]}",
                is_package=module.is_package,
            )
            return spec
        return None


_finder = None


def finder():
    global _finder
    if _finder is None:
        _finder = Finder()
        sys.meta_path.insert(0, _finder)
    return _finder

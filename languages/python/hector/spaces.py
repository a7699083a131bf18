"""The modules of one loaded template, apart from those of all others.

What: Space, in which the `import` of a template's code finds what lies in the template's folder,
each time that the template is loaded.
Why: two templates with a helpers.py each have two modules; a module that has changed is read again.
Who: the runtime, for each template file that is loaded.

A module of a template is found in this order: what the Type service has under the name, the
folder's type files (NAME.hector.yaml), the folder's modules and those of folders that the template
has added to sys.path, then what is installed. All but the last belong to the Space: they are in
sys.modules under a name of their own. The bytes of a file are read once and compiled; no
__pycache__ is read or written, since its clock is too coarse for a file that is written twice in a
second.
"""

import builtins
import importlib
import importlib.machinery
import importlib.util
import itertools
import linecache
import marshal
import os
import sys
import types

from . import messages, modules

PREFIX = "hector_template_"

_numbers = itertools.count(1)
_spaces = {}  # by the name of their root module
_installed = list(sys.path)  # what is not a template's


class _Source(importlib.machinery.SourceFileLoader):
    """Of the bytes that are there now."""

    def get_code(self, fullname):
        path = self.get_filename(fullname)
        return compiled(path, self.get_data(path))


def compiled(path, octets):
    """The code of a .py or .pyc file. SyntaxError and the like: it is none."""
    if not path.endswith(".pyc"):
        code = compile(octets, path, "exec", dont_inherit=True)
        # For tracebacks: the lines that run, whatever the file has by then.
        lines = importlib.util.decode_source(octets).splitlines(keepends=True)
        linecache.cache[path] = (len(octets), None, lines, path)
        return code
    if octets[:4] != importlib.util.MAGIC_NUMBER:
        raise ImportError(
            f"was compiled by another Python than {sys.version_info.major}.{sys.version_info.minor}"
            " or is no .pyc file"
        )
    code = marshal.loads(octets[16:])
    if not isinstance(code, types.CodeType):
        raise ImportError("is a .pyc file without code")
    return code


class Space:
    """One template file, as it was when it was loaded."""

    def __init__(self, path, octets):
        self.folder, file = os.path.split(os.path.abspath(path))
        self.stem = file.rsplit(".", 1)[0]
        self.root = f"{PREFIX}{next(_numbers)}"
        self.builtins = dict(vars(builtins), __import__=self._import)
        self._path, self._octets = path, octets
        self._elsewhere = set()  # names that are not of this Space

    def run(self):
        """The template's module. The caller forgets the Space if it does not run."""
        root = types.ModuleType(self.root)
        root.__path__ = [self.folder]
        sys.modules[self.root], _spaces[self.root] = root, self
        importlib.invalidate_caches()
        code = compiled(self._path, self._octets)
        # Not by the file's own name: hello.py imports hello.hector.yaml as `hello`.
        name = f"{self.root}.__{self.stem}__"
        spec = importlib.util.spec_from_file_location(
            name, self._path, loader=_Source(name, self._path)
        )
        module = importlib.util.module_from_spec(spec)
        self._adopt(module)
        sys.modules[name] = module
        exec(code, vars(module))
        return module

    def forget(self):
        """Its modules are no longer found by name; code that runs keeps them."""
        _spaces.pop(self.root, None)
        for name in list(sys.modules):
            if name == self.root or name.startswith(self.root + "."):
                del sys.modules[name]

    def _adopt(self, module):
        vars(module)["__builtins__"] = self.builtins

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        """`import` in code of this Space."""
        top = name.partition(".")[0]
        if level != 0 or top in self._elsewhere:
            return builtins.__import__(name, globals, locals, fromlist, level)
        if not self.owns(top):
            found = builtins.__import__(name, globals, locals, fromlist, level)
            self._elsewhere.add(top)
            return found
        found = importlib.import_module(f"{self.root}.{name}")
        if not fromlist:
            return sys.modules[f"{self.root}.{top}"]
        # Imports what of the list are modules of the package.
        return builtins.__import__(found.__name__, globals, locals, fromlist, 0)

    def owns(self, top):
        """Whether a module of that name is this Space's."""
        name = f"{self.root}.{top}"
        if name in sys.modules:
            return True
        is_standard = top in sys.stdlib_module_names
        if top in ("hector", "_hector") or (top == self.stem and is_standard):
            return False
        spec = self.spec(name, top, None)
        if spec is None or spec.loader is not None:
            return spec is not None
        # A folder without __init__.py is a package only where there is no other module.
        return not is_standard and importlib.machinery.PathFinder.find_spec(top, _installed) is None

    def spec(self, fullname, name, path):
        """Of the module `name` as the template says it; `path` is its package's."""
        if path is None:
            path = [self.folder] + [each for each in sys.path if each not in _installed]
            spec = modules.finder().find(fullname, name)
            spec = spec or messages.type_file(fullname, name, path)
        else:
            spec = modules.finder().find(fullname, name)
        if spec is None:
            spec = importlib.machinery.PathFinder.find_spec(fullname, path)
        if spec is None or spec.loader is None:  # a folder without __init__.py has no loader
            return spec
        if isinstance(spec.loader, importlib.machinery.SourceFileLoader):
            spec.loader = _Source(fullname, spec.origin)
            spec.cached = None
        spec.loader = _Adopting(spec.loader, self)
        return spec


class _Adopting:
    """A loader whose modules belong to a Space."""

    def __init__(self, loader, space):
        self._loader, self._space = loader, space

    def __getattr__(self, name):
        return getattr(self._loader, name)

    def create_module(self, spec):
        return self._loader.create_module(spec)

    def exec_module(self, module):
        self._space._adopt(module)
        self._loader.exec_module(module)


class _Finder:
    """Finds modules by their names in sys.modules: hector_template_N.NAME."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        root, _, name = fullname.partition(".")
        space = _spaces.get(root)
        if space is None or not name:
            return None
        return space.spec(fullname, name, path if "." in name else None)


_import_module = importlib.import_module


def _import_by_name(name, package=None):
    """importlib.import_module(), which has no other way to know whose code calls it."""
    space = getattr(sys._getframe(1).f_builtins.get("__import__"), "__self__", None)
    if isinstance(space, Space) and not name.startswith(".") and space.owns(name.partition(".")[0]):
        name = f"{space.root}.{name}"
    elif name.startswith(".") and package is None:
        raise TypeError(f"import_module('{name}') needs the package that it is relative to")
    return _import_module(name, package)


def install():
    """Once in a process."""
    sys.meta_path.insert(0, _Finder)
    importlib.import_module = _import_by_name

"""The public names of a package: what a program may import, read and call.

What: prints, as JSON, each module's names; of a function its parameters, of a class its members.
Why: a package that stands for another one is compared with it by names, not by memory.
Who: packages_test.py, in the interpreter that has the package.
"""

import importlib
import inspect
import json
import pkgutil
import sys

SPECIAL = ("__version__", "__proto_version__", "__init__", "__call__", "__all__")


def parameters(value):
    """Their names, with a mark where one may be left out; None: it cannot be inspected."""
    try:
        signature = inspect.signature(value)
    except (TypeError, ValueError):
        return None
    return [
        each.name + ("" if each.default is each.empty else "?")
        for each in signature.parameters.values()
        if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)
    ]


def is_public(name):
    return not name.startswith("_") or name in SPECIAL


def described(value, root):
    if not str(getattr(value, "__module__", root)).startswith(root):
        return "of another package"
    if inspect.isclass(value):
        members = {}
        for name in filter(is_public, dir(value)):
            member = getattr(value, name, None)
            if name != "__init__" and hasattr(object, name):
                continue
            members[name] = parameters(member) if callable(member) else "value"
        return members
    return parameters(value) if callable(value) else "value"


def main(root):
    package = importlib.import_module(root)
    names = [root] + [each.name for each in pkgutil.walk_packages(package.__path__, root + ".")]
    made = {}
    for name in names:
        module = importlib.import_module(name)
        made[name[len(root) :]] = {
            each: described(getattr(module, each), root)
            for each in filter(is_public, dir(module))
            if not inspect.ismodule(getattr(module, each))
        }
    print(json.dumps(made))


main(sys.argv[1])

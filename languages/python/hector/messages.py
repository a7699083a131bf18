"""Message classes from descriptors, and modules from type files.

What: classes for the messages of a FileDescriptorSet, in a pool of their own; the importer of
NAME.hector.yaml.
Why: no generated code: `from hello import Greeting` reads hello.hector.yaml beside the template.
Who: templates by `import`, the runtime.
"""

import importlib.abc
import importlib.machinery
import keyword
import os
import sys

try:
    import _hector
except ImportError:  # a program that is no capsule's template: it has no types of a capsule
    _hector = None
from google.protobuf import descriptor_pb2, descriptor_pool, empty_pb2, message_factory


class Messages:
    """The message classes of one FileDescriptorSet. Two sets that share a file share nothing: each
    Interface brings its own.
    """

    def __init__(self, descriptors):
        self._pool = descriptor_pool.DescriptorPool()
        self._factory = message_factory.MessageFactory(self._pool)
        self._files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
        for file in self._files.file:
            self._pool.Add(file)

    def cls(self, full_name):
        """The class that messages of this type have wherever they stand, in a field or alone. (The
        C++ implementation of Protobuf 4.21 gives fields the pool's own class, not the factory's.)
        """
        descriptor = self._pool.FindMessageTypeByName(full_name)
        made = self._factory.GetPrototype(descriptor)
        return getattr(descriptor, "_concrete_class", None) or made

    def names(self):
        for file in self._files.file:
            prefix = file.package + "." if file.package else ""
            for message in file.message_type:
                yield prefix + message.name


def python_name(name):
    """A type's or an operation's name as Python can write it: one of the language's own words has
    an underscore behind it.
    """
    return name + "_" if keyword.iskeyword(name) else name


_model = None


def model():
    """The messages of hector.type.v1."""
    global _model
    if _model is None:
        _model = Messages(_hector.type_descriptors())
    return _model


_by_descriptors = {}


def messages_of(descriptors):
    """One Messages for equal message files, so that Interfaces of one type file share their
    classes.
    """
    files = descriptor_pb2.FileDescriptorSet.FromString(descriptors)
    # Those of hector/interface/ hold an Interface's service only, and bring google.protobuf.Empty
    # where it has announcements: all have that here.
    empty = descriptor_pb2.FileDescriptorProto.FromString(empty_pb2.DESCRIPTOR.serialized_pb)
    kept = [
        file
        for file in files.file
        if not file.name.startswith("hector/interface/") and file.name != empty.name
    ]
    del files.file[:]
    files.file.extend([empty] + kept)
    key = files.SerializeToString(deterministic=True)
    if key not in _by_descriptors:
        _by_descriptors[key] = Messages(key)
    return _by_descriptors[key]


class InterfaceBase:
    """What a class derives from to offer an Interface of a type file."""

    __hector_interface__ = None  # id
    __hector_model__ = b""
    __hector_descriptors__ = b""


def load_types(path):
    """The types of a file as a dict: Interfaces as base classes, messages as classes, by their last
    name. (What `hector type gen --form pyi` says they are.)
    """
    found = {}
    for type_id, is_binding, model_octets, descriptors in _hector.read_types(path):
        if is_binding:
            continue
        short = python_name(type_id.rsplit("/", 1)[0].rsplit(".", 1)[-1])
        found[short] = type(
            short,
            (InterfaceBase,),
            {
                "__hector_interface__": type_id,
                "__hector_model__": model_octets,
                "__hector_descriptors__": descriptors,
                "__doc__": f"Interface {type_id}.",
            },
        )
        classes = messages_of(descriptors)
        for name in classes.names():
            found.setdefault(python_name(name.rsplit(".", 1)[-1]), classes.cls(name))
    return found


class _TypeFileImporter(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        return type_file(name, name, sys.path) if path is None else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__file__ = module.__spec__.origin
        module.__dict__.update(load_types(module.__spec__.origin))


def type_file(fullname, name, folders):
    """The spec of NAME.hector.yaml in the first of the folders that has it; None: none has."""
    for folder in folders:
        file = os.path.join(folder or ".", name + ".hector.yaml")
        if "." not in name and os.path.isfile(file):
            return importlib.machinery.ModuleSpec(fullname, _importer, origin=file)
    return None


_importer = _TypeFileImporter()


def install_importer():
    if not any(isinstance(finder, _TypeFileImporter) for finder in sys.meta_path):
        # before files: hello.py imports hello.hector.yaml as `hello`
        sys.meta_path.insert(0, _importer)

"""Hector for Python templates: declare an Object's Interface, handle its calls, call others.

What: the decorators and classes that a template uses.
Why: a template is a plain class; its Interface comes from a type file or from type hints.
Who: templates; the python language plugin drives them through `hector.runtime`.

    from hello import Greeter, Greeting          # hello.hector.yaml beside the template

    class Hello(Greeter):
        async def greet(self, name):
            return Greeting(text=f"hello {name.text}")

or, with hints alone:

    import hector

    @hector.template("sums.Adder/1")
    class Adder:
        def add(self, a: int, b: int) -> int:
            return a + b
"""

from .errors import Error, error_from_parts
from .interfaces import announce, operation, template
from .messages import load_types

__all__ = ["Error", "announce", "error_from_parts", "load_types", "operation", "template"]

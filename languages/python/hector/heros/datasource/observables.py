"""Measurements as they are declared: converted, with a unit, and within bounds or not.

What: ObservableProcessor, which reads the declarations and converts values, and its parts.
Why: the conversion is an expression that no program may escape from.
Who: datasource.py.
"""

import math

from .types import DatasourceReturnValue  # noqa: F401

FUNCTIONS = (
    "sin",
    "cos",
    "tan",
    "arcsin",
    "arccos",
    "arctan",
    "arctan2",
    "hypot",
    "sinh",
    "cosh",
    "tanh",
    "exp",
    "exp2",
    "log",
    "log10",
    "log2",
    "log1p",
    "logaddexp",
    "logaddexp2",
    "i0",
    "sinc",
    "power",
    "sqrt",
)
BY_MATH = {"arcsin": "asin", "arccos": "acos", "arctan": "atan", "arctan2": "atan2", "power": "pow"}


def lambdify(expression, globals_dict=None):
    """A function of x: numpy's functions where there is numpy, else what Python's math has of them.
    ValueError: no expression.
    """
    try:
        import numpy

        names = {name: getattr(numpy, name) for name in FUNCTIONS}
    except ImportError:
        names = {
            name: getattr(math, BY_MATH.get(name, name))
            for name in FUNCTIONS
            if hasattr(math, BY_MATH.get(name, name))
        }
    names |= globals_dict or {}
    try:
        code = compile(expression, "<conversion>", "eval")
    except SyntaxError as error:
        raise ValueError(f"the conversion {expression!r} is no expression: {error.msg}") from None
    return lambda x: eval(
        code, {"__builtins__": {}}, {**names, "x": x}
    )  # the program's own text, not a peer's


class BoundaryChecker:
    """Says in which of the ranges a value is, from 0; how many there are where it is in none."""

    def __init__(self, boundaries):
        self.boundaries = boundaries

    def _check_bounds(self, value):
        for number, (lower, upper) in enumerate(self.boundaries):
            try:
                if lower <= value <= upper:
                    return number
            except TypeError:
                break
        return len(self.boundaries)

    def __call__(self, return_value):
        if self.boundaries:
            return_value.inbound = self._check_bounds(return_value.value)
        return return_value


class Converter:
    """Gives a value its unit and, where there is a conversion, its calibrated value."""

    def __init__(self, conversion_code, unit=None):
        self._convert = lambdify(conversion_code) if conversion_code else None
        self._unit = unit

    def __call__(self, return_value):
        return_value.unit = self._unit or return_value.raw_unit
        if self._convert is not None:
            return_value.value = self._convert(return_value.raw_value)
            return_value["calibrated"] = True
        return return_value


class Observable:
    """`definition`: any of target, index, raw_unit, conversion, unit, boundaries."""

    def __init__(self, id, definition):
        self._id, self.definition = id, definition
        self._convert = Converter(definition.get("conversion"), definition.get("unit"))
        self._check = BoundaryChecker(definition.get("boundaries") or [])

    @property
    def id(self):
        return self._id

    def process(self, return_value):
        return self._check(self._convert(return_value))


class ObservableProcessor:
    """`obs_def`: definitions by name."""

    def __init__(self, obs_def):
        self.observables = [Observable(name, each) for name, each in obs_def.items()]
        self.observables_ids = [each.id for each in self.observables]

    def __call__(self, datasource_return_set):
        known = dict(zip(self.observables_ids, self.observables))
        for one in datasource_return_set:
            if one["id"] in known:
                known[one["id"]].process(one)
        return datasource_return_set

"""Measurements as they are declared: converted, with a unit, and within bounds or not.

What: Observables, which reads the declarations and converts values.
Why: the conversion is an expression that no program may escape from.
Who: datasource.py.
"""

import math

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


def conversion(expression):
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
    try:
        code = compile(expression, "<conversion>", "eval")
    except SyntaxError as error:
        raise ValueError(f"the conversion {expression!r} is no expression: {error.msg}") from None
    return lambda x: eval(
        code, {"__builtins__": {}}, {**names, "x": x}
    )  # the program's own text, not a peer's


def level(value, boundaries):
    """The first of the ranges that holds the value, from 0; how many there are where none does."""
    for number, (lower, upper) in enumerate(boundaries):
        try:
            if lower <= value <= upper:
                return number
        except TypeError:
            break
    return len(boundaries)


class Observables:
    """`declared`: by name, any of target, index, raw_unit, conversion, unit, boundaries."""

    def __init__(self, declared):
        self._declared = declared
        self._conversions = {
            name: conversion(each["conversion"])
            for name, each in declared.items()
            if each.get("conversion")
        }

    def process(self, measured):
        for one in measured:
            declared = self._declared.get(one["id"])
            if declared is not None:
                one["unit"] = declared.get("unit") or one["raw_unit"]
                if one["id"] in self._conversions:
                    one["value"], one["calibrated"] = (
                        self._conversions[one["id"]](one["raw_value"]),
                        True,
                    )
                if declared.get("boundaries"):
                    one["inbound"] = level(one.value, declared["boundaries"])
        return measured

// What: Python's values as objects::Value and back.
// Why: what a plain Python object takes and gives has no declared types.
// Who: the embedded capsule.
#pragma once

#include <pybind11/pybind11.h>

#include "objects/value.h"

namespace hector::embedded {

namespace py = pybind11;
using objects::Value;

/// A CBOR tag with what is tagged, for types that only one world has.
struct Tag {
  std::uint64_t tag = 0;
  py::object value;
};

/// Under the GIL. `encode` is asked about objects that are none of Python's plain types, and
/// returns one that is, or a Tag; `decode(tag, value)` makes objects of tags. Throws TypeError.
Value to_value(const py::handle& object, const py::object& encode);
py::object from_value(const Value& value, const py::object& decode);

}  // namespace hector::embedded

#include "values.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::embedded {

namespace {

/// As deep as a value of the wire may be (objects/messages.cc), far below the stack's end.
constexpr int kDepthMax = 100;
/// RFC 8949, 3.4.3: the tags of integers beyond 64 bits.
constexpr std::uint64_t kPositive = 2, kNegative = 3;

Value big(const py::handle& number) {
  const bool is_negative = number.attr("__lt__")(0).cast<bool>();
  const py::object magnitude = is_negative
                                   ? py::int_(-1) - py::reinterpret_borrow<py::object>(number)
                                   : py::reinterpret_borrow<py::object>(number);
  const auto bits = magnitude.attr("bit_length")().cast<std::size_t>();
  const auto octets = magnitude.attr("to_bytes")((bits + 7) / 8, "big").cast<std::string>();
  return Value::tagged(is_negative ? kNegative : kPositive, Value::octets(octets));
}

Value convert(const py::handle& object, const py::object& encode, int depth) {
  if (depth > kDepthMax) throw py::value_error("a value is nested more than 100 deep");
  PyObject* const raw = object.ptr();
  if (raw == Py_None) return Value::null();
  if (PyBool_Check(raw)) return Value::of(raw == Py_True);
  if (PyLong_CheckExact(raw)) {
    int overflow = 0;
    const long long number = PyLong_AsLongLongAndOverflow(raw, &overflow);
    return overflow == 0 ? Value::of(std::int64_t{number}) : big(object);
  }
  if (PyFloat_CheckExact(raw)) return Value::of(PyFloat_AS_DOUBLE(raw));
  if (PyUnicode_Check(raw)) {
    Py_ssize_t size = 0;
    const char* const text = PyUnicode_AsUTF8AndSize(raw, &size);
    if (text == nullptr) throw py::error_already_set();
    return Value::of(std::string_view(text, static_cast<std::size_t>(size)));
  }
  if (PyBytes_Check(raw) || PyByteArray_Check(raw)) {
    const char* const data =
        PyBytes_Check(raw) ? PyBytes_AS_STRING(raw) : PyByteArray_AS_STRING(raw);
    return Value::octets(
        {data, static_cast<std::size_t>(PyBytes_Check(raw) ? PyBytes_GET_SIZE(raw)
                                                           : PyByteArray_GET_SIZE(raw))});
  }
  if (PyList_CheckExact(raw) || PyTuple_Check(raw)) {
    Value made = Value::list();
    for (const auto& each : object) made.items.push_back(convert(each, encode, depth + 1));
    return made;
  }
  if (PyDict_Check(raw)) {
    Value made = Value::map();
    for (const auto& [key, each] : py::reinterpret_borrow<py::dict>(object)) {
      made.items.push_back(convert(key, encode, depth + 1));
      made.items.push_back(convert(each, encode, depth + 1));
    }
    return made;
  }
  if (PyAnySet_Check(raw)) {
    Value made = Value::list();
    for (const auto& each : object) made.items.push_back(convert(each, encode, depth + 1));
    return Value::tagged(objects::kSetTag, std::move(made));
  }
  if (py::isinstance<Tag>(object)) {
    const auto& tag = object.cast<const Tag&>();
    return Value::tagged(tag.tag, convert(tag.value, encode, depth + 1));
  }
  return convert(encode(object), encode, depth + 1);
}

}  // namespace

Value to_value(const py::handle& object, const py::object& encode) {
  return convert(object, encode, 0);
}

py::object from_value(const Value& value, const py::object& decode) {
  switch (value.kind) {
    case Value::Kind::kNull:
      return py::none();
    case Value::Kind::kBoolean:
      return py::bool_(value.boolean);
    case Value::Kind::kInteger:
      return py::int_(value.integer);
    case Value::Kind::kReal:
      return py::float_(value.real);
    case Value::Kind::kText:
      return py::str(value.text);
    case Value::Kind::kOctets:
      return py::bytes(value.text);
    case Value::Kind::kList: {
      py::list made(value.items.size());
      for (std::size_t i = 0; i < value.items.size(); ++i)
        made[i] = from_value(value.items[i], decode);
      return made;
    }
    case Value::Kind::kMap: {
      py::dict made;
      for (std::size_t i = 0; i + 1 < value.items.size(); i += 2)
        made[from_value(value.items[i], decode)] = from_value(value.items[i + 1], decode);
      return made;
    }
    default:
      break;
  }
  HECTOR_CHECK(!value.items.empty(), "a tag has no value");
  const Value& inner = value.items[0];
  if ((value.tag == kPositive || value.tag == kNegative) && inner.kind == Value::Kind::kOctets) {
    const py::object number = py::module_::import("builtins")
                                  .attr("int")
                                  .attr("from_bytes")(py::bytes(inner.text), "big");
    return value.tag == kPositive ? number : py::object(py::int_(-1) - number);
  }
  if (value.tag == objects::kSetTag && inner.kind == Value::Kind::kList)
    return py::set(from_value(inner, decode));
  return decode(value.tag, from_value(inner, decode));
}

}  // namespace hector::embedded

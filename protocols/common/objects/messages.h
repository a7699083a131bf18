// What: MessageCodec, from values to an Interface's messages and back.
// Why: foreign objects call with positional and keyword arguments and answer with bare values;
// operations have one message each way.
// Who: heros, zeromq and the embedded capsule, whose peers are objects without declared types.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "hector/bytes.h"
#include "hector/interface.h"
#include "hector/result.h"
#include "objects/parameter.h"
#include "objects/value.h"

namespace hector::objects {

struct Field {
  std::string name;
  /// A Python type's name: int, float, bool, str, bytes, list, dict; empty: anything.
  std::string type;
  bool is_optional = false;
  /// The first `repeated hector.value.v1.Value` takes the positional arguments that are left (what
  /// follows it is given by name), a `map<string, hector.value.v1.Value>` that is the last field
  /// the named ones: as write_interface() writes Python's *args and **kwargs.
  ParameterKind kind = ParameterKind::kPositionalOrKeyword;
  /// What it is where it is left out, if the message type says so.
  std::optional<Value> fallback = std::nullopt;
};

/// A method call: all positional ones first.
struct Arguments {
  std::vector<Value> positional;
  Value keywords = Value::map();
};

/// What a text means where a message has octets.
enum class BytesText : std::uint8_t {
  kAsTheyAre,  ///< its own octets
  kBase64      ///< as JSON writes octets
};

/// Immutable; any thread. Error::type of arguments that do not fit is "TypeError".
class MessageCodec {
 public:
  virtual ~MessageCodec() = default;
  static Result<std::unique_ptr<const MessageCodec>> of(const Interface& interface,
                                                        BytesText texts = BytesText::kAsTheyAre);
  [[nodiscard]] virtual std::vector<Field> input_fields(const Operation& operation) const = 0;
  [[nodiscard]] virtual std::vector<Field> output_fields(const Operation& operation) const = 0;

  /// An Object of ours is called: by position in the order of field numbers, or by name, as
  /// Field::kind says. Fields that are not `optional` have to be given, but for lists and maps.
  [[nodiscard]] virtual Result<Bytes> request_of(const Operation& operation,
                                                 const Arguments& arguments) const = 0;
  /// The request's only field, or all fields as a map: an attribute is set.
  [[nodiscard]] virtual Result<Bytes> request_of_value(const Operation& operation,
                                                       const Value& value) const = 0;
  /// The value of the message's only field, or all fields as a map; null where it has none.
  [[nodiscard]] virtual Result<Value> value_of_reply(const Operation& operation,
                                                     const Bytes& reply) const = 0;

  /// A foreign object is called: the fields as its method's parameters ask for them; optional
  /// fields that are absent are left out.
  [[nodiscard]] virtual Result<Arguments> arguments_of(
      const Operation& operation, const Bytes& request,
      const std::vector<Parameter>& parameters) const = 0;
  /// The request's only field: an attribute's new value.
  [[nodiscard]] virtual Result<Value> value_of_request(const Operation& operation,
                                                       const Bytes& request) const = 0;
  /// All fields that are present, as a map.
  [[nodiscard]] virtual Result<Value> fields_of_request(const Operation& operation,
                                                        const Bytes& request) const = 0;
  /// The inverse of value_of_reply().
  [[nodiscard]] virtual Result<Bytes> reply_of(const Operation& operation,
                                               const Value& value) const = 0;
};

}  // namespace hector::objects

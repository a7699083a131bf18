#include "types/check/signature.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace hector::types {

namespace pb = google::protobuf;

namespace {

using Pair = std::pair<const pb::Descriptor*, const pb::Descriptor*>;

/// Scalars that share a wire form without loss (Protobuf's "Updating A Message Type").
int wire_family(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case pb::FieldDescriptor::TYPE_INT32:
    case pb::FieldDescriptor::TYPE_UINT32:
    case pb::FieldDescriptor::TYPE_INT64:
    case pb::FieldDescriptor::TYPE_UINT64:
    case pb::FieldDescriptor::TYPE_BOOL:
    case pb::FieldDescriptor::TYPE_ENUM:
      return 100;
    case pb::FieldDescriptor::TYPE_SINT32:
    case pb::FieldDescriptor::TYPE_SINT64:
      return 101;
    case pb::FieldDescriptor::TYPE_FIXED32:
    case pb::FieldDescriptor::TYPE_SFIXED32:
      return 102;
    case pb::FieldDescriptor::TYPE_FIXED64:
    case pb::FieldDescriptor::TYPE_SFIXED64:
      return 103;
    default:
      return static_cast<int>(field.type());
  }
}

/// How many distinct values the scalar holds: a wider one may not be given where a narrower is
/// expected.
int width(const pb::FieldDescriptor& field) {
  switch (field.type()) {
    case pb::FieldDescriptor::TYPE_BOOL:
      return 1;
    case pb::FieldDescriptor::TYPE_INT32:
    case pb::FieldDescriptor::TYPE_UINT32:
    case pb::FieldDescriptor::TYPE_SINT32:
    case pb::FieldDescriptor::TYPE_ENUM:
      return 32;
    default:
      return 64;
  }
}

/// `sent` has no value that `expected` does not hold, on the wire that both share.
bool scalars_fit(const pb::FieldDescriptor& sent, const pb::FieldDescriptor& expected) {
  if (sent.type() == pb::FieldDescriptor::TYPE_STRING &&
      expected.type() == pb::FieldDescriptor::TYPE_BYTES)
    return true;
  return wire_family(sent) == wire_family(expected) && width(sent) <= width(expected);
}

bool is_message(const pb::FieldDescriptor& field) {
  return field.cpp_type() == pb::FieldDescriptor::CPPTYPE_MESSAGE;
}

/// Compares the messages of two types, field by field: what `sent` writes, `expected` reads without
/// loss. A pair of types is looked at once: recursive ones count as fitting until shown otherwise.
class MessageCheck {
 public:
  explicit MessageCheck(std::vector<Finding>& findings) : findings_(findings) {}

  void run(const pb::Descriptor& sent, const pb::Descriptor& expected, const std::string& where) {
    if (&sent == &expected || !assumed_.emplace(&sent, &expected).second) return;
    for (int i = 0; i < expected.field_count(); ++i) {
      const auto* wanted = expected.field(i);
      const auto* given = sent.FindFieldByNumber(wanted->number());
      if (given != nullptr) {
        field(*given, *wanted, where);
      } else if (wanted->is_required()) {
        refuse(*wanted, where, "required, but never sent");
      }
    }
    for (int i = 0; i < sent.field_count(); ++i) {
      if (expected.IsReservedNumber(sent.field(i)->number()))
        refuse(*sent.field(i), where,
               fmt::format("sent, but {} reserves the number", expected.full_name()));
    }
    alternatives(sent, expected, where);
  }

 private:
  template <class Text>
  void refuse(const pb::FieldDescriptor& field, const std::string& where, Text text) {
    findings_.push_back(
        {"signature",
         fmt::format("{}, field {} '{}': {}", where, field.number(), field.name(), text),
         {}});
  }
  static const char* shape(const pb::FieldDescriptor& field) {
    return field.is_map() ? "a map" : field.is_repeated() ? "repeated" : "one value";
  }

  void field(const pb::FieldDescriptor& given, const pb::FieldDescriptor& wanted,
             const std::string& where) {
    // One value fits where any number is read; a map is on the wire what a repeated entry message
    // is.
    if (given.is_repeated() && !wanted.is_repeated())
      return refuse(wanted, where,
                    fmt::format("{} sent, {} expected", shape(given), shape(wanted)));
    if (is_message(given) && is_message(wanted) && given.type() == wanted.type()) {
      run(*given.message_type(), *wanted.message_type(),
          fmt::format("{}, field {} '{}'", where, wanted.number(), wanted.name()));
    } else if (is_message(given) && given.type() == pb::FieldDescriptor::TYPE_MESSAGE &&
               wanted.type() == pb::FieldDescriptor::TYPE_BYTES) {
      // an encoded message is octets
    } else if (is_message(given) || is_message(wanted) || !scalars_fit(given, wanted)) {
      return refuse(wanted, where,
                    fmt::format("{} sent, {} expected", type_of(given), type_of(wanted)));
    } else {
      check_enum(given, wanted, where);
    }
    if (wanted.is_required() && !given.is_required())
      refuse(wanted, where, "required, but may be left out");
  }
  static std::string type_of(const pb::FieldDescriptor& field) {
    if (field.type() == pb::FieldDescriptor::TYPE_GROUP)
      return fmt::format("group {}", field.message_type()->full_name());
    if (is_message(field)) return field.message_type()->full_name();
    return field.type() == pb::FieldDescriptor::TYPE_ENUM ? field.enum_type()->full_name()
                                                          : field.type_name();
  }

  /// Open enumerations pass any number on; closed ones drop what they do not know (Protobuf, "Enum
  /// Behavior").
  void check_enum(const pb::FieldDescriptor& sent, const pb::FieldDescriptor& expected,
                  const std::string& where) {
    if (expected.type() != pb::FieldDescriptor::TYPE_ENUM ||
        expected.enum_type()->file()->syntax() == pb::FileDescriptor::SYNTAX_PROTO3)
      return;
    if (sent.type() != pb::FieldDescriptor::TYPE_ENUM)
      return refuse(expected, where,
                    fmt::format("any {} sent, closed enum {} expected", sent.type_name(),
                                expected.enum_type()->full_name()));
    for (int i = 0; i < sent.enum_type()->value_count(); ++i) {
      const auto* value = sent.enum_type()->value(i);
      if (expected.enum_type()->FindValueByNumber(value->number()) != nullptr) continue;
      refuse(expected, where,
             fmt::format("enum value {} = {} is not known to closed enum {}", value->name(),
                         value->number(), expected.enum_type()->full_name()));
    }
  }

  /// Two fields that may both be sent are not read as alternatives of each other: the last one
  /// would win.
  void alternatives(const pb::Descriptor& sent, const pb::Descriptor& expected,
                    const std::string& where) {
    for (int o = 0; o < expected.real_oneof_decl_count(); ++o) {
      const auto* oneof = expected.oneof_decl(o);
      const pb::FieldDescriptor* first = nullptr;
      for (int i = 0; i < oneof->field_count(); ++i) {
        const auto* given = sent.FindFieldByNumber(oneof->field(i)->number());
        if (given == nullptr) continue;
        if (first == nullptr) {
          first = given;
        } else if (given->real_containing_oneof() == nullptr ||
                   given->real_containing_oneof() != first->real_containing_oneof()) {
          refuse(*oneof->field(i), where,
                 fmt::format("may be sent beside '{}', but both are alternatives of oneof '{}'",
                             first->name(), oneof->name()));
        }
      }
    }
  }

  std::set<Pair> assumed_;
  std::vector<Finding>& findings_;
};

const pb::Descriptor* message_of(const CompiledInterface& interface, const std::string& name) {
  return name.empty() ? nullptr : interface.messages().find(name);
}

void check_both(const pb::Descriptor* sent, const pb::Descriptor* expected,
                const std::string& where, std::vector<Finding>& findings) {
  if (sent != nullptr && expected != nullptr) check_message(*sent, *expected, where, findings);
  if ((sent == nullptr) != (expected == nullptr))
    findings.push_back({"signature", where + ": only one side has a message here", {}});
}

/// `callee` handles what `caller` starts (ISO 10746-3, 7.2.4.3: requests contravariant, replies and
/// terminations covariant).
void check_operation(const Operation& callee_operation, const CompiledInterface& callee,
                     const Operation& caller_operation, const CompiledInterface& caller,
                     std::vector<Finding>& findings) {
  const std::string where = fmt::format("operation '{}'", callee_operation.name);
  if (callee_operation.kind != caller_operation.kind ||
      callee_operation.flow != caller_operation.flow) {
    findings.push_back(
        {"signature",
         fmt::format("{}: {} here, {} there", where, kind_name(callee_operation.kind),
                     kind_name(caller_operation.kind)),
         {}});
    return;
  }
  check_both(message_of(caller, caller_operation.input), message_of(callee, callee_operation.input),
             where + ", request", findings);
  check_both(message_of(callee, callee_operation.output),
             message_of(caller, caller_operation.output), where + ", reply", findings);
  for (const auto& thrown : callee_operation.throws) {
    if (std::find(caller_operation.throws.begin(), caller_operation.throws.end(), thrown) ==
        caller_operation.throws.end()) {
      findings.push_back(
          {"signature",
           fmt::format("{}: may throw {}, which the other side does not expect", where, thrown),
           {}});
    } else {
      check_both(message_of(callee, thrown), message_of(caller, thrown),
                 fmt::format("{}, error {}", where, thrown), findings);
    }
  }
}

/// Nobody else starts what a Role starts: an Interface that says to start none of it, where the
/// Role's own says to, would be bound and do nothing.
void check_starts(const CompiledInterface& offered, const RoleOrder& order,
                  const CompiledInterface& required, std::vector<Finding>& findings) {
  std::vector<std::string> expected;
  for (std::size_t i = 0; i < order.operations.size(); ++i) {
    if (!order.is_output[i] || find_in(required.initiates(), order.operations[i]) == nullptr)
      continue;
    if (find_in(offered.initiates(), order.operations[i]) != nullptr) return;
    expected.push_back(order.operations[i]);
  }
  if (expected.empty()) return;
  findings.push_back(
      {"signature",
       fmt::format("{} starts nothing of what only this Role may start ({}): its `initiates` has "
                   "none of it, that of {} does",
                   offered.id(), fmt::join(expected, ", "), required.id()),
       {}});
}

}  // namespace

const Operation* find_in(const std::vector<Operation>& operations, const std::string& name) {
  for (const auto& operation : operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

void check_message(const pb::Descriptor& sent, const pb::Descriptor& expected,
                   const std::string& where, std::vector<Finding>& findings) {
  MessageCheck(findings).run(sent, expected, where);
}

void check_signatures(const CompiledInterface& offered, const RoleOrder& order,
                      const CompiledInterface& required, std::vector<Finding>& findings) {
  for (std::size_t i = 0; i < order.operations.size(); ++i) {
    const std::string& name = order.operations[i];
    if (order.is_output[i]) {
      const auto* expected = find_in(required.initiates(), name);
      const auto* started = find_in(offered.initiates(), name);
      if (expected == nullptr || started == nullptr)
        continue;  // an Interface need not start what it may start
      check_operation(*expected, required, *started, offered, findings);
    } else {
      const auto* expected = find_in(required.operations(), name);
      const auto* handled = find_in(offered.operations(), name);
      if (expected == nullptr) {
        findings.push_back(
            {"signature",
             fmt::format("the Role's own interface {} has no operation '{}'", required.id(), name),
             {}});
      } else if (handled == nullptr) {
        findings.push_back({"signature", fmt::format("operation '{}' is missing", name), {}});
      } else {
        check_operation(*handled, offered, *expected, required, findings);
      }
    }
  }
  check_starts(offered, order, required, findings);
}

}  // namespace hector::types

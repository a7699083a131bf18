#include "types/check/conformance.h"

#include <fmt/format.h>

#include <algorithm>
#include <deque>
#include <map>
#include <set>

#include "types/check/qos.h"

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
  explicit MessageCheck(std::vector<Reason>& reasons) : reasons_(reasons) {}

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
    reasons_.push_back(
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
  std::vector<Reason>& reasons_;
};

const pb::Descriptor* message_of(const CompiledInterface& interface, const std::string& name) {
  return name.empty() ? nullptr : interface.messages().find(name);
}

void check_both(const pb::Descriptor* sent, const pb::Descriptor* expected,
                const std::string& where, std::vector<Reason>& reasons) {
  if (sent != nullptr && expected != nullptr) check_message(*sent, *expected, where, reasons);
  if ((sent == nullptr) != (expected == nullptr))
    reasons.push_back({"signature", where + ": only one side has a message here", {}});
}

/// `callee` handles what `caller` starts (ISO 10746-3, 7.2.4.3: requests contravariant, replies and
/// terminations covariant).
void check_operation(const Operation& callee_operation, const CompiledInterface& callee,
                     const Operation& caller_operation, const CompiledInterface& caller,
                     std::vector<Reason>& reasons) {
  const std::string where = fmt::format("operation '{}'", callee_operation.name);
  if (callee_operation.kind != caller_operation.kind ||
      callee_operation.flow != caller_operation.flow) {
    reasons.push_back({"signature",
                       fmt::format("{}: {} here, {} there", where, kind_name(callee_operation.kind),
                                   kind_name(caller_operation.kind)),
                       {}});
    return;
  }
  check_both(message_of(caller, caller_operation.input), message_of(callee, callee_operation.input),
             where + ", request", reasons);
  check_both(message_of(callee, callee_operation.output),
             message_of(caller, caller_operation.output), where + ", reply", reasons);
  for (const auto& thrown : callee_operation.throws) {
    if (std::find(caller_operation.throws.begin(), caller_operation.throws.end(), thrown) ==
        caller_operation.throws.end()) {
      reasons.push_back(
          {"signature",
           fmt::format("{}: may throw {}, which the other side does not expect", where, thrown),
           {}});
    } else {
      check_both(message_of(callee, thrown), message_of(caller, thrown),
                 fmt::format("{}, error {}", where, thrown), reasons);
    }
  }
}

const Operation* find_in(const std::vector<Operation>& operations, const std::string& name) {
  for (const auto& operation : operations) {
    if (operation.name == name) return &operation;
  }
  return nullptr;
}

void check_signatures(const CompiledInterface& offered, const RoleOrder& order,
                      const CompiledInterface& required, std::vector<Reason>& reasons) {
  for (std::size_t i = 0; i < order.operations.size(); ++i) {
    const std::string& name = order.operations[i];
    if (order.is_output[i]) {
      const auto* expected = find_in(required.initiates(), name);
      const auto* started = find_in(offered.initiates(), name);
      if (expected == nullptr || started == nullptr)
        continue;  // an Interface need not start what it may start
      check_operation(*expected, required, *started, offered, reasons);
    } else {
      const auto* expected = find_in(required.operations(), name);
      const auto* handled = find_in(offered.operations(), name);
      if (expected == nullptr) {
        reasons.push_back(
            {"signature",
             fmt::format("the Role's own interface {} has no operation '{}'", required.id(), name),
             {}});
      } else if (handled == nullptr) {
        reasons.push_back({"signature", fmt::format("operation '{}' is missing", name), {}});
      } else {
        check_operation(*handled, offered, *expected, required, reasons);
      }
    }
  }
}

/// Both automata side by side, from their starts along what both allow (types.md 4).
class OrderCheck {
 public:
  OrderCheck(const Automaton& offered, const RoleOrder& order, std::vector<Reason>& reasons)
      : offered_(offered), role_(order.automaton), order_(order), reasons_(reasons) {
    for (Symbol s = 0; s < order.operations.size(); ++s) offered_symbols_.push_back(s);
  }
  OrderCheck(const CompiledInterface& offered, const RoleOrder& order, std::vector<Reason>& reasons)
      : offered_(*offered.automaton()), role_(order.automaton), order_(order), reasons_(reasons) {
    const auto inputs = static_cast<Symbol>(offered.operations().size());
    for (std::size_t s = 0; s < order.operations.size(); ++s) {
      const auto* found = find_in(order.is_output[s] ? offered.initiates() : offered.operations(),
                                  order.operations[s]);
      offered_symbols_.push_back(
          found == nullptr ? UINT32_MAX : (order.is_output[s] ? inputs : 0U) + found->index);
    }
    for (const auto& output : offered.initiates()) {
      const Symbol symbol = inputs + output.index;
      if (std::find(offered_symbols_.begin(), offered_symbols_.end(), symbol) ==
          offered_symbols_.end())
        foreign_outputs_.emplace_back(output.name, symbol);
    }
  }

  void run() {
    const std::pair start{role_.start, offered_.start};
    std::deque<std::pair<std::int32_t, std::int32_t>> todo{start};
    traces_[start] = {};
    while (!todo.empty()) {
      const auto at = todo.front();
      todo.pop_front();
      const auto trace = traces_[at];
      check(at.first, at.second, trace);
      for (Symbol s = 0; s < order_.operations.size(); ++s) {
        const std::int32_t r = role_.step(at.first, s);
        const std::int32_t i = step_offered(at.second, s);
        if (r == Automaton::kNone || i == Automaton::kNone || traces_.contains({r, i})) continue;
        auto longer = trace;
        longer.push_back(order_.operations[s]);
        traces_[{r, i}] = std::move(longer);
        todo.emplace_back(r, i);
      }
    }
  }

 private:
  std::int32_t step_offered(std::int32_t state, Symbol symbol) const {
    const Symbol own = offered_symbols_[symbol];
    return own == UINT32_MAX ? Automaton::kNone : offered_.step(state, own);
  }
  void add(const char* rule, std::string text, std::vector<std::string> trace) {
    if (!seen_.insert(std::string(rule) + text).second) return;
    reasons_.push_back({rule, std::move(text), std::move(trace)});
  }

  void check(std::int32_t r, std::int32_t i, const std::vector<std::string>& trace) {
    bool role_inputs = false, role_outputs = false, offered_outputs = false;
    for (Symbol s = 0; s < order_.operations.size(); ++s) {
      const bool in_role = role_.step(r, s) != Automaton::kNone;
      const bool in_offered = step_offered(i, s) != Automaton::kNone;
      auto with = trace;
      with.push_back(order_.operations[s]);
      if (!order_.is_output[s]) {
        role_inputs |= in_role;
        if (in_role && !in_offered)
          add("R1",
              fmt::format("the Role may be sent '{}' where the Interface does not accept it",
                          order_.operations[s]),
              with);
      } else {
        role_outputs |= in_role;
        offered_outputs |= in_offered;
        if (in_offered && !in_role)
          add("R2",
              fmt::format("the Interface may start '{}' where the Role forbids it",
                          order_.operations[s]),
              with);
      }
    }
    for (const auto& [name, symbol] : foreign_outputs_) {
      if (offered_.step(i, symbol) == Automaton::kNone) continue;
      offered_outputs = true;
      auto with = trace;
      with.push_back(name);
      add("R2", fmt::format("the Interface may start '{}', which the Role does not know", name),
          with);
    }
    const bool role_ends = role_.accepting[static_cast<std::size_t>(r)];
    const bool offered_ends = offered_.accepting[static_cast<std::size_t>(i)];
    if (role_ends && !role_inputs && !role_outputs && !offered_ends) {
      add("R3", "the Role is over here, but the Interface is not", trace);
    } else if (role_ends && !role_inputs && role_outputs && !offered_ends && !offered_outputs) {
      add("R3", "the Role may end or go on by itself here, the Interface does neither", trace);
    }
    if (role_ends && role_inputs && !offered_ends)
      add("R4", "the partner may stop here, but the Interface waits for more", trace);
    if (!role_ends && role_outputs && (!offered_outputs || offered_ends)) {
      add("R5",
          offered_ends ? "the Role must go on here, but the Interface may end"
                       : "the Role must start something here, but the Interface starts nothing",
          trace);
    }
  }

  const Automaton& offered_;
  const Automaton& role_;
  const RoleOrder& order_;
  std::vector<Symbol> offered_symbols_;
  std::vector<std::pair<std::string, Symbol>>
      foreign_outputs_;  ///< what the Interface may start and the Role does not know
  std::vector<Reason>& reasons_;
  std::map<std::pair<std::int32_t, std::int32_t>, std::vector<std::string>> traces_;
  std::set<std::string> seen_;
};

}  // namespace

void check_message(const pb::Descriptor& sent, const pb::Descriptor& expected,
                   const std::string& where, std::vector<Reason>& reasons) {
  MessageCheck(reasons).run(sent, expected, where);
}

Verdict check_order(const CompiledInterface& offered, const RoleOrder& order,
                    const CompiledInterface& required) {
  Verdict verdict;
  check_signatures(offered, order, required, verdict.reasons);
  verdict.order_compared = offered.automaton().has_value();
  if (!verdict.order_compared) return verdict;
  std::vector<Reason> found;
  OrderCheck(offered, order, found).run();
  std::stable_sort(found.begin(), found.end(),
                   [](const Reason& a, const Reason& b) { return a.rule < b.rule; });
  verdict.reasons.insert(verdict.reasons.end(), found.begin(), found.end());
  return verdict;
}

std::vector<Reason> check_order_alone(const Automaton& offered, const RoleOrder& order) {
  std::vector<Reason> found;
  OrderCheck(offered, order, found).run();
  std::stable_sort(found.begin(), found.end(),
                   [](const Reason& a, const Reason& b) { return a.rule < b.rule; });
  return found;
}

Result<Verdict> check_role(const CompiledInterface& offered,
                           const hector::type::v1::Binding& binding, std::uint32_t role,
                           const CompiledInterface& required) {
  auto order = HECTOR_TRY(role_order(binding, role));
  Verdict verdict = check_order(offered, order, required);
  check_contract(offered, binding, role, required, verdict.reasons);
  return verdict;
}

Result<Verdict> check_replacement(const CompiledInterface& newer, const CompiledInterface& older) {
  RoleOrder order;
  for (const auto* list : {&older.operations(), &older.initiates()}) {
    for (const auto& operation : *list) {
      order.operations.push_back(operation.name);
      order.is_output.push_back(list == &older.initiates());
    }
  }
  if (older.automaton()) {
    order.automaton = *older.automaton();
  } else {  // any order: one state that everything leads back to
    for (Symbol s = 0; s < order.operations.size(); ++s) order.automaton.symbols.push_back(s);
    order.automaton.next = {std::vector<std::int32_t>(order.operations.size(), 0)};
    order.automaton.accepting = {true};
  }
  Verdict verdict = check_order(newer, order, older);
  check_contract(newer, older, verdict.reasons);
  return verdict;
}

Error incompatible(const std::string& what, const Verdict& verdict) {
  Error error{Code::kFailedPrecondition, what, std::string(kIncompatible), {}, {}};
  for (const auto& reason : verdict.reasons) {
    std::string text = reason.rule + ": " + reason.text;
    if (reason.rule.starts_with('R'))
      text += fmt::format(" (trace: {})", reason.trace.empty()
                                              ? "at the start"
                                              : fmt::format("{}", fmt::join(reason.trace, " ; ")));
    error.reasons.push_back(std::move(text));
  }
  return error;
}

}  // namespace hector::types

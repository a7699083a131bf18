// What: the OMG constraint and preference languages (formal/00-06-27, appendix B): parsed once, evaluated on properties.
// Why: a role says what it needs in one line.
// Who: the Trader.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "hector/result.h"

namespace hector::trading {

using Value = std::variant<std::monostate, bool, double, std::string, std::vector<std::string>>;
using Properties = std::map<std::string, Value>;

/// A JSON scalar or list of strings; a bare word counts as a string.
Value value_of_json(const std::string& json);

struct Node;

/// Immutable; any thread. Undefined operands follow Kleene: unknown, and only TRUE matches.
class Constraint {
 public:
  static constexpr std::size_t kOctetsMax = 16 * 1024;
  static constexpr std::size_t kDepthMax = 100;
  /// Empty: everything matches. INVALID_ARGUMENT (IllegalConstraint) with the column.
  static Result<Constraint> parse(const std::string& text);
  [[nodiscard]] bool matches(const Properties& properties) const;

 private:
  std::shared_ptr<const Node> root_;
};

/// "max E", "min E", "with C", "random", "first", or empty.
class Preference {
 public:
  enum class Kind { kFirst, kRandom, kMax, kMin, kWith };
  static Result<Preference> parse(const std::string& text);
  [[nodiscard]] Kind kind() const { return kind_; }
  /// For max, min and with: the number to order by; nothing if it cannot be evaluated (then the offer comes last).
  [[nodiscard]] std::optional<double> rank(const Properties& properties) const;

 private:
  Kind kind_ = Kind::kFirst;
  std::shared_ptr<const Node> root_;
};

}  // namespace hector::trading

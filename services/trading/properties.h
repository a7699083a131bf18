// What: Properties, an offer's values in two blocks of memory; and how they come out of JSON and
// fit declared types.
// Why: a million offers are searched in memory.
// Who: Offers, the Trader.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "expression/program.h"
#include "hector/result.h"
#include "hector/service/v1/trading.pb.h"

namespace hector::trading {

namespace v1 = hector::service::v1;
using expression::Declared;
using expression::Value;

using NameId = std::uint32_t;

/// Property names as numbers. One thread at a time adds.
class Names {
 public:
  NameId of(const std::string& name) {
    return numbers_.try_emplace(name, static_cast<NameId>(numbers_.size())).first->second;
  }
  [[nodiscard]] std::size_t size() const noexcept { return numbers_.size(); }
  static constexpr NameId kNone = UINT32_MAX;  ///< a name that no offer has
  [[nodiscard]] NameId find(const std::string& name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? kNone : found->second;
  }

 private:
  std::unordered_map<std::string, NameId> numbers_;
};

class Properties {
 public:
  struct Each {
    NameId name;
    Value value;
  };
  Properties() = default;
  /// INVALID_ARGUMENT (PropertyTypeMismatch): a value that is no JSON scalar or list of scalars.
  static Result<Properties> of(const google::protobuf::Map<std::string, std::string>& values,
                               Names& names);
  [[nodiscard]] Value get(NameId name) const noexcept {
    for (const auto& each : values_) {
      if (each.name == name) return each.value;
    }
    return {};
  }
  void prefetch() const noexcept {
    const char* const memory = reinterpret_cast<const char*>(values_.data());
    for (std::size_t at = 0; at < values_.size() * sizeof(Each); at += 64)
      __builtin_prefetch(memory + at);
    __builtin_prefetch(memory_.get());
  }
  [[nodiscard]] const std::vector<Each>& all() const noexcept { return values_; }

 private:
  std::vector<Each> values_;
  std::unique_ptr<char[]> memory_;  ///< texts and list items
};

/// "long", "sequence<string>", as OMG's IDL names them; kUndefined if it is none that constraints
/// can use.
Declared declared_of(std::string_view type);
bool is_property_type(std::string_view type);
bool fits(const Value& value, std::string_view type);

}  // namespace hector::trading

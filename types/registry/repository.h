// What: the types this capsule knows, by id.
// Why: templates bring Interfaces, people load Binding types, other capsules' types arrive with
// their descriptions. A type never changes under its id, so what was decided about it stays true.
// Who: the kernel; load_type_models().
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <vector>

#include "types/check/conformance.h"
#include "types/model/interaction_type.h"

namespace hector::types {

/// The origin of types that need no file.
inline constexpr const char* kBuiltIn = "built in";

/// Any thread.
class Repository {
 public:
  /// Reads a type file and adds its types; their ids. Nothing is added if any of them is wrong:
  /// INVALID_ARGUMENT with the place, kIncompatible for a Binding type that cannot work,
  /// ALREADY_EXISTS for another type of an id that is there. `origin` as in origin(); empty: the
  /// path, or the name.
  Result<std::vector<std::string>> load_file(const std::string& path,
                                             const std::string& origin = {});
  Result<std::vector<std::string>> load_text(const std::string& yaml, const std::string& name,
                                             const std::string& folder,
                                             const std::string& origin = {});
  /// ALREADY_EXISTS if another type of this id is there: types do not change, they get a new major.
  Result<CompiledPtr> add(hector::type::v1::Interface model, const std::string& origin = {});
  Status add(const hector::type::v1::Binding& binding, const std::string& origin = {});
  /// Where a type came from first, for people: "built in", "template greeter.py". Empty where
  /// nobody said it.
  [[nodiscard]] std::string origin(const std::string& id) const;
  [[nodiscard]] Result<CompiledPtr> interface(const std::string& id) const;
  [[nodiscard]] Result<hector::type::v1::Binding> binding(const std::string& id) const;
  /// check_role(), remembered. `binding` is one of this repository's.
  [[nodiscard]] std::shared_ptr<const Result<Conformance>> conformance(
      const CompiledPtr& offered, const hector::type::v1::Binding& binding, std::uint32_t role,
      const CompiledPtr& required) const;
  [[nodiscard]] std::vector<CompiledPtr> interfaces() const;
  [[nodiscard]] std::vector<hector::type::v1::Binding> bindings() const;
  /// Custom ones: the standard ones and those loaded.
  [[nodiscard]] std::vector<hector::type::v1::InteractionType> interaction_types() const;

 private:
  mutable std::mutex mutex_;
  std::map<std::string, CompiledPtr> interfaces_;
  std::map<std::string, hector::type::v1::Binding> bindings_;
  std::map<std::string, hector::type::v1::InteractionType> interaction_types_;
  std::map<std::string, std::string> origins_;  ///< by id
  class Load;
  struct Known {
    CompiledPtr offered, required;  ///< held, so that their addresses are not used again
    std::shared_ptr<const Result<Conformance>> conformance;
  };
  using Question = std::tuple<const void*, const void*, std::uint32_t, std::uint32_t, std::string>;
  /// Then all are forgotten. A hundred capsules of a hundred Interfaces ask as many questions.
  static constexpr std::size_t kConformancesMax = 10'000;
  mutable std::map<Question, Known> conformances_;
};

std::string binding_id(const hector::type::v1::Binding& binding);

}  // namespace hector::types

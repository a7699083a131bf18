// What: StepFields, one step of a trial as JSON, read field by field.
// Why: a step with a field missing, misspelt, given twice or of another form is no step, and that
// is said before anything is done.
// Who: Trial; fuzzed.
#pragma once

#include <boost/json/object.hpp>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "hector/result.h"

namespace hector::privacy {

/// Error::type of a line that is no step.
inline constexpr std::string_view kNoStep = "hector.NoStep";
tl::unexpected<Error> no_step(std::string message);

/// A step's name and its body. NoStep.
struct Step {
  std::string name;
  boost::json::value body;
};
Result<Step> read_step(std::string_view line);

/// One at a time. Each reader: NoStep where the field is missing or of another form.
class StepFields {
 public:
  /// What step N printed under a name; none: it printed no such thing.
  using Printed =
      std::function<std::optional<std::string>(std::size_t step, std::string_view name)>;
  StepFields(const boost::json::object& fields, std::string place, const Printed& printed)
      : fields_(fields), place_(std::move(place)), printed_(printed) {}

  Result<std::string> text(std::string_view name);
  Result<std::vector<std::string>> texts(std::string_view name);
  Result<std::int64_t> integer(std::string_view name);
  Result<std::optional<std::string>> optional_text(std::string_view name);
  /// False where it is left out.
  Result<bool> flag(std::string_view name);
  /// Base64.
  Result<std::string> octets(std::string_view name);
  Result<std::optional<std::string>> optional_octets(std::string_view name);
  /// Base64, or "$N".
  Result<std::string> octets_or_printed(std::string_view name);
  /// Octets, or {service, path, rev} as octets; end() refuses a negative rev.
  Result<std::string> associated_data(std::string_view name);
  /// Empty where it is left out.
  Result<boost::json::object> optional_object(std::string_view name);
  /// An integer in a range; end() refuses another one.
  struct Range {
    std::int64_t least, most;
  };
  Result<std::optional<std::int64_t>> optional_integer(std::string_view name, Range range);
  /// After all others: NoStep where there is a field that nothing asked for; INVALID_ARGUMENT for
  /// the first value that is none, although it has the form.
  Status end() const;

 private:
  void refuse_at_end(std::string text);
  const boost::json::value* find(std::string_view name);
  Result<const boost::json::value*> need(std::string_view name);
  tl::unexpected<Error> wrong(std::string_view name, std::string_view form) const;
  const boost::json::object& fields_;
  std::string place_;
  const Printed& printed_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> refused_;
};

/// length ‖ service ‖ length ‖ path ‖ rev: lengths in 4 octets, rev in 8, big endian.
std::string octets_of_place(std::string_view service, std::string_view path, std::uint64_t rev);

}  // namespace hector::privacy

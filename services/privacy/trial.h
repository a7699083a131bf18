// What: Trial, keysets and age files on an empty state in memory, driven by lines of JSON.
// Why: what a keyset would do is seen before anything runs, and other implementations are compared
// with this one; it is the service's own code, there is no second one.
// Who: the servant's try_steps (`hector privacy try`).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "keyring.h"
#include "step_fields.h"

namespace hector::privacy {

inline constexpr std::size_t kStepOctetsMax = std::size_t{64} << 20;
/// Octets that steps printed and that "$N" may ask for.
inline constexpr std::size_t kPrintedOctetsMax = std::size_t{1} << 30;

/// One at a time.
class Trial {
 public:
  Trial() = default;
  Trial(const Trial&) = delete;
  Trial& operator=(const Trial&) = delete;
  ~Trial();
  /// The answer to one step, a line of JSON; a refusal is an answer. NoStep: the line is none.
  Result<std::string> run(std::string_view line);

 private:
  using Answer = Result<boost::json::object>;
  using Run = Answer (Trial::*)(StepFields&);
  static const std::map<std::string, Run, std::less<>>& steps();
  Answer run_step(const Step& step);
  Answer create_keyset(StepFields& fields);
  Answer rotate(StepFields& fields);
  Answer encrypt(StepFields& fields);
  Answer decrypt(StepFields& fields);
  Answer rewrap(StepFields& fields);
  template <Status (Keyset::*change)(std::int64_t)>
  Answer change_version(StepFields& fields);
  Answer destroy(StepFields& fields);
  Answer make_data_key(StepFields& fields);
  Answer unwrap(StepFields& fields);
  Answer sign(StepFields& fields);
  Answer verify(StepFields& fields);
  Answer seal(StepFields& fields);
  Answer open(StepFields& fields);
  Answer shred(StepFields& fields);
  Answer advance(const boost::json::value& seconds);
  boost::json::value printable(std::string_view name, std::string octets);
  /// What the fields say of the octets and where they belong.
  struct Given {
    Place place;
    std::string octets;
  };
  Result<Given> read_given(StepFields& fields, std::string_view octets);

  Keyring keyring_;
  std::vector<std::map<std::string, std::string, std::less<>>> printed_;
  std::size_t printed_octets_ = 0;
  StepFields::Printed find_printed_ = [this](std::size_t step,
                                             std::string_view name) -> std::optional<std::string> {
    if (step >= printed_.size()) return std::nullopt;  // the last one is the step itself
    const auto found = printed_[step - 1].find(name);
    if (found == printed_[step - 1].end()) return std::nullopt;
    return found->second;
  };
};

}  // namespace hector::privacy

// What: Decisions, what was decided since rights last changed, by its question.
// Why: the same question is asked again for each call that enters; its answer is the same until a
// policy or an entity changes.
// Who: Authorisation.
#pragma once

#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "hector/service/v1/policy.pb.h"

namespace hector::policy {

namespace v1 = hector::service::v1;

/// Any thread. What was not asked for longest is forgotten first.
class Decisions {
 public:
  /// Two generations of so many are kept.
  static constexpr std::size_t kGenerationMax = 4'096;
  /// Of a question and its answer; larger ones are decided each time.
  static constexpr std::size_t kOctetsMax = 4'096;

  static std::string key_of(const v1::PolicyAuthorisation& asked);
  [[nodiscard]] std::optional<v1::PolicyDecision> find(const std::string& key);
  void put(std::string key, const v1::PolicyDecision& decision);
  void clear();
  [[nodiscard]] std::size_t size() const;

 private:
  using Generation = std::unordered_map<std::string, v1::PolicyDecision>;
  void put_young(std::string key, const v1::PolicyDecision& decision);

  mutable std::mutex mutex_;
  Generation young_, old_;  ///< under mutex_
};

}  // namespace hector::policy

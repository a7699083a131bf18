// What: Decisions, what was decided since rights last changed, by its question.
// Why: the same question is asked again for each call that enters.
// Who: Authorisation.
#include "decisions.h"

#include "hector/check.h"

namespace hector::policy {

std::string Decisions::key_of(const v1::PolicyAuthorisation& asked) {
  std::string key;
  key.reserve(asked.principal().size() + asked.action().size() + asked.resource().size() +
              asked.context().size() + 4 * sizeof(std::size_t));
  for (const auto* part :
       {&asked.principal(), &asked.action(), &asked.resource(), &asked.context()}) {
    const std::size_t size = part->size();
    key.append(reinterpret_cast<const char*>(&size), sizeof size).append(*part);
  }
  return key;
}

std::optional<v1::PolicyDecision> Decisions::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  if (const auto found = young_.find(key); found != young_.end()) return found->second;
  const auto found = old_.find(key);
  if (found == old_.end()) return std::nullopt;
  const v1::PolicyDecision decision = found->second;
  put_young(key, decision);
  return decision;
}

void Decisions::put(std::string key, const v1::PolicyDecision& decision) {
  if (key.size() + decision.ByteSizeLong() > kOctetsMax) return;
  const std::lock_guard lock(mutex_);
  put_young(std::move(key), decision);
}

void Decisions::put_young(std::string key, const v1::PolicyDecision& decision) {
  if (young_.size() >= kGenerationMax) {
    old_ = std::move(young_);
    young_.clear();
  }
  young_.emplace(std::move(key), decision);
  HECTOR_CHECK(young_.size() <= kGenerationMax, "more decisions are kept than may be");
}

void Decisions::clear() {
  const std::lock_guard lock(mutex_);
  young_.clear();
  old_.clear();
}

std::size_t Decisions::size() const {
  const std::lock_guard lock(mutex_);
  return young_.size() + old_.size();
}

}  // namespace hector::policy

// What: Peers, services of the same kind in other capsules, called by reference.
// Why: naming and trading go on where another one begins; finding it may block, and is done once.
// Who: Naming, Trading.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "hector/capsule.h"

namespace hector::state {

/// Any thread.
class Peers {
 public:
  static constexpr std::size_t kMax = 1'000;  ///< then all are forgotten
  /// `object` of Interface `interface_id` is the service in a capsule that is given without it.
  Peers(Capsule& handle, std::string object, std::string interface_id)
      : handle_(handle), object_(std::move(object)), interface_id_(std::move(interface_id)) {}
  /// A "hector:" reference to the service, or to anything else of its capsule. May block. Owners:
  /// this table, until it forgets, and those that start a call on it now.
  Result<std::shared_ptr<Target>> at(const std::string& text) {
    {
      const std::lock_guard lock(mutex_);
      if (const auto found = targets_.find(text); found != targets_.end()) return found->second;
    }
    auto reference = HECTOR_TRY(Reference::from_text(text));
    if (reference.interface_id != interface_id_ && !object_.empty()) {
      reference = reference.for_object(object_, interface_id_);
    }
    auto target = HECTOR_TRY(handle_.resolve(reference.text()));
    const std::lock_guard lock(mutex_);
    if (targets_.size() >= kMax) targets_.clear();
    return targets_[text] = std::move(target);
  }
  /// It is looked for again next time.
  void forget(const std::string& text) {
    const std::lock_guard lock(mutex_);
    targets_.erase(text);
  }

 private:
  Capsule& handle_;
  const std::string object_, interface_id_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<Target>> targets_;
};

}  // namespace hector::state

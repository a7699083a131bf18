// What: the Offers of this capsule: which Object offers which Interface, and how it is reached.
// Why: calls arrive for an Offer; references are made from it; admission counts its sessions.
// Who: inbound calls, the coordinator, management.
#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "dispatch/object_host.h"
#include "hector/reference.h"
#include "types/compiled_interface.h"

namespace hector {

struct Offer {
  std::uint64_t id = 0;
  std::string object;
  std::string principal;
  types::CompiledPtr interface;
  std::shared_ptr<ObjectHost> host;
  std::atomic<std::uint32_t> sessions{0};
  std::string trader_id;  ///< guarded by the table
  std::map<std::string, std::string> properties;
  bool is_system = false;  ///< the kernel's own: not shown among Objects' offers unless asked
};
using OfferPtr = std::shared_ptr<Offer>;

/// Any thread.
class OfferTable {
 public:
  /// ALREADY_EXISTS if the Object's name is taken.
  Status add(const OfferPtr& offer);
  OfferPtr remove(const std::string& object);
  [[nodiscard]] OfferPtr find(std::uint64_t id) const;
  [[nodiscard]] OfferPtr find_object(const std::string& object) const;
  /// By Interface name, where exactly one Object offers it; the error names them all otherwise.
  [[nodiscard]] Result<OfferPtr> find_interface(const std::string& interface_name) const;
  [[nodiscard]] std::vector<OfferPtr> all() const;
  /// Admission: RESOURCE_EXHAUSTED over the Interface's sessions.
  static Status reserve(Offer& offer);
  static void release(Offer& offer) { offer.sessions.fetch_sub(1); }

 private:
  mutable std::shared_mutex mutex_;
  std::unordered_map<std::uint64_t, OfferPtr> by_id_;
  std::map<std::string, OfferPtr> by_object_;
};

}  // namespace hector

// What: the Offers of this capsule: which Object offers which Interface, and how it is reached.
// Why: calls arrive for an Offer; references are made from it; admission counts its sessions.
// Who: inbound calls, the coordinator, management.
#pragma once

#include <atomic>
#include <boost/unordered/unordered_flat_map.hpp>
#include <boost/unordered/unordered_flat_set.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "hector/reference.h"
#include "objects/object_host.h"
#include "types/model/compiled_interface.h"

namespace hector {

struct Offer {
  std::uint64_t id = 0;
  std::string object;
  std::string principal;
  types::CompiledPtr interface;
  std::shared_ptr<ObjectHost> host;
  std::atomic<std::uint32_t> sessions{0};
  /// What the Trader was told; most Offers have none, and there may be a hundred thousand.
  struct Advertised {
    std::string trader_id;
    std::map<std::string, std::string> properties;
  };
  std::unique_ptr<Advertised> advertised;
  [[nodiscard]] const std::map<std::string, std::string>& properties() const {
    static const std::map<std::string, std::string> kNone;
    return advertised ? advertised->properties : kNone;
  }
  Advertised& advertise() {
    if (!advertised) advertised = std::make_unique<Advertised>();
    return *advertised;
  }
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
  /// By name.
  [[nodiscard]] std::vector<OfferPtr> all() const;
  /// Admission: RESOURCE_EXHAUSTED over the Interface's sessions.
  static Status reserve(Offer& offer);
  static void release(Offer& offer) { offer.sessions.fetch_sub(1); }

 private:
  mutable std::shared_mutex mutex_;
  struct ByName {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
    std::size_t operator()(const OfferPtr& offer) const noexcept {
      return (*this)(std::string_view(offer->object));
    }
    bool operator()(const OfferPtr& a, const OfferPtr& b) const noexcept {
      return a->object == b->object;
    }
    bool operator()(std::string_view a, const OfferPtr& b) const noexcept { return a == b->object; }
    bool operator()(const OfferPtr& a, std::string_view b) const noexcept { return a->object == b; }
  };
  boost::unordered_flat_map<std::uint64_t, OfferPtr> by_id_;
  boost::unordered_flat_set<OfferPtr, ByName, ByName> by_object_;
};

}  // namespace hector

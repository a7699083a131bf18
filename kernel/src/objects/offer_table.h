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

/// What the Trader is told of an Offer, values as JSON scalars. Most Offers have none, and a
/// capsule may have a hundred thousand: it is one pointer until the first property comes. Any
/// thread.
class OfferProperties {
 public:
  using Map = std::map<std::string, std::string>;
  OfferProperties() = default;
  OfferProperties(const OfferProperties&) = delete;
  OfferProperties& operator=(const OfferProperties&) = delete;
  ~OfferProperties() { delete held_.load(); }

  /// A copy: another thread may merge at any time.
  [[nodiscard]] Map get() const;
  /// These replace those of the same names.
  void merge(const Map& given);

 private:
  struct Held {
    std::mutex mutex;
    Map map;
  };
  std::atomic<Held*> held_{nullptr};
};

struct Offer {
  /// "capsule:north" for the kernel's own Objects, "capsule:north/ana" for 'ana'. Written into a
  /// string that is used again it allocates nothing.
  void write_principal(std::string& out) const {
    out.assign(*capsule_principal);
    if (!is_system) out.append("/").append(object);
  }
  [[nodiscard]] std::string principal() const {
    std::string text;
    write_principal(text);
    return text;
  }

  std::uint64_t id = 0;
  std::string object;
  std::shared_ptr<const std::string> capsule_principal;  ///< owners: all Offers of the capsule
  types::CompiledPtr interface;
  std::shared_ptr<ObjectHost> host;
  OfferProperties properties;
  std::atomic<std::uint32_t> sessions{0};
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
  [[nodiscard]] std::size_t size() const;
  /// In no order; `visit` asks nothing of this table.
  template <class Visit>
  void each(Visit&& visit) const {
    const std::shared_lock lock(mutex_);
    for (const auto& offer : by_object_) visit(offer);
  }
  /// Admission: RESOURCE_EXHAUSTED over the Interface's sessions.
  static Status reserve(Offer& offer);
  static void release(Offer& offer);

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

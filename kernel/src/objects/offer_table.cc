#include "objects/offer_table.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/nearest.h"
#include "hector/check.h"

namespace hector {

OfferProperties::Map OfferProperties::get() const {
  Held* const held = held_.load(std::memory_order_acquire);
  if (held == nullptr) return {};
  const std::lock_guard lock(held->mutex);
  return held->map;
}

void OfferProperties::merge(const Map& given) {
  if (held_.load(std::memory_order_acquire) == nullptr) {
    auto made = std::make_unique<Held>();
    Held* none = nullptr;
    if (held_.compare_exchange_strong(none, made.get(), std::memory_order_acq_rel))
      static_cast<void>(made.release());
  }
  Held& held = *held_.load(std::memory_order_acquire);
  const std::lock_guard lock(held.mutex);
  for (const auto& [name, value] : given) held.map[name] = value;
}

Status OfferTable::add(const OfferPtr& offer) {
  const std::unique_lock lock(mutex_);
  if (!by_object_.insert(offer).second) {
    return fail(
        Code::kAlreadyExists,
        fmt::format("an Object named '{}' exists in this capsule; choose another name or delete it",
                    offer->object));
  }
  const bool is_new = by_id_.emplace(offer->id, offer).second;
  HECTOR_CHECK(is_new, "two Offers have one id");
  return {};
}

OfferPtr OfferTable::remove(const std::string& object) {
  const std::unique_lock lock(mutex_);
  const auto found = by_object_.find(std::string_view(object));
  if (found == by_object_.end()) return nullptr;
  OfferPtr offer = *found;
  by_object_.erase(found);
  const auto erased = by_id_.erase(offer->id);
  HECTOR_CHECK(erased == 1, "an Offer is known by its Object's name and not by its id");
  return offer;
}

OfferPtr OfferTable::find(std::uint64_t id) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? nullptr : found->second;
}

OfferPtr OfferTable::find_object(const std::string& object) const {
  const std::shared_lock lock(mutex_);
  const auto found = by_object_.find(std::string_view(object));
  return found == by_object_.end() ? nullptr : *found;
}

Result<OfferPtr> OfferTable::find_interface(const std::string& interface_name) const {
  const std::shared_lock lock(mutex_);
  OfferPtr only;
  std::vector<std::string> objects;
  std::vector<std::string> interfaces;
  for (const auto& offer : by_object_) {
    if (!offer->interface) continue;
    interfaces.push_back(offer->interface->name());
    if (offer->interface->name() != interface_name) continue;
    only = offer;
    objects.push_back(offer->object);
  }
  if (objects.empty()) {
    return fail(Code::kUnimplemented, fmt::format("no Object here offers {}{}", interface_name,
                                                  nearest_hint(interface_name, interfaces)));
  }
  std::sort(objects.begin(), objects.end());
  if (objects.size() > 1) {
    return fail(
        Code::kFailedPrecondition,
        fmt::format("several Objects offer {}: name one in the metadata key hector-object: {}",
                    interface_name, fmt::join(objects, ", ")));
  }
  return only;
}

std::vector<OfferPtr> OfferTable::all() const {
  std::vector<OfferPtr> offers;
  {
    const std::shared_lock lock(mutex_);
    offers.assign(by_object_.begin(), by_object_.end());
  }
  std::sort(offers.begin(), offers.end(),
            [](const OfferPtr& a, const OfferPtr& b) { return a->object < b->object; });
  return offers;
}

std::size_t OfferTable::size() const {
  const std::shared_lock lock(mutex_);
  return by_object_.size();
}

Status OfferTable::reserve(Offer& offer) {
  const std::uint32_t limit = offer.interface->typed_model().concurrency().sessions_max();
  std::uint32_t now = offer.sessions.load();
  do {
    if (limit != 0 && now >= limit) {
      return fail(Code::kResourceExhausted, fmt::format("'{}' has {} sessions, the limit of {}",
                                                        offer.object, now, offer.interface->id()));
    }
  } while (!offer.sessions.compare_exchange_weak(now, now + 1));
  return {};
}

void OfferTable::release(Offer& offer) {
  const auto before = offer.sessions.fetch_sub(1);
  HECTOR_CHECK(before != 0, "a session of an Offer is released more often than reserved");
}

}  // namespace hector

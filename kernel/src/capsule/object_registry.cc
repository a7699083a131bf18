#include "capsule/object_registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"

namespace hector {

ObjectRegistry::~ObjectRegistry() = default;

Result<ObjectRecord*> ObjectRegistry::reserve(const std::string& name, Origin origin) {
  if (name.empty()) return fail(Error::invalid_argument("an Object needs a name"));
  auto record = std::make_unique<ObjectRecord>();
  record->name_taken = std::make_unique<const std::string>(name);
  record->is_adopted = origin.from == nullptr;
  record->origin = record->is_adopted ? origin.owner : origin.from;
  record->made = std::move(origin.made);
  const std::lock_guard lock(mutex_);
  if (const auto* const taken = find(name)) return fail(Error::already_exists(not_free(*taken)));
  if (offers_.find_object(name))
    return fail(Error::already_exists(fmt::format(
        "an Object named '{}' exists in this capsule; choose another name or delete it", name)));
  const auto [at, is_new] = by_name_.insert(std::move(record));
  HECTOR_CHECK(is_new, "two Objects have one name");
  return at->get();
}

ObjectRecord* ObjectRegistry::find(std::string_view name) const {
  const auto found = by_name_.find(name);
  return found == by_name_.end() ? nullptr : found->get();
}

std::unique_ptr<ObjectRecord> ObjectRegistry::take_by_name(const ObjectRecord& record) {
  const auto found = by_name_.find(std::string_view(record.name()));
  HECTOR_CHECK(found != by_name_.end() && found->get() == &record,
               "an Object has lost its name before its life has ended");
  auto node = std::move(const_cast<std::unique_ptr<ObjectRecord>&>(*found));
  by_name_.erase(found);
  return node;
}

std::string ObjectRegistry::not_free(const ObjectRecord& record) const {
  if (record.state == ObjectState::kBeingMade)
    return fmt::format(
        "an Object named '{}' is being made in this capsule; choose another name, or wait and "
        "delete it",
        record.name());
  return fmt::format(
      "an Object named '{}' exists in this capsule; choose another name or delete it",
      record.name());
}

Status ObjectRegistry::commit(ObjectRecord& record, const OfferPtr& offer) {
  HECTOR_CHECK(offer != nullptr && offer->object == record.name(),
               "an Object is committed with another one's Offer");
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(record.state == ObjectState::kBeingMade, "an Object is committed twice");
  HECTOR_TRY(offers_.add(offer));
  record.offer = offer;
  record.name_taken.reset();
  record.state = ObjectState::kServing;
  return {};
}

void ObjectRegistry::abandon(ObjectRecord& record) {
  std::unique_ptr<ObjectRecord> gone;  // its handle is destroyed outside the lock
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(record.state == ObjectState::kBeingMade, "an Object that serves is abandoned");
  gone = take_by_name(record);
}

ObjectRecord* ObjectRegistry::retire(const OfferPtr& offer) {
  const std::lock_guard lock(mutex_);
  ObjectRecord* const found = find(offer->object);
  if (found == nullptr || found->offer != offer) return nullptr;
  ObjectRecord& record = *found;
  HECTOR_CHECK(record.state == ObjectState::kServing, "an Object that does not serve has an Offer");
  const OfferPtr removed = offers_.remove(record.name());
  HECTOR_CHECK(removed == offer, "the OfferTable has another Offer of an Object's name");
  record.state = ObjectState::kRetiring;
  leaving_.push_back(take_by_name(record));
  return &record;
}

std::unique_ptr<ObjectRecord> ObjectRegistry::take_from_leaving(const ObjectRecord& record) {
  const auto found = std::find_if(leaving_.begin(), leaving_.end(),
                                  [&](const auto& each) { return each.get() == &record; });
  HECTOR_CHECK(found != leaving_.end(), "an Object ends that was not retired");
  auto taken = std::move(*found);
  leaving_.erase(found);
  return taken;
}

void ObjectRegistry::destroy(ObjectRecord& record) {
  std::unique_ptr<ObjectRecord> gone;  // its handle is destroyed outside the lock
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(record.state == ObjectState::kRetiring, "an Object is destroyed before it retires");
  gone = take_from_leaving(record);
}

void ObjectRegistry::keep(ObjectRecord& record) {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(record.state == ObjectState::kRetiring, "an Object is kept before it retires");
  record.state = ObjectState::kKept;
}

std::optional<MadeWith> ObjectRegistry::made_with(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const ObjectRecord* const found = find(name);
  if (found == nullptr || found->state != ObjectState::kServing || found->from() == nullptr)
    return std::nullopt;
  return found->made ? *found->made : MadeWith{};
}

const void* ObjectRegistry::owner_of(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const ObjectRecord* const found = find(name);
  return found == nullptr ? nullptr : found->owner();
}

template <class Visit>
void ObjectRegistry::each_of(const LoadedTemplate& from, Visit visit) const {
  const std::lock_guard lock(mutex_);
  for (const auto& record : by_name_) {
    if (record->from() == &from) visit(*record);
  }
  for (const auto& record : leaving_) {
    if (record->from() == &from) visit(*record);
  }
}

std::vector<std::string> ObjectRegistry::objects_of(const LoadedTemplate& from) const {
  std::vector<std::string> names;
  each_of(from, [&](const ObjectRecord& record) { names.push_back(record.name()); });
  std::sort(names.begin(), names.end());
  return names;
}

std::size_t ObjectRegistry::count_of(const LoadedTemplate& from) const {
  std::size_t count = 0;
  each_of(from, [&](const ObjectRecord&) { ++count; });
  return count;
}

void ObjectRegistry::verify() const {
  const std::lock_guard lock(mutex_);
  for (const auto& record : by_name_) {
    const bool is_serving = record->state == ObjectState::kServing;
    HECTOR_CHECK(is_serving || record->state == ObjectState::kBeingMade,
                 "an Object that retires still has its name");
    HECTOR_CHECK(is_serving == (record->offer != nullptr), "an Object's Offer came early or late");
    HECTOR_CHECK(!is_serving || offers_.find(record->offer->id) == record->offer,
                 "a serving Object's Offer is not in the OfferTable");
  }
  for (const auto& record : leaving_)
    HECTOR_CHECK(record->offer && !offers_.find(record->offer->id),
                 "a retired Object's Offer is in the OfferTable");
}

}  // namespace hector

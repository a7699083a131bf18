#include "capsule/hosting.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector {

std::vector<Hosting::Resident> KernelHosting::residents(const void* owner) const {
  std::vector<Resident> list;
  for (const auto& offer : core_.offers.all()) {
    if (offer->is_system) continue;
    if (const void* const of = registry_.owner_of(offer->object); of == nullptr || of != owner)
      list.push_back({offer->object, offer->interface, offer->properties.get()});
  }
  return list;
}

void KernelHosting::on_change(const void* owner, std::function<void()> changed) {
  std::shared_ptr<Listener> ended;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = listeners_.find(owner); found != listeners_.end()) {
      ended = std::move(found->second);
      listeners_.erase(found);
    }
    if (changed) {
      auto listener = std::make_shared<Listener>();
      listener->changed = std::move(changed);
      listeners_.emplace(owner, std::move(listener));
    }
  }
  if (ended) {
    const std::lock_guard running(ended->mutex);
    ended->changed = nullptr;
  }
}

void KernelHosting::changed() {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  for (const auto& [owner, listener] : listeners_) {
    if (std::exchange(listener->is_due, true)) continue;
    core_.blocking.run([this, listener = listener] { run(*listener); });
  }
}

void KernelHosting::run(Listener& listener) {
  const std::lock_guard running(listener.mutex);
  {
    const std::lock_guard lock(mutex_);
    HECTOR_CHECK(listener.is_due, "a listener runs that nobody asked");
    listener.is_due = false;
  }
  if (listener.changed) listener.changed();
}

void KernelHosting::stop() {
  const std::lock_guard lock(mutex_);
  is_stopped_ = true;
}

Status KernelHosting::adopt(const void* owner, Adopted object) {
  hector::type::v1::Interface model;
  if (!model.ParseFromString(object.model))
    return fail(
        Error::invalid_argument(fmt::format("'{}': its Interface cannot be read", object.name)));
  auto interface = core_.types.add(std::move(model), object.kind + " " + object.name);
  if (!interface) {
    Error error = interface.error();
    if (error.code == Code::kAlreadyExists) error.type = "INTERFACE";
    return fail(std::move(error));
  }
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return fail(Error::unavailable("the capsule stops"));
  }
  CreateOptions options;
  options.name = object.name;
  options.properties = std::move(object.properties);
  const ObjectLifecycle::Adoption adoption{
      .kind = object.kind, .thread = ThreadModel::kPooled, .parallel = true, .owner = owner};
  HECTOR_TRY(objects_.adopt(options, adoption, *interface,
                            [&] { return object.instantiate(*interface); }));
  return {};
}

Result<Reference> KernelHosting::reference_of(const std::string& name) const {
  const OfferPtr offer = core_.offers.find_object(name);
  if (!offer) return fail(Error::not_found(fmt::format("no Object '{}'", name)));
  if (!core_.references.is_reached())
    return fail(Error::unavailable("no protocol of this capsule is reached from another one"));
  return core_.references.of(*offer);
}

Status KernelHosting::dismiss(const std::string& name) {
  const OfferPtr offer = core_.offers.find_object(name);
  if (!offer || offer->is_system)
    return fail(Error::not_found(
        fmt::format("no Object '{}' in capsule '{}'", name, core_.options.capsule)));
  objects_.end(offer, Publication::NameGoes::kAway);
  return {};
}

void KernelHosting::run_blocking(std::function<void()> task) {
  core_.blocking.run(std::move(task));
}

}  // namespace hector

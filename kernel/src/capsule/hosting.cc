#include "capsule/hosting.h"

#include <fmt/format.h>

#include "capsule/kernel_impl.h"

namespace hector {

std::vector<Hosting::Resident> KernelHosting::residents(const void* owner) const {
  std::map<std::string, const void*> adopted;
  {
    const std::lock_guard lock(mutex_);
    adopted = adopted_;
  }
  std::vector<Resident> list;
  for (const auto& offer : kernel_.core().offers.all()) {
    const auto found = adopted.find(offer->object);
    if (!offer->is_system && (found == adopted.end() || found->second != owner))
      list.push_back({offer->object, offer->interface, offer->properties()});
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
  if (stopped_) return;
  for (auto& [owner, listener] : listeners_) {
    if (std::exchange(listener->is_due, true)) continue;
    kernel_.core().blocking.run([this, listener = listener] {
      const std::lock_guard running(listener->mutex);
      {
        const std::lock_guard begun(mutex_);
        listener->is_due = false;
      }
      if (listener->changed) listener->changed();
    });
  }
}

void KernelHosting::gone(const std::string& object) {
  {
    const std::lock_guard lock(mutex_);
    adopted_.erase(object);
  }
  changed();
}

void KernelHosting::stop() {
  const std::lock_guard lock(mutex_);
  stopped_ = true;
}

Status KernelHosting::adopt(const void* owner, Adopted object) {
  hector::type::v1::Interface model;
  if (!model.ParseFromString(object.model))
    return fail(Code::kInvalidArgument,
                fmt::format("'{}': its Interface cannot be read", object.name));
  auto interface = kernel_.core().types.add(std::move(model));
  if (!interface) {
    Error error = interface.error();
    if (error.code == Code::kAlreadyExists) error.type = "INTERFACE";
    return fail(std::move(error));
  }
  {
    const std::lock_guard lock(mutex_);
    if (stopped_) return fail(Code::kUnavailable, "the capsule stops");
    if (!adopted_.emplace(object.name, owner).second)
      return fail(Code::kAlreadyExists, fmt::format("'{}' was adopted already", object.name));
  }
  const auto forget = [&] {
    const std::lock_guard lock(mutex_);
    adopted_.erase(object.name);
  };
  auto servant = object.instantiate(*interface);
  if (!servant) {
    forget();
    return fail(servant.error());
  }
  CreateOptions options;
  options.name = object.name;
  options.properties = std::move(object.properties);
  auto made = kernel_.adopt_object(options, object.kind, *interface, std::move(*servant),
                                   ThreadModel::kPooled, true);
  if (made) return {};
  forget();
  return fail(made.error());
}

Result<Reference> KernelHosting::reference_of(const std::string& name) const {
  const OfferPtr offer = kernel_.core().offers.find_object(name);
  if (!offer) return fail(Code::kNotFound, fmt::format("no Object '{}'", name));
  Reference reference = kernel_.core().reference_of(*offer);
  if (reference.profiles.empty())
    return fail(Code::kUnavailable, "no protocol of this capsule is reached from another one");
  return reference;
}
Status KernelHosting::dismiss(const std::string& name) { return kernel_.delete_object(name); }
void KernelHosting::run_blocking(std::function<void()> task) {
  kernel_.core().blocking.run(std::move(task));
}
Capsule& KernelHosting::handle() { return kernel_.capsule(); }

}  // namespace hector

#include "capsule/service_providers.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector {

namespace {

/// A servant that its Service owns.
class BorrowedServant final : public Servant {
 public:
  explicit BorrowedServant(Servant& servant) : servant_(servant) {}
  void invoke(Call& call) noexcept override { servant_.invoke(call); }

 private:
  Servant& servant_;
};

}  // namespace

Services ServiceProviders::services() const {
  const std::lock_guard lock(mutex_);
  return clients_.services();
}

Status ServiceProviders::embed(const std::string& name, std::unique_ptr<Service> service) {
  HECTOR_CHECK(service != nullptr, "a service is embedded that there is not");
  auto model = HECTOR_TRY(interface_of_model(service->interface_model()));
  auto interface = HECTOR_TRY(core_.types.add(std::move(model), "service " + name));
  const OfferPtr offer = maker_.system(name, kServiceLabel, std::move(interface),
                                       std::make_unique<BorrowedServant>(service->servant()));
  HECTOR_TRY(core_.offers.add(offer));
  {
    const std::lock_guard lock(mutex_);
    const bool is_new = embedded_.emplace(name, std::move(service)).second;
    HECTOR_CHECK(is_new, "two services have one name, and one of them has no Offer");
  }
  return use(name, std::make_unique<LocalTarget>(core_, offer));
}

Status ServiceProviders::join(const std::string& name, const Reference& reference, Find find) {
  const auto interface = HECTOR_TRY(interface_of(name, reference));
  const Reference service = reference.for_object(name, interface->id());
  auto first = HECTOR_TRY(RemoteTarget::make(core_, service, interface));
  auto made = std::make_shared<JoinedService>(core_, name, std::move(first), find);
  auto target = std::make_unique<JoinedTarget>(made);
  {
    const std::lock_guard lock(mutex_);
    joined_[name] = {reference, std::move(find), std::move(made)};
  }
  return use(name, std::move(target));
}

Result<types::CompiledPtr> ServiceProviders::interface_of(const std::string& name,
                                                          const Reference& reference) {
  const std::string known = standard_interface_of(name);
  if (!known.empty()) return core_.types.interface(known);
  return describe_offer(core_, reference.for_object(name, known));
}

void ServiceProviders::join_again() {
  std::map<std::string, Joined> joined;
  {
    const std::lock_guard lock(mutex_);
    joined = joined_;
  }
  for (const auto& [service, there] : joined) {
    if (auto again = join(service, there.reference, there.find); !again)
      core_.options.log->write(Level::kWarning, "service lost",
                               {{"service", service}, {"error", again.error().message}});
  }
}

std::unique_ptr<Target> ServiceProviders::joined(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = joined_.find(name);
  return found == joined_.end() ? nullptr : std::make_unique<JoinedTarget>(found->second.service);
}

Status ServiceProviders::use(const std::string& name, std::unique_ptr<Target> target) {
  return exchange_([&]() -> Status {
    const std::lock_guard lock(mutex_);
    clients_.use(name, std::move(target), {core_.options.clock, core_.options.capsule});
    core_.policies.use(clients_.services().policy);
    core_.rights.use(clients_.services().policy);
    return {};
  });
}

void ServiceProviders::drop(const std::string& name) {
  const std::lock_guard lock(mutex_);
  clients_.drop(name);
  core_.policies.use(clients_.services().policy);
  core_.rights.use(clients_.services().policy);
  joined_.erase(name);
}

Result<Effects> ServiceProviders::unload(const std::string& name, Unload mode) {
  const std::lock_guard one(unload_);  // nobody else ends the service that is asked here
  Service* embedded = nullptr;
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = embedded_.find(name); found != embedded_.end())
      embedded = found->second.get();
    if (embedded == nullptr && !joined_.contains(name))
      return fail(Error::not_found(fmt::format("service '{}' is not loaded", name)));
  }
  Effects lost = embedded != nullptr ? embedded->dependants() : Effects();
  if (!lost.empty() && mode != Unload::kForce)
    return fail(
        Error::failed_precondition(
            fmt::format("service '{}' is used by others; they go on without it with --force", name))
            .with_reasons(std::move(lost)));
  if (mode == Unload::kDryRun)
    return Effects{fmt::format("service {} would end; nobody else has anything in it", name)};
  const OfferPtr offer = core_.offers.remove(name);
  drop(name);
  const auto& clock = *core_.options.clock;
  const bool is_quiet =
      !offer || offer->host->retire(clock.now() + core_.limits.drain_grace.load(), clock);
  if (offer && is_quiet) offer->host->drop_servant();
  std::unique_ptr<Service> gone;  // destroyed without the lock
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = embedded_.find(name); found != embedded_.end()) {
      gone = std::move(found->second);
      embedded_.erase(found);
    }
    if (!is_quiet && gone) kept_.push_back(std::move(gone));
  }
  if (is_quiet) {
    lost.insert(lost.begin(), fmt::format("service {} ended", name));
    return lost;
  }
  core_.options.log->write(Level::kWarning, "a call was still in a service that ended",
                           {{"service", name}});
  return Effects{fmt::format("service {} ended; a call that was in it did not end in time", name)};
}

std::vector<std::pair<std::string, std::string>> ServiceProviders::list() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<std::string, std::string>> list;
  for (const auto& [name, service] : embedded_) list.emplace_back(name, "embedded");
  for (const auto& [name, there] : joined_)
    list.emplace_back(name, "joined to " + there.reference.capsule);
  return list;
}

void ServiceProviders::clear() {
  core_.policies.use(nullptr);
  core_.rights.use(nullptr);
  const std::lock_guard lock(mutex_);
  clients_.clear();
  joined_.clear();
  embedded_.clear();
  kept_.clear();
}

}  // namespace hector

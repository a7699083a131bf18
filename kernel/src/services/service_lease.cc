#include "services/service_lease.h"

#include <utility>

namespace hector {

ServiceLease::ServiceLease(const Surroundings& surroundings, std::string owner, Service service,
                           std::function<void()> lost)
    : on_(surroundings),
      owner_(std::move(owner)),
      service_(std::move(service)),
      lost_(std::move(lost)) {}

ServiceLease::~ServiceLease() { guard_.end(); }

Result<std::uint64_t> ServiceLease::get() {
  const std::lock_guard lock(mutex_);
  auto* const service = service_();
  if (service == nullptr) return 0;
  if (lease_ != 0) return lease_;
  auto opened = service->open_lease(owner_, kTtl);
  if (!opened) {
    if (timer_ == 0) enter_later(opened.error());
    return opened;
  }
  refused_.clear();
  forget();  // the next attempt to enter everything is not needed
  lease_ = *opened;
  do_later(&ServiceLease::renew);
  return opened;
}

void ServiceLease::forget() {
  lease_ = 0;
  if (timer_ != 0) on_.executor.cancel(timer_);
  timer_ = 0;
}

void ServiceLease::close() {
  std::uint64_t lease = 0;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
    forget();
  }
  if (auto* const service = service_(); service != nullptr && lease != 0)
    static_cast<void>(service->close_lease(lease));
}

void ServiceLease::do_later(void (ServiceLease::*step)()) {
  const auto run = [handle = guard_.handle(), step] {
    handle.try_run([&](ServiceLease& self) {  // false: it is ending
      self.on_.blocking.run(
          [handle, step] { handle.run([step](ServiceLease& lease) { (lease.*step)(); }); });
    });
  };
  timer_ = on_.executor.at(on_.clock.now() + kTtl / 3, run);
}

/// The service is not there now, or its disk is full: one record for as long as it says the same.
void ServiceLease::enter_later(const Error& why) {
  if (std::exchange(refused_, why.message) != why.message)
    on_.log.write(Level::kWarning, "a service does not open a lease; everything is entered later",
                  {{"error", why.message}});
  do_later(&ServiceLease::enter);
}

void ServiceLease::enter() {
  {
    const std::lock_guard lock(mutex_);
    if (lease_ != 0) return;
    timer_ = 0;
  }
  lost_();
}

void ServiceLease::renew() {
  std::uint64_t lease = 0;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  auto* const service = service_();
  if (lease == 0 || service == nullptr) return;
  const auto renewed = service->renew_lease(lease);
  if (renewed || renewed.error().code != Code::kNotFound) {
    const std::lock_guard lock(mutex_);
    if (lease_ == lease) do_later(&ServiceLease::renew);  // who cannot be reached now may be later
    return;
  }
  has_ended(lease);
}

void ServiceLease::has_ended(std::uint64_t lease) {
  {
    const std::lock_guard lock(mutex_);
    if (lease_ != lease) return;
    forget();
  }
  on_.log.write(Level::kWarning, "the lease at a service has ended; everything is entered again",
                {});
  on_.blocking.run(
      [handle = guard_.handle()] { handle.run([](ServiceLease& self) { self.lost_(); }); });
}

}  // namespace hector

#include "management/trading_lease.h"

namespace hector {

/// What a timer holds: it may come after the end.
struct TradingLease::Life {
  std::mutex mutex;
  TradingLease* lease = nullptr;
};

TradingLease::TradingLease(Core& core, std::function<TradingService*()> trading, std::function<void()> lost)
    : core_(core), trading_(std::move(trading)), lost_(std::move(lost)), life_(std::make_shared<Life>()) {
  life_->lease = this;
}
TradingLease::~TradingLease() {
  const std::lock_guard lock(life_->mutex);
  life_->lease = nullptr;
}

Result<std::uint64_t> TradingLease::get() {
  auto* const trading = trading_();
  if (trading == nullptr) return 0;
  const std::lock_guard lock(mutex_);
  if (lease_ != 0) return lease_;
  auto opened = trading->open_lease("capsule:" + core_.options.capsule, kTtl);
  if (!opened) return opened;
  lease_ = *opened;
  renew_later();
  return opened;
}

void TradingLease::forget() {
  const std::lock_guard lock(mutex_);
  lease_ = 0;
  if (timer_ != 0) core_.options.executor->cancel(timer_);
  timer_ = 0;
}

void TradingLease::close() {
  std::uint64_t lease = 0;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  forget();
  if (auto* const trading = trading_(); trading != nullptr && lease != 0) static_cast<void>(trading->close_lease(lease));
}

void TradingLease::renew_later() {
  timer_ = core_.options.executor->at(core_.options.clock->now() + kTtl / 3, [life = life_] {
    const std::unique_lock lock(life->mutex, std::try_to_lock);  // it is ending, or renewing just now
    if (!lock || life->lease == nullptr) return;
    life->lease->core_.workers.run([life] {
      const std::lock_guard renewing(life->mutex);
      if (life->lease != nullptr) life->lease->renew();
    });
  });
}

void TradingLease::renew() {
  std::uint64_t lease = 0;
  {
    const std::lock_guard lock(mutex_);
    lease = lease_;
  }
  auto* const trading = trading_();
  if (lease == 0 || trading == nullptr) return;
  const auto renewed = trading->renew_lease(lease);
  if (renewed || renewed.error().code != Code::kNotFound) {
    const std::lock_guard lock(mutex_);
    if (lease_ == lease) renew_later();  // who cannot be reached now may be later
    return;
  }
  core_.options.log->write(Level::kWarning, "the lease at the Trader has ended; everything is exported again", {});
  forget();
  lost_();
}

}  // namespace hector

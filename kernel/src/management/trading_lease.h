// What: TradingLease, this capsule's lease at the Trader: opened with the first offer, renewed while the capsule lives.
// Why: what a capsule offers goes when it goes, even if nobody had time to withdraw it.
// Who: the kernel, which exports its Objects' Offers under it.
#pragma once

#include <functional>
#include <memory>
#include <mutex>

#include "binding/core.h"
#include "hector/service/trading.h"

namespace hector {

/// Any thread.
class TradingLease {
 public:
  static constexpr Duration kTtl = std::chrono::seconds(10);
  /// `trading`: the service as it is now, null if there is none. `lost`: everything has to be exported again.
  TradingLease(Core& core, std::function<TradingService*()> trading, std::function<void()> lost);
  ~TradingLease();
  /// Opens one if there is none. Blocks.
  Result<std::uint64_t> get();
  /// Another Trader, or none any more: the next offer opens a lease there.
  void forget();
  /// With everything on it. Blocks.
  void close();

 private:
  struct Life;
  void renew_later();
  void renew();
  Core& core_;
  const std::function<TradingService*()> trading_;
  const std::function<void()> lost_;
  std::mutex mutex_;
  std::uint64_t lease_ = 0;
  TimerId timer_ = 0;
  std::shared_ptr<Life> life_;
};

}  // namespace hector

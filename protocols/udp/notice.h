// What: Notice, an event that a stranger causes as often as it likes: counted, and logged once a
// second at most.
// Why: the operator shall know of it, and nobody shall fill the log.
// Who: DtlsServer.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "hector/clock.h"
#include "hector/log.h"
#include "hector/network.h"
#include "hector/protocol.h"

namespace hector::udp {

/// Any thread.
class Notice {
 public:
  /// `event` as Log has it.
  Notice(const ProtocolContext& context, Level level, std::string_view event)
      : context_(context), level_(level), event_(event) {}
  void count(const NetworkAddress& from, std::string_view why) {
    const TimePoint now = context_.clock->now();
    const std::lock_guard lock(mutex_);
    ++total_;
    if (told_ != 0 && now < tell_at_) return;
    tell_at_ = now + std::chrono::seconds(1);
    context_.log->write(level_, event_,
                        {{"protocol", "udp"},
                         {"peer", from.text()},
                         {"why", why},
                         {"times", std::to_string(total_ - told_)}});
    told_ = total_;
  }
  [[nodiscard]] std::uint64_t total() const {
    const std::lock_guard lock(mutex_);
    return total_;
  }

 private:
  const ProtocolContext& context_;
  const Level level_;
  const std::string_view event_;
  mutable std::mutex mutex_;
  std::uint64_t total_ = 0;
  std::uint64_t told_ = 0;  ///< of total_, how many the log knows of
  TimePoint tell_at_{};
};

}  // namespace hector::udp

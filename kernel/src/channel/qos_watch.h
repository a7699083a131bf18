// What: QosWatch, what a channel's interactions are held to: deadline, rate, largest message;
// measured on every message.
// Why: what was promised when a Binding was made is looked at while it runs; who breaks it is told
// of, and may be replaced.
// Who: PartySession puts one on each channel whose interactions require something.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "channel/protocol_choice.h"
#include "hector/interceptor.h"
#include "hector/type/v1/type.pb.h"

namespace hector {

/// Any thread. A message over the rate or too large is refused to its sender, who required it; a
/// late reply is the receiver's breach.
class QosWatch final : public Interceptor {
 public:
  /// `breach` is told of each breach with its dimension and a sentence, at most once a second each
  /// dimension.
  using Breach = std::function<void(const std::string& dimension, const std::string& text)>;
  /// Null if no interaction from one role to the other requires anything that is measured, by its
  /// type or by policy: "<binding>.<interaction>.deadline_ms", "….rate_max",
  /// "….message_octets_max".
  static std::unique_ptr<QosWatch> make(const hector::type::v1::Binding& type,
                                        const std::string& from, const std::string& to,
                                        const Clock& clock, const AskedPolicies& policies,
                                        Breach breach);

  Status sending(Call& call, const Hop& hop) noexcept override;
  void ended(const Call& call, const Hop& hop, Duration took) noexcept override;

 private:
  struct Watched {
    hector::type::v1::Qos qos;
    TimePoint window{};  ///< when the second that is counted began
    std::uint64_t in_window = 0;
  };
  QosWatch(const Clock& clock, Breach breach) : clock_(clock), breach_(std::move(breach)) {}

  const Clock& clock_;
  const Breach breach_;
  std::mutex mutex_;
  std::map<std::string, Watched> watched_;  ///< by interaction
  std::map<std::string, TimePoint> told_;   ///< by dimension
};

}  // namespace hector

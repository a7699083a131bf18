// What: OutChannel, RM-ODP's channel as its sender sees it: from one party of a Binding to one
// partner, over one protocol at a time.
// Why: stub, binder and protocol object of the standard (ISO 10746-3, 8.1) are here by name. A
// message to a partner makes four calls, all of them in PartySession::send():
//
//   stub.start(call)       what is called: kind and flow of the receiver's operation
//   monitor.step(symbol)   whether the Role's order allows it now (types/order/monitor.h)
//   binder: pass(…)        whether the channel is paused, and its interceptors; it holds the route
//   protocol.start(call)   OutChannel::start, or the partner itself in the same capsule
//
// Who: a party's Plan owns it, together with the next Plan where that has the same partner.
//
// The epoch guard, and who may free a call. A message moves within one EpochGuard from its start to
// its protocol: what a Plan points to stays valid that long, and who changes a party puts the new
// state in place first and then waits in EpochGuard::synchronize(). Code that is not the kernel's
// (protocols, interceptors, what runs when a call ends) runs after EpochGuard::leave_all(): from
// then on nothing of the Plan may be touched that is not kept by a shared pointer. A call is given
// away by exactly these: `call.fail()`, an interceptor that refuses, `Gate` and `Arrivals` when
// they answer that it is pending, the partner's `take(call)`, `OutChannel::start(call)`. Each may
// free it: no statement after one of them touches the call.
//
// Locking: the route's description (profile, why, the protocol channels kept) is guarded by a
// mutex; counters and the present route are atomics; the rest never changes after construction.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "channel/interceptors.h"
#include "channel/protocol_table.h"
#include "channel/transparency.h"
#include "hector/check.h"
#include "hector/id.h"
#include "hector/protocol.h"
#include "hector/reference.h"

namespace hector {

class OutChannel;
class PartySession;

/// The number that messages from one place to a session carry.
std::uint64_t channel_id(SessionId session, Place from);

/// What stands for the receiver's operation at the sender: one for each interaction and member.
struct Stub {
  const Operation* operation = nullptr;  ///< of the receiver's Interface; kept by the party
  OutChannel* channel = nullptr;         ///< null where nobody is at the other end
  void start(Call& call) const noexcept {
    call.kind = operation->kind;
    call.flow = operation->flow;
  }
};

class OutChannel {
 public:
  enum class Route : std::uint8_t { kInProcess, kCapsule, kForeign };
  struct Options {
    Place to;
    Reference party;     ///< who plays it
    Profile profile;     ///< how it is reached; kInProcess: in this capsule
    std::string why;     ///< why policy chose it
    std::uint64_t id{};  ///< channel_id() of the receiver's session and this sender
    InterceptorList interceptors;
    Transparencies hides;
  };
  struct Counts {
    std::uint64_t messages = 0;  ///< to other capsules, without flows
    std::uint64_t flows = 0;
  };

  explicit OutChannel(Options options);
  OutChannel(const OutChannel&) = delete;
  OutChannel& operator=(const OutChannel&) = delete;

  // Never change.
  const Place to;
  const Route route;
  const std::uint64_t id;
  const Reference party;
  const Transparencies hides;

  // --- a message on its way: within an epoch guard
  [[nodiscard]] bool is_paused() const noexcept { return is_paused_.load(); }
  [[nodiscard]] bool has_interceptors() const noexcept { return !interceptors_.empty(); }
  [[nodiscard]] const InterceptorList& interceptors() const noexcept { return interceptors_; }
  void count_sent() noexcept {
    sent_.store(sent_.load(std::memory_order_relaxed) + 1, std::memory_order_relaxed);
  }
  /// The partner where both are in one capsule; null where a protocol is in between.
  [[nodiscard]] PartySession* peer() const noexcept {
    return peer_.load(std::memory_order_acquire);
  }
  [[nodiscard]] bool is_connected() const noexcept { return protocol_.load() != nullptr; }
  /// The protocol object: writes the header, numbers the message, leaves the epoch and gives the
  /// call away. It is connected.
  void start(Call& call, const Operation& operation, std::uint32_t interaction) noexcept;

  // --- before the first message
  void add(std::unique_ptr<Interceptor> interceptor) {
    interceptors_.push_back(std::move(interceptor));
  }
  /// UNAVAILABLE from the protocol. Nothing to do in one capsule.
  Status connect(ProtocolTable& protocols);
  /// Where the messages of `before` leave off: the same place, played by another party.
  void continue_from(const OutChannel& before);
  /// False: more than that was sent already; nothing has changed.
  [[nodiscard]] bool set_counts(Counts counts) noexcept;

  // --- while messages pass
  /// The partner in this capsule; null after its end.
  void connect_peer(std::shared_ptr<PartySession> peer);
  void disconnect_peer() noexcept;
  /// Over another protocol from now on. What is in flight comes by the earlier one: only numbers
  /// keep the messages in order.
  void move_to(std::shared_ptr<Channel> protocol, const Profile& profile, const std::string& why);
  void pause() noexcept { is_paused_.store(true); }
  void resume() noexcept {
    is_paused_.store(false);
    is_suspected_.store(false);
  }
  /// True: it was not suspected before.
  bool suspect() noexcept { return !is_suspected_.exchange(true); }

  [[nodiscard]] Counts counts() const noexcept { return {sequence_.load(), flows_.load()}; }
  [[nodiscard]] std::uint64_t sent() const noexcept { return sent_.load(); }
  [[nodiscard]] Profile profile() const;
  [[nodiscard]] std::string why() const;
  /// The protocol's own channel, as it is now; null where there is none.
  [[nodiscard]] std::shared_ptr<Channel> protocol() const;
  /// What its `metrics` counted, where policy puts them on it.
  [[nodiscard]] std::optional<MetricsInterceptor::Counts> metrics() const;

 private:
  void write_header(Call& call, const Operation& operation, std::uint32_t interaction) noexcept;
  void keep(const std::shared_ptr<Channel>& protocol);

  std::atomic<PartySession*> peer_{nullptr};
  std::atomic<std::uint64_t> sent_{0};
  InterceptorList interceptors_;
  std::atomic<Channel*> protocol_{nullptr};
  /// Messages carry their number: the protocol keeps no order, or the channel was moved. Set before
  /// `protocol_`.
  std::atomic<bool> is_sequenced_{false};
  std::atomic<std::uint64_t> sequence_{0};  ///< of all messages but flows, to other capsules
  std::atomic<std::uint64_t> flows_{0};
  std::atomic<bool> is_paused_{false};
  std::atomic<bool> is_suspected_{false};  ///< the initiator was told
  mutable std::mutex mutex_;
  Profile profile_;
  std::string why_;
  /// The present one, last, and earlier ones, whose calls still end. Each protocol's channel to the
  /// partner is there once, so this grows to the number of its profiles.
  std::vector<std::shared_ptr<Channel>> kept_;
  std::shared_ptr<PartySession> peer_kept_;
};
using OutChannelPtr = std::shared_ptr<OutChannel>;  ///< owners: a Plan, and the one after it

/// Without relocation transparency the first call after a party was replaced is told so.
std::unique_ptr<Interceptor> make_relocation_notice(std::string text);

}  // namespace hector

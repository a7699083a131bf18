// What: how a channel is connected, moved and counted, and the header of what leaves by it.
// Why: see out_channel.h.
// Who: PartySession.
#include "channel/out_channel.h"

#include <algorithm>

#include "base/epoch.h"
#include "call/call_state.h"
#include "hector/check.h"

namespace hector {

namespace {

OutChannel::Route route_of(const OutChannel::Options& options) {
  if (options.profile.protocol == kInProcess) return OutChannel::Route::kInProcess;
  return options.party.is_foreign() ? OutChannel::Route::kForeign : OutChannel::Route::kCapsule;
}

class RelocationNotice final : public Interceptor {
 public:
  explicit RelocationNotice(std::string text) : text_(std::move(text)) {}
  Status sending(Call&, const Hop&) noexcept override {
    if (is_told_.exchange(true)) return {};
    return fail(Error::unavailable(text_).with_type(kNotExecuted));
  }

 private:
  const std::string text_;
  std::atomic<bool> is_told_{false};
};

}  // namespace

std::uint64_t channel_id(SessionId session, Place from) {
  std::uint64_t mixed =
      number_of(session) +
      ((static_cast<std::uint64_t>(from.role) << 32 | from.member) + 1) * 0x9e3779b97f4a7c15ULL;
  mixed ^= mixed >> 31;
  mixed *= 0xbf58476d1ce4e5b9ULL;
  return mixed ^ mixed >> 29;
}

std::unique_ptr<Interceptor> make_relocation_notice(std::string text) {
  return std::make_unique<RelocationNotice>(std::move(text));
}

OutChannel::OutChannel(Options options)
    : to(options.to),
      route(route_of(options)),
      id(options.id),
      party(std::move(options.party)),
      hides(options.hides),
      interceptors_(std::move(options.interceptors)),
      profile_(std::move(options.profile)),
      why_(std::move(options.why)) {}

void OutChannel::start(Call& call, const Operation& operation, std::uint32_t interaction) noexcept {
  Channel* const protocol = protocol_.load(std::memory_order_acquire);
  HECTOR_CHECK(protocol != nullptr, "a call was sent over a channel that is not connected");
  write_header(call, operation, interaction);
  CallState::of(call).helper.store(protocol, std::memory_order_release);
  EpochGuard::leave_all();  // the protocol's channel outlives its calls, and the call is counted
  protocol->start(call);
}

void OutChannel::write_header(Call& call, const Operation& operation,
                              std::uint32_t interaction) noexcept {
  if (route == Route::kForeign) {  // no session there: the call names its operation
    call.header.session = 0;
    call.header.interface_name = party.interface_name();
    call.header.operation_name = operation.name;
    call.header.operation = kByName;
    return;
  }
  call.header.session = id;
  call.header.offer = party.offer;
  call.header.operation = interaction;
  if (call.kind == Kind::kStream) {
    flows_.fetch_add(1, std::memory_order_relaxed);
    return;
  }
  const std::uint64_t number = sequence_.fetch_add(1, std::memory_order_relaxed) + 1;
  call.header.sequence = is_sequenced_.load(std::memory_order_relaxed) ? number : 0;
}

Status OutChannel::connect(ProtocolTable& protocols) {
  if (route == Route::kInProcess) return {};
  const auto protocol = HECTOR_TRY(protocols.connect(profile_));
  const auto capabilities = protocols.capabilities(profile_.protocol);
  is_sequenced_ = capabilities && !capabilities->ordered;
  const std::lock_guard lock(mutex_);
  keep(protocol);
  return {};
}

void OutChannel::keep(const std::shared_ptr<Channel>& protocol) {
  HECTOR_CHECK(protocol != nullptr && route != Route::kInProcess,
               "a channel within the capsule has a protocol, or one to another has none");
  std::erase(kept_, protocol);
  kept_.push_back(protocol);
  protocol_.store(protocol.get(), std::memory_order_release);
}

void OutChannel::continue_from(const OutChannel& before) {
  HECTOR_CHECK(to == before.to, "a channel continues one to another place");
  HECTOR_CHECK(set_counts(before.counts()), "what was sent over a channel only grows");
  sent_ = before.sent_.load();
}

bool OutChannel::set_counts(Counts counts) noexcept {
  if (sequence_.load() > counts.messages || flows_.load() > counts.flows) return false;
  sequence_ = counts.messages;
  flows_ = counts.flows;
  return true;
}

void OutChannel::connect_peer(std::shared_ptr<PartySession> peer) {
  HECTOR_CHECK(route == Route::kInProcess, "a partner in another capsule was reached directly");
  peer_kept_ = std::move(peer);
  peer_.store(peer_kept_.get(), std::memory_order_release);
}

void OutChannel::disconnect_peer() noexcept {
  peer_.store(nullptr, std::memory_order_release);
  peer_kept_.reset();
}

void OutChannel::move_to(std::shared_ptr<Channel> protocol, const Profile& profile,
                         const std::string& why) {
  HECTOR_CHECK(route != Route::kInProcess, "a channel within the capsule was moved to a protocol");
  HECTOR_CHECK(protocol != nullptr, "a channel was moved to no protocol");
  const std::lock_guard lock(mutex_);
  is_sequenced_ = true;
  profile_ = profile;
  why_ = why;
  keep(protocol);
}

Profile OutChannel::profile() const {
  const std::lock_guard lock(mutex_);
  return profile_;
}

std::string OutChannel::why() const {
  const std::lock_guard lock(mutex_);
  return why_;
}

std::shared_ptr<Channel> OutChannel::protocol() const {
  const std::lock_guard lock(mutex_);
  return kept_.empty() ? nullptr : kept_.back();
}

std::optional<MetricsInterceptor::Counts> OutChannel::metrics() const {
  std::optional<MetricsInterceptor::Counts> counts;
  for (const auto& each : interceptors_) {
    if (const auto* metrics = dynamic_cast<const MetricsInterceptor*>(each.get()))
      counts = metrics->counts();
  }
  return counts;
}

}  // namespace hector

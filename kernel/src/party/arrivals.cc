// What: the order of what arrives, and what waits for its turn.
// Why: see arrivals.h.
// Who: PartySession.
#include "party/arrivals.h"

#include <algorithm>

#include "channel/protocol_table.h"
#include "hector/check.h"

namespace hector::party {

Arrivals::Sender& Arrivals::sender(Place place) {
  const std::lock_guard lock(mutex_);
  auto& known = senders_[place];
  if (!known) known = std::make_unique<Sender>(place);
  return *known;
}

void Arrivals::set_peer(Sender& sender, const std::string& principal, const std::string& capsule) {
  const std::lock_guard lock(mutex_);
  const Peer* const known = sender.peer.load();
  if (known != nullptr && known->principal == principal) return;
  sender.peer.store(
      &peers_.emplace_back(Peer{principal, kInProcess, capsule, Security::kPrivacy, true}),
      std::memory_order_release);
}

// --- the order of one sender's messages

bool Arrivals::count(Sender& sender, Kind kind) noexcept {
  const bool is_flow = kind == Kind::kStream;
  (is_flow ? sender.flows_ : sender.plain_).fetch_add(1, std::memory_order_acq_rel);
  if (is_flow || waiting_count_.load(std::memory_order_acquire) == 0) return false;
  const std::lock_guard lock(mutex_);
  make_ready(sender);
  check(sender);
  return !sender.ready_.empty();
}

bool Arrivals::put(Sender& sender, Call& call) noexcept {
  HECTOR_CHECK(call.header.sequence != 0, "a message without a number was to be put in order");
  const std::lock_guard lock(mutex_);
  if (is_closed_) return false;
  const bool waits = sender.waiting_.size() < kEarlyMax &&
                     sender.waiting_.emplace(call.header.sequence, &call).second;
  if (waits) {
    waiting_count_.fetch_add(1, std::memory_order_release);
    make_ready(sender);
    set_timer(sender);
  } else {
    sender.ready_.push_back({&call, false});
  }
  check(sender);
  return true;
}

void Arrivals::make_ready(Sender& sender) noexcept {
  for (;;) {
    const auto first = sender.waiting_.begin();
    const std::uint64_t next = sender.plain_.load(std::memory_order_acquire) + sender.placed_ + 1;
    if (first == sender.waiting_.end() || first->first > next) break;
    // One that comes after its gap was given up has been counted already.
    const bool is_counted = first->first == next;
    sender.ready_.push_back({first->second, is_counted});
    sender.waiting_.erase(first);
    sender.placed_ += is_counted ? 1 : 0;
    sender.ready_counted_ += is_counted ? 1 : 0;
    waiting_count_.fetch_sub(1, std::memory_order_relaxed);
  }
  if (sender.waiting_.empty()) timers_.cancel(sender.timer_);
}

void Arrivals::set_timer(Sender& sender) noexcept {
  if (sender.waiting_.empty() || sender.timer_ != 0) return;
  sender.timer_ = timers_.after(kGapWait, [this, &sender] { skip_gap(sender); });
}

Call* Arrivals::begin_delivery(Sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  if (sender.is_delivering_ || sender.ready_.empty()) return nullptr;
  sender.is_delivering_ = true;
  return pop_ready(sender);
}

Call* Arrivals::next_delivery(Sender& sender) noexcept {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(sender.is_delivering_, "two threads deliver one sender's messages");
  sender.is_delivering_ = !sender.ready_.empty();
  return sender.is_delivering_ ? pop_ready(sender) : nullptr;
}

Call* Arrivals::pop_ready(Sender& sender) noexcept {
  HECTOR_CHECK(!sender.ready_.empty(), "a message is delivered that is not there");
  const Sender::Ready first = sender.ready_.front();
  sender.ready_.pop_front();
  HECTOR_CHECK(!first.is_counted || sender.ready_counted_ > 0,
               "more counted messages are delivered than were ready");
  sender.ready_counted_ -= first.is_counted ? 1 : 0;
  return first.call;
}

void Arrivals::skip_gap(Sender& sender) noexcept {
  {
    const std::lock_guard lock(mutex_);
    sender.timer_ = 0;
    if (sender.waiting_.empty()) return;
    // What is before the first that waits counts as handed on.
    const std::uint64_t plain = sender.plain_.load();
    const std::uint64_t before = sender.waiting_.begin()->first - 1;
    if (before > plain) sender.placed_ = std::max(sender.placed_, before - plain);
    make_ready(sender);
    set_timer(sender);
    check(sender);
  }
  gap_given_up_(sender);
}

Arrivals::Counts Arrivals::counts(const Sender& sender) noexcept {
  return {sender.plain_.load() + sender.placed_ - sender.ready_counted_, sender.flows_.load()};
}

Arrivals::Counts Arrivals::received(Place place) const {
  const std::lock_guard lock(mutex_);
  const auto found = senders_.find(place);
  return found == senders_.end() ? Counts{} : counts(*found->second);
}

std::vector<std::pair<Place, Arrivals::Counts>> Arrivals::all_received() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::pair<Place, Counts>> all;
  for (const auto& [place, sender] : senders_) all.emplace_back(place, counts(*sender));
  return all;
}

bool Arrivals::set_received(Place place, Counts counts) {
  const std::lock_guard lock(mutex_);
  const auto found = senders_.find(place);
  if (found == senders_.end()) return true;
  Sender& sender = *found->second;
  if (sender.plain_.load() > counts.messages || sender.flows_.load() > counts.flows) return false;
  sender.plain_ = counts.messages;
  sender.flows_ = counts.flows;
  return true;
}

std::vector<Call*> Arrivals::forget(Place place) {
  const std::lock_guard lock(mutex_);
  const auto found = senders_.find(place);
  if (found == senders_.end()) return {};
  auto left = empty(*found->second);
  found->second->plain_ = 0;
  found->second->flows_ = 0;
  found->second->placed_ = 0;
  return left;
}

std::vector<Call*> Arrivals::empty(Sender& sender) noexcept {
  std::vector<Call*> left;
  for (const auto& ready : sender.ready_) left.push_back(ready.call);
  for (const auto& [number, call] : sender.waiting_) left.push_back(call);
  waiting_count_.fetch_sub(sender.waiting_.size(), std::memory_order_relaxed);
  sender.ready_.clear();
  sender.ready_counted_ = 0;
  sender.waiting_.clear();
  timers_.cancel(sender.timer_);
  check(sender);
  return left;
}

void Arrivals::check(const Sender& sender) const noexcept {
  HECTOR_CHECK(sender.waiting_.size() <= kEarlyMax, "more numbered messages wait than may");
  HECTOR_CHECK(sender.waiting_.empty() == (sender.timer_ == 0),
               "a gap has a timer exactly while a message waits for it");
  HECTOR_CHECK(
      sender.ready_counted_ <= sender.ready_.size() && sender.ready_counted_ <= sender.placed_,
      "more messages are ready and counted than there are");
  HECTOR_CHECK(waiting_count_.load() >= sender.waiting_.size(), "waiting messages are not counted");
}

// --- early and sealed messages

Arrivals::Taken Arrivals::hold_early(Arrived message) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return Taken::kClosed;
  HECTOR_CHECK(message.call != nullptr, "an early message has no call");
  message.number = ++last_early_;
  message.since = timers_.now();
  if (!early_.push(std::move(message))) return Taken::kFull;
  early_count_ = early_.size();
  return Taken::kPending;
}

std::vector<HeldMessage> Arrivals::held() const {
  const std::lock_guard lock(mutex_);
  std::vector<HeldMessage> list;
  for (const auto& each : early_.entries()) {
    list.push_back({.interaction = each.interaction,
                    .sender = each.sender,
                    .number = each.number,
                    .since = each.since,
                    .deadline = each.call == nullptr ? kNever : each.call->header.deadline,
                    .has_ended = each.call == nullptr,
                    .is_cancelled = each.call != nullptr && each.call->is_cancelled()});
  }
  return list;
}

Call* Arrivals::end_early(std::uint64_t number) noexcept {
  const std::lock_guard lock(mutex_);
  Arrived* const found = early_.find([&](const Arrived& each) { return each.number == number; });
  return found == nullptr ? nullptr : std::exchange(found->call, nullptr);
}

std::vector<Arrived> Arrivals::take_all_held() noexcept {
  const std::lock_guard lock(mutex_);
  return take_waiting();
}

std::vector<Arrived> Arrivals::take_waiting() noexcept {
  std::vector<Arrived> left;
  for (auto* queue : {&early_, &sealed_}) {
    for (const auto& each : queue->take_all()) {
      if (each.call != nullptr) left.push_back(each);
    }
  }
  early_count_ = 0;
  return left;
}

Arrivals::Taken Arrivals::hold_sealed(Arrived message) noexcept {
  const std::lock_guard lock(mutex_);
  if (is_closed_) return Taken::kClosed;
  HECTOR_CHECK(message.call != nullptr, "a sealed message has no call");
  if (!is_sealed_.load()) return Taken::kNotNeeded;
  return sealed_.push(std::move(message)) ? Taken::kPending : Taken::kFull;
}

std::optional<Arrived> Arrivals::unseal_next() noexcept {
  const std::lock_guard lock(mutex_);
  auto next = sealed_.pop();
  if (!next) is_sealed_.store(false);
  return next;
}

std::vector<Call*> Arrivals::close() noexcept {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(!is_closed_, "a party's arrivals are closed twice");
  is_closed_ = true;
  std::vector<Call*> left;
  for (const auto& each : take_waiting()) left.push_back(each.call);
  for (auto& [place, sender] : senders_) {
    const auto of_one = empty(*sender);
    left.insert(left.end(), of_one.begin(), of_one.end());
  }
  HECTOR_CHECK(waiting_count_.load() == 0, "a message that waits belongs to no sender");
  return left;
}

}  // namespace hector::party

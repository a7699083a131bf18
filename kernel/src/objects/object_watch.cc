// What: threads' words are compared with those of the look before.
// Why: see object_watch.h.
// Who: KernelImpl, management.
#include "objects/object_watch.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "call/operation_of.h"
#include "hector/check.h"

namespace hector {

namespace {

/// Among more Objects than this, one that a thread is seen in is looked up only once it has stayed.
constexpr std::size_t kFewObjects = 1'000;
/// How many looks lie between two at which Objects that are gone are forgotten.
constexpr std::uint64_t kForgetEvery = 50;
/// After the first time, a call that is overdue is told of again when it is late by this much, and
/// then each time that has doubled.
constexpr Duration kTellAgain = std::chrono::seconds(10);

double seconds(Duration time) { return std::chrono::duration<double>(time).count(); }

}  // namespace

std::string RunningCall::text() const {
  std::string said = fmt::format("'{}' for {:.1f} s ({:.1f} s of processor time)", operation,
                                 seconds(running), seconds(processor));
  if (late) said += fmt::format(", {:.1f} s past its deadline", seconds(*late));
  return said;
}

std::string time_text(std::chrono::system_clock::time_point time) {
  return fmt::format("{:%FT%TZ}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

ObjectWatch::ObjectWatch(Options options)
    : options_([&options] {
        if (!options.processor_time)
          options.processor_time = [](const ThreadActivity& thread) {
            return thread.processor_time();
          };
        return std::move(options);
      }()) {}

// --- looking

void ObjectWatch::look() {
  std::vector<Verdict> verdicts;
  {
    const std::lock_guard lock(mutex_);
    compare();
    verdicts = judge();
  }
  for (const auto& verdict : verdicts) carry_out(verdict);
}

void ObjectWatch::compare() {
  ++looks_;
  now_ = options_.clock.now();
  ThreadActivities::each(
      [this](std::uint64_t id, const ThreadActivity& activity) { see(id, activity); });
  std::erase_if(seen_, [this](const auto& each) { return each.second.look != looks_; });
  std::erase_if(threads_, [this](const auto& each) { return each.second.look != looks_; });
  find_new();
  charge();
  if (looks_ % kForgetEvery == 0) forget();
}

void ObjectWatch::see(std::uint64_t thread, const ThreadActivity& activity) {
  const std::uint32_t depth = activity.depth();
  if (depth == 0 && activity.owner() == nullptr) return;
  const Duration total = options_.processor_time(activity);
  const auto [at, is_new] = threads_.try_emplace(thread);
  Used& used = at->second;
  used.processor = is_new ? Duration{} : total - used.total;
  used.total = total;
  used.look = looks_;
  used.host =
      depth == 0 ? activity.owner() : activity.level(depth).object.load(std::memory_order_relaxed);
  for (std::uint32_t level = 1; level <= depth; ++level)
    see_level({thread, level}, activity.level(level), total);
  if (depth != 0) {
    if (const auto innermost = seen_.find({thread, depth}); innermost != seen_.end())
      innermost->second.is_inner = true;
  }
}

void ObjectWatch::see_level(Key key, const Frame& level, Duration processor) {
  const std::uint64_t number = level.number.load(std::memory_order_acquire);
  const void* const host = level.object.load(std::memory_order_relaxed);
  const void* const operation = level.operation.load(std::memory_order_relaxed);
  const TimePoint deadline{Duration(level.deadline.load(std::memory_order_relaxed))};
  const OfferPtr offer = offer_of(host);
  const std::uint64_t calls = offer ? offer->host->calls() : 0;
  std::atomic_thread_fence(std::memory_order_acquire);
  if (level.number.load(std::memory_order_acquire) != number) return;  // it has just changed
  Seen& seen = seen_[key];
  if (seen.number != number || seen.host != host) {
    seen = Seen{.number = number, .host = host, .operation = operation, .deadline = deadline};
    seen.first = now_;
    seen.since = options_.clock.wall();
    seen.processor_before = processor;
  }
  seen.processor = processor - seen.processor_before;
  seen.is_inner = false;
  seen.calls = calls;
  seen.look = looks_;
}

OfferPtr ObjectWatch::offer_of(const void* host) const {
  const auto found = known_.find(host);
  return found == known_.end() ? nullptr : found->second.offer.lock();
}

void ObjectWatch::find_new() {
  std::vector<const void*> wanted;
  const bool are_few = options_.offers.size() <= kFewObjects;
  const auto want = [&](const void* host) {
    if (host != nullptr && !offer_of(host)) wanted.push_back(host);
  };
  for (const auto& [key, seen] : seen_) {
    if (are_few || seen.first != now_) want(seen.host);
  }
  for (const auto& [id, used] : threads_) {
    if (are_few || used.processor > kEvery / 2) want(used.host);
  }
  if (wanted.empty()) return;
  options_.offers.each([&](const OfferPtr& offer) {
    const void* const host = offer->host->seen_as();
    if (std::find(wanted.begin(), wanted.end(), host) != wanted.end()) known_[host] = {offer};
  });
}

/// What a thread has used since the look before is the Object's that it is in now.
void ObjectWatch::charge() {
  for (const auto& [id, used] : threads_) {
    if (const auto found = known_.find(used.host); found != known_.end())
      found->second.processor += used.processor;
  }
}

void ObjectWatch::forget() {
  std::erase_if(known_, [](const auto& each) { return each.second.offer.expired(); });
}

// --- judging

std::optional<Duration> ObjectWatch::late(const Operation* operation, const Seen& seen) const {
  TimePoint until = seen.deadline;
  if (until == kNever) {
    if (operation == nullptr || operation->kind == Kind::kStream) return std::nullopt;
    until = seen.first + options_.default_deadline;
  }
  const Duration late = now_ - until;
  return late > kLateAfter ? std::optional(late) : std::nullopt;
}

RunningCall ObjectWatch::call_of(const Offer& offer, const Seen& seen) const {
  const Operation* const operation = operation_at(*offer.interface, seen.operation);
  return {.operation = operation == nullptr ? "a notice" : operation->name,
          .running = now_ - seen.first,
          .processor = seen.processor,
          .since = seen.since,
          .late = late(operation, seen),
          .is_inner = seen.is_inner};
}

std::vector<ObjectWatch::Verdict> ObjectWatch::judge() {
  std::vector<Verdict> verdicts;
  std::set<const void*> overdue;
  for (auto& [key, seen] : seen_) {
    const OfferPtr offer = offer_of(seen.host);
    if (!offer || offer->is_system || seen.first == now_) continue;
    Verdict verdict{.offer = offer, .call = call_of(*offer, seen), .calls = seen.calls};
    if (const auto late = verdict.call.late) {
      overdue.insert(seen.host);
      verdict.is_told = *late >= seen.tell_at;
      if (verdict.is_told) seen.tell_at = std::max(kTellAgain, 2 * *late);
    }
    verdicts.push_back(std::move(verdict));
  }
  for (auto& [host, known] : known_) {
    const bool is_overdue = overdue.contains(host);
    if (!std::exchange(known.is_overdue, is_overdue) || is_overdue) continue;
    if (auto offer = known.offer.lock())
      verdicts.push_back({.offer = std::move(offer), .call = {}, .is_over = true});
  }
  return verdicts;
}

void ObjectWatch::carry_out(const Verdict& verdict) {
  const Offer& offer = *verdict.offer;
  if (verdict.is_over) return offer.host->set_overdue("", 0);
  const std::string text = fmt::format("Object '{}' ({}) is busy with {}", offer.object,
                                       offer.host->options().template_name, verdict.call.text());
  if (verdict.call.late)
    offer.host->set_overdue(
        text + "; it takes no other call until that one has returned (`hector top`)",
        verdict.calls);
  if (verdict.is_told) tell(offer, verdict.call);
  offer.host->expire_queued(options_.clock.now(), text);
}

void ObjectWatch::tell(const Offer& offer, const RunningCall& call) {
  HECTOR_CHECK(call.late.has_value(), "a call is told of that is not late");
  options_.log.write(Level::kWarning, "a call runs past its caller's deadline",
                     {{"object", offer.object},
                      {"template", offer.host->options().template_name},
                      {"operation", call.operation},
                      {"since", time_text(call.since)},
                      {"running_s", fmt::format("{:.1f}", seconds(call.running))},
                      {"late_s", fmt::format("{:.1f}", seconds(*call.late))},
                      {"processor_s", fmt::format("{:.1f}", seconds(call.processor))}});
}

// --- showing

std::vector<RunningCall> ObjectWatch::running(const ObjectHost& host) const {
  const std::lock_guard lock(mutex_);
  std::vector<RunningCall> list;
  for (const auto& [key, seen] : seen_) {
    if (seen.host != host.seen_as()) continue;
    if (const auto offer = offer_of(seen.host)) list.push_back(call_of(*offer, seen));
  }
  return list;
}

Duration ObjectWatch::processor(const ObjectHost& host) const {
  const std::lock_guard lock(mutex_);
  const auto found = known_.find(host.seen_as());
  return found == known_.end() || found->second.offer.expired() ? Duration{}
                                                                : found->second.processor;
}

std::vector<ObjectWatch::Entry> ObjectWatch::all_running() const {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> list;
  for (const auto& [key, seen] : seen_) {
    auto offer = offer_of(seen.host);
    if (!offer || offer->is_system) continue;
    auto call = call_of(*offer, seen);
    list.push_back({std::move(offer), std::move(call)});
  }
  return list;
}

}  // namespace hector

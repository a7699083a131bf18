#include "services/rights_watch.h"

#include <utility>

namespace hector {

void RightsWatch::start() {
  {
    const std::lock_guard lock(mutex_);
    if (!std::exchange(is_stopped_, false)) return;
  }
  ask_later();
}

void RightsWatch::stop() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
    if (timer_ != 0) on_.executor.cancel(std::exchange(timer_, 0));
  }
  guard_.end();
}

void RightsWatch::ask_later() {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  timer_ = on_.executor.at(on_.clock.now() + kAskEvery, [handle = guard_.handle()] {
    handle.try_run([&](RightsWatch& self) {  // false: it is ending
      self.on_.blocking.run([handle] { handle.run([](RightsWatch& watch) { watch.ask(); }); });
    });
  });
}

void RightsWatch::ask() {
  auto* const service = on_.rights.service();
  if (service == nullptr) return ask_later();  // nothing is permitted without one
  service->rights_revision([handle = guard_.handle()](const Result<std::int64_t>& revision) {
    handle.try_run([&](RightsWatch& self) { self.told(revision); });
  });
}

void RightsWatch::told(const Result<std::int64_t>& revision) {
  bool has_changed = false, is_news = false;
  {
    const std::lock_guard lock(mutex_);
    has_changed = revision && revision_ != *revision;
    is_news = std::exchange(is_silent_, !revision) == revision.has_value();
    revision_ = revision ? std::optional(*revision) : std::nullopt;
  }
  if (is_news && !revision)
    on_.log.write(Level::kWarning,
                  "Policy does not say whether rights have changed; denied is what "
                  "it cannot be asked about",
                  {{"error", revision.error().message}});
  if (has_changed || !revision) on_.rights.forget();
  if (has_changed) tell_changed();
  ask_later();
}

void RightsWatch::tell_changed() {
  if (changes_.fetch_add(1) != 0) return;  // the one that runs is followed by another one
  on_.blocking.run([handle = guard_.handle()] {
    handle.run([](RightsWatch& self) {
      int seen = 0;
      bool is_done = true;
      do {
        seen = self.changes_.load();
        is_done = self.on_.changed();
      } while (self.changes_.fetch_sub(seen) != seen);
      if (is_done) return;
      const std::lock_guard lock(self.mutex_);
      self.revision_.reset();  // whatever Policy says next is news
    });
  });
}

}  // namespace hector

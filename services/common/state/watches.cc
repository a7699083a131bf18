#include "state/watches.h"

#include <fmt/format.h>

#include <mutex>

#include "hector/check.h"

namespace hector::state {

class Watches::Watching final : public StoreObserver,
                                public std::enable_shared_from_this<Watching> {
 public:
  Watching(Watches& watches, std::shared_ptr<Stream> stream, Told told)
      : watches_(watches), feed_(std::move(stream)), told_(std::move(told)) {}
  void changed(const StoreChange& change) noexcept override {
    for (const auto& event : change.events) {
      if (feed_.push(told_(change.revision, event))) continue;
      return finish(Error::resource_exhausted(
          fmt::format("{} events wait for this watch, the limit; watch again from "
                      "the last revision you were told of",
                      Feed::kWaitingMax)));
    }
  }
  void ended(const Error& error) noexcept override { finish(error); }
  void finish(std::optional<Error> why) {
    if (is_over_.exchange(true)) return;
    HECTOR_CHECK(call != nullptr, "a watch ends that has no call");
    const auto self = shared_from_this();
    watches_.forget(self);
    feed_.when_told([self, why = std::move(why)] {
      if (why)
        self->call->fail(*why);
      else
        self->call->complete();
    });
  }
  Call* call = nullptr;
  std::unique_ptr<StoreWatch> watch;

 private:
  Watches& watches_;
  Feed feed_;
  const Told told_;
  std::atomic<bool> is_over_{false};
};

Watches::~Watches() {
  std::set<std::shared_ptr<Watching>> all;
  {
    const std::lock_guard lock(mutex_);
    all = all_;
  }
  for (const auto& each : all) each->finish(Error::unavailable("the service ends"));
}

void Watches::add(Call& asked, KeyRange range, Revision from, Told told) {
  auto watching = std::make_shared<Watching>(*this, asked.stream, std::move(told));
  {
    const std::lock_guard lock(mutex_);
    if (all_.size() >= kMax)
      return asked.fail(
          {Code::kResourceExhausted, fmt::format("there are {} watches, the limit", kMax)});
    all_.insert(watching);
    HECTOR_CHECK(all_.size() <= kMax, "there are more watches than the limit");
  }
  watching->call = &asked.defer();
  watching->call->on_cancel([watching] { watching->finish({}); });
  auto made = store_.watch({std::move(range), from}, *watching);
  const std::lock_guard lock(mutex_);
  if (all_.contains(watching)) watching->watch = std::move(made);
}

}  // namespace hector::state

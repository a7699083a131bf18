#include "watching.h"

#include <fmt/format.h>

#include "attributes.h"
#include "hector/typed.h"

namespace hector::naming {

void Watching::changed(const StoreChange& change) noexcept {
  for (const auto& event : change.events) {
    v1::NamingEvent told;
    told.set_revision(change.revision);
    told.set_is_gone(event.kind == StoreEvent::Kind::kErase);
    auto& binding = *told.mutable_binding();
    if (!told.is_gone()) static_cast<void>(binding.ParseFromArray(event.entry.value.data(), static_cast<int>(event.entry.value.size())));
    binding.set_name(print_name({event.entry.key.substr(prefix_.size())}));
    if (!told.is_gone()) binding.set_type(type_of(binding));
    if (!feed_->push(write_message(told))) {
      return finish(Error{Code::kResourceExhausted, fmt::format("{} events wait for this watch, the limit; watch again from the last revision you were told of", state::Feed::kWaitingMax), {}, {}, {}});
    }
  }
}

void Watching::finish(std::optional<Error> why) {
  if (is_over_.exchange(true)) return;
  const auto self = shared_from_this();
  watches_.forget(self);
  feed_->when_told([self, why = std::move(why)] {
    if (why) self->call_->fail(*why);
    else self->call_->complete();
  });
}

Watches::~Watches() {
  std::set<std::shared_ptr<Watching>> all;
  {
    const std::lock_guard lock(mutex_);
    all = all_;
  }
  for (const auto& each : all) each->finish(Error{Code::kUnavailable, "Naming ends", {}, {}, {}});
}

void Watches::add(Call& asked, const std::string& prefix, const std::string& atoms, Revision from) {
  auto watching = std::make_shared<Watching>(*this, asked.stream, prefix);
  {
    const std::lock_guard lock(mutex_);
    if (all_.size() >= kMax) return asked.fail({Code::kResourceExhausted, fmt::format("Naming has {} watches, its limit", kMax), {}, {}, {}});
    all_.insert(watching);
  }
  watching->call_ = &asked.defer();
  watching->call_->on_cancel([watching] { watching->finish({}); });
  auto made = store_.watch({KeyRange::prefix(prefix + atoms), from}, *watching);
  const std::lock_guard lock(mutex_);
  if (all_.contains(watching)) watching->watch_ = std::move(made);
}

}  // namespace hector::naming

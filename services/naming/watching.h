// What: Watching, one watch of one context; Watches, all of them.
// Why: who watches is told every change of every revision, in order, also of those that were before he came back.
// Who: Naming.
#pragma once

#include <set>

#include "directory.h"
#include "state/feed.h"

namespace hector::naming {

class Watches;

class Watching final : public StoreObserver, public std::enable_shared_from_this<Watching> {
 public:
  /// `prefix`: of keys, up to the atomic names.
  Watching(Watches& watches, std::shared_ptr<Stream> stream, std::string prefix) : watches_(watches), feed_(std::make_shared<state::Feed>(std::move(stream))), prefix_(std::move(prefix)) {}
  void changed(const StoreChange& change) noexcept override;
  void ended(const Error& error) noexcept override { finish(error); }
  void finish(std::optional<Error> why);

 private:
  friend class Watches;
  Watches& watches_;
  const std::shared_ptr<state::Feed> feed_;
  const std::string prefix_;
  Call* call_ = nullptr;
  std::unique_ptr<StoreWatch> watch_;
  std::atomic<bool> is_over_{false};
};

/// Any thread.
class Watches {
 public:
  static constexpr std::size_t kMax = 1'000;
  explicit Watches(Store& store) : store_(store) {}
  /// Ends them all with UNAVAILABLE.
  ~Watches();
  /// Tells of keys that begin with `prefix` and then `atoms`, from the revision on. Takes the call, or fails it with RESOURCE_EXHAUSTED.
  void add(Call& call, const std::string& prefix, const std::string& atoms, Revision from);

 private:
  friend class Watching;
  void forget(const std::shared_ptr<Watching>& watching) {
    const std::lock_guard lock(mutex_);
    all_.erase(watching);
  }
  Store& store_;
  std::mutex mutex_;
  std::set<std::shared_ptr<Watching>> all_;
};

}  // namespace hector::naming

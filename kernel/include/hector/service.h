// What: what a service plugin implements: Service, a servant with its Interface, and for joined
// ones a proxy.
// Why: a service is an Object with an Offer like any other; which provider runs is configuration.
// Who: services/*; the kernel's service table.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "hector/language.h"
#include "hector/store.h"

namespace hector {

struct ServiceContext {
  std::string capsule;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Log* log = nullptr;
  /// Where its state is kept. Outlives the service; null where the kernel was given none.
  Store* store = nullptr;
  std::string settings;
  /// Other Objects, as any Object reaches them. Outlives the service.
  Capsule* handle = nullptr;
  /// Runs what may block on one of the kernel's few threads.
  std::function<void(std::function<void()>)> run_blocking;
  /// Another store by its line of configuration ("etcd://127.0.0.1:2379/names"). May block.
  /// NOT_FOUND, UNAVAILABLE.
  std::function<Result<std::unique_ptr<Store>>(const std::string& location)> open_store;
};

/// The embedded provider of one service.
class Service {
 public:
  virtual ~Service() = default;
  /// What it offers: a serialised hector.type.v1.Interface, which its generated servant has.
  [[nodiscard]] virtual std::string_view interface_model() const = 0;
  /// Entered by any number of threads at once; must not block.
  [[nodiscard]] virtual Servant& servant() = 0;
  /// What others would lose if it ended now, a line each: who unloads it reads that first. May
  /// block.
  [[nodiscard]] virtual std::vector<std::string> dependants() { return {}; }
};

/// A Service that is its own servant; `Generated` is the class made from its Interface's type file.
template <class Generated>
class ServiceOf : public Service, public Generated {
 public:
  [[nodiscard]] std::string_view interface_model() const final { return Generated::model(); }
  [[nodiscard]] Servant& servant() final { return *this; }
};

}  // namespace hector

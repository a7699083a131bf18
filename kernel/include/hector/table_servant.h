// What: TableServant, a Servant made of one function for each operation.
// Why: an Object whose operations are plain functions needs no class and no generated skeleton.
// Who: the kernel's own Objects, service plugins, tests.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "hector/check.h"
#include "hector/language.h"

namespace hector {

/// The functions stand in the order of the Interface's operations, one for each: a call of an
/// operation without one ends the process. Each ends its call, now or later (Call::defer).
class TableServant final : public Servant {
 public:
  using Handler = std::function<void(Call&)>;
  explicit TableServant(std::vector<Handler> handlers) : handlers_(std::move(handlers)) {}
  void invoke(Call& call) noexcept override {
    HECTOR_CHECK(call.operation != nullptr && call.operation->index < handlers_.size(),
                 "a servant has no function for an operation of its Interface");
    handlers_[call.operation->index](call);
  }

 private:
  const std::vector<Handler> handlers_;
};

}  // namespace hector

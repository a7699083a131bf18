// What: PlayedHosting, a capsule that a test plays: what a protocol's plugin asks of one, where it
// matters to no test what the answer is.
// Why: Gate and forwarded Objects need a capsule's handle and its hosting, and nothing of a kernel.
// Who: the tests of this folder.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/capsule.h"
#include "hector/protocol.h"

namespace hector::objects::testing {

/// Tasks that may block run at once.
class PlayedHosting : public Capsule, public Hosting {
 public:
  PlayedHosting(const Clock& clock, Executor& executor, Log& log)
      : clock_(clock), executor_(executor), log_(log) {}

  const std::string& name() const noexcept override { return name_; }
  const std::string& object_name() const noexcept override { return name_; }
  const std::string& principal() const noexcept override { return name_; }
  const Clock& clock() const noexcept override { return clock_; }
  Executor& executor() noexcept override { return executor_; }
  Log& log() noexcept override { return log_; }
  Result<NamingService*> naming() override { return fail(Error::unavailable("none")); }
  Result<TradingService*> trading() override { return fail(Error::unavailable("none")); }
  Result<std::uint64_t> bind(const BindRequest&) override { return fail(Error::unavailable("")); }
  Status unbind(std::uint64_t) override { return {}; }
  Status advertise(const std::map<std::string, std::string>&) override { return {}; }

  std::vector<Resident> residents(const void*) const override { return {}; }
  void on_change(const void*, std::function<void()>) override {}
  Status adopt(const void*, Adopted) override { return {}; }
  Result<Reference> reference_of(const std::string& object) const override {
    Reference made;
    made.object = object;
    return made;
  }
  Status dismiss(const std::string&) override { return {}; }
  void run_blocking(std::function<void()> task) override { task(); }
  Capsule& handle() override { return *this; }

 private:
  const Clock& clock_;
  Executor& executor_;
  Log& log_;
  const std::string name_ = "test";
};

}  // namespace hector::objects::testing

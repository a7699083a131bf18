// What: a watcher for tests: a stream that takes what it is told at once, or is held.
// Why: every kind of watch has to bear one that is slow, and tell one how it ended.
// Who: watches_test, answer_watches_test.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/stream.h"

namespace hector::state::testing {

/// Takes what it is told at once, until it is held.
class FakeStream final : public Stream {
 public:
  void write(Payload message, Callback<void(Status)> accepted) override {
    told.emplace_back(message.bytes().view());
    if (is_held)
      held.push_back(std::move(accepted));
    else
      accepted({});
  }
  void close_write() override {}
  void read(Callback<void(Result<std::optional<Payload>>)>) override {}

  std::vector<std::string> told;
  bool is_held = false;
  std::vector<Callback<void(Status)>> held;
};

struct Watcher {
  Watcher() { call.stream = stream; }
  std::shared_ptr<FakeStream> stream = std::make_shared<FakeStream>();
  std::optional<std::string> end;  ///< of its call: "OK", or the code; nothing: it goes on
  CallbackCall& call = CallbackCall::make([this](Call& ended) {
    end = ended.error ? std::string(code_name(ended.error->code)) : "OK";
  });
};

}  // namespace hector::state::testing

// What: Capsule, a kernel with udp on a simulated host, with credentials or without; Tally, how
// calls ended.
// Why: the same is promised over plain channels and over DTLS.
// Who: udp_test.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/kernel.h"
#include "simulation.h"
#include "udp_protocol.h"

namespace hector::udp {

using hector::testing::Simulation;

inline constexpr const char* kTypes = HECTOR_SOURCE_DIR "/tests/kits/kit.hector.yaml";

/// Counts how often each request was executed.
class CountingServant final : public Servant {
 public:
  CountingServant(std::map<std::string, int>& executed, std::vector<std::string>& order)
      : executed_(executed), order_(order) {}
  void invoke(Call& call) noexcept override {
    order_.push_back(call.request.bytes().str());
    ++executed_[order_.back()];
    if (call.kind == Kind::kAnnounce) return call.complete();
    call.complete(Payload(call.request.bytes()));
  }

 private:
  std::map<std::string, int>& executed_;
  std::vector<std::string>& order_;
};

class SilentServant final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.fail({Code::kUnimplemented, ""}); }
  void bound(hector::Session& given) noexcept override { session = given.shared(); }
  std::shared_ptr<hector::Session> session;
};

struct Capsule {
  Capsule(Simulation& world, int number, std::vector<PolicyEntry> policy = {},
          Credentials* credentials = nullptr)
      : network(world.host("10.0.0." + std::to_string(number))) {
    KernelOptions options;
    options.capsule = "c" + std::to_string(number);
    options.clock = &world;
    options.random = &world;
    options.executor = &world;
    options.network = network.get();
    options.log = &world;
    options.drain_grace = Duration::zero();
    options.policy = std::move(policy);
    options.credentials = credentials;
    kernel = Kernel::make(options);
    EXPECT_TRUE(kernel->load_types(kTypes));
    const auto added = kernel->add_protocol("udp", make_protocol(kernel->protocol_context("{}")),
                                            {"10.0.0." + std::to_string(number) + ":7000"});
    EXPECT_TRUE(added) << added.error().text();
    EXPECT_TRUE(kernel->adopt_object("echo", *kernel->interface("kit.Echo/1"),
                                     std::make_unique<CountingServant>(executed, order),
                                     ThreadModel::kPooled, false));
    auto made = std::make_unique<SilentServant>();
    sender = made.get();
    EXPECT_TRUE(kernel->adopt_object("sender", *kernel->interface("kit.Sender/1"), std::move(made),
                                     ThreadModel::kPooled, false));
  }
  std::string reference() {
    Reference made = kernel->management();
    made.object = "echo";
    made.offer = 0;
    made.interface_id = "kit.Echo/1";
    made.identity = (*kernel->interface("kit.Echo/1"))->identity();
    return made.text();
  }
  std::unique_ptr<Network> network;
  std::map<std::string, int> executed;
  std::vector<std::string> order;
  SilentServant* sender = nullptr;
  std::unique_ptr<Kernel> kernel;
};

struct Tally {
  int ok = 0;
  std::map<Code, int> failed;
  [[nodiscard]] int total() const {
    int sum = ok;
    for (const auto& [code, count] : failed) sum += count;
    return sum;
  }
};

inline void start(Simulation& world, Target& target, const std::string& operation,
                  const std::string& text, Duration within, Tally& tally) {
  auto& call = CallbackCall::make([&tally](Call& ended) {
    if (ended.error)
      ++tally.failed[ended.error->code];
    else
      ++tally.ok;
  });
  call.header.operation_name = operation;
  call.header.deadline = world.now() + within;
  call.request = Payload(Bytes::copy(text));
  target.start(call);
}

}  // namespace hector::udp

// What: Objects that come and go while Naming and Trading come: each has its name and one offer,
// and who has gone has none. Why: a service that is loaded enters what is there already; what comes
// in that moment enters itself. Who: ctest.
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <thread>

#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "kits/kit_capsule.h"

namespace hector::kits {

namespace {

class Nothing final : public Servant {
 public:
  void invoke(Call& call) noexcept override { call.complete(); }
};

TEST(Arrivals, ObjectsThatComeAndGoWhileAServiceComesHaveTheirNamesAndOneOfferEach) {
  constexpr int kRounds = 150, kThreads = 3;
  constexpr std::size_t kAliveMax = 4;
  for (int round = 0; round < kRounds; ++round) {
    KitCapsule capsule("arrivals");
    for (const auto& [kind, name] :
         {std::pair(ModuleKind::kProtocol, "udp"), std::pair(ModuleKind::kService, "naming"),
          std::pair(ModuleKind::kService, "trading")}) {
      if (!capsule.loader().find(kind, name)) GTEST_SKIP() << name << " is not in this build";
    }
    const std::vector<std::string> loopback{"127.0.0.1:0"};
    ASSERT_TRUE(capsule.load(ModuleKind::kProtocol, "udp", &loopback));
    ASSERT_TRUE(capsule.kernel().load_types(source_path("tests/kits/kit.hector.yaml")));
    const auto interface = capsule.kernel().interface("kit.Echo/1");
    ASSERT_TRUE(interface);
    std::atomic<bool> over{false};
    std::atomic<int> begun{0};
    std::vector<std::string> made[kThreads], refused[kThreads];
    std::vector<std::thread> threads;
    for (int t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (int i = 0; !over; ++i) {
          const std::string name = "object" + std::to_string(t) + "-" + std::to_string(i);
          if (auto done = capsule.kernel().adopt_object(
                  name, *interface, std::make_unique<Nothing>(), ThreadModel::kPooled, true))
            made[t].push_back(name);
          else
            refused[t].push_back(name + ": " + done.error().text());
          if (made[t].size() > kAliveMax) {
            static_cast<void>(capsule.kernel().delete_object(made[t].front()));
            made[t].erase(made[t].begin());
          }
          if (i == 0) ++begun;
        }
      });
    }
    while (begun < kThreads) std::this_thread::yield();
    const auto naming = capsule.load(ModuleKind::kService, "naming"),
               trading = capsule.load(ModuleKind::kService, "trading");
    over = true;
    for (auto& each : threads) each.join();
    ASSERT_TRUE(naming) << naming.error().text();
    ASSERT_TRUE(trading) << trading.error().text();
    std::size_t count = 0;
    for (int t = 0; t < kThreads; ++t) {
      EXPECT_TRUE(refused[t].empty()) << refused[t].size() << " refused, as " << refused[t].front();
      for (const auto& name : made[t]) {
        const auto found = (*capsule.kernel().capsule().naming())->lookup(name);
        EXPECT_TRUE(found && found->object == name) << name;
      }
      count += made[t].size();
    }
    const auto names = (*capsule.kernel().capsule().naming())->list("");
    ASSERT_TRUE(names);
    EXPECT_EQ(std::count_if(names->begin(), names->end(),
                            [](const auto& each) { return each.name.starts_with("object"); }),
              static_cast<std::ptrdiff_t>(count));
    TradeQuery query;
    query.type = "kit.Echo/1";
    query.how_many = static_cast<std::uint32_t>(2 * count + 1);
    const auto offers = (*capsule.kernel().capsule().trading())->query(query);
    ASSERT_TRUE(offers) << offers.error().text();
    EXPECT_EQ(offers->size(), count);
  }
}

}  // namespace

}  // namespace hector::kits

// What: the Interfaces that every capsule knows are what they have always been.
// Why: operations go over the wire by number, and an Interface's identity is compared with the
// other side's: an operation moved in a type file would call another one in an older capsule. Who:
// ctest.
#include "services/service_clients.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/binding.hector.h"
#include "hector/coordinator.hector.h"
#include "hector/management.hector.h"
#include "hector/naming.hector.h"
#include "hector/policy.hector.h"
#include "hector/trading.hector.h"
#include "hector/type.hector.h"
#include "simulation.h"
#include "types/model/compiled_interface.h"

namespace hector {
namespace {

types::CompiledPtr compiled(std::string_view model) {
  hector::type::v1::Interface interface;
  EXPECT_TRUE(interface.ParseFromArray(model.data(), static_cast<int>(model.size())));
  return *types::CompiledInterface::make(std::move(interface));
}
std::string identity(std::string_view model) { return compiled(model)->identity().substr(0, 12); }

TEST(KernelInterfaces, KeepTheirIdentities) {
  EXPECT_EQ(identity(BindingServant::model()), "3591f988cb8d");
  EXPECT_EQ(identity(CoordinatorServant::model()), "19674f4e6c56");
  EXPECT_EQ(identity(ManagementServant::model()), "b1cdb9247fc0");
  EXPECT_EQ(identity(NamingServant::model()), "0f2ae53aea61");
  EXPECT_EQ(identity(PolicyServant::model()), "32644b3c7661");
  EXPECT_EQ(identity(TradingServant::model()), "7a6bd11d91a6");
  EXPECT_EQ(identity(TypeServant::model()), "2ca511874701");
}

TEST(KernelInterfaces, NumberTheirOperationsAsTheTypeDoes) {
  const auto naming = compiled(NamingServant::model());
  EXPECT_EQ(naming->operations().at(NamingOperations::kLookupLink.number).name, "lookup_link");
  const auto trading = compiled(TradingServant::model());
  EXPECT_EQ(trading->operations().at(TradingOperations::kWithdrawProxy.number).name,
            "withdraw_proxy");
  const auto coordinator = compiled(CoordinatorServant::model());
  EXPECT_EQ(coordinator->operations().at(CoordinatorOperations::kSuspect.number).name, "suspect");
}

class NoTarget final : public Target {
 public:
  const InterfacePtr& interface() const noexcept override { return interface_; }
  const Reference& reference() const noexcept override { return reference_; }
  void start(Call& call) noexcept override { call.fail(Error::unavailable("it ended")); }

 private:
  InterfacePtr interface_;
  Reference reference_;
};

TEST(ServiceClients, HaveNoneForAServiceThatTheKernelDoesNotUse) {
  ServiceClients clients;
  EXPECT_EQ(standard_interface_of("toy"), "");
  EXPECT_EQ(standard_interface_of("naming"), "hector.Naming/1");
  clients.use("toy", std::make_unique<NoTarget>(), {});
  EXPECT_EQ(clients.services().naming, nullptr);
  clients.drop("toy");
}

TEST(ServiceClients, KeepAClientThatIsDroppedForTheThreadThatCallsIt) {
  testing::Simulation world(1);
  ServiceClients clients;
  clients.use("naming", std::make_unique<NoTarget>(), {&world, "north"});
  NamingService* const used = clients.services().naming;
  ASSERT_NE(used, nullptr);
  clients.drop("naming");
  EXPECT_EQ(clients.services().naming, nullptr);
  EXPECT_EQ(used->lookup("camera").error().message, "it ended");
  clients.use("naming", std::make_unique<NoTarget>(), {&world, "north"});
  EXPECT_NE(clients.services().naming, used);
}

}  // namespace
}  // namespace hector

// What: plans of the Trader's Register, without a store.
// Why: each refusal of the specification has to be told under its name.
// Who: ctest.
#include "registration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "service_types.h"

namespace hector::trading {
namespace {

class FixedRandom final : public Random {
 public:
  std::uint64_t next() noexcept override { return 4; }
};

class RegistrationTest : public ::testing::Test {
 protected:
  RegistrationTest() {
    v1::TradingType type;
    type.set_name("P");
    auto& ppm = *type.add_properties();
    ppm.set_name("ppm");
    ppm.set_type("long");
    ppm.set_mode(v1::TRADING_MANDATORY);
    auto planned = plan_add_type(offers_, type);
    EXPECT_TRUE(planned);
    apply(*planned);
  }
  /// As the store would tell what it was given.
  void apply(const StoreTransaction& transaction) {
    for (const auto& operation : transaction.then) {
      ASSERT_EQ(operation.kind, StoreOperation::Kind::kPut);
      ++revision_;
      offers_.apply({StoreEvent::Kind::kPut,
                     {operation.key, operation.value, revision_, revision_, 1, 0},
                     {}});
    }
    offers_.applied(revision_);
  }
  static v1::TradingOffer printer(const std::string& ppm) {
    v1::TradingOffer offer;
    offer.set_type("P");
    offer.mutable_reference()->set_object("lp1");
    if (!ppm.empty()) (*offer.mutable_properties())["ppm"] = ppm;
    return offer;
  }
  std::string exported(const v1::TradingOffer& offer) {
    v1::TradingOfferId id;
    auto planned = registration_.plan_export(offer, id);
    if (!planned) return planned.error().type;
    apply(*planned);
    return id.id();
  }
  std::string withdrawn(const std::string& id, OfferKind kind) {
    v1::TradingOfferId asked, reply;
    asked.set_id(id);
    auto planned = registration_.plan_withdraw(asked, kind, reply);
    return planned ? "OK" : planned.error().type;
  }

  Offers offers_;
  FixedRandom random_;
  Registration registration_{offers_, random_};
  Revision revision_ = 0;
};

TEST_F(RegistrationTest, NumbersOffersAfterTheHighestThatWasGivenOut) {
  registration_.start_after(41);
  EXPECT_EQ(exported(printer("10")), "P#42");
  EXPECT_EQ(exported(printer("10")), "P#43");
}
TEST_F(RegistrationTest, RefusesAnOfferThatLeadsNowhere) {
  auto offer = printer("10");
  offer.clear_reference();
  EXPECT_EQ(exported(offer), "InvalidObjectRef");
}
TEST_F(RegistrationTest, RefusesAnOfferWithoutAMandatoryProperty) {
  EXPECT_EQ(exported(printer("")), "MissingMandatoryProperty");
}
TEST_F(RegistrationTest, RefusesAValueOfAnotherType) {
  EXPECT_EQ(exported(printer("\"fast\"")), "PropertyTypeMismatch");
}
TEST_F(RegistrationTest, RefusesANewOfferOfAMaskedType) {
  v1::TradingTypeName name;
  name.set_name("P");
  apply(*plan_mask(offers_, name, Mask::kMasked));
  EXPECT_EQ(exported(printer("10")), "UnknownServiceType");
  EXPECT_EQ(plan_mask(offers_, name, Mask::kMasked).error().type, "AlreadyMasked");
}
TEST_F(RegistrationTest, WithdrawsAnOfferByTheOperationOfItsKindOnly) {
  const auto id = exported(printer("10"));
  EXPECT_EQ(withdrawn(id, OfferKind::kOrdinary), "OK");
  EXPECT_EQ(withdrawn(id, OfferKind::kProxy), "NotProxyOfferId");
  EXPECT_EQ(withdrawn("P#999", OfferKind::kOrdinary), "UnknownOfferId");
  EXPECT_EQ(withdrawn("lp1", OfferKind::kOrdinary), "IllegalOfferId");
}
TEST_F(RegistrationTest, ModifiesAllPropertiesOrNone) {
  v1::TradingModify asked;
  asked.set_id(exported(printer("10")));
  (*asked.mutable_modified())["colour"] = "true";
  asked.add_deleted("ppm");
  v1::TradingOfferId reply;
  EXPECT_EQ(registration_.plan_modify(asked, reply).error().type, "MandatoryProperty");
  asked.clear_deleted();
  EXPECT_TRUE(registration_.plan_modify(asked, reply));
}
TEST_F(RegistrationTest, WithdrawsAtMostNinetyOffersTogether) {
  for (int i = 0; i < 90; ++i) exported(printer("10"));
  v1::TradingSelection asked;
  asked.set_type("P");
  asked.set_constraint("ppm == 10");
  v1::TradingWithdrawn reply;
  EXPECT_TRUE(registration_.plan_withdraw_matching(asked, reply));
  EXPECT_EQ(reply.count(), 90U);
  exported(printer("10"));
  EXPECT_EQ(registration_.plan_withdraw_matching(asked, reply).error().code,
            Code::kResourceExhausted);
}

}  // namespace
}  // namespace hector::trading

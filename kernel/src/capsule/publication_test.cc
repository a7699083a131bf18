// What Naming and Trading are told: new and taken names, leases that have ended, providers that
// change.
#include "capsule/publication.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "hector/store.h"
#include "simulation.h"

namespace hector {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

/// Leases of a service in memory.
class Leases {
 public:
  Result<std::uint64_t> open() {
    ++opened;
    return current = ++last_;
  }
  Status check(std::uint64_t lease) const {
    if (lease == current) return {};
    return fail(Error::not_found("this lease has ended").with_type(kStoreLeaseNotFound));
  }
  std::uint64_t current = 0;
  int opened = 0;

 private:
  std::uint64_t last_ = 0;
};

class FakeNaming final : public NamingService {
 public:
  Result<std::uint64_t> open_lease(const std::string&, Duration) override { return leases.open(); }
  Status renew_lease(std::uint64_t lease) override { return leases.check(lease); }
  Status close_lease(std::uint64_t) override {
    names.clear();
    return {};
  }
  Status bind(const std::string& name, const Reference& reference, bool exclusive,
              std::uint64_t lease) override {
    HECTOR_TRY(leases.check(lease));
    if (exclusive && names.contains(name)) return fail(Error::already_exists("the name is taken"));
    names[name] = reference;
    return {};
  }
  Result<Reference> lookup(const std::string& name) override {
    if (names.contains(name)) return names[name];
    return fail(Error::not_found("no such name"));
  }
  Status unbind(const std::string& name) override {
    if (is_full) return fail(Error::resource_exhausted("the disk is full"));
    names.erase(name);
    return {};
  }
  Result<std::vector<NamedReference>> list(const std::string&) override {
    return std::vector<NamedReference>();
  }
  Leases leases;
  std::map<std::string, Reference> names;
  bool is_full = false;
};

class FakeTrading final : public TradingService {
 public:
  Result<std::uint64_t> open_lease(const std::string&, Duration) override { return leases.open(); }
  Status renew_lease(std::uint64_t lease) override { return leases.check(lease); }
  Status close_lease(std::uint64_t) override {
    offers.clear();
    return {};
  }
  Result<std::string> export_offer(const std::string&, const Reference& reference,
                                   const std::map<std::string, std::string>& properties,
                                   std::uint64_t lease) override {
    HECTOR_TRY(leases.check(lease));
    if (refuses) return fail(Error::invalid_argument("no such service type"));
    const std::string id = "offer" + std::to_string(++last_);
    offers[id] = {id, reference, properties};
    return id;
  }
  Status withdraw(const std::string& id) override {
    if (is_full) return fail(Error::resource_exhausted("the disk is full"));
    offers.erase(id);
    return {};
  }
  Result<std::vector<TradedOffer>> query(const TradeQuery&) override {
    return std::vector<TradedOffer>();
  }
  Leases leases;
  std::map<std::string, TradedOffer> offers;
  bool refuses = false, is_full = false;

 private:
  int last_ = 0;
};

class FakeEndpoint final : public Endpoint {
 public:
  std::string address() const override { return "here"; }
  void drain(Duration) noexcept override {}
};

class FakeProtocol final : public Protocol {
 public:
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string&) override {
    return std::make_unique<FakeEndpoint>();
  }
  Result<std::unique_ptr<Channel>> connect(const std::string&) override {
    return fail(Error::unavailable("a fake"));
  }

 private:
  const ProtocolCapabilities capabilities_;
};

class Published : public ::testing::Test {
 protected:
  Published() {
    blocking_.use(world_);
    EXPECT_TRUE(protocols_.add("fake", std::make_unique<FakeProtocol>(), {"here"}));
    services_.naming = &naming_;
    services_.trading = &trading_;
    auto management = make("_management");
    management->is_system = true;
    EXPECT_TRUE(offers_.add(management));
  }
  OfferPtr make(const std::string& name) {
    auto made = std::make_shared<Offer>();
    made->id = ++last_id_;
    made->object = name;
    made->capsule_principal = std::make_shared<const std::string>("capsule:test");
    type::v1::Interface nothing;
    nothing.set_name("t.None");
    nothing.set_major(1);
    made->interface = *types::CompiledInterface::make(nothing);
    made->host = std::make_shared<ObjectHost>(HostOptions{.name = name, .executor = &world_});
    return made;
  }
  OfferPtr object(const std::string& name) {
    auto made = make(name);
    EXPECT_TRUE(offers_.add(made));
    return made;
  }
  /// One whose name and offer the services keep, as their disk is full.
  OfferPtr gone(const std::string& name) {
    const OfferPtr o = object(name);
    EXPECT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
    naming_.is_full = trading_.is_full = true;
    offers_.remove(name);
    publication_.leave(o, Publication::NameGoes::kAway);
    world_.run_for(std::chrono::seconds(20));
    EXPECT_TRUE(naming_.names.contains(name));
    EXPECT_EQ(trading_.offers.size(), 1U);
    return o;
  }
  void make_room() { naming_.is_full = trading_.is_full = false; }
  void settle() { world_.run_for(std::chrono::milliseconds(1)); }

  testing::Simulation world_{1};
  BlockingPool blocking_;
  std::uint64_t last_id_ = 0;
  OfferTable offers_;
  ProtocolTable protocols_;
  const OwnReferences references_{"c", 7, protocols_};
  FakeNaming naming_;
  FakeTrading trading_;
  Services services_;
  Publication publication_{
      {offers_, references_, [this] { return services_; }, {world_, world_, blocking_, world_}}};
};

TEST_F(Published, ObjectIsInNamingAndTradingUntilItLeaves) {
  const OfferPtr o = object("o");
  o->properties.merge({{"cost", "3"}});
  ASSERT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
  ASSERT_TRUE(naming_.names.contains("o"));
  EXPECT_EQ(naming_.names["o"].offer, o->id);
  ASSERT_EQ(trading_.offers.size(), 1U);
  EXPECT_THAT(trading_.offers.begin()->second.properties, UnorderedElementsAre(Pair("cost", "3")));
  offers_.remove("o");
  publication_.leave(o, Publication::NameGoes::kAway);
  EXPECT_THAT(naming_.names, IsEmpty());
  EXPECT_THAT(trading_.offers, IsEmpty());
}

TEST_F(Published, NewNameThatIsTakenIsRefusedAndATakenOverOneIsNot) {
  naming_.leases.open();
  naming_.names["o"].offer = 99;
  const OfferPtr o = object("o");
  const auto refused = publication_.enter(o, Publication::NameIs::kNew);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
  EXPECT_THAT(trading_.offers, IsEmpty());
  EXPECT_TRUE(publication_.enter(o, Publication::NameIs::kTakenOver));
  EXPECT_EQ(naming_.names["o"].offer, o->id);
}

TEST_F(Published, NameThatThisVeryOfferHasAlreadyIsNotTaken) {
  const OfferPtr o = object("o");
  publication_.refresh();  // as when a service comes while the Object is being made
  EXPECT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
  EXPECT_EQ(trading_.offers.size(), 1U) << "the earlier offer was withdrawn";
}

TEST_F(Published, NothingIsLeftBehindWhenTheTraderRefuses) {
  trading_.refuses = true;
  const OfferPtr o = object("o");
  EXPECT_EQ(publication_.enter(o, Publication::NameIs::kNew).error().code, Code::kInvalidArgument);
  EXPECT_THAT(naming_.names, IsEmpty());
}

TEST_F(Published, NameStaysWithTheSuccessor) {
  const OfferPtr o = object("o");
  ASSERT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
  offers_.remove("o");
  publication_.leave(o, Publication::NameGoes::kToSuccessor);
  EXPECT_TRUE(naming_.names.contains("o"));
  EXPECT_THAT(trading_.offers, IsEmpty());
}

TEST_F(Published, WhatAServiceKeepsOnAFullDiskIsTakenOutWhenThereIsRoom) {
  gone("o");
  make_room();
  world_.run_for(std::chrono::seconds(5));
  EXPECT_THAT(naming_.names, IsEmpty());
  EXPECT_THAT(trading_.offers, IsEmpty());
}

TEST_F(Published, NameThatWasKeptOnAFullDiskIsTheNextObjectsOfThatName) {
  gone("o");
  make_room();
  const OfferPtr next = object("o");
  EXPECT_TRUE(publication_.enter(next, Publication::NameIs::kNew));
  world_.run_for(std::chrono::seconds(5));
  EXPECT_EQ(naming_.names["o"].offer, next->id);
  EXPECT_EQ(trading_.offers.size(), 1U);
}

TEST_F(Published, NameThatWasKeptOnAFullDiskStaysWhereItIsAnothersByThen) {
  gone("o");
  naming_.names["o"] = {};  // of another capsule
  make_room();
  world_.run_for(std::chrono::seconds(5));
  EXPECT_TRUE(naming_.names.contains("o"));
  EXPECT_THAT(trading_.offers, IsEmpty());
}

TEST_F(Published, EverythingIsEnteredAgainWhenALeaseHasEnded) {
  ASSERT_TRUE(publication_.enter(object("a"), Publication::NameIs::kNew));
  naming_.names.clear();
  naming_.leases.current = 0;  // the service has forgotten this capsule
  ASSERT_TRUE(publication_.enter(object("b"), Publication::NameIs::kNew));
  settle();
  EXPECT_EQ(naming_.leases.opened, 2);
  EXPECT_TRUE(naming_.names.contains("a"));
  EXPECT_TRUE(naming_.names.contains("b"));
  EXPECT_TRUE(naming_.names.contains("capsules/c"));
}

TEST_F(Published, AnotherProviderIsToldEverythingUnderALeaseOfItsOwn) {
  ASSERT_TRUE(publication_.enter(object("o"), Publication::NameIs::kNew));
  FakeNaming other;
  ASSERT_TRUE(publication_.change_services([&]() -> Status {
    services_.naming = &other;
    return {};
  }));
  EXPECT_EQ(other.leases.opened, 1);
  EXPECT_TRUE(other.names.contains("o"));
  publication_.close();
  EXPECT_THAT(other.names, IsEmpty());
}

TEST_F(Published, ChangeThatFailsKeepsTheProviders) {
  ASSERT_TRUE(publication_.enter(object("o"), Publication::NameIs::kNew));
  const auto changed = publication_.change_services(
      []() -> Status { return fail(Error::unavailable("it does not answer")); });
  ASSERT_FALSE(changed);
  EXPECT_THAT(changed.error().message, HasSubstr("does not answer"));
  EXPECT_EQ(naming_.leases.opened, 1);
}

TEST_F(Published, AdvertisedPropertiesReplaceTheOfferAtTheTrader) {
  const OfferPtr o = object("o");
  ASSERT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
  ASSERT_TRUE(publication_.advertise(o, {{"seats", "4"}}));
  ASSERT_EQ(trading_.offers.size(), 1U);
  EXPECT_EQ(trading_.offers.begin()->second.properties.at("seats"), "4");
}

TEST_F(Published, CapsuleWithoutServicesPublishesNothingAndSucceeds) {
  services_ = {};
  const OfferPtr o = object("o");
  EXPECT_TRUE(publication_.enter(o, Publication::NameIs::kNew));
  publication_.refresh();
  publication_.leave(o, Publication::NameGoes::kAway);
}

}  // namespace
}  // namespace hector

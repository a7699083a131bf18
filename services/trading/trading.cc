// What: the embedded provider of Trading (OMG formal/00-06-27, ISO/IEC 13235-1): service types,
// offers, queries, on the store.
// Why: roles are filled by what Objects offer.
// Who: loaded by capsules whose configuration says `trading: embedded`.
#include "hector/plugin.h"
#include "hector/trading.hector.h"
#include "links.h"
#include "lookup.h"
#include "offer_changes.h"
#include "offer_pages.h"
#include "registration.h"
#include "search.h"
#include "service_types.h"
#include "state/answer.h"
#include "state/answer_watches.h"
#include "state/leases.h"

namespace {

using namespace hector;
using namespace hector::trading;

constexpr std::uint32_t kWatchedMax = 1'000;  ///< offers of a watched query
constexpr std::size_t kWatchesMax = 100;      ///< watched queries

using ToldOffers = std::vector<v1::TradingOffer>;

class Trader final : public ServiceOf<TradingServant> {
 public:
  explicit Trader(const ServiceContext& context)
      : registration_(offers_, *context.random),
        lookup_(offers_, *context.random),
        pages_(*context.clock, *context.random, lookup_, replica_),
        watches_(kWatchesMax,
                 [this](const v1::TradingQuery& asked, Revision revision, ToldOffers& told,
                        state::Feed& feed) { return tell(asked, revision, told, feed); }),
        replica_({context.store, context.clock, context.executor, context.log}, "tr/", offers_),
        leases_(*context.store, "tr-leases/", context.capsule),
        searches_(context, offers_, replica_) {
    offers_.on_change = [this](Revision revision) { watches_.tell_all(revision); };
  }
  Status start() {
    HECTOR_TRY(replica_.start());
    registration_.start_after(offers_.highest());
    return {};
  }
  std::vector<std::string> dependants() override { return leases_.dependants(); }

  // --- Register

  void export_(const v1::TradingOffer& asked, Reply<v1::TradingOfferId> reply) override {
    state::change(replica_, asked, reply, [this](const auto& offer, auto& id) {
      return registration_.plan_export(offer, id);
    });
  }
  void export_proxy(const v1::TradingOffer& asked, Reply<v1::TradingOfferId> reply) override {
    export_(asked, reply);
  }
  void withdraw(const v1::TradingOfferId& asked, Reply<v1::TradingOfferId> reply) override {
    withdraw(asked, OfferKind::kOrdinary, reply);
  }
  void withdraw_proxy(const v1::TradingOfferId& asked, Reply<v1::TradingOfferId> reply) override {
    withdraw(asked, OfferKind::kProxy, reply);
  }
  void withdraw_using_constraint(const v1::TradingSelection& asked,
                                 Reply<v1::TradingWithdrawn> reply) override {
    state::change(replica_, asked, reply, [this](const auto& selection, auto& withdrawn) {
      return registration_.plan_withdraw_matching(selection, withdrawn);
    });
  }
  void modify(const v1::TradingModify& asked, Reply<v1::TradingOfferId> reply) override {
    state::change(replica_, asked, reply, [this](const auto& modification, auto& id) {
      return registration_.plan_modify(modification, id);
    });
  }
  void describe(const v1::TradingOfferId& asked, Reply<v1::TradingOffer> reply) override {
    const auto lock = replica_.read();
    reply(registration_.describe(asked, OfferKind::kOrdinary));
  }
  void describe_proxy(const v1::TradingOfferId& asked, Reply<v1::TradingOffer> reply) override {
    const auto lock = replica_.read();
    reply(registration_.describe(asked, OfferKind::kProxy));
  }
  void list_offers(const v1::TradingNext& asked, Reply<v1::TradingIds> reply) override {
    const auto lock = replica_.read();
    reply(registration_.list(asked));
  }
  void list_proxies(const v1::TradingNothing&, Reply<v1::TradingIds> reply) override {
    const auto lock = replica_.read();
    reply(registration_.list_proxies());
  }
  void open_lease(const v1::TradingLease& asked, Reply<v1::TradingLease> reply) override {
    state::open_lease(leases_, asked, reply);
  }
  void renew_lease(const v1::TradingLease& asked, Reply<v1::TradingLease> reply) override {
    state::renew_lease(leases_, asked, reply);
  }
  void close_lease(const v1::TradingLease& asked, Reply<v1::TradingLease> reply) override {
    state::close_lease(leases_, asked, reply);
  }

  // --- Lookup

  void query(const v1::TradingQuery& asked, Reply<v1::TradingOffers> reply) override {
    if (!needs_others(asked)) return reply(pages_.first(asked));
    searches_.start(reply.later().call(), asked, [this](Search& search) {
      Reply<v1::TradingOffers> found(search.call);
      found(pages_.first(search));
    });
  }
  void next_offers(const v1::TradingNext& asked, Reply<v1::TradingOffers> reply) override {
    reply(pages_.next(asked));
  }
  void explain(const v1::TradingQuery& asked, Reply<v1::TradingExplanation> reply) override {
    const auto lock = replica_.read();
    reply(lookup_.explain(asked));
  }
  /// What matches now, then each change of this trader's own answer.
  void watch(const v1::TradingQuery& asked, OutFlow<v1::TradingChange> out) override {
    {
      const auto lock = replica_.read();
      if (auto plan = plan_of(offers_, asked); !plan) return out.fail(std::move(plan.error()));
    }
    watches_.add(out.call(), asked, replica_.revision());
  }

  // --- ServiceTypeRepository

  void add_type(const v1::TradingType& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& type, auto&) { return plan_add_type(offers_, type); });
  }
  void remove_type(const v1::TradingTypeName& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& name, auto&) { return plan_remove_type(offers_, name); });
  }
  void list_types(const v1::TradingTypesSince& asked, Reply<v1::TradingTypes> reply) override {
    const auto lock = replica_.read();
    reply(trading::list_types(offers_, asked));
  }
  void describe_type(const v1::TradingTypeName& asked, Reply<v1::TradingType> reply) override {
    const auto lock = replica_.read();
    reply(trading::describe_type(offers_, asked, PropertiesShown::kOwn));
  }
  void fully_describe_type(const v1::TradingTypeName& asked,
                           Reply<v1::TradingType> reply) override {
    const auto lock = replica_.read();
    reply(trading::describe_type(offers_, asked, PropertiesShown::kAll));
  }
  void mask_type(const v1::TradingTypeName& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& name, auto&) {
      return plan_mask(offers_, name, Mask::kMasked);
    });
  }
  void unmask_type(const v1::TradingTypeName& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& name, auto&) {
      return plan_mask(offers_, name, Mask::kUnmasked);
    });
  }

  // --- Link and Admin

  void add_link(const v1::TradingLink& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& link, auto&) { return trading::add_link(offers_, link); });
  }
  void modify_link(const v1::TradingLink& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply,
                  [this](const auto& link, auto&) { return trading::modify_link(offers_, link); });
  }
  void remove_link(const v1::TradingName& asked, Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply, [this](const auto& link, auto&) {
      return trading::remove_link(offers_, link.name());
    });
  }
  void describe_link(const v1::TradingName& asked, Reply<v1::TradingLink> reply) override {
    const auto lock = replica_.read();
    reply(trading::describe_link(offers_, asked.name()));
  }
  void list_links(const v1::TradingNothing&, Reply<v1::TradingIds> reply) override {
    const auto lock = replica_.read();
    reply(trading::list_links(offers_));
  }
  void resolve(const v1::TradingTraderName& asked, Reply<v1::TradingTarget> reply) override {
    const auto lock = replica_.read();
    reply(resolve_trader(offers_, asked));
  }
  void get_attributes(const v1::TradingNothing&, Reply<v1::TradingAttributes> reply) override {
    const auto lock = replica_.read();
    reply(offers_.attributes());
  }
  void set_attributes(const v1::TradingAttributes& asked,
                      Reply<v1::TradingRevision> reply) override {
    state::change(replica_, asked, reply,
                  [](const auto& attributes, auto&) { return plan_attributes(attributes); });
  }

 private:
  void withdraw(const v1::TradingOfferId& asked, OfferKind kind, Reply<v1::TradingOfferId> reply) {
    state::change(replica_, asked, reply, [this, kind](const auto& id, auto& withdrawn) {
      return registration_.plan_withdraw(id, kind, withdrawn);
    });
  }
  bool needs_others(const v1::TradingQuery& asked) const {
    const auto lock = replica_.read();
    return lookup_.needs_others(asked);
  }
  Status tell(const v1::TradingQuery& asked, Revision revision, ToldOffers& told,
              state::Feed& feed) {
    const auto found =
        HECTOR_TRY(pages_.own(asked, {asked.how_many() == 0 ? kWatchedMax : asked.how_many(), 0}));
    ToldOffers now(found.offers().begin(), found.offers().end());
    for (auto& change : changes_between(told, now)) {
      change.set_revision(revision);
      if (!feed.push(write_message(change)))
        return fail(Error::resource_exhausted("too many changes wait for this watch; watch again"));
    }
    told = std::move(now);
    return {};
  }

  Offers offers_;
  Registration registration_;
  const Lookup lookup_;
  OfferPages pages_;
  state::AnswerWatches<v1::TradingQuery, ToldOffers> watches_;
  state::Replica replica_;  ///< it tells the watches until it ends
  state::Leases leases_;
  Searches searches_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "trading cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  auto trader = std::make_unique<Trader>(context);
  if (auto started = trader->start(); !started) return refused(started.error().text());
  return trader.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "trading",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};

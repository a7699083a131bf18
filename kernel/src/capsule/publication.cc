#include "capsule/publication.h"

#include <fmt/format.h>

#include <utility>

#include "hector/check.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "hector/store.h"

namespace hector {

namespace {

/// Of Offers that have gone, with what services have not taken out. Beyond it the oldest is left.
constexpr std::size_t kRemnantsMax = 10'000;
constexpr Duration kTakenOutEvery = std::chrono::seconds(3);

/// The service could not take it out now.
bool is_still_there(const Status& taken_out) {
  if (taken_out) return false;
  const Code why = taken_out.error().code;
  return why == Code::kResourceExhausted || why == Code::kUnavailable ||
         why == Code::kDeadlineExceeded;
}

}  // namespace

Publication::Publication(Options options)
    : options_(std::move(options)),
      naming_lease_(
          options_.surroundings, "capsule:" + options_.references.capsule(),
          [this] { return options_.services().naming; }, [this] { refresh(); }),
      trading_lease_(
          options_.surroundings, "capsule:" + options_.references.capsule(),
          [this] { return options_.services().trading; }, [this] { refresh(); }) {}

// --- one Object
// ----------------------------------------------------------------------------------------------

Status Publication::enter(const OfferPtr& offer, NameIs name) {
  HECTOR_CHECK(offer != nullptr && !offer->is_system, "a system Offer is published as an Object's");
  HECTOR_TRY(bind_object(*offer, name));
  auto exported = export_offer(offer);
  if (!exported) leave(offer, name == NameIs::kNew ? NameGoes::kAway : NameGoes::kToSuccessor);
  return exported;
}

/// A service that has just come enters every Offer there is: then the name is taken, by this one.
Status Publication::bind_object(const Offer& offer, NameIs name) {
  auto bound = bind_name(offer.object, options_.references.of(offer),
                         name == NameIs::kNew ? IfTaken::kRefuse : IfTaken::kReplace);
  if (bound || bound.error().code != Code::kAlreadyExists) return bound;
  const auto there = options_.services().naming->lookup(offer.object);
  if (!there || !options_.references.is_own(*there)) return bound;
  if (there->offer == offer.id) return {};
  if (options_.offers.find(there->offer)) return bound;
  // Of an Offer that has gone, and whose name could not be taken out yet.
  return bind_name(offer.object, options_.references.of(offer), IfTaken::kReplace);
}

Status Publication::export_offer(const OfferPtr& offer) {
  // Two at a time would each leave an offer with the Trader.
  const std::lock_guard one(mutex_);
  auto* const trading = options_.services().trading;
  if (trading == nullptr) return {};
  const auto id = HECTOR_TRY(export_under_lease(*trading, *offer));
  const std::string earlier = std::exchange(exported_[offer->id], id);
  take_out({offer->id, {}, earlier});
  return {};
}

Result<std::string> Publication::export_under_lease(TradingService& trading, const Offer& offer) {
  const auto attempt = [&](std::uint64_t lease) {
    return trading.export_offer(offer.interface->id(), options_.references.of(offer),
                                offer.properties.get(), lease);
  };
  const auto lease = HECTOR_TRY(trading_lease_.get());
  auto id = attempt(lease);
  if (id || id.error().type != kStoreLeaseNotFound) return id;
  trading_lease_.has_ended(lease);
  const auto another = HECTOR_TRY(trading_lease_.get());
  return attempt(another);
}

void Publication::leave(const OfferPtr& offer, NameGoes name) {
  const std::lock_guard one(mutex_);
  const OfferPtr successor = options_.offers.find_object(offer->object);
  const bool is_name_away = name == NameGoes::kAway && (!successor || successor == offer);
  const auto exported = exported_.extract(offer->id);
  Remnant remnant{offer->id, is_name_away ? offer->object : std::string(),
                  exported ? exported.mapped() : std::string()};
  take_out(std::move(remnant));
}

void Publication::take_out(Remnant remnant) {
  try_to_take_out(remnant);
  if (!remnant.is_gone()) take_out_later(std::move(remnant));
}

void Publication::try_to_take_out(Remnant& remnant) {
  const Services use = options_.services();
  if (use.naming == nullptr || remnant.name.empty() ||
      !is_still_there(use.naming->unbind(remnant.name)))
    remnant.name.clear();
  if (use.trading == nullptr || remnant.exported.empty() ||
      !is_still_there(use.trading->withdraw(remnant.exported)))
    remnant.exported.clear();
}

void Publication::take_out_later(Remnant remnant) {
  if (remnants_.size() == kRemnantsMax) remnants_.pop_front();
  remnants_.push_back(std::move(remnant));
  if (remnants_.size() > 1) return;  // there is a timer
  const auto& on = options_.surroundings;
  on.executor.at(on.clock.now() + kTakenOutEvery, [handle = guard_.handle()] {
    handle.try_run([&](Publication& self) {
      self.options_.surroundings.blocking.run(
          [handle] { handle.run([](Publication& later) { later.take_out_remnants(); }); });
    });
  });
}

void Publication::take_out_remnants() {
  const std::lock_guard one(mutex_);
  bool is_refused = false;  // once is enough: a service that does not answer takes its time
  for (auto& remnant : std::exchange(remnants_, {})) {
    if (!is_refused) {
      // Another Offer may have the name by now.
      if (!remnant.name.empty() && !has_name(remnant.name, remnant.offer)) remnant.name.clear();
      try_to_take_out(remnant);
    }
    is_refused = is_refused || !remnant.is_gone();
    if (!remnant.is_gone()) take_out_later(std::move(remnant));
  }
}

bool Publication::has_name(const std::string& name, std::uint64_t offer) {
  auto* const naming = options_.services().naming;
  if (naming == nullptr) return false;
  const auto there = naming->lookup(name);
  if (!there) return is_still_there(fail(there.error()));
  return options_.references.is_own(*there) && there->offer == offer;
}

Status Publication::advertise(const OfferPtr& offer, const OfferProperties::Map& properties) {
  offer->properties.merge(properties);
  return export_offer(offer);
}

// --- all of them
// ----------------------------------------------------------------------------------------------

void Publication::refresh() {
  if (!options_.references.is_reached()) return;
  bind_capsule();
  for (const auto& offer : options_.offers.all()) {
    if (!offer->is_system) refresh(offer);
  }
}

void Publication::refresh(const OfferPtr& offer) {
  auto entered = bind_name(offer->object, options_.references.of(*offer), IfTaken::kReplace);
  if (entered) entered = export_offer(offer);
  if (!options_.offers.find(offer->id)) {
    leave(offer, NameGoes::kAway);  // it was deleted meanwhile
  } else if (!entered) {
    options_.surroundings.log.write(
        Level::kWarning, "not published",
        {{"object", offer->object}, {"error", entered.error().message}});
  }
}

void Publication::bind_capsule() {
  if (options_.services().naming == nullptr) return;
  const OfferPtr management = options_.offers.find_object(kManagementName);
  if (!management) return;  // the capsule ends
  auto bound = bind_name("capsules/" + options_.references.capsule(),
                         options_.references.of(*management), IfTaken::kReplace);
  if (!bound)
    options_.surroundings.log.write(Level::kWarning, "not in Naming",
                                    {{"error", bound.error().message}});
  for (const auto& offer : options_.offers.all()) {
    // The first capsule that has a service embedded is where others find it.
    if (offer->is_system && offer->host->options().template_name == kServiceLabel)
      bind_service(*offer);
  }
}

void Publication::bind_service(const Offer& offer) {
  const std::string name = "service/" + offer.object;
  auto bound = bind_name(name, options_.references.of(offer), IfTaken::kRefuse);
  if (bound || bound.error().code != Code::kAlreadyExists) return;
  const auto there = options_.services().naming->lookup(name);
  if (there && options_.references.is_own(*there))  // this capsule's own, as it was before
    static_cast<void>(bind_name(name, options_.references.of(offer), IfTaken::kReplace));
}

Status Publication::bind_name(const std::string& name, const Reference& reference,
                              IfTaken if_taken) {
  auto* const naming = options_.services().naming;
  if (naming == nullptr) return {};
  const auto attempt = [&](std::uint64_t lease) {
    return naming->bind(name, reference, if_taken == IfTaken::kRefuse, lease);
  };
  const auto lease = HECTOR_TRY(naming_lease_.get());
  auto bound = attempt(lease);
  if (bound || bound.error().type != kStoreLeaseNotFound) return bound;
  naming_lease_.has_ended(lease);
  const auto another = HECTOR_TRY(naming_lease_.get());
  return attempt(another);
}

// --- providers
// ----------------------------------------------------------------------------------------------

Status Publication::change_services(const std::function<Status()>& change) {
  {
    const auto naming = naming_lease_.hold();
    const auto trading = trading_lease_.hold();
    const Services before = options_.services();
    HECTOR_TRY(change());
    const Services after = options_.services();
    if (after.trading != before.trading) trading_lease_.forget();
    if (after.naming != before.naming) naming_lease_.forget();
  }
  refresh();
  return {};
}

void Publication::close() {
  trading_lease_.close();
  naming_lease_.close();
}

}  // namespace hector

#include "capsule/publication.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "hector/service/naming.h"
#include "hector/service/trading.h"
#include "hector/store.h"

namespace hector {

namespace {

constexpr const char* kManagement = "_management";

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
  const bool is_this = there && options_.references.is_own(*there) && there->offer == offer.id;
  return is_this ? Status() : bound;
}

Status Publication::export_offer(const OfferPtr& offer) {
  // Two at a time would each leave an offer with the Trader.
  const std::lock_guard one(mutex_);
  auto* const trading = options_.services().trading;
  if (trading == nullptr) return {};
  const auto id = HECTOR_TRY(export_under_lease(*trading, *offer));
  const std::string earlier = std::exchange(exported_[offer->id], id);
  if (!earlier.empty()) static_cast<void>(trading->withdraw(earlier));
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
  const Services use = options_.services();
  const OfferPtr successor = options_.offers.find_object(offer->object);
  if (use.naming != nullptr && name == NameGoes::kAway && (!successor || successor == offer))
    static_cast<void>(use.naming->unbind(offer->object));
  const auto exported = exported_.extract(offer->id);
  if (use.trading != nullptr && exported)
    static_cast<void>(use.trading->withdraw(exported.mapped()));
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
  const OfferPtr management = options_.offers.find_object(kManagement);
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

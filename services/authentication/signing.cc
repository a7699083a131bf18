#include "signing.h"

#include "trust_changes.h"

namespace hector::authentication {

namespace {

constexpr Duration kAgainAfter = std::chrono::seconds(1);

}  // namespace

Signing::Signing(const ServiceContext& context, state::Replica& replica, const TrustState& state,
                 std::string domain)
    : clock_(*context.clock),
      executor_(*context.executor),
      log_(*context.log),
      replica_(replica),
      state_(state),
      domain_(std::move(domain)) {}

Signing::~Signing() { guard_.end(); }

void Signing::rotate() {
  const auto key = std::make_shared<const identity::TokenKey>(identity::TokenKey::make());
  replica_.change(
      [&clock = clock_, &state = state_, domain = domain_, key]() -> Result<StoreTransaction> {
        const auto now_s = std::chrono::system_clock::to_time_t(clock.wall());
        v1::SigningKey kept;
        kept.set_domain(domain);
        kept.set_web_key(key->web_key());
        kept.set_until_s(now_s + kKeySeconds + kTrustedLongerSeconds);
        return plan_signing_key(state, key->id(), kept, now_s);
      },
      [handle = guard_.handle(), key](Result<Revision> done) {
        handle.run([&](Signing& self) { self.published(key, done); });
      });
}

/// Where the store takes nothing, the last key signs on until it does.
void Signing::published(std::shared_ptr<const identity::TokenKey> key,
                        const Result<Revision>& done) {
  if (done) {
    const std::lock_guard lock(mutex_);
    key_ = std::move(key);
  } else {
    log_.write(Level::kWarning, "a key for tokens cannot be published; it is tried again",
               {{"why", done.error().message}});
  }
  const Duration after = done ? Duration(std::chrono::seconds(kKeySeconds / 2)) : kAgainAfter;
  executor_.at(clock_.now() + after,
               [handle = guard_.handle()] { handle.run([](Signing& self) { self.rotate(); }); });
}

Result<std::string> Signing::sign(const identity::TokenPlan& plan) const {
  const auto key = [&] {
    const std::lock_guard lock(mutex_);
    return key_;
  }();
  if (key != nullptr) return key->sign(plan);
  return fail(Error::unavailable("the key for tokens is not on the store yet; try again"));
}

}  // namespace hector::authentication

// What: the embedded provider of Authentication: whose credentials are, tokens, delegation, trust.
// Why: whose a chain or a token is, and whether it still counts, is answered in one place, from a
// state that survives kill -9.
// Who: loaded by capsules whose configuration says `authentication: embedded`.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <atomic>

#include "authentication.hector.h"
#include "bounds.h"
#include "credentials.h"
#include "hector/plugin.h"
#include "kerberos.h"
#include "minting.h"
#include "rate_limit.h"
#include "recorder.h"
#include "signing.h"
#include "state/answer_watches.h"
#include "trust_changes.h"

namespace {

using namespace hector;
using namespace hector::authentication;

constexpr std::size_t kWatchesMax = 1'000;       ///< of all callers, of each kind
constexpr std::uint32_t kRatePerSecond = 1'000;  ///< credentials of one peer
constexpr unsigned kLoggedPerSecond = 20;        ///< refusals; the others are counted
/// The kernel's word for calls of this capsule itself, which asks for each Binding: no peer.
constexpr const char* kInProcess = "in-process";
constexpr const char* kPrefix = "au/";  ///< of every key in the store

/// What a watcher of a bundle was told; nothing yet at first.
struct ToldBundle {
  std::optional<std::string> serialised;
};
/// Up to which revision a watcher of revocations was told.
struct ToldRevocations {
  Revision last = 0;
};

/// By what a peer is counted: an address without its port.
std::string counted_as(const Peer* peer) {
  if (peer == nullptr) return "here";
  if (peer->security > Security::kNone && !peer->principal.empty()) return peer->principal;
  return peer->protocol + " " + peer->address.substr(0, peer->address.rfind(':'));
}

bool is_given(const v1::Credential& credential) {
  return !credential.x509().empty() || !credential.jwt().empty() || !credential.gss().empty();
}

/// Whether it says something of a credential; else only of the question.
bool is_verdict(const Error& why) {
  return why.code == Code::kUnauthenticated || why.code == Code::kPermissionDenied;
}
template <class Out>
audit::Event event_of(const Result<Out>& verdict) {
  audit::Event event;
  event.kind = "authentication";
  event.outcome = verdict ? audit::Outcome::kDone : audit::Outcome::kRefused;
  if (!verdict) {
    event.reasons = {verdict.error().message};
  } else if constexpr (std::is_same_v<Out, v1::Principal>) {
    event.principal = verdict->id();
    if (verdict->caller() != verdict->id()) event.reasons = {"called by " + verdict->caller()};
  } else {
    event.principal = verdict->principal();
    event.reasons = {"token " + verdict->id()};
  }
  return event;
}

class Authentication final : public ServiceOf<AuthenticationServant> {
 public:
  Authentication(const ServiceContext& context, const v1::Settings& settings,
                 std::unique_ptr<audit::AuditLog> log)
      : context_(context),
        domain_(settings.trust_domain()),
        audience_(!settings.audience().empty() || domain_.empty()
                      ? settings.audience()
                      : fmt::format("spiffe://{}/service/authentication", domain_)),
        recorder_(context.run_blocking, std::move(log)),
        limit_(*context.clock, settings.rate_per_s() == 0 ? kRatePerSecond : settings.rate_per_s()),
        log_limit_(*context.clock, kLoggedPerSecond),
        bundle_watches_(
            kWatchesMax,
            [this](const v1::Domain& asked, Revision revision, ToldBundle& told,
                   state::Feed& feed) { return tell_bundle(asked, revision, told, feed); }),
        revocation_watches_(
            kWatchesMax,
            [this](const v1::RevocationQuestion& asked, Revision, ToldRevocations& told,
                   state::Feed& feed) { return tell_revocations(asked, told, feed); }),
        replica_({context.store, context.clock, context.executor, context.log}, kPrefix, state_),
        signing_(context, replica_, state_, domain_),
        kerberos_(settings.keytab()) {
    state_.on_change = [this](Revision revision) {
      bundle_watches_.tell_all(revision);
      revocation_watches_.tell_all(revision);
    };
  }
  Status start() {
    HECTOR_TRY(replica_.start());
    if (!domain_.empty()) signing_.start();
    return {};
  }

  // --- whose it is

  void authenticate(const v1::Question& asked, Reply<v1::Principal> given) override {
    const auto reply = given.later();
    if (asked.at_least() > replica_.revision())
      return reply.fail(Error::failed_precondition(
          fmt::format("revision {} is not here yet; ask again", asked.at_least())));
    if (!asked.credential().gss().empty()) return authenticate_ticket(asked, reply);
    auto shown = show(reply.call(), asked.credential(), asked.audience());
    if (!shown) return refuse_to(reply, shown.error());
    if (auto bound = check_binding(*shown, asked.channel_binding()); !bound)
      return refuse_to(reply, bound.error());
    auto uses = uses_of(*shown, asked.once());
    if (!uses) return refuse_to(reply, uses.error());
    answer(reply, std::move(*uses), [this, shown = std::move(*shown)] { return accepted(shown); });
  }
  void validate_jwt(const v1::TokenQuestion& asked, Reply<v1::Principal> reply) override {
    v1::Question question;
    question.mutable_credential()->set_jwt(asked.token());
    question.set_audience(asked.audience());
    question.set_channel_binding(asked.channel_binding());
    authenticate(question, reply);
  }

  // --- tokens

  void mint_jwt(const v1::Mint& asked, Reply<v1::Token> given) override {
    const auto reply = given.later();
    const auto holder = show_holder(reply.call(), asked.credential());
    if (!holder) return refuse_to(reply, holder.error());
    sign(reply, plan_mint(asked, *holder, terms()), {&*holder});
  }
  void delegate(const v1::Delegation& asked, Reply<v1::Token> given) override {
    const auto reply = given.later();
    const auto holder = show_holder(reply.call(), asked.credential());
    if (!holder) return refuse_to(reply, holder.error());
    sign(reply, plan_delegation(asked, *holder, terms()), {&*holder});
  }
  void exchange(const v1::Exchange& asked, Reply<v1::Token> given) override {
    const auto reply = given.later();
    v1::Credential subject_token;
    subject_token.set_jwt(asked.subject_token());
    const auto subject = show(reply.call(), subject_token, audience_);
    if (!subject) return refuse_to(reply, subject.error());
    const auto actor = show_holder(reply.call(), asked.actor());
    if (!actor) return refuse_to(reply, actor.error());
    sign(reply, plan_exchange(asked, *subject, *actor, terms()), {&*actor});
  }

  // --- trust

  void bundles(const v1::Domain& asked, OutFlow<v1::Bundle> out) override {
    if (!identity::is_domain(asked.domain()))
      return out.fail(Error::invalid_argument("INVALID_ARGUMENT: domain is no trust domain"));
    bundle_watches_.add(out.call(), asked, replica_.revision());
  }
  void get_bundle(const v1::Domain& asked, Reply<v1::Bundle> reply) override {
    auto bundle = bundle_of(asked.domain());
    if (bundle.x509().empty() && bundle.jwks().empty())
      return reply.fail(refuse(kNoDomain,
                               fmt::format("'{}' is not trusted", asked.domain().substr(0, 300)),
                               Code::kNotFound)
                            .value());
    bundle.set_revision(replica_.revision());
    reply(std::move(bundle));
  }
  void list_domains(const v1::Domain&, Reply<v1::Domains> reply) override {
    v1::Domains all;
    const auto lock = replica_.read();
    for (const auto& domain : state_.domains()) {
      auto& each = *all.add_bundles();
      each.set_domain(domain);
      each.set_is_own(domain == domain_);
    }
    reply(std::move(all));
  }
  void federate(const v1::Bundle& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_federate);
  }
  void defederate(const v1::Domain& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_defederate);
  }
  void revoke(const v1::Revocation& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_revoke);
  }
  void reinstate(const v1::Revocation& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_reinstate);
  }
  void revocations(const v1::RevocationQuestion& asked, OutFlow<v1::Revocation> out) override {
    revocation_watches_.add(out.call(), asked, replica_.revision());
  }
  void put_entry(const v1::Entry& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_put_entry);
  }
  void remove_entry(const v1::Entry& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_remove_entry);
  }
  void map_realm(const v1::RealmMapping& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_map_realm);
  }
  void unmap_realm(const v1::RealmMapping& asked, Reply<v1::Revision> reply) override {
    change(asked, reply, plan_unmap_realm);
  }

 private:
  [[nodiscard]] identity::Instant now() const {
    const auto since = context_.clock->wall().time_since_epoch();
    const auto seconds = std::chrono::floor<std::chrono::seconds>(since);
    const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(since - seconds);
    return {seconds.count(), static_cast<std::uint32_t>(rest.count())};
  }
  [[nodiscard]] MintTerms terms() const {
    const auto id = fmt::format("{:016x}{:016x}", context_.random->next(), context_.random->next());
    return {domain_, audience_, now().seconds, id};
  }

  /// A ticket is always used once: libkrb5 remembers it. It may block for that.
  void authenticate_ticket(const v1::Question& asked, Reply<v1::Principal> reply) {
    if (auto checked = check_form(asked.credential()); !checked)
      return refuse_to(reply, checked.error());
    if (auto counted = count(reply.call()); !counted) return refuse_to(reply, counted.error());
    context_.run_blocking([this, asked, reply] {
      const auto shown = kerberos_.accept(asked.credential().gss(), asked.channel_binding(), now());
      if (!shown) return refuse_to(reply, shown.error());
      if (auto trusted = check_ticket(*shown); !trusted) return refuse_to(reply, trusted.error());
      finish<v1::Principal>(reply, accepted(*shown));
    });
  }
  Status check_ticket(const Shown& shown) {
    const auto lock = replica_.read();
    HECTOR_TRY(check_realm(state_, shown));
    return check_revocations(state_, shown);
  }
  Status count(const Call& call) {
    if (call.peer != nullptr && call.peer->protocol == kInProcess) return {};
    const auto peer = counted_as(call.peer);
    if (limit_.take(peer)) return {};
    return refuse(kRateLimited,
                  fmt::format("{} has shown more than {} credentials in a second; wait",
                              peer.substr(0, 300), limit_.per_s()),
                  Code::kResourceExhausted);
  }
  /// Judged, and not revoked.
  Result<Shown> show(const Call& call, const v1::Credential& credential,
                     const std::string& audience) {
    HECTOR_TRY(count(call));
    auto bundles = [&] {
      const auto lock = replica_.read();
      return state_.bundles();
    }();
    auto shown =
        HECTOR_TRY(examine_credential(credential, {std::move(bundles), now(), domain_, audience}));
    const auto lock = replica_.read();
    HECTOR_TRY(check_revocations(state_, shown));
    return shown;
  }
  /// Of who wants a token: it has to prove that the credential is its own, and for this service.
  Result<Shown> show_holder(const Call& call, const v1::Credential& credential) {
    if (!is_given(credential)) return show_peer(call);
    if (!credential.x509().empty() && credential.proof().empty())
      return refuse_argument(
          fmt::format("a chain is no secret: add a proof, a JWT for '{}' that is "
                      "signed with the leaf's key",
                      audience_));
    auto shown = HECTOR_TRY(show(call, credential, audience_));
    if (shown.method == "jwt") HECTOR_TRY(check_binding(shown, {}));
    return shown;
  }
  /// Whose channel it is, where that was authenticated.
  Result<Shown> show_peer(const Call& call) {
    const bool is_known = call.peer != nullptr && call.peer->security > Security::kNone &&
                          identity::check_id(call.peer->principal).has_value();
    if (!is_known)
      return refuse_argument("give a credential: the channel has not authenticated its other end");
    Shown shown;
    shown.method = "channel";
    shown.accepted.id = call.peer->principal;
    shown.accepted.trust_domain = domain_of(shown.accepted.id);
    shown.accepted.not_after.seconds = now().seconds + kLifetimeSecondsMax;
    const auto lock = replica_.read();
    HECTOR_TRY(check_revocations(state_, shown));
    return shown;
  }

  static Result<std::vector<Use>> uses_of(const Shown& shown, bool once) {
    std::vector<Use> uses;
    if (once || shown.proof) uses.push_back(HECTOR_TRY(use_of(shown)));
    return uses;
  }
  v1::Principal accepted(const Shown& shown) {
    const Revision revision = replica_.revision();
    const auto lock = replica_.read();
    auto principal = principal_of(state_, shown);
    principal.set_revision(revision);
    context_.log->write(Level::kDebug, "authenticated",
                        {{"principal", principal.id()}, {"caller", principal.caller()}});
    return principal;
  }

  /// Signs the plan once the proofs that it stands on are used up.
  void sign(Reply<v1::Token> reply, Result<identity::TokenPlan> plan,
            const std::vector<const Shown*>& shown) {
    if (!plan) return refuse_to(reply, plan.error());
    std::vector<Use> uses;
    for (const auto* each : shown)
      if (each->proof) uses.push_back(*each->proof);
    answer(reply, std::move(uses), [this, plan = std::move(*plan)]() -> Result<v1::Token> {
      v1::Token token;
      token.set_token(HECTOR_TRY(signing_.sign(plan)));
      token.set_not_after_s(plan.expires_s);
      token.set_id(plan.details.token_id);
      token.set_principal(plan.subject);
      return token;
    });
  }

  /// Answers with `made()` when the uses are noted.
  template <class Out, class Make>
  void answer(Reply<Out> reply, std::vector<Use> uses, Make made) {
    if (uses.empty()) return finish<Out>(reply, made());
    replica_.change(
        [this, uses = std::move(uses)] { return plan_uses(state_, uses, now().seconds); },
        [this, reply, made = std::move(made)](Result<Revision> noted) {
          if (!noted) return refuse_to(reply, noted.error());
          finish<Out>(reply, made());
        });
  }
  template <class Out>
  void refuse_to(Reply<Out> reply, const Error& why) {
    finish<Out>(reply, fail(why));
  }
  /// Answers when the verdict is recorded. A refusal stays one where it cannot be.
  template <class Out>
  void finish(Reply<Out> reply, Result<Out> verdict) {
    const auto peer = counted_as(reply.call().peer);
    if (!verdict) log_refusal(peer, verdict.error());
    if (!recorder_.is_recording() || (!verdict && !is_verdict(verdict.error())))
      return reply(std::move(verdict));
    auto event = event_of(verdict);
    event.action = reply.call().operation->name;
    event.object = peer;
    recorder_.record(std::move(event), [reply, verdict = std::move(verdict)](Status recorded) {
      if (!recorded && verdict) return reply.fail(std::move(recorded.error()));
      reply(verdict);
    });
  }
  void log_refusal(const std::string& peer, const Error& why) {
    if (!is_verdict(why)) return;
    if (!log_limit_.take("log")) {
      ++not_logged_;
      return;
    }
    const auto left_out = std::to_string(not_logged_.exchange(0));
    context_.log->write(Level::kInfo, "a credential is refused",
                        {{"why", why.message}, {"peer", peer}, {"not_logged", left_out}});
  }
  template <class In>
  void change(const In& asked, Reply<v1::Revision> reply,
              Result<StoreTransaction> (*plan)(const TrustState&, const In&)) {
    state::change(replica_, asked, reply,
                  [this, plan](const In& again, auto&) { return plan(state_, again); });
  }

  v1::Bundle bundle_of(const std::string& domain) const {
    auto bundle = [&] {
      const auto lock = replica_.read();
      return state_.bundle(domain);
    }();
    bundle.set_is_own(domain == domain_);
    return bundle;
  }
  Status tell_bundle(const v1::Domain& asked, Revision revision, ToldBundle& told,
                     state::Feed& feed) {
    auto bundle = bundle_of(asked.domain());
    auto serialised = bundle.SerializeAsString();
    if (told.serialised == serialised) return {};
    told.serialised = std::move(serialised);
    bundle.set_revision(revision);
    // A watcher that is too slow for this one is told the next one.
    static_cast<void>(feed.push(write_message(bundle)));
    return {};
  }
  /// None may be missed: a watcher that is too slow is told to begin again.
  Status tell_revocations(const v1::RevocationQuestion& asked, ToldRevocations& told,
                          state::Feed& feed) {
    const auto news = [&] {
      const auto lock = replica_.read();
      return state_.revocations_after(std::max<Revision>(told.last, asked.after()));
    }();
    for (const auto& each : news) {
      if (!feed.push(write_message(each)))
        return fail(Error::resource_exhausted(
            fmt::format("{} revocations wait for this watch, the limit; watch again after the "
                        "revision you were told last",
                        state::Feed::kWaitingMax)));
      told.last = each.revision();
    }
    return {};
  }

  const ServiceContext context_;
  const std::string domain_, audience_;
  Recorder recorder_;
  RateLimit limit_, log_limit_;
  std::atomic<std::uint64_t> not_logged_{0};
  TrustState state_;
  state::AnswerWatches<v1::Domain, ToldBundle> bundle_watches_;
  state::AnswerWatches<v1::RevocationQuestion, ToldRevocations> revocation_watches_;
  state::Replica replica_;  ///< it tells the watches until it ends
  Signing signing_;
  const Kerberos kerberos_;
};

Service* make(const ServiceContext& context) {
  const auto refused = [&](const std::string& why) -> Service* {
    context.log->write(Level::kError, "authentication cannot start", {{"why", why}});
    return nullptr;
  };
  if (context.store == nullptr) return refused("there is no store");
  v1::Settings settings;
  if (const auto read = google::protobuf::util::JsonStringToMessage(context.settings, &settings);
      !read.ok())
    return refused("its settings are trust_domain, audience, rate_per_s, keytab, audit: " +
                   std::string(read.message()));
  if (!settings.trust_domain().empty() && !identity::is_domain(settings.trust_domain()))
    return refused(
        "its setting trust_domain is no trust domain: 1 to 255 of small letters, "
        "digits, '.', '-' and '_'");
  std::unique_ptr<audit::AuditLog> log;
  if (!settings.audit().empty()) {
    auto opened = audit::AuditLog::open(settings.audit(), *context.clock);
    if (!opened) return refused("its audit log: " + opened.error().text());
    log = std::make_unique<audit::AuditLog>(std::move(*opened));
  }
  auto made = std::make_unique<Authentication>(context, settings, std::move(log));
  if (auto started = made->start(); !started) return refused(started.error().text());
  return made.release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "authentication",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};

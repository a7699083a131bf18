#include "cli/realm.h"

#include <fmt/chrono.h>

#include <chrono>
#include <cstdlib>

#include "cli/output.h"
#include "hector/realm.h"

namespace hector {

namespace {

struct Arguments {
  std::string folder, domain, realm, name;
  std::string key = "p256", capsule = "capsule/hub", person = "operator/admin";
  std::vector<std::string> hosts;
  std::uint32_t hours = 24, hours_again = 0;
  bool shows_all = false, is_forced = false;
};

std::string text_of(identity::Instant at) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(at.seconds)));
}

std::string state_of(const identity::Issued& issued, identity::Instant now) {
  if (issued.is_revoked) return "revoked";
  return issued.not_after < now ? "expired" : "valid";
}

OutputRow row_of(const identity::Issued& issued) {
  return {issued.name,
          {{"state", state_of(issued, identity_now())},
           {"expires", text_of(issued.not_after)},
           {"id", issued.id},
           {"serial", issued.serial},
           {"file", issued.file}}};
}

int show_rows(const CommandContext& context, const std::vector<identity::Issued>& all) {
  std::vector<OutputRow> rows;
  for (const auto& each : all) rows.push_back(row_of(each));
  write_out(format_rows(rows, context.format));
  return 0;
}

/// --realm, else HECTOR_REALM.
Result<identity::Realm> realm_of(const Arguments& a) {
  if (!a.realm.empty()) return identity::Realm::open(a.realm);
  if (const char* const named = std::getenv("HECTOR_REALM"); named != nullptr && *named != '\0')
    return identity::Realm::open(named);
  return fail(Code::kInvalidArgument,
              "which realm? Say --realm FOLDER, or set HECTOR_REALM; `hector init` makes one");
}

/// The newest of each name; with --all every one.
Result<std::vector<identity::Issued>> listed(const Arguments& a) {
  const auto realm = HECTOR_TRY(realm_of(a));
  auto all = HECTOR_TRY(realm.list());
  std::erase_if(all, [&](const identity::Issued& each) {
    return (!a.shows_all && each.file.empty()) || (!a.name.empty() && each.name != a.name);
  });
  if (all.empty() && !a.name.empty())
    return fail(Code::kNotFound,
                fmt::format("'{}' has no identity here: `hector identity list` shows those there "
                            "are",
                            a.name));
  return all;
}

identity::IssuePlan plan_of(const Arguments& a) {
  return {a.name, static_cast<std::int64_t>(a.hours) * 3600, a.hosts};
}

int init(const CommandContext& context, const Arguments& a) {
  const auto made = identity::Realm::make(
      {a.folder,
       a.domain,
       a.key == "ed25519" ? identity::KeyKind::kEd25519 : identity::KeyKind::kP256,
       {{.name = a.capsule, .hosts = {"localhost"}}, {.name = a.person}}},
      identity_now());
  if (!made) return report(made.error());
  const auto all = made->list();
  return all ? show_rows(context, *all) : report(all.error());
}

int issue(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  const auto issued = realm->issue(plan_of(a), identity_now());
  return issued ? show_rows(context, {*issued}) : report(issued.error());
}

int renew(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  auto plan = plan_of(a);
  plan.lifetime_seconds = static_cast<std::int64_t>(a.hours_again) * 3600;
  const auto issued = realm->renew(plan, identity_now());
  return issued ? show_rows(context, {*issued}) : report(issued.error());
}

int revoke(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  const auto revoked = realm->revoke(a.name, identity_now());
  return revoked ? show_rows(context, *revoked) : report(revoked.error());
}

int list(const CommandContext& context, const Arguments& a) {
  const auto all = listed(a);
  return all ? show_rows(context, *all) : report(all.error());
}

/// Shows whom the realm trusts after a change of its authorities.
int show_authorities(const CommandContext& context, const identity::Realm& realm,
                     const Status& changed) {
  if (!changed) return report(changed.error());
  identity::TrustBundles trusted;
  if (const auto read = realm.trust(trusted); !read) return report(read.error());
  std::vector<OutputRow> rows;
  for (const auto& key_id : trusted.authorities(realm.trust_domain()))
    rows.push_back({key_id, {{"trust domain", realm.trust_domain()}}});
  write_out(format_rows(rows, context.format));
  return 0;
}

int prepare(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  const auto kind = a.key == "ed25519" ? identity::KeyKind::kEd25519 : identity::KeyKind::kP256;
  return show_authorities(context, *realm, realm->prepare_authority(kind, identity_now()));
}

int activate(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  return show_authorities(context, *realm, realm->activate_authority(identity_now()));
}

int retire(const CommandContext& context, const Arguments& a) {
  auto realm = realm_of(a);
  if (!realm) return report(realm.error());
  const auto when =
      a.is_forced ? identity::Realm::Retire::kNow : identity::Realm::Retire::kAfterTheirLast;
  return show_authorities(context, *realm, realm->retire_authorities(when, identity_now()));
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> realm_commands() {
  const P realm{"--realm", &Arguments::realm, "its folder; left out: HECTOR_REALM"};
  const P name = P{"name", &Arguments::name, "its id's path: capsule/north"}.required();
  const P hours{"--hours", &Arguments::hours, "how long it is valid, 2,160 at most"};
  const P hosts = P{"--host", &Arguments::hosts, "a DNS name beside the id"}.repeated();
  return {
      {"init",
       "make a realm in a folder: an authority for a trust domain, and identities of a capsule and "
       "of an operator. A folder with something in it is left as it is",
       {P{"folder", &Arguments::folder, "it is made"}.required(),
        P{"trust-domain", &Arguments::domain, "as in spiffe://TRUST-DOMAIN/…"}.required(),
        P{"--key", &Arguments::key, "of the authority: p256 or ed25519"}.checked(
            one_of({"p256", "ed25519"})),
        {"--capsule", &Arguments::capsule, "name of the capsule's identity"},
        {"--operator", &Arguments::person, "name of the operator's identity"}},
       init},
      {"identity issue",
       "a new key and certificate for a name, in one file that its owner alone can read",
       {name, realm, hours, hosts},
       issue},
      {"identity renew",
       "another key and certificate in place of a name's last; that one is valid to its end",
       {name,
        realm,
        {"--hours", &Arguments::hours_again, "how long it is valid; left out: as the last one"},
        P{"--host", &Arguments::hosts, "a DNS name beside the id; left out: as the last one has"}
            .repeated()},
       renew},
      {"identity revoke",
       "revoke every certificate of a name, or the one with a serial: `check --realm` refuses them",
       {P{"name", &Arguments::name, "a name, or a serial"}.required(), realm},
       revoke},
      {"identity list",
       "what the realm issued: the newest of each name",
       {realm, {"--all", &Arguments::shows_all, "earlier ones too"}},
       list},
      {"identity authority prepare",
       "make the realm's next authority: it is trusted at once, and issues nothing yet",
       {realm, P{"--key", &Arguments::key, "p256 or ed25519"}.checked(one_of({"p256", "ed25519"}))},
       prepare},
      {"identity authority activate",
       "let the prepared authority issue; first everybody has to have read the new bundle.pem",
       {realm},
       activate},
      {"identity authority retire",
       "trust the authorities before the present one no more",
       {realm, {"--force", &Arguments::is_forced, "though what they issued is valid still"}},
       retire},
      {"identity show", "one name's identity", {name, realm}, list},
  };
}

}  // namespace

identity::Instant identity_now() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto seconds = std::chrono::floor<std::chrono::seconds>(now);
  const auto rest = std::chrono::duration_cast<std::chrono::nanoseconds>(now - seconds);
  return {seconds.count(), static_cast<std::uint32_t>(rest.count())};
}

void add_realm_commands(CommandTree& tree) {
  tree.group("identity authority", "the authority that a realm is to have next");
  tree.add(realm_commands());
}

}  // namespace hector

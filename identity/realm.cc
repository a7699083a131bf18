#include "hector/realm.h"

#include <fmt/format.h>
#include <openssl/err.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <set>

#include "base/text/read_file.h"
#include "identity/certificate.h"
#include "identity/issuing.h"
#include "identity/pem.h"
#include "identity/private_file.h"
#include "identity/realm_records.h"

namespace hector::identity {

namespace {

namespace fs = std::filesystem;

// What two clocks may differ by: a certificate has no skew of its own.
constexpr std::int64_t kBackdateSeconds = 300;

constexpr const char* kAuthorityKey = "authority.key";
constexpr const char* kAuthority = "authority.pem";
constexpr const char* kBundle = "bundle.pem";
constexpr const char* kNextKey = "next.key";
constexpr const char* kNext = "next.pem";
constexpr const char* kRetireAfter = "retire_after";  ///< seconds since 1970
constexpr const char* kDomain = "trust_domain";
constexpr const char* kIssued = "issued";
constexpr const char* kRevoked = "revoked";
constexpr const char* kIdentities = "identities";

/// The first certificate of a PEM file. FAILED_PRECONDITION: it has none.
Result<CertificatePtr> read_certificate(const std::string& path) {
  const auto text = HECTOR_TRY(read_file(path));
  const auto blocks = read_pem_certificates(text);
  if (blocks) {
    if (auto read = Certificate::read(blocks->front())) return std::move(*read);
  }
  return fail(Code::kFailedPrecondition, fmt::format("'{}' holds no certificate", path));
}

struct Authority {
  CertificatePtr certificate;
  KeyPtr key;
};

bool fits(const Certificate& certificate, EVP_PKEY* key) {
  const bool fit = key != nullptr && X509_check_private_key(certificate.handle(), key) == 1;
  ERR_clear_error();
  return fit;
}

Result<Authority> read_authority(const std::string& folder) {
  const auto key_text = HECTOR_TRY(read_private_file(folder + "/" + kAuthorityKey));
  const auto certificate = HECTOR_TRY(read_certificate(folder + "/" + kAuthority));
  Authority authority{certificate, read_key_pem(key_text)};
  // An activation that was cut short between its two files.
  if (!fits(*authority.certificate, authority.key.get())) {
    if (auto next = read_certificate(folder + "/" + kNext);
        next && fits(**next, authority.key.get()))
      authority.certificate = *next;
  }
  if (!fits(*authority.certificate, authority.key.get()))
    return fail(Code::kFailedPrecondition,
                fmt::format("'{}/{}' and '{}/{}' are no authority: they do not fit each other",
                            folder, kAuthority, folder, kAuthorityKey));
  return authority;
}

Status check_lifetime(const IssuePlan& plan) {
  if (plan.lifetime_seconds >= 1 && plan.lifetime_seconds <= kLifetimeSecondsMax) return {};
  return fail(Code::kInvalidArgument, "an identity lives for 1 second to 90 days");
}

struct NewAuthority {
  std::string certificate, key;  ///< PEM
};

Result<NewAuthority> make_authority(const std::string& trust_domain, KeyKind kind, Instant now) {
  const auto key = make_key(kind);
  const auto certificate =
      HECTOR_TRY(make_certificate({.use = CertificatePlan::Use::kAuthority,
                                   .uri = "spiffe://" + trust_domain,
                                   .not_before = now.seconds - kBackdateSeconds,
                                   .not_after = now.seconds + kAuthorityLifetimeSeconds},
                                  key.get(), {nullptr, key.get()}));
  return NewAuthority{certificate_pem(certificate.get()), key_pem(key.get())};
}

/// Everything of a new realm, in a folder of its own.
Status fill(const std::string& folder, const RealmPlan& plan, Instant now) {
  const auto made = HECTOR_TRY(make_authority(plan.trust_domain, plan.authority_key, now));
  HECTOR_TRY(write_private_file(folder + "/" + kAuthorityKey, made.key));
  HECTOR_TRY(write_private_file(folder + "/" + kAuthority, made.certificate));
  HECTOR_TRY(write_private_file(folder + "/" + kBundle, made.certificate));
  HECTOR_TRY(write_private_file(folder + "/" + kIssued, ""));
  HECTOR_TRY(write_private_file(folder + "/" + kRevoked, ""));
  HECTOR_TRY(write_private_file(folder + "/" + kDomain, plan.trust_domain + "\n"));
  if (mkdir((folder + "/" + kIdentities).c_str(), 0700) != 0)
    return fail(Code::kUnavailable, fmt::format("'{}/{}' cannot be made", folder, kIdentities));
  return {};
}

}  // namespace

Result<IdentityText> read_identity_file(const std::string& path) {
  const auto text = HECTOR_TRY(read_private_file(path));
  const auto key = read_key_pem(text);
  const auto blocks = read_pem_certificates(text);
  const auto unfit = [&](const char* why) {
    return fail(Error::failed_precondition(fmt::format("'{}' is no identity: {}", path, why)));
  };
  if (!blocks || blocks->empty()) return unfit("it holds no certificate");
  if (key == nullptr) return unfit("it holds no key without a passphrase");
  IdentityText identity{.chain = {}, .key = key_pem(key.get())};
  for (const auto& block : *blocks) {
    const auto certificate = Certificate::read(block);
    if (!certificate) return unfit("a certificate in it cannot be read");
    if (identity.chain.empty())
      identity.lifetime_seconds = (*certificate)->not_after() - (*certificate)->not_before();
    if (identity.chain.empty() && !X509_check_private_key((*certificate)->handle(), key.get())) {
      ERR_clear_error();
      return unfit("its key is not that of its first certificate");
    }
    identity.chain += certificate_pem((*certificate)->handle());
  }
  return identity;
}

std::string Realm::path(const std::string& name) const { return folder_ + "/" + name; }

/// A '/' of a name is a '+' in a file's name, which no name has.
std::string Realm::identity_file(const std::string& name) const {
  std::string file = name;
  std::replace(file.begin(), file.end(), '/', '+');
  return path(kIdentities) + "/" + file + ".pem";
}

bool Realm::can_issue() const { return read_authority(folder_).has_value(); }

Result<Realm> Realm::make(const RealmPlan& plan, Instant now) {
  if (!is_trust_domain(plan.trust_domain))
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no trust domain: 1 to 255 of small letters, digits, '.', '-' "
                            "and '_'",
                            plan.trust_domain));
  std::string made = plan.folder + ".new-XXXXXX";
  if (mkdtemp(made.data()) == nullptr)  // with mode 0700
    return fail(Code::kUnavailable,
                fmt::format("'{}' cannot be made: {}", plan.folder, strerror(errno)));
  auto filled = fill(made, plan, now);
  Realm realm(made, plan.trust_domain);
  for (const auto& each : plan.first) {
    if (!filled) break;
    if (auto issued = realm.issue(each, now); !issued) filled = fail(issued.error());
  }
  if (filled && rename(made.c_str(), plan.folder.c_str()) == 0)
    return Realm(plan.folder, plan.trust_domain);
  const int why = errno;
  std::error_code ignored;
  fs::remove_all(made, ignored);
  if (!filled) return fail(filled.error());
  if (why == ENOTEMPTY || why == EEXIST || why == ENOTDIR)
    return fail(Code::kAlreadyExists,
                fmt::format("'{}' is there already and is left as it is: name another folder",
                            plan.folder));
  return fail(Code::kUnavailable,
              fmt::format("'{}' cannot be made: {}", plan.folder, strerror(why)));
}

Result<Realm> Realm::open(const std::string& folder) {
  auto domain = read_file(folder + "/" + kDomain);
  if (!domain)
    return fail(Code::kNotFound,
                fmt::format("'{}' is no realm: make one with `hector init {} TRUST_DOMAIN`", folder,
                            folder));
  while (!domain->empty() && domain->back() == '\n') domain->pop_back();
  if (!is_trust_domain(*domain))
    return fail(Code::kFailedPrecondition,
                fmt::format("'{}/{}' holds no trust domain", folder, kDomain));
  return Realm(folder, *domain);
}

Result<Issued> Realm::issue(const IssuePlan& plan, Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  if (fs::exists(identity_file(plan.name)))
    return fail(Code::kAlreadyExists,
                fmt::format("'{}' has an identity already: `hector identity renew {}` gives it "
                            "another one",
                            plan.name, plan.name));
  return write_identity(plan, now);
}

Result<Issued> Realm::renew(const IssuePlan& plan, Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  if (!fs::exists(identity_file(plan.name)))
    return fail(Code::kNotFound,
                fmt::format("'{}' has no identity: `hector identity issue {}` gives it one",
                            plan.name, plan.name));
  auto complete = plan;
  const auto last = HECTOR_TRY(read_certificate(identity_file(plan.name)));
  if (plan.hosts.empty()) complete.hosts = alternative_names(last->handle(), GEN_DNS);
  if (plan.lifetime_seconds == 0)
    complete.lifetime_seconds = last->not_after() - last->not_before() - kBackdateSeconds;
  return write_identity(complete, now);
}

/// The record comes first: what was issued can be revoked, even where its file was not written.
Result<Issued> Realm::write_identity(const IssuePlan& plan, Instant now) {
  HECTOR_TRY(check_lifetime(plan));
  const auto id = SpiffeId::read(fmt::format("spiffe://{}/{}", trust_domain_, plan.name));
  if (!id)
    return fail(Code::kInvalidArgument, fmt::format("'{}': {}", plan.name, id.error().message));
  const auto authority = HECTOR_TRY(read_authority(folder_));
  const auto end =
      std::min(now.seconds + plan.lifetime_seconds, authority.certificate->not_after());
  if (end <= now.seconds)
    return fail(Code::kFailedPrecondition, "the realm's authority has expired: make a new realm");
  const auto key = make_key(KeyKind::kP256);
  const auto certificate = HECTOR_TRY(make_certificate(
      {.uri = id->text(),
       .hosts = plan.hosts,
       .not_before = std::max(now.seconds - kBackdateSeconds, authority.certificate->not_before()),
       .not_after = end},
      key.get(), {authority.certificate->handle(), authority.key.get()}));
  Issued issued{plan.name, id->text(), serial_of(certificate.get()),
                {end, 0},  false,      identity_file(plan.name)};
  auto records = HECTOR_TRY(read_file(path(kIssued)));
  HECTOR_TRY(write_private_file(path(kIssued), records + record_of(issued)));
  HECTOR_TRY(
      write_private_file(issued.file, certificate_pem(certificate.get()) + key_pem(key.get())));
  return issued;
}

Result<std::vector<Issued>> Realm::list() const {
  const auto issued_text = HECTOR_TRY(read_file(path(kIssued)));
  const auto revoked_text = HECTOR_TRY(read_file(path(kRevoked)));
  auto all = read_records(issued_text, trust_domain_);
  const auto revoked = read_revoked(revoked_text);
  std::set<std::string> newest;
  for (auto each = all.rbegin(); each != all.rend(); ++each) {
    each->is_revoked = std::any_of(revoked.begin(), revoked.end(), [&](const auto& entry) {
      return entry.ends_with(" " + each->serial);
    });
    const auto file = identity_file(each->name);
    if (newest.insert(each->name).second && fs::exists(file)) each->file = file;
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Issued& a, const Issued& b) { return a.name < b.name; });
  return all;
}

Result<std::vector<Issued>> Realm::revoke(const std::string& name_or_serial, Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  const auto all = HECTOR_TRY(list());
  std::vector<Issued> wanted;
  for (const auto& each : all) {
    if (each.name == name_or_serial || each.serial == name_or_serial) wanted.push_back(each);
  }
  if (wanted.empty())
    return fail(Code::kNotFound,
                fmt::format("nothing was issued to '{}', and it is no serial: `hector identity "
                            "list` shows both",
                            name_or_serial));
  std::erase_if(wanted,
                [&](const Issued& each) { return each.is_revoked || each.not_after < now; });
  // Which of the authorities issued it is not recorded, and no two serials are alike.
  TrustBundles trusted;
  HECTOR_TRY(trusted.add(trust_domain_, HECTOR_TRY(read_file(path(kBundle)))));
  auto revoked = HECTOR_TRY(read_file(path(kRevoked)));
  for (auto& each : wanted) {
    for (const auto& key_id : trusted.authorities(trust_domain_))
      revoked += key_id + " " + each.serial + "\n";
    each.is_revoked = true;
  }
  HECTOR_TRY(write_private_file(path(kRevoked), revoked));
  return wanted;
}

Status Realm::prepare_authority(KeyKind kind, Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  HECTOR_TRY(read_authority(folder_));
  const auto bundle = HECTOR_TRY(read_file(path(kBundle)));
  if (const auto next = read_file(path(kNext)); next && bundle.find(*next) != std::string::npos)
    return fail(Error::already_exists(
        "another authority is prepared already: `hector identity authority activate` lets it "
        "issue"));
  const auto made = HECTOR_TRY(make_authority(trust_domain_, kind, now));
  HECTOR_TRY(write_private_file(path(kNextKey), made.key));
  HECTOR_TRY(write_private_file(path(kNext), made.certificate));
  return write_private_file(path(kBundle), bundle + made.certificate);
}

/// What was issued before is valid until the last of it ends.
Status Realm::activate_authority(Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  if (!fs::exists(path(kNext)))
    return fail(Error::failed_precondition(
        "no authority is prepared: `hector identity authority prepare` makes one"));
  std::int64_t last = now.seconds;
  for (const auto& each : HECTOR_TRY(list())) last = std::max(last, each.not_after.seconds);
  HECTOR_TRY(write_private_file(path(kRetireAfter), std::to_string(last) + "\n"));
  std::error_code error;
  // The key first: read_authority() knows what is left where this is cut short here.
  if (fs::exists(path(kNextKey))) fs::rename(path(kNextKey), path(kAuthorityKey), error);
  if (!error) fs::rename(path(kNext), path(kAuthority), error);
  if (!error) return {};
  return fail(Error::unavailable(
      fmt::format("the authority of '{}' cannot be replaced: {}", folder_, error.message())));
}

Status Realm::retire_authorities(Retire when, Instant now) {
  const auto lock = HECTOR_TRY(lock_folder(folder_));
  const auto text = read_file(path(kRetireAfter));
  const std::int64_t after = text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
  if (when == Retire::kAfterTheirLast && now.seconds < after)
    return fail(Error::failed_precondition(fmt::format(
        "what an earlier authority issued is valid for {} minutes still; renew it, and wait, or "
        "say --force",
        (after - now.seconds + 59) / 60)));
  auto trusted = HECTOR_TRY(read_file(path(kAuthority)));
  if (const auto next = read_file(path(kNext))) trusted += *next;
  return write_private_file(path(kBundle), trusted);
}

Status Realm::trust(TrustBundles& bundles) const {
  const auto bundle = HECTOR_TRY(read_file(path(kBundle)));
  const auto revoked = HECTOR_TRY(read_file(path(kRevoked)));
  HECTOR_TRY(bundles.add(trust_domain_, bundle));
  bundles.revoke(trust_domain_, read_revoked(revoked));
  return {};
}

}  // namespace hector::identity

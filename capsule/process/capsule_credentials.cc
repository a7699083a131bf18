#include "process/capsule_credentials.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <ctime>

#include "base/text/read_file.h"

namespace hector {

namespace {

constexpr auto kLookEvery = std::chrono::milliseconds(500);  ///< a revocation counts in a second
constexpr std::int64_t kDay = 24LL * 3600;
constexpr std::int64_t kWarnDays[] = {30, 7, 1};
constexpr const char* kBundle = "bundle.pem";  ///< hector/realm.h
constexpr const char* kRevoked = "revoked";
constexpr std::int64_t kTryAgainSeconds = 60;  ///< where a renewal was not possible
constexpr std::int64_t kLifetimeSeconds = kDay;

/// Certificates are of the world's time, whatever a capsule's clock is.
identity::Instant now_utc() {
  std::timespec now{};
  clock_gettime(CLOCK_REALTIME, &now);
  return {now.tv_sec, static_cast<std::uint32_t>(now.tv_nsec)};
}

std::string stamp_of(const std::string& file) {
  struct stat is {};
  if (stat(file.c_str(), &is) != 0) return "none";
  return fmt::format("{} {} {}.{}", is.st_ino, is.st_size, is.st_mtim.tv_sec, is.st_mtim.tv_nsec);
}

/// Empty where it has none that can stand in a certificate.
std::string host_name() {
  char name[256] = {};
  if (gethostname(name, sizeof name - 1) != 0) return {};
  const std::string_view text = name;
  const bool is_name = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  });
  return is_name ? std::string(text) : std::string();
}

std::string time_left(std::int64_t seconds) {
  if (seconds >= 2 * kDay) return fmt::format("{} days", seconds / kDay);
  return seconds >= 7200 ? fmt::format("{} hours", seconds / 3600)
                         : fmt::format("{} minutes", std::max<std::int64_t>(0, seconds / 60));
}

}  // namespace

std::string principal_of(const std::string& id, const std::string& own_domain) {
  const std::string own = "spiffe://" + own_domain + "/";
  if (!id.starts_with(own)) return id;
  std::string principal = id.substr(own.size());
  if (const auto slash = principal.find('/'); slash != std::string::npos) principal[slash] = ':';
  return principal;
}

CapsuleCredentials::CapsuleCredentials(const IdentitySettings& settings, identity::Realm realm,
                                       Log& log)
    : settings_(settings), realm_(std::move(realm)), log_(log) {}

CapsuleCredentials::~CapsuleCredentials() {
  {
    const std::lock_guard lock(stop_mutex_);
    stops_ = true;
  }
  stopped_.notify_all();
  thread_.join();
}

Result<std::unique_ptr<CapsuleCredentials>> CapsuleCredentials::open(
    const IdentitySettings& settings, Log& log) {
  auto realm = HECTOR_TRY(identity::Realm::open(settings.realm));
  std::unique_ptr<CapsuleCredentials> made(new CapsuleCredentials(settings, std::move(realm), log));
  HECTOR_TRY(made->issue(now_utc()));
  HECTOR_TRY(made->load());
  made->seen_ = made->stamp();
  made->warn_of_end(now_utc());
  made->thread_ = Thread("credentials", [self = made.get()] { self->watch(); });
  return made;
}

Status CapsuleCredentials::issue(identity::Instant now) {
  const std::string file = realm_.identity_file(settings_.name);
  if (!settings_.file.empty() || settings_.if_missing == IfMissing::kRefuse) return {};
  const auto there = identity::read_identity_file(file);
  const bool is_missing = !there && there.error().code == Code::kNotFound;
  if (!is_missing || !realm_.can_issue()) return {};
  // Ordinary TLS clients look for a host's name beside the id.
  std::vector<std::string> hosts{"localhost"};
  if (const auto name = host_name(); !name.empty() && name != hosts.front()) hosts.push_back(name);
  const auto issued = realm_.issue({settings_.name, kLifetimeSeconds, hosts}, now);
  if (!issued && issued.error().code != Code::kAlreadyExists) return fail(issued.error());
  log_.write(Level::kInfo, "an identity was issued",
             {{"name", settings_.name}, {"realm", settings_.realm}});
  return {};
}

Result<CapsuleCredentials::Bundles> CapsuleCredentials::read_trust() const {
  auto bundles = std::make_shared<identity::TrustBundles>();
  HECTOR_TRY(realm_.trust(*bundles));
  for (const auto& [domain, file] : settings_.trust)
    HECTOR_TRY(bundles->add(domain, HECTOR_TRY(read_file(file))));
  return Bundles(std::move(bundles));
}

Status CapsuleCredentials::load() {
  const std::string file =
      settings_.file.empty() ? realm_.identity_file(settings_.name) : settings_.file;
  auto text = identity::read_identity_file(file);
  if (!text && text.error().code == Code::kNotFound)
    return fail(Error::not_found(fmt::format(
        "'{}' has no identity: `hector identity issue {} --realm {}` gives it one where the "
        "realm's authority is",
        settings_.name, settings_.name, settings_.realm)));
  if (!text) return fail(std::move(text.error()));
  auto bundles = HECTOR_TRY(read_trust());
  const auto accepted = identity::examine(text->chain, *bundles, {now_utc(), {}});
  if (!accepted)
    return fail(Error::failed_precondition(fmt::format(
        "the own identity '{}' is not accepted by what the realm '{}' trusts: {}: {}", file,
        settings_.realm, fault_name(accepted.error().fault), accepted.error().message)));
  const std::string principal = principal_of(accepted->id, realm_.trust_domain());
  if (principal_.empty()) principal_ = principal;
  if (principal != principal_)
    return fail(Error::failed_precondition(
        fmt::format("'{}' is the identity of '{}' now, and was that of '{}'; a capsule keeps its "
                    "principal while it runs",
                    file, principal, principal_)));
  not_after_ = accepted->not_after;
  lifetime_seconds_ = text->lifetime_seconds;
  renew_after_ = not_after_.seconds - lifetime_seconds_ / 2;
  auto authorities = HECTOR_TRY(read_file(settings_.realm + "/" + kBundle));
  const std::lock_guard lock(mutex_);
  authorities_ = std::move(authorities);
  own_ = std::make_shared<const OwnIdentity>(
      OwnIdentity{std::move(text->chain), std::move(text->key)});
  bundles_ = std::move(bundles);
  return {};
}

CapsuleCredentials::Stamp CapsuleCredentials::stamp() const {
  Stamp stamp{
      stamp_of(settings_.file.empty() ? realm_.identity_file(settings_.name) : settings_.file),
      stamp_of(settings_.realm + "/" + kBundle), stamp_of(settings_.realm + "/" + kRevoked)};
  for (const auto& [domain, file] : settings_.trust) stamp.push_back(stamp_of(file));
  return stamp;
}

std::shared_ptr<const OwnIdentity> CapsuleCredentials::own() const {
  const std::lock_guard lock(mutex_);
  return own_;
}

Result<PeerIdentity> CapsuleCredentials::examine(std::string_view chain) const {
  Bundles bundles;
  {
    const std::lock_guard lock(mutex_);
    bundles = bundles_;
  }
  const auto id = identity::judge(chain, *bundles, {now_utc(), {}});
  if (!id)
    return fail(Error{Code::kUnauthenticated, id.error().message}.with_type(
        identity::fault_name(id.error().fault)));
  return PeerIdentity{*id, principal_of(*id, realm_.trust_domain())};
}

std::string CapsuleCredentials::authorities() const {
  const std::lock_guard lock(mutex_);
  return authorities_;
}

void CapsuleCredentials::on_change(const void* owner, std::function<void()> changed) {
  std::unique_lock lock(owners_mutex_);
  if (changed) {
    owners_[owner] = std::move(changed);
    return;
  }
  owners_.erase(owner);
  if (thread_.is_here()) return;  // it ends itself while it is told
  told_.wait(lock, [&] { return telling_ != owner; });
}

/// Whoever is told may come and go meanwhile, and may make others come and go.
void CapsuleCredentials::tell_owners() {
  std::unique_lock lock(owners_mutex_);
  std::vector<const void*> all;
  for (const auto& [owner, changed] : owners_) all.push_back(owner);
  for (const void* const owner : all) {
    const auto found = owners_.find(owner);
    if (found == owners_.end()) continue;
    const auto changed = found->second;
    telling_ = owner;
    lock.unlock();
    changed();
    lock.lock();
    telling_ = nullptr;
    told_.notify_all();
  }
}

void CapsuleCredentials::watch() {
  std::unique_lock lock(stop_mutex_);
  while (!stopped_.wait_for(lock, kLookEvery, [this] { return stops_; })) {
    lock.unlock();
    look();
    lock.lock();
  }
}

void CapsuleCredentials::look() {
  const auto now = now_utc();
  renew(now);
  warn_of_end(now);
  auto stamp = this->stamp();
  if (stamp == seen_) return;
  if (const auto loaded = load(); !loaded) {
    // What was there counts on: a half-copied file is whole the next time.
    if (std::exchange(said_, loaded.error().message) != loaded.error().message)
      log_.write(Level::kWarning, "the identity stays as it was",
                 {{"error", loaded.error().message}});
    return;
  }
  seen_ = std::move(stamp);
  said_.clear();
  log_.write(
      Level::kInfo, "identity and trust were read again",
      {{"principal", principal_}, {"valid for", time_left(not_after_.seconds - now.seconds)}});
  tell_owners();
}

void CapsuleCredentials::renew(identity::Instant now) {
  if (now.seconds < renew_after_ || !settings_.file.empty()) return;
  renew_after_ = now.seconds + kTryAgainSeconds;
  if (!realm_.can_issue()) return;
  const auto renewed = realm_.renew({settings_.name, 0, {}}, now);
  if (renewed) {
    warned_at_ = 0;
    return;  // look() finds the new file
  }
  log_.write(Level::kWarning, "the identity could not be renewed",
             {{"error", renewed.error().message}});
}

void CapsuleCredentials::warn_of_end(identity::Instant now) {
  const std::int64_t left = not_after_.seconds - now.seconds;
  std::int64_t threshold = left <= 0 ? -1 : 0;
  // One that lives shorter than that is renewed at its half, and is late at its quarter.
  if (left > 0 && left * 4 < lifetime_seconds_) threshold = lifetime_seconds_;
  for (const std::int64_t days : kWarnDays)
    if (left > 0 && left <= days * kDay && lifetime_seconds_ > 2 * days * kDay)
      threshold = days * kDay;
  if (threshold == 0 || warned_at_ == threshold) return;
  warned_at_ = threshold;
  log_.write(Level::kWarning, left <= 0 ? "the identity has expired" : "the identity expires",
             {{"principal", principal_},
              {"in", time_left(left)},
              {"renew", fmt::format("hector identity renew {} --realm {}", settings_.name,
                                    settings_.realm)}});
}

}  // namespace hector

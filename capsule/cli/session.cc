#include "cli/session.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "hector/check.h"
#include "process/run_directory.h"

namespace hector {

CliSession::CliSession(const CliOptions& options)
    : options_(options),
      log_(make_log(LogFormat::kText, options.verbose ? Level::kDebug : Level::kError, "hector")),
      clock_(make_system_clock()),
      random_(make_system_random()),
      loops_(make_event_loops(1)),
      network_(make_system_network(*clock_, *log_)),
      loader_(std::make_unique<PluginLoader>(plugin_paths(), *log_)) {}

CliSession::~CliSession() {
  target_.reset();
  if (kernel_) kernel_->drain();
  loops_->stop();
  kernel_.reset();
  store_.reset();
}

Status CliSession::connect() {
  const std::string directory = run_directory();
  std::string wanted = options_.capsule;
  if (wanted.empty()) {
    const auto running = running_capsules(directory);
    if (running.empty()) {
      HECTOR_TRY(check_run_directory(directory));
      return fail(Code::kNotFound,
                  fmt::format("no capsule runs here ({}; running are none): start one with `hector "
                              "capsule run FILE`, or name one elsewhere by its reference with -c",
                              directory));
    }
    wanted = running.size() == 1 ? running.front() : "hub";
  }
  reference_ = HECTOR_TRY(read_capsule_reference(directory, wanted));
  capsule_ = reference_.capsule;
  if (!wanted.starts_with("hector:")) named_ = wanted;
  std::vector<std::string> offered;
  for (const auto& profile : reference_.profiles) offered.push_back(profile.protocol);
  for (const auto& manifest : loader_->all(ModuleKind::kProtocol)) {
    if (!options_.protocol.empty() && manifest.name != options_.protocol) continue;
    if (std::find(offered.begin(), offered.end(), manifest.name) != offered.end())
      untried_.push_back(manifest.name);
  }
  if (untried_.empty()) {
    return fail(Code::kUnavailable,
                fmt::format("capsule '{}' speaks {}; this command line has no plugin for {}",
                            capsule_, fmt::join(offered, ", "),
                            options_.protocol.empty() ? "any of them" : options_.protocol));
  }
  for (;;) {
    auto connected = connect_by_next();
    // One protocol may want an identity, or not be able to prove it, where the next one does.
    const bool is_unfit = !connected && connected.error().code == Code::kFailedPrecondition;
    if (!is_unfit || untried_.empty()) return connected;
  }
}

Status CliSession::connect_by_next() {
  HECTOR_CHECK(!untried_.empty(), "no protocol is left to try");
  const std::string protocol = untried_.front();
  untried_.erase(untried_.begin());
  target_.reset();
  if (kernel_) kernel_->drain();
  HECTOR_TRY(open(protocol));
  Reference reference = reference_;
  reference.offer = 0;  // by name: it outlives restarts
  reference.identity = kernel_->management().identity;
  std::erase_if(reference.profiles, [&](const Profile& each) { return each.protocol != protocol; });
  HECTOR_CHECK(!reference.profiles.empty(), "a protocol is tried that the reference has not");
  address_ = reference.profiles.front().address;
  auto target = kernel_->capsule().resolve(reference.text());
  if (!target) return fail(explained(std::move(target.error())));
  target_ = std::move(*target);
  return {};
}

bool CliSession::is_tried_otherwise(const Error& error) {
  if (error.code != Code::kUnavailable || error.type != kNotExecuted) return false;
  while (!untried_.empty()) {
    log_->write(Level::kDebug, "not reached", {{"address", address_}, {"error", error.message}});
    if (connect_by_next()) return true;
  }
  return false;
}

Error CliSession::explained(Error error) const {
  const bool is_about_it =
      error.code == Code::kUnavailable && error.message.find(address_) != std::string::npos;
  if (!is_about_it || named_.empty() || address_.empty()) return error;
  error.message = fmt::format(
      "capsule '{}' does not answer, though its process holds its name (since {}); is it "
      "stopped, or overloaded? {}",
      named_, reference_time(run_directory(), named_), error.message);
  return error;
}

Status CliSession::open_service(const std::string& service) {
  std::string why = "there is no store plugin";
  for (const auto& provider : loader_->all(ModuleKind::kStore)) {
    auto store = loader_->make_store(
        provider.name, {"cli", {}, clock_.get(), random_.get(), loops_.get(), log_.get()});
    if (store)
      store_ = std::move(*store);
    else
      why = store.error().message;
    if (store_) break;
  }
  if (!store_)
    return fail(Code::kUnavailable, fmt::format("'{}' cannot be tried out here: {}", service, why));
  HECTOR_TRY(make_kernel({}));
  if (auto loaded = loader_->load(ModuleKind::kService, service,
                                  static_cast<const std::vector<std::string>*>(nullptr), "{}");
      !loaded)
    return loaded;
  target_ = HECTOR_TRY(kernel_->capsule().resolve("_management"));
  return {};
}

Status CliSession::open(const std::string& protocol) {
  HECTOR_TRY(make_kernel({{"*protocols", {protocol}}}));
  const std::vector<std::string> nowhere;
  return loader_->load(ModuleKind::kProtocol, protocol, &nowhere, "{}");
}

Status CliSession::open_identity() {
  const auto named = [](const char* variable) {
    const char* const value = std::getenv(variable);
    return std::string(value == nullptr ? "" : value);
  };
  const std::string realm = named("HECTOR_REALM"), name = named("HECTOR_IDENTITY");
  if (realm.empty() || credentials_) return {};
  credentials_ =
      HECTOR_TRY(CapsuleCredentials::open({.realm = realm,
                                           .name = name.empty() ? "operator/admin" : name,
                                           .file = {},
                                           .trust = {},
                                           .if_missing = IfMissing::kRefuse},
                                          *log_));
  return {};
}

Status CliSession::make_kernel(const std::vector<PolicyEntry>& policy) {
  HECTOR_TRY(open_identity());
  KernelOptions options;
  options.capsule = "cli";
  options.credentials = credentials_.get();
  options.principal =
      credentials_
          ? credentials_->principal()
          : "user:" + std::string(std::getenv("USER") == nullptr ? "unknown" : std::getenv("USER"));
  options.clock = clock_.get();
  options.random = random_.get();
  options.executor = loops_.get();
  options.network = network_.get();
  options.log = log_.get();
  options.policy = policy;
  options.store = store_.get();
  options.drain_grace = std::chrono::milliseconds(100);
  kernel_ = Kernel::make(options);
  loader_->set_kernel(kernel_.get());
  return {};
}

}  // namespace hector

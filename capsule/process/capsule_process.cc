#include "process/capsule_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "hector/check.h"
#include "process/run_directory.h"

namespace hector {

namespace {

constexpr std::size_t kSocketPathOctetsMax = 107;  ///< unix(7), without the last zero

}  // namespace

CapsuleProcess::CapsuleProcess(Configuration configuration, std::vector<std::string> plugins)
    : configuration_(std::move(configuration)),
      log_(make_log(configuration_.log_format, configuration_.log_level, configuration_.capsule)),
      clock_(make_system_clock()),
      random_(make_system_random()),
      loops_(make_event_loops(std::max(1U, std::thread::hardware_concurrency()))),
      network_(make_system_network(*clock_, *log_)),
      loader_(std::move(plugins), *log_) {}

CapsuleProcess::~CapsuleProcess() {
  stop();
  loops_->stop();
  kernel_.reset();
  store_.reset();
}

void CapsuleProcess::stop() {
  if (!directory_.empty() && claim_.is_held())
    remove_capsule_reference(directory_, configuration_.capsule);
  directory_.clear();
  if (kernel_) kernel_->drain();
  claim_.release();  // last: another one of this name has the same store
}

Status CapsuleProcess::start() {
  HECTOR_TRY(claim_name());
  HECTOR_TRY(open_identity());
  HECTOR_TRY(open_audit());
  if (auto opened = open_store(); !opened) return opened;
  make_kernel();
  return load();
}

std::string CapsuleProcess::run_folder() const {
  return configuration_.run_directory.empty() ? run_directory() : configuration_.run_directory;
}

/// Before the store is opened and any address is listened to.
Status CapsuleProcess::claim_name() {
  const std::string directory = run_folder();
  claim_ = HECTOR_TRY(NameClaim::take(directory, configuration_.capsule));
  remove_capsule_reference(directory, configuration_.capsule);  // of one that was killed
  return {};
}

/// Its principal is the identity's: a configuration that says another one is a mistake.
Status CapsuleProcess::open_identity() {
  if (configuration_.identity.realm.empty()) {
    if (!configuration_.protocols.empty())
      log_->write(Level::kInfo, "channels are plain, and peers claim what they like",
                  {{"because", "no identity"}});
    return {};
  }
  credentials_ = HECTOR_TRY(CapsuleCredentials::open(configuration_.identity, *log_));
  const std::string& principal = credentials_->principal();
  if (!configuration_.principal.empty() && configuration_.principal != principal)
    return fail(Error::failed_precondition(
        fmt::format("the configuration says `principal: {}`, and the identity is that of '{}'",
                    configuration_.principal, principal)));
  configuration_.principal = principal;
  return {};
}

Status CapsuleProcess::open_audit() {
  if (configuration_.audit.empty()) return {};
  audit_ = HECTOR_TRY(audit::AuditLog::open(configuration_.audit, *clock_));
  if (!audit_->set_aside().empty())
    log_->write(Level::kWarning, "the audit log ended within a record, which was set aside",
                {{"file", audit_->set_aside()}});
  return record({.kind = "management",
                 .principal = configuration_.principal,
                 .action = "start capsule",
                 .object = configuration_.capsule,
                 .outcome = AuditOutcome::kDone});
}

Status CapsuleProcess::record(const AuditEvent& event) {
  static_assert(
      static_cast<int>(AuditOutcome::kFailed) == static_cast<int>(audit::Outcome::kFailed),
      "the kernel's outcomes stand in the order of the log's");
  const auto recorded = audit_->append({event.kind, event.principal, event.action, event.object,
                                        static_cast<audit::Outcome>(event.outcome), event.reasons});
  if (recorded) return {};
  log_->write(Level::kError, "the audit log cannot be written",
              {{"file", configuration_.audit}, {"error", recorded.error().message}});
  return fail(recorded.error());
}

/// Where no service is embedded nothing is kept.
Status CapsuleProcess::open_store() {
  const auto& services = configuration_.services;
  if (std::none_of(services.begin(), services.end(),
                   [](const auto& service) { return service.joined.empty(); }))
    return {};
  std::string location = configuration_.store;
  if (location.empty()) {
    const auto providers = loader_.all(ModuleKind::kStore);
    if (providers.empty())
      return fail(Code::kNotFound, "embedded services need a store, and there is no store plugin");
    location = fmt::format("{}:{}/{}.store", providers.front().name, state_directory(),
                           configuration_.capsule);
  }
  auto store = HECTOR_TRY(loader_.make_store(
      location,
      {configuration_.capsule, {}, clock_.get(), random_.get(), loops_.get(), log_.get()}));
  store_ = std::move(store);
  log_->write(Level::kInfo, "store",
              {{"location", location}, {"revision", std::to_string(store_->health().revision)}});
  auto unfinished = HECTOR_TRY(read_and_wait(*store_, {KeyRange::one(kStoreRestoring)}));
  if (!unfinished.entries.empty())
    return fail(
        Code::kFailedPrecondition,
        fmt::format(
            "the store '{}' was being restored from a backup and is not whole: restore it again",
            location));
  return {};
}

Status CapsuleProcess::load() {
  HECTOR_CHECK(kernel_ != nullptr, "modules are loaded before there is a kernel");
  const auto& c = configuration_;
  for (const auto& module : c.protocols) HECTOR_TRY(start_module(ModuleKind::kProtocol, module));
  HECTOR_TRY(start_way_in());
  for (const auto& service : c.services) HECTOR_TRY(start_service(service));
  for (const auto& module : c.languages) HECTOR_TRY(start_module(ModuleKind::kLanguage, module));
  for (const auto& path : c.types) HECTOR_TRY(kernel_->load_types(path));
  for (const auto& path : c.templates) HECTOR_TRY(start_template(path));
  for (const auto& object : c.objects) HECTOR_TRY(kernel_->create_object(object));
  directory_ = run_folder();
  HECTOR_TRY(write_capsule_reference(directory_, kernel_->management()));
  claim_.runs();
  return {};
}

void CapsuleProcess::leave_reference(const Reference& management) {
  if (!claim_.is_held()) return;
  const auto written = write_capsule_reference(directory_, management);
  const bool was_old = std::exchange(is_reference_old_, !written);
  if (!written && !was_old)
    log_->write(Level::kWarning, "the run directory has an old reference; it is tried again",
                {{"error", written.error().message}});
}

void CapsuleProcess::look() {
  const std::lock_guard lock(reference_mutex_);
  if (is_reference_old_) leave_reference(kernel_->management());
}

Status CapsuleProcess::start_way_in() {
  const auto& protocols = configuration_.protocols;
  const auto knows_peers = [this](const ModuleSettings& module) {
    const auto manifest = loader_.find(ModuleKind::kProtocol, module.name);
    return manifest && manifest->peers != KnownPeers::kNone;
  };
  const auto opens_socket_file = [this](const ModuleSettings& module) {
    const auto manifest = loader_.find(ModuleKind::kProtocol, module.name);
    return manifest && manifest->peers == KnownPeers::kSocketFile;
  };
  const bool is_reached = configuration_.is_management_open ||
                          std::any_of(protocols.begin(), protocols.end(), knows_peers);
  if (protocols.empty() || (is_reached && !credentials_)) return {};
  if (std::any_of(protocols.begin(), protocols.end(), opens_socket_file)) return {};
  for (const auto& manifest : loader_.all(ModuleKind::kProtocol)) {
    if (manifest.peers != KnownPeers::kSocketFile) continue;
    const std::string file = fmt::format("{}/{}.sock", run_folder(), configuration_.capsule);
    const bool fits = file.size() <= kSocketPathOctetsMax;
    return start_module(ModuleKind::kProtocol,
                        {manifest.name, fits ? std::vector{file} : manifest.listen, "{}", false});
  }
  return {};
}

Status CapsuleProcess::start_module(ModuleKind kind, const ModuleSettings& module) {
  return loader_.load(kind, module.name, module.listen.empty() ? nullptr : &module.listen,
                      module.settings, module.is_insecure ? Channels::kPlain : Channels::kSecured);
}

Status CapsuleProcess::start_template(const std::string& path) {
  template_names_[path] = HECTOR_TRY(kernel_->load_template(path));
  return {};
}

void CapsuleProcess::make_kernel() {
  HECTOR_CHECK(kernel_ == nullptr, "a capsule makes a second kernel");
  KernelOptions options;
  options.capsule = configuration_.capsule;
  options.principal = configuration_.principal;
  options.clock = clock_.get();
  options.random = random_.get();
  options.executor = loops_.get();
  options.network = network_.get();
  options.log = log_.get();
  options.store = store_.get();
  options.open_store = [this](const std::string& location) {
    return loader_.make_store(
        location,
        {configuration_.capsule, {}, clock_.get(), random_.get(), loops_.get(), log_.get()});
  };
  options.reached_otherwise = [this](const Reference& management) {
    if (directory_.empty()) return;  // it starts, or it ends
    const std::lock_guard lock(reference_mutex_);
    leave_reference(management);
  };
  options.policy = configuration_.policy;
  options.default_deadline = configuration_.default_deadline;
  options.drain_grace = configuration_.drain_grace;
  options.rights = configuration_.rights;
  options.is_management_open = configuration_.is_management_open;
  options.management_roles = configuration_.management_roles;
  options.credentials = credentials_.get();
  if (audit_) options.audit = [this](const AuditEvent& event) { return record(event); };
  if (configuration_.is_management_open)
    log_->write(Level::kWarning, "management is open to whoever reaches this capsule",
                {{"because", "management: {insecure: true}"}});
  kernel_ = Kernel::make(options);
  loader_.set_kernel(kernel_.get());
  kernel_->set_loader(&loader_);
}

Status CapsuleProcess::start_service(const ServiceSettings& service) {
  if (service.joined.empty())
    return loader_.load(ModuleKind::kService, service.name, nullptr, service.settings);
  const std::string directory = run_folder();
  auto reference = read_capsule_reference(directory, service.joined);
  if (!reference) {
    Error error = reference.error();
    error.message = fmt::format("service {} cannot join: {}", service.name, error.message);
    return fail(std::move(error));
  }
  return kernel_->join_service(service.name, *reference, [directory, capsule = service.joined] {
    return read_capsule_reference(directory, capsule);
  });
}

// --- a changed configuration
// ----------------------------------------------------------------------------------------------

/// One reload. What was done goes into the capsule's configuration, what was not does not.
class CapsuleProcess::Reload {
 public:
  Reload(CapsuleProcess& of, const Configuration& now)
      : of_(of), now_(now), change_(change_between(of.configuration_, now)) {}

  void run() {
    settings();
    modules(ModuleKind::kProtocol, change_.protocols, of_.configuration_.protocols);
    services();
    modules(ModuleKind::kLanguage, change_.languages, of_.configuration_.languages);
    types_and_templates();
    objects();
    take_out_templates();
    take_out(ModuleKind::kLanguage, change_.languages.go, of_.configuration_.languages);
    take_out(ModuleKind::kService, change_.services.go, of_.configuration_.services);
    take_out(ModuleKind::kProtocol, change_.protocols.go, of_.configuration_.protocols);
    of_.log_->write(failed_ == 0 ? Level::kInfo : Level::kWarning, "reloaded",
                    {{"changed", std::to_string(done_)}, {"not changed", std::to_string(failed_)}});
  }

 private:
  /// Counts and logs what an attempt came to; whether it was done.
  bool tell(std::string_view did, const std::string& what, const Status& attempt) {
    if (attempt) {
      ++done_;
      of_.log_->write(Level::kInfo, "reload", {{did, what}});
      return true;
    }
    ++failed_;
    std::string why = attempt.error().text();
    for (const auto& reason : attempt.error().reasons) why += "; " + reason;
    of_.log_->write(Level::kWarning, "reload refused",
                    {{"not " + std::string(did), what}, {"error", why}});
    return false;
  }

  void settings() {
    auto& c = of_.configuration_;
    c.log_level = now_.log_level;
    c.policy = now_.policy;
    c.default_deadline = now_.default_deadline;
    c.drain_grace = now_.drain_grace;
    of_.log_->set_level(c.log_level);
    of_.kernel_->reconfigure({c.policy, c.default_deadline, c.drain_grace});
    for (const auto& key : change_.need_a_restart)
      tell("changed", key, fail(Error::failed_precondition("it counts from the next start on")));
  }

  template <class Settings, class Start>
  void put(ModuleKind kind, const ConfigurationChange::Modules<Settings>& change,
           std::vector<Settings>& list, const Start& start) {
    for (const auto& each : change.differ) {
      if (!tell("unloaded", what(kind, each.name), unload(kind, each.name))) continue;
      erase(list, each.name);
      if (tell("loaded", what(kind, each.name), start(each))) list.push_back(each);
    }
    for (const auto& each : change.come) {
      if (tell("loaded", what(kind, each.name), start(each))) list.push_back(each);
    }
  }
  void modules(ModuleKind kind, const ConfigurationChange::Modules<ModuleSettings>& change,
               std::vector<ModuleSettings>& list) {
    put(kind, change, list, [&](const ModuleSettings& m) { return of_.start_module(kind, m); });
  }
  void services() {
    put(ModuleKind::kService, change_.services, of_.configuration_.services,
        [&](const ServiceSettings& s) { return of_.start_service(s); });
  }
  template <class Settings>
  void take_out(ModuleKind kind, const std::vector<std::string>& names,
                std::vector<Settings>& list) {
    for (const auto& name : names) {
      if (tell("unloaded", what(kind, name), unload(kind, name))) erase(list, name);
    }
  }

  /// Every file is read again: its bytes decide whether anything has changed.
  void types_and_templates() {
    for (const auto& path : now_.types) {
      if (const auto read = of_.kernel_->load_types(path); !read)
        tell("loaded", path, fail(read.error()));
    }
    for (const auto& path : now_.templates) {
      if (const auto loaded = of_.start_template(path); !loaded) tell("loaded", path, loaded);
    }
    of_.configuration_.types = now_.types;
  }
  void take_out_templates() {
    auto& list = of_.configuration_.templates;
    list = now_.templates;
    for (const auto& path : change_.templates_go) {
      const auto done = of_.kernel_->unload_template(of_.template_names_[path], Unload::kNow);
      const bool is_out =
          tell("unloaded", "template " + path, done ? Status() : fail(done.error()));
      if (is_out)
        of_.template_names_.erase(path);
      else
        list.push_back(path);
    }
  }

  void objects() {
    auto& list = of_.configuration_.objects;
    for (const auto& name : change_.objects.go) {
      if (tell("deleted", "object " + name, of_.kernel_->delete_object(name))) erase(list, name);
    }
    for (const auto& each : change_.objects.come) {
      const auto made = of_.kernel_->create_object(each);
      if (tell("created", "object " + each.name, made ? Status() : fail(made.error())))
        list.push_back(each);
    }
    for (const auto& each : change_.objects.differ)
      tell("changed", "object " + each.name,
           fail(Error::failed_precondition(
               "an Object keeps what it was made with, and its state: delete it, and reload")));
  }

  static std::string what(ModuleKind kind, const std::string& name) {
    return fmt::format("{} {}", module_kind_name(kind), name);
  }
  Status unload(ModuleKind kind, const std::string& name) {
    const auto done = of_.kernel_->unload(kind, name, Unload::kNow);
    return done ? Status() : fail(done.error());
  }
  template <class Settings>
  static void erase(std::vector<Settings>& list, const std::string& name) {
    std::erase_if(list, [&](const Settings& each) { return each.name == name; });
  }

  CapsuleProcess& of_;
  const Configuration& now_;
  const ConfigurationChange change_;
  int done_ = 0, failed_ = 0;
};

void CapsuleProcess::reload(const Configuration& now) { Reload(*this, now).run(); }

}  // namespace hector

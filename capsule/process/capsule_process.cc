#include "process/capsule_process.h"

#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "process/run_directory.h"

namespace hector {

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
  if (!directory_.empty()) remove_capsule_reference(directory_, configuration_.capsule);
  directory_.clear();
  if (kernel_) kernel_->drain();
}

Status CapsuleProcess::start() {
  if (auto opened = open_store(); !opened) return opened;
  make_kernel();
  return load();
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
  const auto& c = configuration_;
  for (const auto& module : c.protocols) {
    if (auto done = loader_.load(ModuleKind::kProtocol, module.name,
                                 module.listen.empty() ? nullptr : &module.listen, module.settings);
        !done)
      return done;
  }
  for (const auto& service : c.services) {
    if (auto done = start_service(service); !done) return done;
  }
  for (const auto& module : c.languages) {
    if (auto done = loader_.load(ModuleKind::kLanguage, module.name, nullptr, module.settings);
        !done)
      return done;
  }
  for (const auto& path : c.types) {
    if (auto done = kernel_->load_types(path); !done) return fail(done.error());
  }
  for (const auto& path : c.templates) {
    if (auto done = kernel_->load_template(path); !done) return fail(done.error());
  }
  for (const auto& object : c.objects) {
    if (auto done = kernel_->create_object(object); !done) return fail(done.error());
  }
  directory_ = c.run_directory.empty() ? run_directory() : c.run_directory;
  return write_capsule_reference(directory_, kernel_->management());
}

void CapsuleProcess::make_kernel() {
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
  options.policy = configuration_.policy;
  options.default_deadline = configuration_.default_deadline;
  options.drain_grace = configuration_.drain_grace;
  kernel_ = Kernel::make(options);
  loader_.set_kernel(kernel_.get());
  kernel_->set_loader(&loader_);
}

Status CapsuleProcess::start_service(const ServiceSettings& service) {
  if (service.joined.empty())
    return loader_.load(ModuleKind::kService, service.name, nullptr, service.settings);
  const std::string directory =
      configuration_.run_directory.empty() ? run_directory() : configuration_.run_directory;
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

}  // namespace hector

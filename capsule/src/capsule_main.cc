// What: hector-capsule, the process: reads the configuration, builds the kernel, loads modules, serves until SIGTERM.
// Why: the composition root; clock, randomness, event loops, network and log are made here and passed down.
// Who: people, `hector capsule run`, node managers later.
#include <fmt/ranges.h>
#include <csignal>
#include <thread>

#include <CLI/CLI.hpp>

#include "configuration.h"
#include "module_loader.h"
#include "run_directory.h"

namespace {

using namespace hector;

constexpr int kExitOk = 0, kExitFailed = 1, kExitUsage = 2;

int report(const Error& error) {
  fmt::print(stderr, "hector-capsule: {}\n", error.text());
  return error.code == Code::kInvalidArgument ? kExitUsage : kExitFailed;
}

class CapsuleProcess {
 public:
  explicit CapsuleProcess(Configuration configuration)
      : configuration_(std::move(configuration)),
        log_(make_log(configuration_.log_format, configuration_.log_level, configuration_.capsule)),
        clock_(make_system_clock()),
        random_(make_system_random()),
        loops_(make_event_loops(std::max(1U, std::thread::hardware_concurrency()))),
        network_(make_udp_network(*clock_, *log_)),
        loader_(plugin_paths(), *log_) {}
  ~CapsuleProcess() {
    if (kernel_) kernel_->drain();
    loops_->stop();
    kernel_.reset();
    store_.reset();
  }

  Status start() {
    if (auto opened = open_store(); !opened) return opened;
    make_kernel();
    return load();
  }

  void serve() {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    log_->write(Level::kInfo, "ready", {{"capsule", configuration_.capsule}});
    int signal = 0;
    sigwait(&signals, &signal);
    log_->write(Level::kInfo, "draining", {{"signal", signal == SIGTERM ? "TERM" : "INT"}});
    remove_capsule_reference(directory_, configuration_.capsule);
    kernel_->drain();
    log_->write(Level::kInfo, "stopped", {});
  }

 private:
  /// Where no service is embedded nothing is kept.
  Status open_store() {
    const auto& services = configuration_.services;
    if (std::none_of(services.begin(), services.end(), [](const auto& service) { return service.joined.empty(); })) return {};
    std::string location = configuration_.store;
    if (location.empty()) {
      const auto providers = loader_.all(ModuleKind::kStore);
      if (providers.empty()) return fail(Code::kNotFound, "embedded services need a store, and there is no store plugin");
      location = fmt::format("{}:{}/{}.store", providers.front().name, state_directory(), configuration_.capsule);
    }
    auto store = loader_.make_store(location, {configuration_.capsule, {}, clock_.get(), random_.get(), loops_.get(), log_.get()});
    if (!store) return fail(store.error());
    store_ = std::move(*store);
    log_->write(Level::kInfo, "store", {{"location", location}, {"revision", std::to_string(store_->health().revision)}});
    auto unfinished = read_and_wait(*store_, {KeyRange::one(kStoreRestoring)});
    if (!unfinished) return fail(unfinished.error());
    if (!unfinished->entries.empty()) return fail(Code::kFailedPrecondition, fmt::format("the store '{}' was being restored from a backup and is not whole: restore it again", location));
    return {};
  }
  Status load() {
    const auto& c = configuration_;
    for (const auto& module : c.protocols) {
      if (auto done = loader_.load(ModuleKind::kProtocol, module.name, module.listen.empty() ? nullptr : &module.listen, module.settings); !done) return done;
    }
    for (const auto& service : c.services) {
      if (auto done = start_service(service); !done) return done;
    }
    for (const auto& module : c.languages) {
      if (auto done = loader_.load(ModuleKind::kLanguage, module.name, nullptr, module.settings); !done) return done;
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
  void make_kernel() {
    KernelOptions options;
    options.capsule = configuration_.capsule;
    options.principal = configuration_.principal;
    options.clock = clock_.get();
    options.random = random_.get();
    options.executor = loops_.get();
    options.network = network_.get();
    options.log = log_.get();
    options.store = store_.get();
    options.open_store = [this](const std::string& location) { return loader_.make_store(location, {configuration_.capsule, {}, clock_.get(), random_.get(), loops_.get(), log_.get()}); };
    options.policy = configuration_.policy;
    options.default_deadline = configuration_.default_deadline;
    options.drain_grace = configuration_.drain_grace;
    kernel_ = Kernel::make(options);
    loader_.set_kernel(kernel_.get());
    kernel_->set_loader(&loader_);
  }
  Status start_service(const ServiceSettings& service) {
    if (service.joined.empty()) return loader_.load(ModuleKind::kService, service.name, nullptr, service.settings);
    const std::string directory = configuration_.run_directory.empty() ? run_directory() : configuration_.run_directory;
    auto reference = read_capsule_reference(directory, service.joined);
    if (!reference) {
      Error error = reference.error();
      error.message = fmt::format("service {} cannot join: {}", service.name, error.message);
      return fail(std::move(error));
    }
    return kernel_->join_service(service.name, *reference, [directory, capsule = service.joined] { return read_capsule_reference(directory, capsule); });
  }

  Configuration configuration_;
  std::unique_ptr<Log> log_;
  std::unique_ptr<Clock> clock_;
  std::unique_ptr<Random> random_;
  std::unique_ptr<EventLoops> loops_;
  std::unique_ptr<Network> network_;
  PluginLoader loader_;
  std::unique_ptr<Store> store_;
  std::unique_ptr<Kernel> kernel_;
  std::string directory_;
};

int run(const std::string& file) {
  auto configuration = read_configuration(file, program_prefix());
  if (!configuration) return report(configuration.error());
  CapsuleProcess process(std::move(*configuration));
  if (auto started = process.start(); !started) return report(started.error());
  process.serve();
  return kExitOk;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A Hector capsule: hosts Objects, speaks protocols, gives services. Stops cleanly on SIGTERM."};
  std::string file;
  app.add_option("configuration", file, "the capsule's YAML file, as in etc/")->required();
  CLI11_PARSE(app, argc, argv);
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);  // every thread: only serve() takes them
  return run(file);
}

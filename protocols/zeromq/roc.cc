#include "roc.h"

#include <atomic>

#include "adopted_services.h"
#include "roc_client.h"
#include "roc_link.h"
#include "roc_network.h"
#include "service_discovery.h"
#include "shown_workers.h"

namespace hector::zeromq {

namespace {

/// A service that comes is an Object soon, and asking costs two small messages.
constexpr Duration kDiscoverEvery = std::chrono::milliseconds(250);

/// Of the way to a service, not of the service.
bool is_no_answer(const Error& error) {
  return error.code == Code::kDeadlineExceeded || error.code == Code::kUnavailable ||
         error.code == Code::kResourceExhausted;
}

/// A node: Objects of this capsule as services, services as Objects, and the network as one.
class Roc final : public Endpoint {
 public:
  Roc(const ProtocolContext& context, const RocOptions& options)
      : link_(std::make_shared<RocLink>(context, options)),
        client_(std::make_shared<RocClient>(link_)),
        workers_(std::make_shared<ShownWorkers>(link_)),
        services_(std::make_shared<AdoptedServices>(link_, client_)),
        network_(std::make_shared<RocNetwork>(link_)),
        discovery_(
            options.world.adopt,
            [this](const std::string& question, const std::string& argument) {
              client_->ask_broker(question, argument);
            },
            [this](const std::string& service) { return workers_->contains(service); },
            [this](const std::string& service, bool is_there) { follow(service, is_there); },
            options.discover) {}
  ~Roc() override {
    close();
    link_->reactor.stop();  // before the parts that its tasks and sockets refer to
  }

  Status open() {
    HECTOR_TRY(on_reactor(link_->reactor, [this] { return open_sockets(); }));
    if (!link_->options.world.show.empty()) workers_->follow();
    if (!link_->options.name.empty()) adopt_network();
    is_open_ = true;
    return {};
  }

  std::string address() const override { return {}; }
  void drain(Duration) noexcept override { close(); }

 private:
  Status open_sockets() {
    const auto& options = link_->options;
    HECTOR_TRY(client_->open([this](const MdpMessage& message) { discovery_.receive(message); }));
    HECTOR_TRY(network_->open());
    link_->reactor.every(options.broker.heartbeat, [this] { workers_->beat(); });
    if (!options.world.adopt.empty())
      link_->reactor.every(kDiscoverEvery,
                           [this] { discovery_.tick(link_->context.clock->now()); });
    return {};
  }

  void adopt_network() {
    link_->context.hosting->run_blocking([link = link_, network = network_] {
      if (auto adopted = network->adopt(); !adopted)
        link->context.log->write(
            Level::kError, "ROC network cannot be adopted as an Object",
            {{"object", link->options.name}, {"error", adopted.error().message}});
    });
  }

  /// On the reactor's thread: a service has come or left.
  void follow(const std::string& service, bool is_there) {
    auto* const hosting = link_->context.hosting;
    if (!is_there) {
      client_->fail_service(service);
      return hosting->run_blocking([services = services_, service] { services->dismiss(service); });
    }
    // It runs on the reactor's thread, before this is gone.
    client_->describe(
        service, [this, link = link_, services = services_, service](Result<Value> said) {
          if (!said && is_no_answer(said.error()))
            return discovery_.unanswered(service, link->context.clock->now());
          link->context.hosting->run_blocking([link, services, service, said = std::move(said)] {
            if (auto adopted = services->adopt(service, said); !adopted)
              link->context.log->write(Level::kWarning, "ROC object cannot be adopted as an Object",
                                       {{"service", service}, {"error", adopted.error().message}});
          });
        });
  }

  void close() noexcept {
    if (!is_open_.exchange(false)) return;
    auto* const hosting = link_->context.hosting;
    hosting->on_change(link_->owner(), nullptr);
    const auto said = on_reactor(link_->reactor, [this]() -> Status {
      workers_->close();
      client_->close();
      return {};
    });
    if (!said)
      link_->context.log->write(Level::kWarning, "ROC node left without telling its broker",
                                {{"error", said.error().message}});
    network_->close();
    services_->close();
    // NOT_FOUND: it could not be adopted, or an operator has dismissed it.
    if (!link_->options.name.empty()) {
      [[maybe_unused]] const Status gone = hosting->dismiss(link_->options.name);
    }
    link_->reactor.stop();
  }

  // Each part is shared with its calls and tasks, which may outlast the node.
  const std::shared_ptr<RocLink> link_;
  const std::shared_ptr<RocClient> client_;
  const std::shared_ptr<ShownWorkers> workers_;
  const std::shared_ptr<AdoptedServices> services_;
  const std::shared_ptr<RocNetwork> network_;
  ServiceDiscovery discovery_;  ///< the reactor's
  std::atomic<bool> is_open_{false};
};

}  // namespace

Result<std::unique_ptr<Endpoint>> open_roc(const ProtocolContext& context,
                                           const RocOptions& options) {
  auto roc = std::make_unique<Roc>(context, options);
  HECTOR_TRY(roc->open());
  return std::unique_ptr<Endpoint>(std::move(roc));
}

}  // namespace hector::zeromq

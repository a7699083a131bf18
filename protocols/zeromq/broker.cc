#include "broker.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::zeromq {

void Broker::receive(const std::string& address, const Frames& frames, TimePoint now) {
  auto message = read_at_broker(frames);
  if (!message) {
    ++counters_.malformed;
    return;
  }
  if (message->side == Side::kClient)
    of_client(address, std::move(*message), now);
  else
    of_worker(address, std::move(*message), now);
}

std::size_t Broker::workers(const std::string& service) const {
  const auto found = services_.find(service);
  return found == services_.end() ? 0 : found->second.workers;
}

void Broker::of_client(const std::string& address, MdpMessage message, TimePoint now) {
  if (message.service.starts_with("mmi.")) return management(address, message);
  if (services_.size() >= options_.services_max && !services_.contains(message.service)) {
    ++counters_.dropped;
    return;
  }
  auto& service = services_[message.service];
  if (service.requests.size() >= options_.queue_max) {
    ++counters_.dropped;
    return;
  }
  service.requests.push_back({address, message.version, message.is_delimited, message.first_command,
                              std::move(message.body), now});
  dispatch(message.service, now);
}

/// 8/MMI; mmi.services is ours: 200 and the names of those that have workers.
void Broker::management(const std::string& address, const MdpMessage& message) {
  if (message.service == "mmi.services") {
    Frames body{"200"};
    for (const auto& [name, service] : services_) {
      if (service.workers > 0 && body.size() < kFramesMax - 10) body.push_back(name);
    }
    return send_(address, write_mdp({message.version,
                                     Side::kClient,
                                     Command::kReply,
                                     message.service,
                                     {},
                                     std::move(body),
                                     message.is_delimited,
                                     message.first_command},
                                    Sender::kBroker));
  }
  HECTOR_CHECK(!message.body.empty(), "a request without a body was read as one");
  const bool is_known = message.service == "mmi.service" && workers(message.body.back()) > 0;
  const char* const code = message.service != "mmi.service" ? "501" : is_known ? "200" : "404";
  send_(address, write_mdp({message.version,
                            Side::kClient,
                            Command::kReply,
                            message.service,
                            {},
                            {code},
                            message.is_delimited,
                            message.first_command},
                           Sender::kBroker));
}

void Broker::of_worker(const std::string& address, MdpMessage message, TimePoint now) {
  const auto found = workers_.find(address);
  if (message.command == Command::kReady) {
    const bool is_full =
        !services_.contains(message.service) && services_.size() >= options_.services_max;
    if (found != workers_.end() || message.service.starts_with("mmi.") || is_full) {
      if (found != workers_.end()) end(address, Told::kNo, now);
      return disconnect(address, message.version, message.is_delimited);
    }
    return make_worker(address, message, now);
  }
  if (found == workers_.end()) {
    if (message.command != Command::kDisconnect)
      disconnect(address, message.version, message.is_delimited);
    return;
  }
  Worker& worker = found->second;
  worker.expires = now + options_.heartbeat * options_.liveness;
  if (message.command == Command::kHeartbeat) return;
  if (message.command == Command::kDisconnect) return end(address, Told::kYes, now);
  const bool is_asked = worker.request && worker.request->client == message.client &&
                        message.version == worker.version;
  if (!is_asked) return end(address, Told::kNo, now);
  const bool is_final = message.command == Command::kReply;
  const std::string name = worker.service;
  reply_of(worker, std::move(message));
  if (is_final) dispatch(name, now);
}

void Broker::make_worker(const std::string& address, const MdpMessage& ready, TimePoint now) {
  auto& worker = workers_[address];
  HECTOR_CHECK(worker.service.empty(), "a worker that is there is made again");
  worker = {address,
            ready.service,
            ready.version,
            ready.is_delimited,
            now + options_.heartbeat * options_.liveness,
            std::nullopt};
  auto& service = services_[ready.service];
  service.idle.push_back(&worker);
  if (++service.workers == 1 && changed_) changed_(ready.service, true);
  dispatch(ready.service, now);
}

void Broker::check(const Service& service) const {
  HECTOR_CHECK(service.idle.size() <= service.workers, "more workers are idle than there are");
  HECTOR_CHECK(service.idle.empty() || service.requests.empty(),
               "a request waits while a worker is idle");
}

void Broker::reply_of(Worker& worker, MdpMessage message) {
  HECTOR_CHECK(worker.request.has_value(), "a worker answers without having been asked");
  const bool is_final = message.command == Command::kReply;
  // A client of version 1 knows no parts: it gets the last one only.
  if (is_final || worker.request->version == 2) {
    send_(message.client, write_mdp({worker.request->version,
                                     Side::kClient,
                                     message.command,
                                     worker.service,
                                     {},
                                     std::move(message.body),
                                     worker.request->is_delimited,
                                     worker.request->first_command},
                                    Sender::kBroker));
  }
  if (!is_final) return;
  worker.request.reset();
  HECTOR_CHECK(services_.contains(worker.service), "a service is forgotten before its worker");
  services_[worker.service].idle.push_back(&worker);
}

void Broker::dispatch(const std::string& name, TimePoint now) {
  const auto found = services_.find(name);
  if (found == services_.end()) return;
  auto& service = found->second;
  while (!service.requests.empty()) {
    if (service.requests.front().arrived + options_.request_expires <= now) {
      ++counters_.expired;
      service.requests.pop_front();
      continue;
    }
    if (service.idle.empty()) return;
    Worker& worker = *service.idle.front();
    HECTOR_CHECK(!worker.request && worker.service == name,
                 "an idle worker is at work, or is of another service");
    service.idle.pop_front();
    worker.request = std::move(service.requests.front());
    service.requests.pop_front();
    send_(worker.address, write_mdp({worker.version,
                                     Side::kWorker,
                                     Command::kRequest,
                                     {},
                                     worker.request->client,
                                     worker.request->body,
                                     worker.is_delimited},
                                    Sender::kBroker));
  }
  check(service);
}

void Broker::disconnect(const std::string& address, int version, bool is_delimited) {
  ++counters_.disconnected;
  send_(address, write_mdp({version, Side::kWorker, Command::kDisconnect, {}, {}, {}, is_delimited},
                           Sender::kBroker));
}

/// Its request goes to another worker: the client still waits.
void Broker::end(const std::string& address, Told told, TimePoint now) {
  auto node = workers_.extract(address);
  if (node.empty()) return;
  Worker& worker = node.mapped();
  HECTOR_CHECK(services_.contains(worker.service), "a service is forgotten before its worker");
  auto& service = services_[worker.service];
  std::erase(service.idle, &worker);
  if (told == Told::kNo) disconnect(address, worker.version, worker.is_delimited);
  if (worker.request) {
    ++counters_.resent;
    service.requests.push_front(std::move(*worker.request));
  }
  HECTOR_CHECK(service.workers > 0, "a service loses more workers than it has");
  if (--service.workers == 0 && changed_) changed_(worker.service, false);
  dispatch(worker.service, now);
  forget_if_unused(worker.service);
}

void Broker::forget_if_unused(const std::string& name) {
  const auto found = services_.find(name);
  if (found != services_.end() && found->second.workers == 0 && found->second.requests.empty()) {
    HECTOR_CHECK(found->second.idle.empty(), "a worker is idle of a service without workers");
    services_.erase(found);
  }
}

void Broker::tick(TimePoint now) {
  if (now < due_) return;
  due_ = now + options_.heartbeat;
  std::vector<std::string> dead;
  for (const auto& [address, worker] : workers_) {
    if (worker.expires <= now)
      dead.push_back(address);
    else
      send_(
          address,
          write_mdp(
              {worker.version, Side::kWorker, Command::kHeartbeat, {}, {}, {}, worker.is_delimited},
              Sender::kBroker));
  }
  for (const auto& address : dead) end(address, Told::kNo, now);
  std::vector<std::string> names;
  for (const auto& [name, service] : services_) {
    if (!service.requests.empty() || service.workers == 0) names.push_back(name);
  }
  for (const auto& name : names) {
    dispatch(name, now);  // drops expired requests
    forget_if_unused(name);
  }
}

}  // namespace hector::zeromq

#include "simulation.h"

#include <algorithm>

namespace hector::testing {

namespace {
std::string host_of(const NetworkAddress& address) {
  const std::string text = address.text();
  return text.substr(0, text.rfind(':'));
}
}  // namespace

class Simulation::Socket final : public DatagramSocket {
 public:
  Socket(Simulation& world, NetworkAddress local, Reading reading, Receiver receiver)
      : world_(world), local_(local), reading_(reading), receiver_(std::move(receiver)) {
    world_.sockets_[local_.text()] = this;
  }
  ~Socket() override {
    world_.sockets_.erase(local_.text());
    for (auto& [group, members] : world_.groups_) members.erase(this);
  }
  bool send(const NetworkAddress& to,
            std::span<const std::span<const std::uint8_t>> parts) noexcept override {
    std::vector<std::uint8_t> octets;
    for (const auto& part : parts) octets.insert(octets.end(), part.begin(), part.end());
    return world_.send(local_, to, std::move(octets));
  }
  NetworkAddress local() const override { return local_; }
  /// The waiting thread is the only one: it makes the world go on.
  bool receive_here(TimePoint until) noexcept override {
    if (world_.now() >= until) return false;
    return world_.step();
  }
  Status join(const NetworkAddress& group) override {
    world_.groups_[group.text()].insert(this);
    return {};
  }
  void receive(const NetworkAddress& from, const std::vector<std::uint8_t>& octets) {
    receiver_(from, octets);
  }

 private:
  Simulation& world_;
  NetworkAddress local_;
  Reading reading_;
  Receiver receiver_;
};

class Simulation::Host final : public Network {
 public:
  Host(Simulation& world, NetworkAddress address) : world_(world), address_(address) {}
  Result<std::unique_ptr<DatagramSocket>> open(const SocketOptions& options,
                                               DatagramSocket::Receiver receiver) override {
    const NetworkAddress& local = options.local;
    NetworkAddress bound = local;
    if (!local.is_multicast())
      std::copy(std::begin(address_.octets), std::end(address_.octets), std::begin(bound.octets));
    if (bound.port == 0) bound.port = world_.next_port_++;
    if (world_.sockets_.contains(bound.text()))
      return fail(Code::kAlreadyExists, bound.text() + " is in use");
    return std::unique_ptr<DatagramSocket>(
        std::make_unique<Socket>(world_, bound, options.reading, std::move(receiver)));
  }

 private:
  Simulation& world_;
  NetworkAddress address_;
};

std::unique_ptr<Network> Simulation::host(const std::string& host) {
  return std::make_unique<Host>(*this, *NetworkAddress::parse(host + ":0"));
}

std::chrono::system_clock::time_point Simulation::wall() const noexcept {
  return std::chrono::system_clock::time_point(
      std::chrono::duration_cast<std::chrono::system_clock::duration>(now_.time_since_epoch()));
}

std::uint64_t Simulation::next() noexcept {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
  return mixed ^ mixed >> 31;
}

TimerId Simulation::at(TimePoint when, Task task) {
  const TimerId id = ++last_;
  when = std::max(when, now_);
  events_.emplace(std::pair{when, id}, std::move(task));
  when_.emplace(id, when);
  return id;
}

bool Simulation::cancel(TimerId timer) {
  const auto found = when_.find(timer);
  if (found == when_.end()) return false;
  events_.erase({found->second, timer});
  when_.erase(found);
  return true;
}

bool Simulation::step() {
  if (events_.empty()) return false;
  auto node = events_.extract(events_.begin());
  now_ = node.key().first;
  when_.erase(node.key().second);
  trace(static_cast<std::uint64_t>(now_.time_since_epoch().count()));
  node.mapped()();
  return true;
}

void Simulation::run_for(Duration time) {
  const TimePoint end = now_ + time;
  while (!events_.empty() && events_.begin()->first.first <= end) step();
  now_ = std::max(now_, end);
}

bool Simulation::run_until(const std::function<bool()>& holds, Duration at_most) {
  const TimePoint end = now_ + at_most;
  while (!holds()) {
    if (events_.empty() || events_.begin()->first.first > end) return holds();
    step();
  }
  return true;
}

bool Simulation::send(const NetworkAddress& from, const NetworkAddress& to,
                      std::vector<std::uint8_t> octets) {
  ++datagrams_;
  for (const auto octet : octets) trace(octet);
  if (chance() < rules.loss || cuts_.contains(std::minmax(host_of(from), host_of(to)))) return true;
  const int copies = chance() < rules.duplication ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    const auto spread = static_cast<std::uint64_t>((rules.delay_max - rules.delay_min).count()) + 1;
    const Duration delay = rules.delay_min + Duration(static_cast<std::int64_t>(next() % spread));
    at(now_ + delay, [this, from, to, octets] { deliver(from, to, octets); });
  }
  return true;
}

void Simulation::deliver(const NetworkAddress& from, const NetworkAddress& to,
                         const std::vector<std::uint8_t>& octets) {
  if (to.is_multicast()) {
    const auto members = groups_[to.text()];
    for (auto* member : members) member->receive(from, octets);
    return;
  }
  const auto found = sockets_.find(to.text());
  if (found != sockets_.end()) found->second->receive(from, octets);
}

}  // namespace hector::testing

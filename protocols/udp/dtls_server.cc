#include "dtls_server.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>

#include <algorithm>

namespace hector::udp {

namespace {

// The octets of a record (RFC 6347, 4.1) and of the ClientHello in it (4.2.2).
constexpr std::size_t kEpochAt = 3, kMessageAt = 13, kRandomAt = 13 + 12 + 2, kRandomOctets = 32;
constexpr std::uint8_t kFirstContent = 20, kHandshake = 22, kApplicationData = 23;
constexpr std::uint8_t kClientHello = 1;
/// Chains that are examined without letting the executor do something else.
constexpr std::size_t kExaminedAtOnce = 16;

bool is_record(Octets datagram) {
  return datagram.size() > kMessageAt && datagram[0] >= kFirstContent &&
         datagram[0] <= kApplicationData;
}

bool is_before_keys(Octets datagram) {
  return datagram[kEpochAt] == 0 && datagram[kEpochAt + 1] == 0;
}

bool is_hello(Octets datagram) {
  return datagram[0] == kHandshake && is_before_keys(datagram) &&
         datagram[kMessageAt] == kClientHello && datagram.size() >= kRandomAt + kRandomOctets;
}

}  // namespace

DtlsServer::DtlsServer(const ProtocolContext& context, tls::Tls& tls, const Cookies& cookies,
                       Owner& owner)
    : context_(context),
      tls_(tls),
      cookies_(cookies),
      owner_(owner),
      plain_(context, Level::kWarning, "a packet that is not encrypted was dropped"),
      refused_(context, Level::kWarning, "a peer was refused"),
      dropped_(context, Level::kInfo, "a datagram that is repeated, late or false was dropped") {}

DtlsServer::~DtlsServer() {
  context_.credentials->on_change(this, {});
  guard_.end();
  if (timer_ != 0) context_.executor->cancel(timer_);
}

void DtlsServer::begin(DatagramSocket& socket) {
  {
    const std::lock_guard lock(mutex_);
    socket_ = &socket;
  }
  context_.credentials->on_change(this, [executor = context_.executor, self = guard_.handle()] {
    executor->post([self] { self.run([](DtlsServer& server) { server.examine_all(); }); });
  });
  examine_later();
}

void DtlsServer::on_datagram(const NetworkAddress& from, Octets datagram) {
  if (!is_record(datagram))
    return plain_.count(from, "only peers that prove an identity are served here");
  if (is_hello(datagram)) return on_hello(from, datagram);
  const std::shared_ptr<Association> association = find(from, datagram);
  if (association == nullptr) return say_unknown(from, datagram);
  association->set_heard(++datagrams_);
  for (Octets given = datagram;; given = {}) {
    const auto taken = association->take(given);
    if (taken.before == Association::Phase::kShaking && taken.after == Association::Phase::kOpen &&
        !opened(association))
      return;
    if (taken.packet) owner_.on_packet(association, *taken.packet);
    if (taken.after == Association::Phase::kOver) {
      if (taken.before == Association::Phase::kShaking) return failed(association);
      if (taken.before == Association::Phase::kOpen) drop(association, association->why().message);
      return;
    }
    if (taken.is_dropped) dropped_.count(from, "it was dropped as DTLS says");
    if (!taken.is_more) return;
  }
}

void DtlsServer::say_unknown(const NetworkAddress& from, Octets datagram) {
  if (datagram[0] != kApplicationData || is_before_keys(datagram) || datagram.size() <= kEchoOctets)
    return;
  std::string answer;
  Writer(answer).type(PacketType::kUnknownRecord).raw(datagram.data(), kEchoOctets);
  const Octets part = octets_of(answer);
  const std::lock_guard lock(mutex_);
  if (socket_ != nullptr) socket_->send(from, {&part, 1});
}

/// Most datagrams come from the same peer as the one before.
std::shared_ptr<Association> DtlsServer::find(const NetworkAddress& from, Octets datagram) {
  if (latest_ && latest_->peer() == from && datagram[0] == kApplicationData &&
      latest_->phase() == Association::Phase::kOpen)
    return latest_;
  const std::lock_guard lock(mutex_);
  const auto found = peers_.find(from);
  if (found == peers_.end()) return nullptr;
  const Slot& slot = found->second;
  if (slot.shaking && (!slot.open || datagram[0] != kApplicationData)) return slot.shaking;
  return latest_ = slot.open;
}

bool DtlsServer::prepare_listener() {
  {
    const std::lock_guard lock(mutex_);
    if (socket_ == nullptr) return false;
    if (std::exchange(has_changed_, false)) listener_.reset();
  }
  if (listener_) return true;
  auto made = tls_.accepting();
  if (!made) return refused_.count({}, made.error().message), false;
  wire_ = std::make_unique<DtlsWire>(*socket_, NetworkAddress{}, &cookies_);
  listener_ = std::move(*made);
  wire_->attach(*listener_);
  return true;
}

bool DtlsServer::listen(const NetworkAddress& from, Octets datagram) {
  struct FreeAddress {
    void operator()(BIO_ADDR* address) const { BIO_ADDR_free(address); }
  };
  const std::unique_ptr<BIO_ADDR, FreeAddress> unused(BIO_ADDR_new());
  wire_->set_peer(from);
  wire_->give(datagram);
  ERR_clear_error();
  const int heard = DTLSv1_listen(listener_.get(), unused.get());
  ERR_clear_error();
  wire_->withdraw();
  return heard == 1;
}

void DtlsServer::on_hello(const NetworkAddress& from, Octets datagram) {
  const auto octets = datagram.subspan(kRandomAt, kRandomOctets);
  const HelloRandom random(octets.begin(), octets.end());
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(from);
    if (found != peers_.end() &&
        (found->second.shaking_random == random || found->second.open_random == random))
      return;  // a repeated one; retransmissions have a clock of their own
  }
  if (!prepare_listener() || !listen(from, datagram)) return;
  admit(from, random);
}

void DtlsServer::admit(const NetworkAddress& from, HelloRandom random) {
  auto made = std::make_shared<Association>(
      context_, Association::Parts{std::move(listener_), std::move(wire_)},
      [self = guard_.handle(), from] {
        self.run([from](DtlsServer& server) { server.late(from); });
      });
  std::vector<std::shared_ptr<Association>> displaced;
  {
    const std::lock_guard lock(mutex_);
    if (socket_ == nullptr) return;  // closed meanwhile
    made->set_changes(changes_);
    Slot& slot = peers_[from];
    if (slot.shaking) displaced.push_back(slot.shaking);
    forget_shaking(slot, from);
    if (shaking_.size() >= kShakingMax) {
      const auto oldest = peers_.find(shaking_.front());
      HECTOR_CHECK(oldest != peers_.end(), "a half-open handshake is of no address");
      displaced.push_back(oldest->second.shaking);
      forget_shaking(oldest->second, oldest->first);
      if (!oldest->second.open && oldest->first != from) peers_.erase(oldest);
    }
    shaking_.push_back(from);
    slot.shaking = made;
    slot.shaking_random = std::move(random);
  }
  for (const auto& each : displaced) each->close();
  made->begin();
  if (made->phase() == Association::Phase::kOver) failed(made);
}

void DtlsServer::forget_shaking(Slot& slot, const NetworkAddress& from) {
  if (!slot.shaking) return;
  slot.shaking.reset();
  slot.shaking_random.clear();
  shaking_.remove(from);
}

bool DtlsServer::opened(const std::shared_ptr<Association>& association) {
  std::shared_ptr<Association> before;
  std::vector<std::shared_ptr<Association>> silent;
  bool has_changed = false;
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(association->peer());
    if (found == peers_.end() || found->second.shaking != association) return false;
    Slot& slot = found->second;
    std::string random = std::move(slot.shaking_random);
    forget_shaking(slot, association->peer());
    before = std::exchange(slot.open, association);
    slot.open_random = std::move(random);
    has_changed = association->changes() != changes_;
    if (!before && ++open_ > kOpenMax) silent = silent_longest();
  }
  if (before) {
    owner_.on_over(before, "the peer began another connection at its address");
    before->close();
  }
  for (const auto& each : silent) drop(each, "the endpoint has too many peers");
  if (!has_changed) return true;
  const auto judged = association->examine();
  if (!judged) drop(association, judged.error().message);
  return judged.has_value();
}

std::vector<std::shared_ptr<Association>> DtlsServer::silent_longest() {
  std::vector<std::shared_ptr<Association>> all;
  for (const auto& [from, slot] : peers_) {
    if (slot.open) all.push_back(slot.open);
  }
  const std::size_t count = std::min(kOpenMax / 64, all.size());
  std::nth_element(all.begin(), all.begin() + static_cast<std::ptrdiff_t>(count), all.end(),
                   [](const auto& a, const auto& b) { return a->heard() < b->heard(); });
  all.resize(count);
  return all;
}

void DtlsServer::failed(const std::shared_ptr<Association>& association) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(association->peer());
    if (found == peers_.end() || found->second.shaking != association) return;
    forget_shaking(found->second, association->peer());
    if (!found->second.open) peers_.erase(found);
  }
  const Error why = association->why();
  refused_.count(association->peer(),
                 why.type.empty() ? why.message : fmt::format("{}: {}", why.type, why.message));
}

void DtlsServer::late(const NetworkAddress& from) {
  std::shared_ptr<Association> association;
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(from);
    if (found == peers_.end() || !found->second.shaking) return;
    association = found->second.shaking;
  }
  if (association->phase() == Association::Phase::kOver) failed(association);
}

void DtlsServer::drop(const std::shared_ptr<Association>& association, const std::string& why) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = peers_.find(association->peer());
    if (found == peers_.end() || found->second.open != association) return;
    found->second.open.reset();
    found->second.open_random.clear();
    --open_;
    if (!found->second.shaking) peers_.erase(found);
  }
  owner_.on_over(association, why);
  association->close();
}

void DtlsServer::close() {
  std::vector<std::shared_ptr<Association>> all;
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [from, slot] : peers_) {
      if (slot.open) all.push_back(slot.open);
      if (slot.shaking) all.push_back(slot.shaking);
    }
    peers_.clear();
    shaking_.clear();
    open_ = 0;
    socket_ = nullptr;
  }
  for (const auto& each : all) each->close();
}

void DtlsServer::examine_later() {
  const std::lock_guard lock(mutex_);
  timer_ = context_.executor->at(context_.clock->now() + kExamineEvery, [self = guard_.handle()] {
    self.run([](DtlsServer& server) {
      server.examine_all();
      server.examine_later();
    });
  });
}

void DtlsServer::examine_all() {
  std::vector<std::shared_ptr<Association>> all;
  {
    const std::lock_guard lock(mutex_);
    ++changes_;
    has_changed_ = true;
    for (const auto& [from, slot] : peers_) {
      if (slot.open) all.push_back(slot.open);
    }
  }
  examine_some(std::move(all));
}

void DtlsServer::examine_some(std::vector<std::shared_ptr<Association>> left) {
  for (std::size_t i = 0; i < kExaminedAtOnce && !left.empty(); ++i) {
    const auto association = std::move(left.back());
    left.pop_back();
    const auto judged = association->examine();
    if (judged) continue;
    refused_.count(association->peer(), judged.error().message);
    drop(association, fmt::format("the peer '{}' is not accepted any more: {}",
                                  association->principal(), judged.error().message));
  }
  if (left.empty()) return;
  context_.executor->post([self = guard_.handle(), left = std::move(left)]() mutable {
    self.run([&left](DtlsServer& server) { server.examine_some(std::move(left)); });
  });
}

DtlsServer::Counts DtlsServer::counts() {
  const std::lock_guard lock(mutex_);
  return {shaking_.size(), open_, plain_.total(), refused_.total(), dropped_.total()};
}

}  // namespace hector::udp

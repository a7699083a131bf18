#include "dtls_client.h"

#include <fmt/format.h>

#include <utility>

namespace hector::udp {

std::shared_ptr<DtlsClient> DtlsClient::make(const ProtocolContext& context, tls::Tls& tls,
                                             DatagramSocket& socket, Peer peer) {
  std::shared_ptr<DtlsClient> made(new DtlsClient(context, tls, socket, std::move(peer)));
  context.credentials->on_change(made.get(),
                                 [executor = context.executor, weak = made->weak_from_this()] {
                                   executor->post([weak] {
                                     if (const auto self = weak.lock()) self->examine();
                                   });
                                 });
  return made;
}

DtlsClient::~DtlsClient() { stop(); }

void DtlsClient::serve(std::weak_ptr<User> user) { user_ = std::move(user); }

std::shared_ptr<Association> DtlsClient::association() {
  const std::lock_guard lock(mutex_);
  return association_;
}

Status DtlsClient::begin() {
  auto ssl = HECTOR_TRY(tls_.connecting(peer_.principal));
  auto wire = std::make_unique<DtlsWire>(socket_, peer_.address, nullptr);
  wire->attach(*ssl);
  // It is the conversation that gives up.
  association_ = std::make_shared<Association>(
      context_, Association::Parts{std::move(ssl), std::move(wire)}, [] {});
  association_->begin();
  return {};
}

void DtlsClient::send(const std::string& packet) noexcept {
  std::shared_ptr<Association> open;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopped_) return;
    if (!association_) {
      if (const auto begun = begin(); !begun) return refuse_later(begun.error());
    }
    if (association_->phase() == Association::Phase::kShaking) {
      waiting_ = packet;
      return;
    }
    open = association_;
  }
  open->send(packet);
}

/// The caller holds locks of the user.
void DtlsClient::refuse_later(Error why) {
  context_.executor->post([weak = user_, why = std::move(why)] {
    if (const auto user = weak.lock()) user->on_refused(why);
  });
}

void DtlsClient::on_datagram(Octets datagram) {
  const auto from = association();
  if (!from) return;
  if (is_unknown(*from, datagram)) {
    restart();
    if (const auto user = user_.lock())
      user->on_gone("the peer does not know the connection; it was restarted");
    return;
  }
  for (Octets given = datagram;; given = {}) {
    const auto taken = from->take(given);
    if (taken.before == Association::Phase::kShaking && taken.after == Association::Phase::kOpen)
      opened(from);
    if (taken.packet) {
      if (const auto user = user_.lock()) user->on_packet(*taken.packet);
    }
    if (taken.after == Association::Phase::kOver) return over(from, taken.before);
    if (!taken.is_more) return;
  }
}

bool DtlsClient::is_unknown(Association& association, Octets datagram) {
  return datagram.size() == 1 + kEchoOctets &&
         datagram[0] == static_cast<std::uint8_t>(PacketType::kUnknownRecord) &&
         association.has_sent(datagram.subspan(1));
}

void DtlsClient::opened(const std::shared_ptr<Association>& association) {
  std::string waiting;
  {
    const std::lock_guard lock(mutex_);
    if (association_ != association) return;
    waiting = std::exchange(waiting_, {});
  }
  association->send(waiting);
  examine_later();
}

void DtlsClient::over(const std::shared_ptr<Association>& association, Association::Phase before) {
  {
    const std::lock_guard lock(mutex_);
    if (association_ != association) return;
    association_.reset();
  }
  const auto user = user_.lock();
  if (!user) return;
  const Error why = association->why();
  if (before == Association::Phase::kShaking)
    user->on_refused(why);
  else
    user->on_gone(why.message);
}

void DtlsClient::restart() noexcept {
  std::shared_ptr<Association> before;
  {
    const std::lock_guard lock(mutex_);
    before = std::exchange(association_, nullptr);
    waiting_.clear();
  }
  if (before) before->close();
}

void DtlsClient::stop() noexcept {
  TimerId timer = 0;
  {
    const std::lock_guard lock(mutex_);
    if (std::exchange(is_stopped_, true)) return;
    timer = std::exchange(timer_, 0);
  }
  context_.credentials->on_change(this, {});
  if (timer != 0) context_.executor->cancel(timer);
  restart();
}

void DtlsClient::examine_later() {
  const std::lock_guard lock(mutex_);
  if (is_stopped_) return;
  if (timer_ != 0) context_.executor->cancel(timer_);
  timer_ = context_.executor->at(context_.clock->now() + kExamineEvery, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->examine();
  });
}

void DtlsClient::examine() {
  const auto examined = association();
  if (!examined || examined->phase() != Association::Phase::kOpen) return;
  if (const auto judged = examined->examine(); !judged) {
    restart();
    if (const auto user = user_.lock())
      user->on_gone(fmt::format("the peer '{}' is not accepted any more: {}", examined->principal(),
                                judged.error().message));
    return;
  }
  examine_later();
}

}  // namespace hector::udp

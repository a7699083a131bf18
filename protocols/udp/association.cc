#include "association.h"

#include <openssl/err.h>

#include <algorithm>

#include "hector/check.h"

namespace hector::udp {

namespace {

/// A flight that got no answer on a site within this is lost; later ones wait longer.
constexpr Duration kAgainFirst = std::chrono::milliseconds(100);
constexpr Duration kAgainMax = std::chrono::milliseconds(500);

}  // namespace

Association::Association(const ProtocolContext& context, Parts parts, std::function<void()> late)
    : context_(context),
      peer_(parts.wire->peer()),
      late_(std::move(late)),
      late_at_(context.clock->now() + kHandshakeFor),
      wire_(std::move(parts.wire)),
      ssl_(std::move(parts.ssl)) {}

Association::~Association() {
  if (timer_ != 0) context_.executor->cancel(timer_);
}

void Association::begin() {
  const std::lock_guard lock(mutex_);
  if (phase() == Phase::kShaking) shake();  // its owner may have closed it already
}

void Association::shake() {
  HECTOR_CHECK(ssl_ != nullptr, "a handshake of an association that is over");
  ERR_clear_error();
  const int done = SSL_do_handshake(ssl_.get());
  wire_->stop_drawing();
  if (done != 1) {
    const int why = SSL_get_error(ssl_.get(), done);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      return end(tls::why_failed(*ssl_));
    if (std::exchange(flight_, wire_->flight()) == wire_->flight() && timer_ != 0) return;
    again_in_ = kAgainFirst;
    return arm(again_in_);
  }
  const PeerIdentity* const peer = tls::peer_of(*ssl_);
  HECTOR_CHECK(peer != nullptr, "a handshake ends well without a peer's identity");
  principal_ = peer->principal;
  wire_->forget_flight();
  if (timer_ != 0) context_.executor->cancel(std::exchange(timer_, 0));
  phase_.store(Phase::kOpen, std::memory_order_release);
}

void Association::arm(Duration in) {
  if (timer_ != 0) context_.executor->cancel(timer_);
  timer_ = context_.executor->at(context_.clock->now() + in, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->on_timer();
  });
}

void Association::on_timer() {
  {
    const std::lock_guard lock(mutex_);
    if (phase() != Phase::kShaking) return;
    if (context_.clock->now() < late_at_) {
      wire_->send_again();
      again_in_ = std::min(kAgainMax, again_in_ + again_in_ / 2);
      return arm(again_in_);
    }
    timer_ = 0;
    end(Error::unavailable("the handshake was not finished within 5 s"));
  }
  late_();
}

Association::Taken Association::take(Octets datagram) {
  const std::lock_guard lock(mutex_);
  Taken taken{phase(), phase(), {}};
  if (taken.before == Phase::kOver) return taken;
  if (!is_sound(datagram,
                taken.before == Phase::kShaking ? Versions::kOfHandshake : Versions::kNegotiated)) {
    taken.is_dropped = true;
    return taken;
  }
  wire_->give(datagram);
  if (taken.before == Phase::kShaking) shake();
  if (phase() == Phase::kOpen) read(taken, datagram);
  wire_->withdraw();
  taken.after = phase();
  return taken;
}

void Association::read(Taken& taken, Octets datagram) {
  thread_local std::string plain(kRecordOctetsMax, '\0');  // what was decrypted last
  ERR_clear_error();
  const int size = SSL_read(ssl_.get(), plain.data(), kRecordOctetsMax);
  if (size > 0) {
    taken.packet = octets_of(plain).first(static_cast<std::size_t>(size));
    taken.is_more = SSL_has_pending(ssl_.get()) == 1;
    return;
  }
  const int why = SSL_get_error(ssl_.get(), size);
  if (why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE) {
    taken.is_dropped = taken.before == Phase::kOpen && !datagram.empty();
    return;
  }
  end(why == SSL_ERROR_ZERO_RETURN ? Error::unavailable("the peer closed the connection")
                                   : tls::why_failed(*ssl_));
}

void Association::send(const std::string& packet) noexcept {
  const std::lock_guard lock(mutex_);
  if (phase() != Phase::kOpen) return;
  const int size = SSL_write(ssl_.get(), packet.data(), static_cast<int>(packet.size()));
  if (size <= 0) ERR_clear_error();  // it vanishes, as datagrams may
}

bool Association::has_sent(Octets beginning) {
  const std::lock_guard lock(mutex_);
  return phase() == Phase::kOpen && wire_->has_sent(beginning);
}

void Association::end(Error why) {
  why_ = std::move(why);
  if (timer_ != 0) context_.executor->cancel(std::exchange(timer_, 0));
  phase_.store(Phase::kOver, std::memory_order_release);
  ssl_.reset();
}

void Association::close() noexcept {
  const std::lock_guard lock(mutex_);
  if (phase() == Phase::kOver) return;
  ERR_clear_error();
  if (phase() == Phase::kOpen) SSL_shutdown(ssl_.get());
  ERR_clear_error();
  end(Error::unavailable("the connection is closed"));
}

Error Association::why() {
  const std::lock_guard lock(mutex_);
  HECTOR_CHECK(why_.has_value(), "why an association is over, while it is not");
  return *why_;
}

Status Association::examine() {
  const std::lock_guard lock(mutex_);
  if (phase() != Phase::kOpen) return {};
  return tls::examine_again(*ssl_, *context_.credentials);
}

}  // namespace hector::udp

#include "handshakes.h"

#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace hector::grpcp {

namespace {

constexpr Duration kHearsWhyWithin = std::chrono::seconds(1);
constexpr Duration kSayEvery = std::chrono::seconds(1);  ///< a crowd that is refused is one line

}  // namespace

Handshakes::Handshakes(const Credentials& credentials, const Clock& clock, Log& log)
    : clock_(clock), log_(log), tls_(credentials, {.alpn = "h2"}) {}

void Handshakes::add(Descriptor connection, std::string peer) {
  auto ssl = tls_.accepting();
  const int descriptor = connection.get();
  Pending pending{
      {std::move(connection), std::move(peer), nullptr}, POLLIN, clock_.now() + kHandshakeWithin};
  if (!ssl) return say_refused(pending, ssl.error());
  pending.made.socket = std::make_unique<EncryptedSocket>(std::move(*ssl), descriptor);
  if (pending_.size() >= kHandshakesMax) {
    if (!pending_.front().is_refused)
      say_refused(pending_.front(), Error::resource_exhausted("too many prove nothing at once"));
    pending_.pop_front();
  }
  pending_.push_back(std::move(pending));
}

void Handshakes::wait_for(std::vector<pollfd>& polled) const {
  for (const auto& each : pending_)
    polled.push_back({each.made.connection.get(), each.waits_for, 0});
}

std::vector<Handshakes::Proved> Handshakes::step(const std::vector<pollfd>& polled) {
  const TimePoint now = clock_.now();
  const auto is_ready = [&](int descriptor) {
    return std::any_of(polled.begin(), polled.end(), [&](const pollfd& each) {
      return each.fd == descriptor && each.revents != 0;
    });
  };
  std::vector<Proved> proved;
  std::erase_if(pending_, [&](Pending& each) {
    if (now >= each.until) {
      if (!each.is_refused)
        say_refused(each, Error::deadline_exceeded("it has not proved who it is in time"));
      return true;
    }
    return is_ready(each.made.connection.get()) && go_on(each, proved);
  });
  return proved;
}

bool Handshakes::go_on(Pending& pending, std::vector<Proved>& proved) {
  if (pending.is_refused) {
    char octets[4096];
    return recv(pending.made.connection.get(), octets, sizeof octets, MSG_DONTWAIT) <= 0;
  }
  switch (pending.made.socket->shake()) {
    case EncryptedSocket::Step::kWantsRead:
      pending.waits_for = POLLIN;
      return false;
    case EncryptedSocket::Step::kWantsWrite:
      pending.waits_for = POLLOUT;
      return false;
    case EncryptedSocket::Step::kFailed:
      refuse(pending, pending.made.socket->why_failed());
      return false;
    case EncryptedSocket::Step::kDone:
      break;
  }
  proved.push_back(std::move(pending.made));
  return true;
}

/// A socket that is closed with octets unread resets the connection, and the alert that says why is
/// lost with it: the peer is to close first.
void Handshakes::refuse(Pending& pending, const Error& why) {
  say_refused(pending, why);
  shutdown(pending.made.connection.get(), SHUT_WR);
  pending.is_refused = true;
  pending.waits_for = POLLIN;
  pending.until = clock_.now() + kHearsWhyWithin;
}

void Handshakes::say_refused(const Pending& pending, const Error& why) {
  ++not_said_;
  const TimePoint now = clock_.now();
  if (said_ != TimePoint() && now - said_ < kSayEvery) return;
  said_ = now;
  log_.write(Level::kWarning, "a gRPC connection was refused",
             {{"peer", pending.made.peer},
              {"fault", why.type},
              {"why", why.message},
              {"refused", std::to_string(std::exchange(not_said_, 0))}});
}

}  // namespace hector::grpcp

#include "relay.h"

#include "hector/check.h"

namespace hector::zeromq {

Status Relay::open(Reactor& reactor, const std::string& in, const std::string& out,
                   const std::string& debug) {
  HECTOR_CHECK(in_ == nullptr && out_ == nullptr, "a relay is opened twice");
  in_ = HECTOR_TRY(reactor.open(zmq::socket_type::xsub, Reactor::How::kBind, in, pass_to(out_)));
  out_ = HECTOR_TRY(reactor.open(zmq::socket_type::xpub, Reactor::How::kBind, out, pass_to(in_)));
  if (!debug.empty())
    debug_ = HECTOR_TRY(reactor.open(zmq::socket_type::pub, Reactor::How::kBind, debug, {}));
  return {};
}

Reactor::OnMessage Relay::pass_to(Reactor::Socket*& to) {
  return [this, &to](const Frames& frames) {
    if (to != nullptr) Reactor::send(*to, frames);
    if (debug_ != nullptr) Reactor::send(*debug_, frames);
  };
}

}  // namespace hector::zeromq

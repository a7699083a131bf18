// What: Hermes 1.x: a post office, and a node whose topics are an Object's flows.
// Why: clusters that run Hermes join as they are.
// Who: the ZeroMQ protocol's Endpoints.
#pragma once

#include <memory>
#include <string>

#include "hector/protocol.h"
#include "json_values.h"
#include "reactor.h"

namespace hector::zeromq {

struct Envelope {
  std::string topic, origin;
  Value data;
  double time_s = 0;
};
/// Four frames, each JSON. Data that crash Hermes' receivers (numbers, null, empty ones, objects)
/// are sent as a list of one.
Frames write_envelope(const Envelope& envelope);
/// The data may be any JSON. INVALID_ARGUMENT: not four frames, malformed, a topic or origin that
/// is no text, a time that is no number.
Result<Envelope> read_envelope(const Frames& frames);

/// What is done about envelopes that arrive late: the network or this node is too slow.
enum class Late { kDeliver, kDrop, kNotify, kDisconnect, kDie };
struct HermesOptions {
  std::string name = "hermes";  ///< the Object's
  /// Publishers connect to the first, receivers to the second; a node may leave one of them empty.
  std::string proxy_in, proxy_out;
  std::string debug;  ///< a post office's third; may be empty
  Late late = Late::kDeliver;
  Duration late_after = std::chrono::seconds(1);
  Duration skew = Duration::zero();  ///< clocks may differ by so much
};

/// Binds the three sockets and relays between them. ALREADY_EXISTS.
Result<std::unique_ptr<Endpoint>> open_post_office(const ProtocolContext& context,
                                                   const HermesOptions& options);
/// Connects, and adopts the network as an Object of interface hector.hermes.Network/1.
Result<std::unique_ptr<Endpoint>> open_hermes(const ProtocolContext& context,
                                              const HermesOptions& options);

}  // namespace hector::zeromq

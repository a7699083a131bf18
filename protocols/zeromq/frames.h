// What: messages of the Majordomo protocols, 7/MDP (MDPC01, MDPW01) and 18/MDP (MDPC02, MDPW02),
// out of frames and into them.
// Why: a broker that serves both looks at the first frame; a message that fits neither is dropped.
// Who: Broker, ROC nodes, their fuzz target.
#pragma once

#include <optional>
#include <string>
#include <vector>

namespace hector::zeromq {

using Frames = std::vector<std::string>;

/// Of one message: requests have three or four, the list of a broker's services the most.
inline constexpr std::size_t kFramesMax = 1'000;
/// 7/MDP says "a printable string"; ZeroMQ's own short strings have 255 octets.
inline constexpr std::size_t kServiceOctetsMax = 255;

enum class Side : std::uint8_t { kClient, kWorker };
enum class Command : std::uint8_t { kReady, kRequest, kReply, kPartial, kHeartbeat, kDisconnect };

/// As a broker receives it, without the sender's address; or as it sends it.
struct MdpMessage {
  int version = 1;  ///< 1: 7/MDP; 2: 18/MDP
  Side side = Side::kClient;
  Command command = Command::kRequest;
  std::string service;  ///< a request of a client, its reply, READY
  std::string client;   ///< a request to a worker, its reply: the client's address
  Frames body;
  /// Whether an empty frame leads: 7/MDP asks for it; of 18/MDP some leave it out, as the text
  /// says, and some (majortomo) do not. Answered in kind.
  bool is_delimited = true;
  /// 18/MDP's text numbers a client's commands from 1 (REQUEST, PARTIAL, FINAL), majortomo from 2.
  char first_command = 1;
};

// Nothing: it is no message of these protocols.
std::optional<MdpMessage> read_at_broker(const Frames& frames);
std::optional<MdpMessage> read_at_worker(const Frames& frames);
std::optional<MdpMessage> read_at_client(const Frames& frames);
/// A broker numbers a client's commands on from its own (MdpMessage::first_command).
enum class Sender : std::uint8_t { kBroker, kPeer };
Frames write_mdp(const MdpMessage& message, Sender sender);

}  // namespace hector::zeromq

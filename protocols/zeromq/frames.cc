#include "frames.h"

#include <array>

#include "hector/check.h"

namespace hector::zeromq {

namespace {

constexpr const char* kNames[2][2] = {{"MDPC01", "MDPW01"}, {"MDPC02", "MDPW02"}};

/// Octets of the worker's commands, by version.
struct Coded {
  Command command;
  char octet[2];  ///< 0: there is none
};
constexpr std::array<Coded, 6> kWorkerCommands{{{Command::kReady, {1, 1}},
                                                {Command::kRequest, {2, 2}},
                                                {Command::kPartial, {0, 3}},
                                                {Command::kReply, {3, 4}},
                                                {Command::kHeartbeat, {4, 5}},
                                                {Command::kDisconnect, {5, 6}}}};

/// Version, side and where the rest begins.
struct Head {
  int version;
  Side side;
  std::size_t next;
  bool is_delimited;
};
std::optional<Head> read_head(const Frames& frames) {
  if (frames.empty() || frames.size() > kFramesMax) return std::nullopt;
  const std::size_t at = frames[0].empty() ? 1 : 0;
  if (at >= frames.size()) return std::nullopt;
  for (int version = 1; version <= 2; ++version) {
    for (int side = 0; side < 2; ++side) {
      if (frames[at] == kNames[version - 1][side] && (version == 2 || at == 1))
        return Head{version, side == 0 ? Side::kClient : Side::kWorker, at + 1, at == 1};
    }
  }
  return std::nullopt;
}
std::optional<Command> worker_command(const Frames& frames, const Head& head) {
  if (head.next >= frames.size() || frames[head.next].size() != 1) return std::nullopt;
  for (const auto& each : kWorkerCommands) {
    const char octet = each.octet[head.version - 1];
    if (octet != 0 && frames[head.next][0] == octet) return each.command;
  }
  return std::nullopt;
}
Frames from(const Frames& frames, std::size_t at) {
  return {frames.begin() + static_cast<std::ptrdiff_t>(std::min(at, frames.size())), frames.end()};
}

std::optional<MdpMessage> read_worker(const Frames& frames, const Head& head) {
  const auto command = worker_command(frames, head);
  if (!command) return std::nullopt;
  MdpMessage message{head.version, Side::kWorker, *command, {}, {}, {}, head.is_delimited};
  const std::size_t at = head.next + 1;
  if (*command == Command::kHeartbeat || *command == Command::kDisconnect)
    return frames.size() == at ? std::optional(message) : std::nullopt;
  if (*command == Command::kReady) {
    if (frames.size() != at + 1 || frames[at].empty() || frames[at].size() > kServiceOctetsMax)
      return std::nullopt;
    message.service = frames[at];
    return message;
  }
  // Exactly one address, an empty frame, at least one frame of the body.
  if (frames.size() < at + 3 || frames[at].empty() || !frames[at + 1].empty()) return std::nullopt;
  message.client = frames[at];
  message.body = from(frames, at + 2);
  return message;
}

}  // namespace

std::optional<MdpMessage> read_at_broker(const Frames& frames) {
  const auto head = read_head(frames);
  if (!head) return std::nullopt;
  if (head->side == Side::kWorker) {
    auto message = read_worker(frames, *head);
    if (message && message->command == Command::kRequest) return std::nullopt;
    return message;
  }
  std::size_t at = head->next;
  char first = 1;
  if (head->version == 2) {
    if (at >= frames.size() || (frames[at] != "\x01" && frames[at] != "\x02")) return std::nullopt;
    first = frames[at++][0];
  }
  if (frames.size() < at + 2 || frames[at].empty() || frames[at].size() > kServiceOctetsMax)
    return std::nullopt;
  return MdpMessage{
      head->version,      Side::kClient, Command::kRequest, frames[at], {}, from(frames, at + 1),
      head->is_delimited, first};
}

std::optional<MdpMessage> read_at_worker(const Frames& frames) {
  const auto head = read_head(frames);
  if (!head || head->side != Side::kWorker) return std::nullopt;
  auto message = read_worker(frames, *head);
  if (message && message->command != Command::kRequest && message->command != Command::kHeartbeat &&
      message->command != Command::kDisconnect)
    return std::nullopt;
  return message;
}

std::optional<MdpMessage> read_at_client(const Frames& frames) {
  const auto head = read_head(frames);
  if (!head || head->side != Side::kClient) return std::nullopt;
  std::size_t at = head->next;
  Command command = Command::kReply;
  if (head->version == 2) {
    if (at >= frames.size() || (frames[at] != "\x02" && frames[at] != "\x03")) return std::nullopt;
    if (frames[at++] == "\x02") command = Command::kPartial;
  }
  if (frames.size() < at + 2) return std::nullopt;
  return MdpMessage{head->version,        Side::kClient,     command, frames[at], {},
                    from(frames, at + 1), head->is_delimited};
}

Frames write_mdp(const MdpMessage& message, Sender sender) {
  HECTOR_CHECK(message.version == 1 || message.version == 2, "there are two versions of MDP");
  Frames frames;
  if (message.is_delimited) frames.emplace_back();
  frames.emplace_back(kNames[message.version - 1][message.side == Side::kClient ? 0 : 1]);
  if (message.side == Side::kWorker) {
    for (const auto& each : kWorkerCommands) {
      if (each.command != message.command) continue;
      const char octet = each.octet[message.version - 1];
      HECTOR_CHECK(octet != 0, "version 1 of MDP has no partial replies");
      frames.emplace_back(1, octet);
    }
    if (message.command == Command::kReady) frames.push_back(message.service);
    if (message.command == Command::kRequest || message.command == Command::kReply ||
        message.command == Command::kPartial) {
      frames.push_back(message.client);
      frames.emplace_back();
    }
  } else {
    const int step = sender == Sender::kPeer ? 0 : message.command == Command::kPartial ? 1 : 2;
    if (message.version == 2)
      frames.emplace_back(1, static_cast<char>(message.first_command + step));
    frames.push_back(message.service);
  }
  frames.insert(frames.end(), message.body.begin(), message.body.end());
  return frames;
}

}  // namespace hector::zeromq

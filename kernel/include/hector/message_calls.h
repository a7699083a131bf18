// What: starting and reading calls with message classes.
// Why: every C++ servant parses, works and serialises, and every caller does the reverse; here both
// are written once, for any Protobuf-like class.
// Who: the kernel's own Objects, service plugins, tests.
#pragma once

#include <string>
#include <utility>

#include "hector/call.h"

namespace hector {

/// The payload's octets as a `Message`; INVALID_ARGUMENT if they are none.
template <class Message>
Result<Message> read_message(Payload& payload) {
  const Bytes& bytes = payload.bytes();
  Message message;
  if (!message.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    return fail(Code::kInvalidArgument, "the octets are not a " + message.GetTypeName());
  }
  return message;
}
template <class Message>
Payload write_message(const Message& message) {
  return Payload(Bytes::take(message.SerializeAsString()));
}

/// Starts a call on `target` and waits for its reply. Only on a thread that may block. Errors: the
/// call's, and INVALID_ARGUMENT if the reply is no `Out`.
template <class Out, class In>
Result<Out> call_and_wait(CallTarget& target, const Clock& clock, std::uint32_t operation,
                          const std::string& name, const In& request, Deadline deadline = kNever) {
  WaitedCall call;
  call.header.operation = operation;
  call.header.operation_name = name;
  call.header.deadline = deadline;
  call.request = write_message(request);
  call.run(target, clock);
  if (call.error) return fail(std::move(*call.error));
  return read_message<Out>(call.reply);
}

}  // namespace hector

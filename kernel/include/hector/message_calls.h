// What: starting and reading calls with message classes.
// Why: every C++ servant parses, works and serialises, and every caller does the reverse; here both
// are written once, for any Protobuf-like class.
// Who: the kernel's own Objects, service plugins, tests.
#pragma once

#include <string>
#include <type_traits>
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

/// Fills a call of one operation: by its number, or kByName and its name.
template <class In>
void write_call(Call& call, std::uint32_t operation, const std::string& name, const In& request,
                Deadline deadline) {
  call.header.operation = operation;
  call.header.operation_name = name;
  call.header.deadline = deadline;
  call.request = write_message(request);
}
/// The reply of a call that has ended, or its error; INVALID_ARGUMENT for octets that are no `Out`.
template <class Out>
Result<Out> reply_of(Call& call) {
  if (call.error) return fail(std::move(*call.error));
  if constexpr (std::is_void_v<Out>)
    return {};
  else
    return read_message<Out>(call.reply);
}

/// Starts a call on `target` and waits for its reply. Only on a thread that may block. Errors: the
/// call's, and those of reply_of().
template <class Out, class In>
Result<Out> call_and_wait(CallTarget& target, const Clock& clock, std::uint32_t operation,
                          const std::string& name, const In& request, Deadline deadline = kNever) {
  WaitedCall call;
  write_call(call, operation, name, request, deadline);
  call.run(target, clock);
  return reply_of<Out>(call);
}

}  // namespace hector

// What: reading and answering calls with message classes.
// Why: every C++ servant does the same three steps: parse, work, serialise; here they are once, for
// any Protobuf-like class.
// Who: the kernel's own Objects, service plugins, tests.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/language.h"

namespace hector {

/// INVALID_ARGUMENT if the octets are no `Message`.
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

/// Parses the request, runs `work` and ends the call with what it returns.
template <class In, class Work>
void answer(Call& call, Work&& work) {
  auto request = read_message<In>(call.request);
  if (!request) return call.fail(std::move(request.error()));
  auto reply = work(*request);
  if (!reply) return call.fail(std::move(reply.error()));
  call.complete(write_message(*reply));
}

/// A call on a Starter, with this thread waiting: for programs and for work that may block.
template <class Out, class In>
Result<Out> call_and_wait(Starter& target, const Clock& clock, std::uint32_t operation,
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

/// A servant made of one function for each operation, in the Interface's order.
class TableServant final : public Servant {
 public:
  using Handler = std::function<void(Call&)>;
  explicit TableServant(std::vector<Handler> handlers) : handlers_(std::move(handlers)) {}
  void invoke(Call& call) noexcept override { handlers_[call.operation->index](call); }

 private:
  std::vector<Handler> handlers_;
};

}  // namespace hector

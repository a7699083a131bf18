// What: JSON-RPC (2.0, and 1.0 where a request names no version): requests out of text, answers
// into it.
// Why: ROC's calls.
// Who: ROC nodes, their fuzz target.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "hector/result.h"
#include "json_values.h"
#include "objects/messages.h"

namespace hector::zeromq {

inline constexpr std::size_t kBatchMax = 1'000;  ///< each request of a batch is a call in flight

/// Called for each request of a text; `done` once, from any thread.
using RpcDone = std::function<void(Result<Value>)>;
using RpcHandler =
    std::function<void(const std::string& method, objects::Arguments arguments, RpcDone done)>;
/// Answers a text: a single request, a notification (an empty answer), or a batch. `done` runs once
/// with the text of the answer.
void answer_rpc(std::string_view text, const RpcHandler& handler,
                std::function<void(std::string)> done);

std::string write_rpc_request(std::uint64_t id, const std::string& method,
                              const objects::Arguments& arguments);
struct RpcAnswer {
  std::uint64_t id = 0;
  Result<Value> result;
};
/// Nothing: it is no answer with an id of ours.
std::optional<RpcAnswer> read_rpc_answer(std::string_view text);

}  // namespace hector::zeromq

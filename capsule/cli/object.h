// What: asking an Object of a capsule through its management interface, with message classes in
// place of JSON.
// Why: `hector binding`, `policy`, `trade`, `name` and `type` are the operations of Objects; here
// is what all of them do.
// Who: cli_binding.cc, cli_policy.cc and their like.
#pragma once

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <CLI/CLI.hpp>
#include <functional>
#include <memory>
#include <string>

#include "cli/output.h"
#include "cli/session.h"
#include "hector/management/v1/management.pb.h"

namespace hector {

inline std::string json_of(const google::protobuf::Message& message, bool is_for_people) {
  std::string json;
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
  print.add_whitespace = is_for_people;
  print.always_print_primitive_fields = true;
  static_cast<void>(google::protobuf::util::MessageToJsonString(message, &json, print));
  return json;
}

/// On a session that is connected.
template <class Out, class In>
Result<Out> ask_object(CliSession& session, const CliOptions& options, const std::string& object,
                       const std::string& operation, const In& request) {
  management::v1::CallRequest call;
  call.set_target(object);
  call.set_operation(operation);
  call.set_json(json_of(request, false));
  call.set_timeout_ms(options.timeout_ms);
  auto reply = session.ask<management::v1::CallReply>("call", call);
  if (!reply) return fail(std::move(reply.error()));
  Out out;
  if (reply->json_size() == 0 ||
      !google::protobuf::util::JsonStringToMessage(reply->json(0), &out).ok()) {
    return fail(Code::kInternal, fmt::format("the capsule's answer to '{}' is not a {}", operation,
                                             out.GetTypeName()));
  }
  return out;
}

/// The same from beginning to end: connects, asks, and shows what came, as JSON if that is the
/// format. The exit code.
template <class Out, class In, class Show>
int ask_and_show(const CliOptions& options, const std::string& format, const std::string& object,
                 const std::string& operation, const In& request, Show show) {
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto out = ask_object<Out>(session, options, object, operation, request);
  if (!out) return report(out.error());
  if (format == "json") {
    fmt::print("{}\n", json_of(*out, true));
    return 0;
  }
  show(*out);
  return 0;
}

/// When the command is given, `what` is to be done with the arguments.
template <class Arguments>
void choose(CLI::App* command, std::function<int()>& chosen, std::shared_ptr<Arguments> arguments,
            std::function<int(const Arguments&)> what) {
  command->callback([&chosen, arguments = std::move(arguments), what = std::move(what)] {
    chosen = [arguments, what] { return what(*arguments); };
  });
}

}  // namespace hector

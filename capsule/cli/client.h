// What: asking an Object of a capsule through its management interface, with message classes in
// place of JSON.
// Why: `hector binding`, `policy`, `trade`, `name` and `type` are the operations of Objects; here
// is what all of them do.
// Who: the files of commands beside it.
#pragma once

#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>

#include <string>

#include "cli/command.h"
#include "cli/output.h"
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

/// Prints a reply: as JSON if that is the format, else by `show`.
template <class Out, class Show>
void print_reply(const CommandContext& context, const Out& reply, const Show& show) {
  if (context.format == "json") {
    fmt::print("{}\n", json_of(reply, true));
  } else {
    show(reply);
  }
}

/// One question from beginning to end: connects, asks the Object, prints the reply. Returns the
/// exit code.
template <class Out, class In, class Show>
int ask_and_show(const CommandContext& context, const std::string& object,
                 const std::string& operation, const In& request, const Show& show) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto out = ask_object<Out>(session, context.options, object, operation, request);
  if (!out) return report(out.error());
  print_reply(context, *out, show);
  return 0;
}

/// A request that needs nothing but its name.
template <class Request>
Request named(const std::string& name) {
  Request request;
  request.set_name(name);
  return request;
}

/// What a write answers with: the store's revision it made.
template <class Reply>
void show_revision(const Reply& reply) {
  fmt::print("revision {}\n", reply.revision());
}

/// "NAME=VALUE" at its first '='. INVALID_ARGUMENT says the form that was expected.
inline Result<std::pair<std::string, std::string>> split_pair(const std::string& text,
                                                              std::string_view form) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0)
    return fail(Code::kInvalidArgument, fmt::format("'{}' is not {}", text, form));
  return std::pair{text.substr(0, equals), text.substr(equals + 1)};
}

}  // namespace hector

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

/// A request as a capsule takes it.
inline std::string json_of(const google::protobuf::Message& message) {
  std::string json;
  google::protobuf::util::JsonPrintOptions print;
  print.preserve_proto_field_names = true;
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
  call.set_json(json_of(request));
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

/// Prints a reply: for people by `show`, else as it is.
template <class Out, class Show>
void print_reply(const CommandContext& context, const Out& reply, const Show& show) {
  if (context.format == "table") {
    show(reply);
  } else {
    write_out(format_value(Value::of(reply), context.format));
  }
}

/// Prints a text that is a document of its own: as it is, or as the one value of the format.
inline void print_document(const CommandContext& context, const std::string& text) {
  write_out(context.format == "table"
                ? text
                : format_value(Value::map().with("text", text), context.format));
}

/// Lines for people, a list of texts for the rest.
inline void print_lines(const CommandContext& context, const std::vector<std::string>& lines) {
  if (context.format != "table")
    return write_out(format_value(Value::texts(lines), context.format));
  for (const auto& line : lines) emit("{}\n", line);
}

/// One question from beginning to end: connects, and asks the Object.
template <class Out, class In>
Result<Out> ask_once(const CommandContext& context, const std::string& object,
                     const std::string& operation, const In& request) {
  CliSession session(context.options);
  HECTOR_TRY(session.connect());
  return ask_object<Out>(session, context.options, object, operation, request);
}

/// The same, and prints the reply. Returns the exit code.
template <class Out, class In, class Show>
int ask_and_show(const CommandContext& context, const std::string& object,
                 const std::string& operation, const In& request, const Show& show) {
  auto out = ask_once<Out>(context, object, operation, request);
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
  emit("revision {}\n", reply.revision());
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

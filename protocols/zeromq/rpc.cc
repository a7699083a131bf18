#include "rpc.h"

#include <fmt/format.h>

#include <cmath>
#include <mutex>

#include "hector/check.h"

namespace hector::zeromq {

using objects::Arguments;

namespace {

// The numbers of JSON-RPC 2.0, section 5.1; kApplication is the first of those left to servers.
constexpr int kParseError = -32700, kInvalidRequest = -32600, kMethodNotFound = -32601,
              kInvalidParams = -32602, kInternalError = -32603, kApplication = -32000;

int number_of(const Error& error) {
  if (error.code == Code::kUnimplemented) return kMethodNotFound;
  if (error.type == "TypeError") return kInvalidParams;
  return kApplication;
}

struct Request {
  bool is_two = true;  ///< JSON-RPC 2.0
  bool is_notification = false;
  Value id;
  std::string method;
  Arguments arguments;
};

Value error_value(int code, const std::string& message, const Value& data = {}) {
  Value made = Value::map();
  made.put("code", Value::of(std::int64_t{code}));
  made.put("message", Value::of(std::string_view(message)));
  if (!data.is_null()) made.put("data", data);
  return made;
}
Value answer_value(const Request& request, const Value* result, const Value* error) {
  Value made = Value::map();
  if (request.is_two) made.put("jsonrpc", Value::of("2.0"));
  if (result != nullptr)
    made.put("result", *result);
  else if (!request.is_two)
    made.put("result", Value::null());
  if (error != nullptr)
    made.put("error", *error);
  else if (!request.is_two)
    made.put("error", Value::null());
  made.put("id", request.id);
  return made;
}
Value refuse(const Request& request, int code, const std::string& message) {
  const Value error = error_value(code, message);
  return answer_value(request, nullptr, &error);
}

bool is_id(const Value& value) {
  return value.is_null() || value.is(Value::Kind::kText) || value.is(Value::Kind::kInteger) ||
         (value.is(Value::Kind::kReal) && std::isfinite(value.real)) || objects::is_bignum(value);
}

/// What is wrong with it; empty: nothing.
std::string read_request(const Value& value, Request& request) {
  if (!value.is(Value::Kind::kMap)) return "a request is an object";
  const auto* const version = value.find("jsonrpc");
  request.is_two = version != nullptr;
  if (version != nullptr && !(version->is(Value::Kind::kText) && version->text == "2.0"))
    return "'jsonrpc' is \"2.0\"";
  const auto* const id = value.find("id");
  request.is_notification = request.is_two ? id == nullptr : id != nullptr && id->is_null();
  if (id != nullptr && !is_id(*id)) return "'id' is a text, a number or null";
  if (id != nullptr) request.id = *id;
  const auto* const method = value.find("method");
  if (method == nullptr || !method->is(Value::Kind::kText)) return "'method' is a text";
  request.method = method->text;
  const auto* const params = value.find("params");
  if (params == nullptr || (params->is_null() && !request.is_two)) return {};
  if (params->is(Value::Kind::kList))
    request.arguments.positional = params->items;
  else if (params->is(Value::Kind::kMap))
    request.arguments.keywords = *params;
  else
    return "'params' is a list or an object";
  return {};
}

/// Answers of a batch in the order of its requests, without those of notifications.
struct Gathering {
  std::mutex mutex;
  std::vector<std::optional<Value>> answers;
  std::size_t left = 0;
  bool is_batch = false;
  std::function<void(std::string)> done;

  void put(std::size_t at, std::optional<Value> answer) {
    {
      const std::lock_guard lock(mutex);
      HECTOR_CHECK(at < answers.size() && left > 0, "a request is answered twice");
      answers[at] = std::move(answer);
      if (--left > 0) return;
    }
    Value all = Value::list();
    for (auto& each : answers) {
      if (each) all.items.push_back(std::move(*each));
    }
    HECTOR_CHECK(is_batch || all.items.size() <= 1, "a single request has several answers");
    done(all.items.empty() ? "" : json_of(is_batch ? all : all.items[0]));
  }
};

void handle(const std::shared_ptr<Gathering>& gathering, std::size_t at, const Value& value,
            const RpcHandler& handler) {
  Request request;
  if (const std::string wrong = read_request(value, request); !wrong.empty())
    return gathering->put(at, refuse(request, kInvalidRequest, "Invalid Request: " + wrong));
  const std::string method = request.method;
  Arguments arguments = std::move(request.arguments);
  handler(method, std::move(arguments), [gathering, at, request](const Result<Value>& result) {
    if (request.is_notification) return gathering->put(at, std::nullopt);
    if (result) return gathering->put(at, answer_value(request, &*result, nullptr));
    Value data = Value::map();
    data.put("type", Value::of(result.error().type.empty()
                                   ? std::string_view(code_name(result.error().code))
                                   : std::string_view(result.error().type)));
    data.put("code", Value::of(std::string_view(code_name(result.error().code))));
    const Value error = error_value(number_of(result.error()), result.error().message, data);
    gathering->put(at, answer_value(request, nullptr, &error));
  });
}

}  // namespace

void answer_rpc(std::string_view text, const RpcHandler& handler,
                std::function<void(std::string)> done) {
  auto value = read_json(text);
  if (!value)
    return done(json_of(refuse({}, kParseError, "Parse error: " + value.error().message)));
  auto gathering = std::make_shared<Gathering>();
  gathering->is_batch = value->is(Value::Kind::kList);
  gathering->done = std::move(done);
  if (gathering->is_batch && (value->items.empty() || value->items.size() > kBatchMax)) {
    return gathering->done(
        json_of(refuse({}, kInvalidRequest,
                       fmt::format("Invalid Request: a batch has 1 to {} requests", kBatchMax))));
  }
  gathering->left = gathering->is_batch ? value->items.size() : 1;
  gathering->answers.resize(gathering->left);
  if (!gathering->is_batch) return handle(gathering, 0, *value, handler);
  for (std::size_t i = 0; i < value->items.size(); ++i)
    handle(gathering, i, value->items[i], handler);
}

std::string write_rpc_request(std::uint64_t id, const std::string& method,
                              const Arguments& arguments) {
  Value made = Value::map();
  made.put("jsonrpc", Value::of("2.0"));
  made.put("id", Value::of(static_cast<std::int64_t>(id)));
  made.put("method", Value::of(std::string_view(method)));
  made.put("params", arguments.keywords.items.empty() ? Value::list(arguments.positional)
                                                      : arguments.keywords);
  return json_of(made);
}

std::optional<RpcAnswer> read_rpc_answer(std::string_view text) {
  auto value = read_json(text);
  const auto* const id = value ? value->find("id") : nullptr;
  if (id == nullptr || !id->is(Value::Kind::kInteger) || id->integer < 0) return std::nullopt;
  RpcAnswer answer{static_cast<std::uint64_t>(id->integer), Value::null()};
  const auto* const error = value->find("error");
  const auto* const result = value->find("result");
  if (error == nullptr || error->is_null()) {
    if (result == nullptr) return std::nullopt;
    answer.result = *result;
    return answer;
  }
  const auto* const message = error->find("message");
  const auto* const code = error->find("code");
  const auto* const data = error->find("data");
  Error made{Code::kUnknown, message != nullptr && message->is(Value::Kind::kText)
                                 ? message->text
                                 : error->print()};
  const std::int64_t number =
      code != nullptr && code->is(Value::Kind::kInteger) ? code->integer : kApplication;
  if (number == kMethodNotFound) made.code = Code::kUnimplemented;
  if (number == kInvalidParams || number == kInvalidRequest || number == kParseError)
    made.code = Code::kInvalidArgument;
  if (number == kInternalError) made.code = Code::kInternal;
  if (data != nullptr) {
    if (const auto* type = data->find("type"); type != nullptr && type->is(Value::Kind::kText))
      made.type = type->text;
  }
  answer.result = fail(std::move(made));
  return answer;
}

}  // namespace hector::zeromq

// What: gRPC's interoperability service as a Hector Object.
// Why: an unmodified gRPC client of another project says whether an Interface really is a gRPC
// service. Who: tests/grpc_interop_test.py.
#include <chrono>
#include <thread>

#include "grpc_testing/messages.pb.h"
#include "hector/cpp.h"

namespace {

using namespace grpc::testing;
namespace cpp = hector::cpp;

constexpr const char* kEchoInitial = "x-grpc-test-echo-initial";
constexpr const char* kEchoTrailing = "x-grpc-test-echo-trailing-bin";

class TestService {
 public:
  TestService(cpp::Capsule, const std::string&) {}

  hector::Result<Empty> empty_call(const Empty&, cpp::Call&) { return Empty(); }

  hector::Result<SimpleResponse> unary_call(const SimpleRequest& request, cpp::Call& call) {
    echo(call);
    if (request.response_status().code() != 0) return refused(request.response_status());
    SimpleResponse response;
    fill(request.response_size(), *response.mutable_payload());
    return response;
  }

  hector::Status streaming_output_call(const StreamingOutputCallRequest& request,
                                       cpp::Writer<StreamingOutputCallResponse>& out,
                                       cpp::Call& call) {
    echo(call);
    if (request.response_status().code() != 0) return refused(request.response_status());
    write_all(request, out, call);
    return {};
  }

  hector::Result<StreamingInputCallResponse> streaming_input_call(
      cpp::Reader<StreamingInputCallRequest>& in, cpp::Call&) {
    StreamingInputCallResponse response;
    for (;;) {
      auto message = in.read();
      if (!message) return hector::fail(message.error());
      if (!*message) return response;
      response.set_aggregated_payload_size(response.aggregated_payload_size() +
                                           static_cast<int>((*message)->payload().body().size()));
    }
  }

  hector::Status full_duplex_call(cpp::Reader<StreamingOutputCallRequest>& in,
                                  cpp::Writer<StreamingOutputCallResponse>& out, cpp::Call& call) {
    echo(call);
    for (;;) {
      auto message = in.read();
      if (!message) return hector::fail(message.error());
      if (!*message) return {};
      if ((*message)->response_status().code() != 0) return refused((*message)->response_status());
      write_all(**message, out, call);
    }
  }

 private:
  static void echo(cpp::Call& call) {
    if (const auto value = call.metadata(kEchoInitial)) call.add_initial(kEchoInitial, *value);
    if (const auto value = call.metadata(kEchoTrailing)) call.add_trailing(kEchoTrailing, *value);
  }
  static tl::unexpected<hector::Error> refused(const EchoStatus& status) {
    return hector::fail(hector::code_from_number(static_cast<std::uint32_t>(status.code())),
                        status.message());
  }
  static void fill(int size, Payload& payload) {
    payload.set_body(std::string(static_cast<std::size_t>(std::max(size, 0)), '\0'));
  }
  static void write_all(const StreamingOutputCallRequest& request,
                        cpp::Writer<StreamingOutputCallResponse>& out, cpp::Call& call) {
    for (const auto& parameters : request.response_parameters()) {
      if (parameters.interval_us() > 0)
        std::this_thread::sleep_for(std::chrono::microseconds(parameters.interval_us()));
      StreamingOutputCallResponse response;
      fill(parameters.size(), *response.mutable_payload());
      if (call.is_cancelled() || !out.write(response)) return;
    }
  }
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<TestService>(
      "grpc.testing.TestService.cpp", "grpc.testing.TestService/1",
      {cpp::operation<&TestService::empty_call>("EmptyCall"),
       cpp::operation<&TestService::unary_call>("UnaryCall"),
       cpp::operation<&TestService::streaming_output_call>("StreamingOutputCall"),
       cpp::operation<&TestService::streaming_input_call>("StreamingInputCall"),
       cpp::operation<&TestService::full_duplex_call>("FullDuplexCall")},
      {.description = "gRPC's interoperability service"});
}

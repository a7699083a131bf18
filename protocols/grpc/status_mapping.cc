#include "status_mapping.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

namespace hector::grpcp {

using google::protobuf::internal::WireFormatLite;

namespace {

/// google.rpc.Status{code=1, message=2, details=3 (google.protobuf.Any{type_url=1, value=2})}
std::string rich_details(const Error& error) {
  std::string any;
  {
    google::protobuf::io::StringOutputStream stream(&any);
    google::protobuf::io::CodedOutputStream out(&stream);
    WireFormatLite::WriteString(1, "type.googleapis.com/" + error.type, &out);
    WireFormatLite::WriteBytes(2, error.detail, &out);
  }
  std::string status;
  {
    google::protobuf::io::StringOutputStream stream(&status);
    google::protobuf::io::CodedOutputStream out(&stream);
    WireFormatLite::WriteInt32(1, static_cast<int>(error.code), &out);
    WireFormatLite::WriteString(2, error.message, &out);
    WireFormatLite::WriteBytes(3, any, &out);
  }
  return status;
}

}  // namespace

grpc::Status to_status(const Error& error) {
  std::string details;
  if (!error.detail.empty()) details = error.type.empty() ? error.detail : rich_details(error);
  return {static_cast<grpc::StatusCode>(error.code), error.message, details};
}

Error to_error(const grpc::Status& status,
               const std::multimap<grpc::string_ref, grpc::string_ref>& trailing) {
  const auto found = trailing.find(kErrorKey);
  if (found != trailing.end()) {
    Outcome outcome;
    if (decode_outcome({found->second.data(), found->second.size()}, outcome) && outcome.error)
      return *outcome.error;
  }
  // No connection was made, so nothing was sent.
  const bool is_unsent = status.error_code() == grpc::StatusCode::UNAVAILABLE &&
                         status.error_message().rfind("failed to connect to all addresses", 0) == 0;
  return Error{code_from_number(static_cast<std::uint32_t>(status.error_code())),
               status.error_message()}
      .with_type(is_unsent ? kNotExecuted : std::string_view())
      .with_detail(status.error_details());
}

namespace {

/// Up to here a copy costs less than a reference-counted slice.
constexpr std::size_t kCopiedOctetsMax = 512;

grpc::Slice to_slice(const Bytes& bytes) {
  if (bytes.size() <= kCopiedOctetsMax) return grpc::Slice(bytes.data(), bytes.size());
  auto* held = new Bytes(bytes);
  return grpc::Slice(
      const_cast<std::uint8_t*>(held->data()), held->size(),
      [](void* p) { delete static_cast<Bytes*>(p); }, held);
}

}  // namespace

grpc::ByteBuffer to_buffer(const Bytes& bytes) {
  const grpc::Slice slice = to_slice(bytes);
  return grpc::ByteBuffer(&slice, 1);
}

grpc::ByteBuffer to_session_buffer(const Header& header, TimePoint now, const Bytes& payload) {
  thread_local std::string octets;
  octets.assign(4, '\0');
  encode_header(header, now, octets);
  const std::size_t size = octets.size() - 4;
  for (std::size_t i = 0; i < 4; ++i) octets[i] = static_cast<char>(size >> (8 * i));
  if (payload.size() <= kCopiedOctetsMax) octets.append(payload.view());
  const grpc::Slice slices[] = {
      grpc::Slice(octets), payload.size() <= kCopiedOctetsMax ? grpc::Slice() : to_slice(payload)};
  return grpc::ByteBuffer(slices, payload.size() <= kCopiedOctetsMax ? 1 : 2);
}

Result<Bytes> from_session_buffer(const Bytes& message, TimePoint now, Header& header) {
  if (message.size() < 4) return fail(Error::invalid_argument("a Binding's message is cut short"));
  std::size_t size = 0;
  for (std::size_t i = 0; i < 4; ++i)
    size |= static_cast<std::size_t>(message.data()[i]) << (8 * i);
  if (size > message.size() - 4)
    return fail(Error::invalid_argument("a Binding's message is shorter than its header says"));
  HECTOR_TRY(decode_header(message.view().substr(4, size), now, header));
  return message.slice(4 + size);
}

Bytes to_bytes(grpc::ByteBuffer& buffer) {
  grpc::Slice slice;
  if (!buffer.TrySingleSlice(&slice).ok() && !buffer.DumpToSingleSlice(&slice).ok()) return {};
  if (slice.size() <= kCopiedOctetsMax) return Bytes::copy(slice.begin(), slice.size());
  auto* held = new grpc::Slice(std::move(slice));
  return Bytes::adopt(
      held->begin(), held->size(), [](void* p) noexcept { delete static_cast<grpc::Slice*>(p); },
      held);
}

void take_metadata(const std::multimap<grpc::string_ref, grpc::string_ref>& from, Metadata& to) {
  for (const auto& [key, value] : from) {
    const std::string name(key.data(), key.size());
    if (name.starts_with("hector-") || name.starts_with("grpc-") || name.starts_with(":") ||
        name == "user-agent" || name == "traceparent")
      continue;
    to.emplace_back(name, std::string(value.data(), value.size()));
  }
}

}  // namespace hector::grpcp

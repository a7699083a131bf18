// What: errors, octets and metadata between Hector and gRPC.
// Why: the status is what every gRPC client understands of an Error; trailing metadata carry the
// whole Error to another capsule.
// Who: the grpc protocol's two sides.
#pragma once

#include <grpcpp/grpcpp.h>

#include <string>

#include "hector/message.h"

namespace hector::grpcp {

/// How a capsule tells another who calls what.
inline constexpr const char* kHeaderKey = "hector-header-bin";
/// How a capsule tells another the whole Error.
inline constexpr const char* kErrorKey = "hector-error-bin";
/// Which Object a client means that is no capsule.
inline constexpr const char* kObjectKey = "hector-object";
/// As every protocol of Hector's; gRPC's own default is 4 MiB.
inline constexpr std::uint64_t kMessageOctetsMax = 16ULL * 1024 * 1024;

/// A Binding's messages. A call's header travels before its payload in the same message: metadata
/// would be encoded and searched for every call. A flow's header travels as metadata, like that of
/// a call without a Binding.
inline constexpr const char* kSessionCall = "/hector.Session/call";
inline constexpr const char* kSessionFlow = "/hector.Session/flow";

/// Who reads an error. A capsule takes kMetadataOctetsMax and finds the whole of it in kErrorKey;
/// any other client takes gRPC's 8 KiB and understands the status and its details.
enum class Reader : std::uint8_t { kCapsule, kAnyClient };
/// Metadata that a capsule takes: an Error at its limits, in base64, and the user's own.
inline constexpr std::size_t kMetadataOctetsMax = 256 * 1024;

/// A failed call's status and trailing metadata.
struct Ending {
  grpc::Status status;
  Metadata trailing;
};
/// What fits the reader: first the code, then the details, then the text, which is cut and marked
/// where it must be, then the whole Error, then as many of the call's own `trailing` as there is
/// room for. Details that cannot fit are left out, and the text says so.
Ending ending_of(const Error& error, const Metadata& trailing, Reader reader);
/// Our own error out of the trailing metadata if the peer is a capsule, else from the status and
/// its details.
Error to_error(const grpc::Status& status,
               const std::multimap<grpc::string_ref, grpc::string_ref>& trailing);

/// Without copying, unless the octets are so few that copying costs less.
grpc::ByteBuffer to_buffer(const Bytes& bytes);
/// The header and the payload of kSessionCall: the header's size in four octets, low first, the
/// header, the payload.
grpc::ByteBuffer to_session_buffer(const Header& header, TimePoint now, const Bytes& payload);
/// INVALID_ARGUMENT if it is no such message.
Result<Bytes> from_session_buffer(const Bytes& message, TimePoint now, Header& header);
Bytes to_bytes(grpc::ByteBuffer& buffer);

/// The user's metadata: without those of gRPC, HTTP/2 and Hector.
void take_metadata(const std::multimap<grpc::string_ref, grpc::string_ref>& from, Metadata& to);

}  // namespace hector::grpcp

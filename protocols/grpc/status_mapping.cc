#include "status_mapping.h"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>
#include <google/protobuf/wire_format_lite.h>

#include <algorithm>
#include <cstring>

#include "hector/check.h"

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

namespace {

/// gRPC's default for what a client takes is 8 KiB. The rest is for what gRPC adds itself.
constexpr std::size_t kAnyClientOctetsMax = 7 * 1024;
/// RFC 9113, 6.5.2: an entry counts as its name, its value and 32 octets.
constexpr std::size_t kEntryOctets = 32;
/// Of a text, beside details: a text that says nothing any more helps nobody.
constexpr std::size_t kTextOctetsMin = 1024;
/// Of the text that stands within the details too.
constexpr std::size_t kDetailsTextOctetsMax = 256;
/// Of the text in a status that a capsule reads: it takes the text from kErrorKey.
constexpr std::size_t kCapsuleTextOctetsMax = 1024;
constexpr const char* kCut = " … [cut]";  ///< behind a text that was too long

/// As gRPC sends it: what is not printable ASCII takes three octets.
std::size_t encoded_size(char octet) {
  return octet < 0x20 || octet > 0x7e || octet == '%' ? 3 : 1;
}
std::size_t encoded_size(std::string_view text) {
  std::size_t size = 0;
  for (const char octet : text) size += encoded_size(octet);
  return size;
}
std::size_t base64_size(std::size_t octets) { return (octets + 2) / 3 * 4; }

/// At most `octets_max` as gRPC sends it, with a mark where it is cut; not inside a character.
std::string fitting_text(const std::string& text, std::size_t octets_max) {
  if (encoded_size(text) <= octets_max) return text;
  const std::size_t room = octets_max - std::min(octets_max, encoded_size(kCut));
  std::size_t size = 0;
  for (std::size_t used = 0; size < text.size(); ++size) {
    used += encoded_size(text[size]);
    if (used > room) break;
  }
  while (size > 0 && (static_cast<unsigned char>(text[size]) & 0xC0) == 0x80) --size;
  return text.substr(0, size) + kCut;
}

/// How many octets of metadata are left.
class Room {
 public:
  explicit Room(std::size_t octets) : left_(octets) {}
  bool take(std::string_view name, std::size_t value_octets) {
    const std::size_t octets = name.size() + value_octets + kEntryOctets;
    if (octets > left_) return false;
    left_ -= octets;
    return true;
  }
  [[nodiscard]] std::size_t left() const { return left_; }

 private:
  std::size_t left_;
};

constexpr const char* kStatusDetails = "grpc-status-details-bin";  ///< gRPC's, a google.rpc.Status
constexpr const char* kStatusMessage = "grpc-message";

grpc::Status fitting_status(Error error, Room& room) {
  std::string details;
  if (!error.detail.empty()) {
    Error told = error;
    told.message = fitting_text(error.message, kDetailsTextOctetsMax);
    details = error.type.empty() ? error.detail : rich_details(told);
    Room with_text = room;
    const bool fits = with_text.take(kStatusMessage, kTextOctetsMin) &&
                      with_text.take(kStatusDetails, base64_size(details.size()));
    if (fits) {
      room.take(kStatusDetails, base64_size(details.size()));
    } else {
      error.message = fitting_text(error.message, kTextOctetsMin) + " [its details of " +
                      std::to_string(details.size()) + " octets do not fit gRPC's metadata]";
      details.clear();
    }
  }
  const std::size_t overhead = std::strlen(kStatusMessage) + kEntryOctets;
  HECTOR_CHECK(room.left() > overhead, "an error's details leave no room for its text");
  const std::string text = fitting_text(error.message, room.left() - overhead);
  room.take(kStatusMessage, encoded_size(text));
  return {static_cast<grpc::StatusCode>(error.code), text, details};
}

}  // namespace

Ending ending_of(const Error& error, const Metadata& trailing, Reader reader) {
  Room room(reader == Reader::kCapsule ? kMetadataOctetsMax : kAnyClientOctetsMax);
  Ending ending;
  if (reader == Reader::kCapsule)
    ending.status = {static_cast<grpc::StatusCode>(error.code),
                     fitting_text(error.message, kCapsuleTextOctetsMax)};
  else
    ending.status = fitting_status(error, room);
  std::string octets;
  encode_outcome(&error, {}, octets);
  if (room.take(kErrorKey, base64_size(octets.size())))
    ending.trailing.emplace_back(kErrorKey, std::move(octets));
  for (const auto& [name, value] : trailing) {
    if (!room.take(name, name.ends_with("-bin") ? base64_size(value.size()) : value.size())) break;
    ending.trailing.emplace_back(name, value);
  }
  return ending;
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

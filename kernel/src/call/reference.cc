#include "hector/reference.h"

#include <fmt/format.h>

#include "call/reference_model.h"
#include "hector/kernel/v1/kernel.pb.h"

namespace hector {

namespace {

constexpr char kAlphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
static_assert(sizeof kAlphabet == 64 + 1, "six bits choose one letter");
constexpr std::string_view kPrefix = "hector:";  ///< of a reference as text
/// Octets: a text from outside is not decoded without a limit.
constexpr std::size_t kTextMax = 64 * 1024;

std::string to_base64url(std::string_view in) {
  std::string out;
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : in) {
    bits = bits << 8 | static_cast<std::uint8_t>(c);
    count += 8;
    while (count >= 6) out += kAlphabet[bits >> (count -= 6) & 63];
  }
  if (count > 0) out += kAlphabet[bits << (6 - count) & 63];
  return out;
}

bool from_base64url(std::string_view in, std::string& out) {
  std::uint32_t bits = 0;
  int count = 0;
  for (const char c : in) {
    const char* found = c == '\0' ? nullptr : std::char_traits<char>::find(kAlphabet, 64, c);
    if (found == nullptr) return false;
    bits = bits << 6 | static_cast<std::uint32_t>(found - kAlphabet);
    count += 6;
    if (count >= 8) out += static_cast<char>(bits >> (count -= 8));
  }
  return true;
}

}  // namespace

hector::kernel::v1::Reference to_model(const Reference& reference) {
  hector::kernel::v1::Reference model;
  model.set_offer(reference.offer);
  model.set_object(reference.object);
  model.set_capsule(reference.capsule);
  model.set_capsule_id(reference.capsule_id);
  model.set_interface_id(reference.interface_id);
  model.set_identity(reference.identity);
  model.set_principal(reference.principal);
  for (const auto& profile : reference.profiles) {
    auto* added = model.add_profiles();
    added->set_protocol(profile.protocol);
    added->set_address(profile.address);
  }
  return model;
}

Reference from_model(const hector::kernel::v1::Reference& model) {
  Reference reference;
  reference.offer = model.offer();
  reference.object = model.object();
  reference.capsule = model.capsule();
  reference.capsule_id = model.capsule_id();
  reference.interface_id = model.interface_id();
  reference.identity = model.identity();
  reference.principal = model.principal();
  for (const auto& profile : model.profiles())
    reference.profiles.push_back({profile.protocol(), profile.address()});
  return reference;
}

Reference Reference::for_object(std::string name, std::string interface) const {
  Reference other = *this;
  other.offer = 0;
  other.object = std::move(name);
  other.interface_id = std::move(interface);
  other.identity.clear();
  return other;
}

std::string Reference::serialised() const { return to_model(*this).SerializeAsString(); }

Result<Reference> Reference::parse(std::string_view serialised) {
  hector::kernel::v1::Reference model;
  if (!model.ParseFromArray(serialised.data(), static_cast<int>(serialised.size()))) {
    return fail(Code::kInvalidArgument,
                fmt::format("{} octets are not a Reference", serialised.size()));
  }
  return from_model(model);
}

std::string Reference::text() const { return std::string(kPrefix) + to_base64url(serialised()); }

Result<Reference> Reference::from_text(std::string_view text) {
  if (!text.starts_with(kPrefix) || text.size() > kTextMax) {
    return fail(Code::kInvalidArgument, "a reference starts with 'hector:' and has at most 64 KiB");
  }
  std::string serialised;
  if (!from_base64url(text.substr(kPrefix.size()), serialised)) {
    return fail(Code::kInvalidArgument,
                "after 'hector:' a reference has base64url letters only; was it cut or wrapped?");
  }
  return parse(serialised);
}

}  // namespace hector

#include "objects/adoption.h"

#include <fmt/format.h>

#include <algorithm>

namespace hector::objects {

Result<WrittenInterface> adopt(Hosting& hosting, const void* owner, const Adoption& adoption,
                               const Description& description, const MakeServant& make,
                               std::vector<std::string>* left_out) {
  for (std::uint32_t major = 1; major <= kMajorsMax; ++major) {
    if (left_out != nullptr) left_out->clear();
    auto written =
        HECTOR_TRY(write_interface(description, adoption.interface_name, major, left_out));
    const auto instantiate =
        [&](const InterfacePtr& interface) -> Result<std::unique_ptr<Servant>> {
      auto codec = HECTOR_TRY(MessageCodec::of(*interface, adoption.texts));
      return make(written, std::move(codec), interface);
    };
    auto adopted = hosting.adopt(
        owner, {adoption.object, written.model, instantiate, adoption.properties, adoption.kind});
    if (adopted) return written;
    if (adopted.error().type != "INTERFACE") return fail(adopted.error());
  }
  return fail(Error::resource_exhausted(
      fmt::format("'{}' cannot be adopted: its Interface '{}' has {} versions, the limit",
                  adoption.object, adoption.interface_name, kMajorsMax)));
}

std::string json_text(const std::string& text) {
  std::string made = "\"";
  for (const char each : text) {
    if (each == '"' || each == '\\') made += '\\';
    if (static_cast<unsigned char>(each) < 0x20)
      made += fmt::format("\\u{:04x}", each);
    else
      made += each;
  }
  return made + "\"";
}

bool is_listed(const std::vector<std::string>& patterns, const std::string& name) {
  return std::any_of(patterns.begin(), patterns.end(), [&](const auto& each) {
    return each.ends_with('*') ? name.starts_with(each.substr(0, each.size() - 1)) : name == each;
  });
}

}  // namespace hector::objects

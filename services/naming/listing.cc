// What: how names, contexts and events are told: pages of a listing, components, syntax, events.
// Why: these are functions of what the store and the directory have, without calls and locks.
// Who: the Naming servant.
#include "listing.h"

#include <fmt/format.h>

#include <algorithm>

#include "attributes.h"
#include "federation.h"
#include "searches.h"

namespace hector::naming {

namespace {

std::string bytes_to_hex(std::string_view bytes) {
  std::string text;
  for (const unsigned char each : bytes) text += fmt::format("{:02x}", each);
  return text;
}
std::string hex_to_bytes(std::string_view text) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2)
    bytes.push_back(
        static_cast<char>(std::strtol(std::string(text.substr(i, 2)).c_str(), nullptr, 16)));
  return bytes;
}

Components stands_for(const std::string& name, const InitialNames& initial) {
  const auto alias = initial.find(name);
  return alias == initial.end() ? Components{name} : alias->second;
}

}  // namespace

v1::NamingComponents components_reply(const Components& components) {
  v1::NamingComponents reply;
  reply.set_name(print_name(components));
  for (const auto& each : components) reply.add_components(each);
  return reply;
}

v1::NamingSyntax own_syntax() {
  v1::NamingSyntax syntax;
  syntax.set_direction("left_to_right");
  syntax.set_separator("/");
  syntax.set_escape("\\");
  syntax.add_quotes("\"");
  syntax.add_quotes("'");
  return syntax;
}

v1::NamingBindings initial_bindings(const InitialNames& names) {
  v1::NamingBindings reply;
  for (const auto& [name, target] : names) {
    auto& binding = *reply.add_bindings();
    binding.set_name(name);
    if (target.empty())
      binding.set_context(kRootContext);
    else
      binding.set_link(print_name(target));
  }
  auto& global = *reply.add_bindings();
  global.set_name(kGlobalRoot);
  global.set_next("dns:");
  return reply;
}

Result<v1::NamingComponents> equivalent(const v1::NamingEquivalent& request,
                                        const InitialNames& initial) {
  const auto name = HECTOR_TRY(parse_name(request.name()));
  Components whole = stands_for(name.front(), initial);
  whole.insert(whole.end(), name.begin() + 1, name.end());
  const Components leading = stands_for(request.leading(), initial);
  if (whole.size() < leading.size() || !std::equal(leading.begin(), leading.end(), whole.begin()))
    return v1::NamingComponents();
  Components equivalent = {request.leading()};
  equivalent.insert(equivalent.end(), whole.begin() + static_cast<std::ptrdiff_t>(leading.size()),
                    whole.end());
  return components_reply(equivalent);
}

std::string stored_binding(const Entry& entry, const std::string& name, Revision revision) {
  v1::NamingBinding head;
  head.set_name(name);
  head.set_revision(revision);
  if (entry.binding->type().empty()) head.set_type(type_of(*entry.binding));
  std::string whole = head.SerializeAsString();
  whole.append(entry.stored.view());
  return whole;
}

std::string entries_prefix(const Context& context) {
  return fmt::format("{}n/{}/", kPrefix, context.id);
}
std::size_t prefix_size(const Context& context) { return entries_prefix(context).size(); }

Result<StoreRead> page_read(const Context& context, const v1::NamingPage& request,
                            Revision revision) {
  StoreRead read{KeyRange::prefix(entries_prefix(context))};
  read.revision = revision;
  read.limit = page_of(request.how_many());
  const std::string& iterator = request.iterator();
  if (iterator.empty()) return read;
  const auto colon = iterator.find(':');
  read.revision = std::strtoll(iterator.c_str(), nullptr, 10);
  if (colon == std::string::npos || read.revision <= 0) return fail(bad_handle());
  read.after = hex_to_bytes(std::string_view(iterator).substr(colon + 1));
  return read;
}

v1::NamingBindings page_reply(const StorePage& page, std::size_t prefix, Listed listed) {
  v1::NamingBindings reply;
  reply.set_revision(page.revision);
  if (!page.next.empty())
    reply.set_iterator(fmt::format("{}:{}", page.revision, bytes_to_hex(page.next)));
  for (const auto& entry : page.entries) {
    v1::NamingBinding stored;
    static_cast<void>(
        stored.ParseFromArray(entry.value.data(), static_cast<int>(entry.value.size())));
    const std::string type = type_of(stored);
    auto& binding = *reply.add_bindings();
    if (listed == Listed::kBindings) binding = std::move(stored);
    binding.set_name(print_name({entry.key.substr(prefix)}));
    binding.set_type(type);
  }
  return reply;
}

v1::NamingEvent event_of(Revision at, const StoreEvent& event, std::size_t prefix) {
  v1::NamingEvent told;
  told.set_revision(at);
  told.set_is_gone(event.kind == StoreEvent::Kind::kErase);
  auto& binding = *told.mutable_binding();
  if (!told.is_gone())
    static_cast<void>(binding.ParseFromArray(event.entry.value.data(),
                                             static_cast<int>(event.entry.value.size())));
  binding.set_name(print_name({event.entry.key.substr(prefix)}));
  if (!told.is_gone()) binding.set_type(type_of(binding));
  return told;
}

}  // namespace hector::naming

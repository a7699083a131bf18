#include "directory.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector::naming {

namespace {

Components part(const Components& name, std::size_t from, std::size_t to) {
  HECTOR_CHECK(from <= to && to <= name.size(), "a part of a name reaches beyond its end");
  return {name.begin() + static_cast<std::ptrdiff_t>(from),
          name.begin() + static_cast<std::ptrdiff_t>(to)};
}
std::string text_of(const Components& name) {
  return name.empty() ? std::string() : print_name(name);
}

/// 0 where it is no name: a status may come from another Naming.
std::size_t components_in(const std::string& text) {
  if (text.empty()) return 0;
  const auto name = parse_name(text);
  return name ? name->size() : 0;
}

Code code_of(const std::string& code) {
  if (code == "NAME_NOT_FOUND" || code == "NO_SUCH_ATTRIBUTE") return Code::kNotFound;
  if (code == "NAME_IN_USE" || code == "ATTR_IN_USE") return Code::kAlreadyExists;
  if (code == "CTX_UNAVAILABLE" || code == "COMMUNICATION_FAILURE") return Code::kUnavailable;
  if (code == "OPERATION_NOT_SUPPORTED") return Code::kUnimplemented;
  if (code == "ILLEGAL_NAME") return Code::kInvalidArgument;
  if (code == "CTX_NO_PERMISSION") return Code::kPermissionDenied;
  return Code::kFailedPrecondition;
}

tl::unexpected<Error> refuse_at(const char* code, const Components& name, std::size_t at,
                                const std::string& why) {
  v1::NamingStatus status;
  status.set_code(code);
  status.set_resolved_name(text_of(part(name, 0, at)));
  status.set_remaining_name(text_of(part(name, at, name.size())));
  return fail(status_error(std::move(status), why));
}

std::string how_far(const v1::NamingStatus& status) {
  const std::string of_link =
      status.link_code().empty()
          ? ""
          : fmt::format("; of the link's name resolved '{}', remaining '{}'",
                        status.link_resolved_name(), status.link_remaining_name());
  return fmt::format("; resolved '{}', remaining '{}'{}", status.resolved_name(),
                     status.remaining_name(), of_link);
}

/// The sentence of a status_error, without its code and how far it came.
std::string said_in(const Error& error, const v1::NamingStatus& status) {
  std::string text = error.message.substr(std::min(error.message.size(), status.code().size() + 2));
  const std::string end = how_far(status);
  if (text.ends_with(end)) text.resize(text.size() - end.size());
  return text;
}

}  // namespace

Error status_error(v1::NamingStatus status, const std::string& text) {
  std::string message = fmt::format("{}: {}", status.code(), text);
  if (!status.remaining_name().empty() || !status.resolved_name().empty())
    message += how_far(status);
  Error error{
      code_of(status.code()), std::move(message), status.code(), status.SerializeAsString(), {}};
  return error;
}

std::optional<v1::NamingStatus> status_of(const Error& error) {
  v1::NamingStatus status;
  if (error.detail.empty() || !status.ParseFromString(error.detail) || status.code().empty())
    return std::nullopt;
  return status;
}

Error status_from(const Components& resolved, const Error& error) {
  auto status = status_of(error);
  if (!status) return error;
  Components all = resolved;
  if (!status->resolved_name().empty()) {
    if (auto theirs = parse_name(status->resolved_name()))
      all.insert(all.end(), theirs->begin(), theirs->end());
  }
  const std::string text = said_in(error, *status);
  status->set_resolved_name(text_of(all));
  return status_error(std::move(*status), text);
}

Result<const Entry*> entry_at(const Place& place) {
  if (place.kind == Place::Kind::kAtom && place.entry != nullptr) return place.entry;
  if (place.kind == Place::Kind::kContext)
    return fail(
        Error::unimplemented("OPERATION_NOT_SUPPORTED: the initial context itself has no binding")
            .with_type("OPERATION_NOT_SUPPORTED"));
  return missing_at(place);
}

tl::unexpected<Error> missing_at(const Place& place) {
  v1::NamingStatus status;
  status.set_code("NAME_NOT_FOUND");
  if (!place.resolved.empty()) status.set_resolved_name(print_name(place.resolved));
  status.set_remaining_name(print_name({place.atom}));
  if (place.atom.empty())
    return fail(status_error(
        std::move(status),
        "this context has no next naming system; leave the '/' at the end of the name out"));
  return fail(status_error(std::move(status), fmt::format("'{}' is not bound", place.atom)));
}

Result<Context*> context_at(const Place& place) {
  if (place.kind == Place::Kind::kContext) return place.context;
  if (place.entry == nullptr) return missing_at(place);
  if (place.entry->child != nullptr) return place.entry->child;
  v1::NamingStatus status;
  status.set_code("NOT_A_CONTEXT");
  status.set_resolved_name(print_name(place.resolved));
  *status.mutable_resolved() = *place.entry->binding;
  return fail(
      status_error(std::move(status),
                   fmt::format("'{}' is bound to a reference, not to a context", place.atom)));
}

InitialNames initial_names(const v1::NamingWho& who) {
  const std::string user = who.principal().substr(0, who.principal().find('\0'));
  InitialNames names;
  for (const char* each : {"_myself", "thisuser", "_thisuser"}) names[each] = {"user", user};
  for (const char* each : {"_myens", "_thisens"}) names[each] = {};
  for (const char* each : {"_myorgunit", "_thisorgunit", "_org", "_orgunit"}) names[each] = {"org"};
  names["_mysite"] = names["_thissite"] = {"site"};
  names["_thishost"] = {"host", who.host()};
  names["_user"] = {"user"};
  names["_host"] = {"host"};
  names["_site"] = {"site"};
  names["_service"] = {"service"};
  names["_thiscapsule"] = {"capsules", who.capsule()};
  names["_thisobject"] = {who.object()};
  names["_offers"] = {"service", "trading"};
  names["_types"] = {"service", "type"};
  return names;
}

void Directory::clear() {
  contexts_.clear();
  root_ = &make_context(kRootContext);
  size_ = 0;
}

Context& Directory::make_context(const std::string& id) {
  auto& slot = contexts_[id];
  if (!slot) {
    slot = std::make_unique<Context>();
    slot->id = id;
  }
  return *slot;
}

void Directory::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  if (key.size() < 3) return;
  const bool is_gone = event.kind == StoreEvent::Kind::kErase;
  if (key.starts_with("c/")) {
    const std::string id = key.substr(2);
    if (is_gone) {
      if (id != kRootContext) contexts_.erase(id);
      return;
    }
    Context& context = make_context(id);
    context.modified = event.entry.modified;
    context.is_closing = event.entry.value.size() != 0;
    return;
  }
  const auto slash = key.find('/', 2);
  if (!key.starts_with("n/") || slash == std::string::npos) return;
  const std::string id = key.substr(2, slash - 2);
  if (is_gone) {
    Context* const holder = context(id);
    if (holder == nullptr) return;
    const std::size_t erased = holder->entries.erase(key.substr(slash + 1));
    HECTOR_CHECK(size_ >= erased, "more names are unbound than were bound");
    size_ -= erased;
    return;
  }
  auto binding = std::make_shared<v1::NamingBinding>();
  if (!binding->ParseFromArray(event.entry.value.data(),
                               static_cast<int>(event.entry.value.size())))
    return;
  Context& holder = make_context(id);
  auto [place, is_new] = holder.entries.try_emplace(key.substr(slash + 1));
  size_ += is_new ? 1 : 0;
  place->second.modified = event.entry.modified;
  place->second.child = nullptr;
  if (!binding->context().empty()) {
    place->second.child = &make_context(binding->context());
    place->second.child->parent = &holder;
  }
  place->second.binding = std::move(binding);
  place->second.stored = event.entry.value;
}

struct Directory::Walk {
  const InitialNames& initial;
  LastLink last;
  std::uint32_t links = 0;
  bool is_limit_told = false;  ///< the status has the name of the link with the one too many
};

Result<Place> Directory::resolve(const Components& name, const InitialNames& initial,
                                 LastLink last) const {
  HECTOR_CHECK(root_ != nullptr, "a name is resolved before there is a root");
  Walk walk{initial, last};
  return this->walk(walk, nullptr, name, 0);
}

/// `from` null: the initial context.
Result<Place> Directory::walk(Walk& walk, Context* from, const Components& name,
                              std::size_t first) const {
  Context* at = from;
  if (at == nullptr) {
    at = root_;
    const auto alias = first < name.size() ? walk.initial.find(name[first]) : walk.initial.end();
    if (alias != walk.initial.end()) {
      Components longer = alias->second;
      const std::size_t more = longer.size();
      longer.insert(longer.end(), name.begin() + static_cast<std::ptrdiff_t>(first) + 1,
                    name.end());
      if (longer.empty()) longer.emplace_back();
      auto led = this->walk(walk, root_, longer, 0);
      if (led) {
        // As it was asked: the initial name for all that it stands for.
        const std::size_t taken = led->resolved.size() < more ? 0 : led->resolved.size() - more + 1;
        led->resolved = part(name, 0, std::min(name.size(), first + taken));
        if (led->link) {
          const std::size_t above = led->link->before.size();
          const std::size_t to = above < more ? first : first + above - more + 1;
          led->link->before = part(name, 0, std::min(name.size(), to));
          led->link->from = part(name, std::min(name.size(), to), name.size());
        }
        return led;
      }
      auto status = status_of(led.error());
      if (!status) return led;
      const std::string said = said_in(led.error(), *status);
      const std::size_t theirs = components_in(status->resolved_name());
      const std::size_t taken = theirs < more ? 0 : theirs - more + 1;
      status->set_resolved_name(text_of(part(name, 0, std::min(name.size(), first + taken))));
      return fail(status_error(std::move(*status), said));
    }
    if (first < name.size() && name[first] == kGlobalRoot && at->find(kGlobalRoot) == nullptr) {
      return Place{Place::Kind::kNext,
                   at,
                   name[first],
                   nullptr,
                   "dns:",
                   part(name, first + 1, name.size()),
                   part(name, 0, first + 1)};
    }
  }
  // The empty name is the context itself.
  if (first >= name.size() || (name.size() - first == 1 && name[first].empty() && first == 0)) {
    return Place{Place::Kind::kContext, at, {}, nullptr, {}, {}, name};
  }
  for (std::size_t i = first;; ++i) {
    const bool is_last = i + 1 == name.size();
    const Entry* const entry = at->find(name[i]);
    if (entry == nullptr) {
      if (is_last) return Place{Place::Kind::kAtom, at, name[i], nullptr, {}, {}, part(name, 0, i)};
      return refuse_at("NAME_NOT_FOUND", name, i, fmt::format("'{}' is not bound", name[i]));
    }
    const auto& binding = *entry->binding;
    if (!binding.link().empty() && !(is_last && walk.last == LastLink::kKeep))
      return follow(walk, at, binding.link(), name, i);
    if (is_last) return Place{Place::Kind::kAtom, at, name[i], entry, {}, {}, name};
    if (!binding.next().empty())
      return Place{
          Place::Kind::kNext,  at, name[i], entry, binding.next(), part(name, i + 1, name.size()),
          part(name, 0, i + 1)};
    if (entry->child == nullptr)
      return refuse_at("NOT_A_CONTEXT", name, i + 1,
                       fmt::format("'{}' is bound to a reference, not to a context", name[i]));
    at = entry->child;
  }
}

/// A link in the middle of a name: what is left of the name goes on behind the link's.
struct Directory::LinkUse {
  const Components& name;
  std::size_t at;  ///< of the link in `name`
  const std::string& link;
  const Components& longer;  ///< the link's name and what is left behind it
  std::size_t own;           ///< how many of `longer` are the link's
  [[nodiscard]] std::size_t behind() const { return longer.size() - own; }
  [[nodiscard]] Components before() const { return part(name, 0, at); }
  [[nodiscard]] Components from() const { return part(name, at, name.size()); }
};

Result<Place> Directory::follow(Walk& walk, Context* holder, const std::string& link,
                                const Components& name, std::size_t at) const {
  const auto refuse = [&](const char* code, const std::string& why) {
    v1::NamingStatus status;
    status.set_code(code);
    status.set_resolved_name(text_of(part(name, 0, at)));
    status.set_remaining_name(text_of(part(name, at, name.size())));
    status.set_link_code(code);
    status.set_link_remaining_name(link);
    return fail(status_error(std::move(status), why));
  };
  if (++walk.links > kLinksMax)
    return refuse(
        "LINK_LOOP_LIMIT",
        fmt::format("more than {} links were followed, the last to '{}'", kLinksMax, link));
  const auto target = parse_name(link);
  if (!target || target->empty())
    return refuse("MALFORMED_LINK",
                  fmt::format("'{}' is bound to the link '{}', which is no name", name[at], link));
  const bool is_relative = target->front() == ".";
  Components longer = *target;
  longer.insert(longer.end(), name.begin() + static_cast<std::ptrdiff_t>(at) + 1, name.end());
  const LinkUse use{name, at, link, longer, target->size()};
  auto led = this->walk(walk, is_relative ? holder : nullptr, longer, is_relative ? 1 : 0);
  return led ? seen_through(walk, std::move(*led), use) : failed_in(walk, led.error(), use);
}

/// A place that a link led to, as it is seen from the name that the link is in.
Result<Place> Directory::seen_through(Walk& walk, Place led, const LinkUse& use) {
  const bool is_missing = led.kind == Place::Kind::kAtom && led.entry == nullptr;
  if (is_missing && use.behind() == 0) return failed_in(walk, missing_at(led).value(), use);
  const bool leads_on = led.kind == Place::Kind::kNext;
  const std::size_t left = leads_on ? led.rest.size() : is_missing ? 1 : 0;
  const bool is_in_link = left > use.behind();
  if (leads_on && is_in_link && !led.link)
    led.link = LinkAcross{
        .before = {}, .from = {}, .link = part(use.longer, 0, use.own), .behind = use.behind()};
  if (led.link) {
    // A link behind this one is still behind it; one in this link's name is this link.
    const std::size_t above = led.link->before.size();
    const std::size_t more = above < use.own ? 0 : above - use.own + 1;
    led.link->before = part(use.name, 0, use.at + more);
    led.link->from = part(use.name, use.at + more, use.name.size());
  }
  led.resolved = part(use.name, 0, is_in_link ? use.at + 1 : use.name.size() - left);
  return led;
}

tl::unexpected<Error> Directory::failed_in(Walk& walk, const Error& error, const LinkUse& use) {
  auto status = status_of(error);
  if (!status) return fail(error);
  const std::size_t resolved = components_in(status->resolved_name());
  const std::size_t remaining = components_in(status->remaining_name());
  if (!status->link_code().empty()) {
    const std::string said = said_in(error, *status);
    // The link that was one too many, as part of the name of the link that led to it.
    if (status->code() == "LINK_LOOP_LIMIT" && !std::exchange(walk.is_limit_told, true) &&
        resolved < use.own) {
      status->set_link_resolved_name(text_of(part(use.longer, 0, resolved)));
      status->set_link_remaining_name(text_of(part(use.longer, resolved, use.own)));
    }
    status->set_resolved_name(text_of(use.before()));
    status->set_remaining_name(text_of(use.from()));
    return fail(status_error(std::move(*status), said));
  }
  v1::NamingStatus own_status;
  if (remaining <= use.behind()) {  // past the link: what is wrong is in the name itself
    own_status.set_code(status->code());
    own_status.set_resolved_name(text_of(part(use.name, 0, use.name.size() - remaining)));
    own_status.set_remaining_name(status->remaining_name());
    return fail(status_error(std::move(own_status), fmt::format("behind the link '{}' of '{}'",
                                                                use.link, use.name[use.at])));
  }
  const std::size_t failed = use.longer.size() - remaining;
  own_status.set_code("LINK_ERROR");
  own_status.set_resolved_name(text_of(use.before()));
  own_status.set_remaining_name(text_of(use.from()));
  own_status.set_link_code(status->code());
  own_status.set_link_resolved_name(text_of(part(use.longer, 0, failed)));
  own_status.set_link_remaining_name(text_of(part(use.longer, failed, use.own)));
  return fail(
      status_error(std::move(own_status), fmt::format("the link '{}' of '{}' does not lead on: {}",
                                                      use.link, use.name[use.at], status->code())));
}

Error status_behind(const Place& place, const Error& error) {
  auto status = status_of(error);
  if (!status || !place.link || status->code() == "CONTINUE")
    return status_from(place.resolved, error);
  const auto& across = *place.link;
  const std::size_t remaining = components_in(status->remaining_name());
  const std::string said = said_in(error, *status);
  if (remaining <= across.behind) {  // past the link: what is wrong is in the name itself
    const auto whole = across.whole();
    status->set_resolved_name(text_of(part(whole, 0, whole.size() - remaining)));
    return status_error(std::move(*status), said);
  }
  const std::size_t failed =
      across.link.size() - std::min(across.link.size(), remaining - across.behind);
  if (status->link_code().empty()) {
    status->set_link_code(status->code());
    status->set_link_resolved_name(text_of(part(across.link, 0, failed)));
    status->set_link_remaining_name(text_of(part(across.link, failed, across.link.size())));
    // Whoever asks may ask again where a system was not reached.
    if (code_of(status->code()) != Code::kUnavailable) status->set_code("LINK_ERROR");
  }
  status->set_resolved_name(text_of(across.before));
  status->set_remaining_name(text_of(across.from));
  return status_error(std::move(*status), said);
}

}  // namespace hector::naming

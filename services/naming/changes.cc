#include "changes.h"

#include <fmt/format.h>

#include "attributes.h"
#include "hector/check.h"
#include "state/answer.h"
#include "systems.h"

namespace hector::naming {

using state::refuse;

namespace {

std::string key_of(const Context& context, std::string_view atom) {
  return fmt::format("n/{}/{}", context.id, atom);
}
StoreOperation put(const std::string& key, v1::NamingBinding binding) {
  binding.clear_name();
  binding.clear_revision();
  return StoreOperation::put(key, Bytes::take(binding.SerializeAsString()),
                             static_cast<LeaseId>(binding.lease()));
}
/// No other writer has changed the name since, nor begun to destroy its context. Where one has
/// begun before, the mark goes: his second step finds it changed.
void guard(StoreTransaction& transaction, const Context& context, std::string_view atom,
           const Entry* entry) {
  HECTOR_CHECK(!context.id.empty(), "a context has no id");
  transaction.compares.push_back(
      StoreCompare::unchanged(key_of(context, atom), entry == nullptr ? 0 : entry->modified));
  if (context.id == kRootContext) return;
  transaction.compares.push_back(StoreCompare::unchanged("c/" + context.id, context.modified));
  if (context.is_closing) transaction.then.push_back(StoreOperation::put("c/" + context.id, {}));
}

Result<v1::NamingBinding> binding_from(const v1::NamingBind& request) {
  v1::NamingBinding binding;
  binding.set_type(request.type());
  *binding.mutable_addresses() = request.addresses();
  *binding.mutable_attributes() = request.attributes();
  binding.set_link(request.link());
  binding.set_next(request.next());
  binding.set_lease(request.lease());
  if (request.has_reference()) {
    *binding.mutable_reference() = request.reference();
    // A Naming is a junction: the name leads on into it.
    if (request.reference().interface_id() == "hector.Naming/1" && binding.next().empty()) {
      if (auto read = Reference::parse(request.reference().SerializeAsString()))
        binding.set_next(read->text());
    }
  }
  if (!request.link().empty()) {
    if (auto target = parse_name(request.link()); !target)
      return refuse("MALFORMED_LINK", target.error().message);
  }
  const int kinds = static_cast<int>(request.has_reference() || request.addresses_size() > 0) +
                    static_cast<int>(!request.link().empty()) +
                    static_cast<int>(!request.next().empty());
  if (kinds != 1)
    return refuse(
        "MALFORMED_REFERENCE",
        "a name is bound to one of: a reference, addresses, a link, the next naming system");
  HECTOR_TRY(check_attributes(request));
  if (binding.ByteSizeLong() > Changes::kBindingOctetsMax)
    return refuse("INSUFFICIENT_RESOURCES",
                  fmt::format("a binding may have {} octets, this one has {}",
                              Changes::kBindingOctetsMax, binding.ByteSizeLong()),
                  Code::kResourceExhausted);
  return binding;
}

/// Null where there is nothing to destroy.
Result<Context*> empty_context(const Result<Place>& place) {
  if (!place) return fail(place.error());
  if (place->kind == Place::Kind::kContext)
    return refuse("OPERATION_NOT_SUPPORTED", "the initial context stays",
                  Code::kFailedPrecondition);
  if (place->kind != Place::Kind::kAtom || place->entry == nullptr) return nullptr;
  auto context = context_at(*place);
  if (context && !(*context)->entries.empty())
    return refuse("CTX_NOT_EMPTY",
                  fmt::format("'{}' holds {} names", place->atom, (*context)->entries.size()),
                  Code::kFailedPrecondition);
  return context;
}

}  // namespace

/// Where the atom goes: the context that holds it, made with those above it where they are missing
/// and may be made.
Result<Context*> Changes::make_contexts(const Components& name, StoreTransaction& transaction,
                                        std::vector<std::unique_ptr<Context>>& made) const {
  Context* at = &directory_.root();
  for (std::size_t i = 0; i + 1 < name.size(); ++i) {
    const Entry* const entry = at->find(name[i]);
    if (entry != nullptr && entry->child != nullptr) {
      at = entry->child;
      continue;
    }
    if (entry != nullptr)
      return refuse_name("NOT_A_CONTEXT", name, i + 1,
                         fmt::format("'{}' is bound to a reference", name[i]));
    if (made.size() >= kMadeTogetherMax)
      return refuse("INSUFFICIENT_RESOURCES", "more contexts than may be made at once",
                    Code::kResourceExhausted);
    made.push_back(std::make_unique<Context>());
    Context* const child = made.back().get();
    child->id = fmt::format("{:016x}", random_.next());
    v1::NamingBinding binding;
    binding.set_context(child->id);
    const bool holder_is_there = directory_.context(at->id) == at;
    if (holder_is_there) guard(transaction, *at, name[i], nullptr);
    transaction.then.push_back(StoreOperation::put("c/" + child->id, {}));
    transaction.then.push_back(put(key_of(*at, name[i]), std::move(binding)));
    at = child;
  }
  return at;
}

Result<Place> Changes::place_for(const v1::NamingBind& request, const AskedNames& names,
                                 StoreTransaction& transaction,
                                 std::vector<std::unique_ptr<Context>>& made) const {
  auto found = names.resolve(request.name());
  if (found || !makes_contexts(request, found.error())) return found;
  auto parsed = parse_name(request.name());
  HECTOR_CHECK(parsed && !parsed->empty(), "a change asks for a name that was not parsed before");
  Components name = std::move(*parsed);
  if (const auto alias = names.initial.find(name.front()); alias != names.initial.end()) {
    name.erase(name.begin());
    name.insert(name.begin(), alias->second.begin(), alias->second.end());
  }
  auto holder = HECTOR_TRY(make_contexts(name, transaction, made));
  HECTOR_CHECK(!name.empty() && holder != nullptr,
               "a name is bound that has no atom or no context");
  return Place{Place::Kind::kAtom, holder, name.back(), nullptr};
}

Result<StoreTransaction> Changes::bind(const v1::NamingBind& request,
                                       const AskedNames& names) const {
  auto binding = binding_from(request);
  if (!binding) return fail(binding.error());
  StoreTransaction transaction;
  std::vector<std::unique_ptr<Context>> made;
  auto found = HECTOR_TRY(place_for(request, names, transaction, made));
  const Place place = std::move(found);
  if (place.kind == Place::Kind::kContext)
    return refuse("ILLEGAL_NAME", "the empty name is this context itself; it cannot be bound");
  if (place.kind == Place::Kind::kNext)
    return refuse("CTX_UNAVAILABLE",
                  "the name has just been bound to another naming system; try again",
                  Code::kAborted);
  if (place.entry == nullptr && directory_.size() >= kNamesMax)
    return refuse("INSUFFICIENT_RESOURCES",
                  fmt::format("Naming holds {} names, its limit; unbind some first", kNamesMax),
                  Code::kResourceExhausted);
  if (place.entry != nullptr) {
    const auto& there = *place.entry->binding;
    if (request.exclusive()) {
      return refuse("NAME_IN_USE",
                    fmt::format("'{}' is bound to {}", request.name(),
                                there.has_reference()
                                    ? fmt::format("{} of capsule {}", there.reference().object(),
                                                  there.reference().capsule())
                                    : type_of(there)),
                    Code::kAlreadyExists);
    }
    if (place.entry->child != nullptr)
      return refuse("NAME_IN_USE",
                    fmt::format("'{}' is a context; destroy_subcontext it first", request.name()),
                    Code::kAlreadyExists);
    if (request.attributes_size() == 0) *binding->mutable_attributes() = there.attributes();
  }
  if (made.empty()) guard(transaction, *place.context, place.atom, place.entry);
  transaction.then.push_back(put(key_of(*place.context, place.atom), std::move(*binding)));
  return transaction;
}

Result<StoreTransaction> Changes::unbind(const v1::NamingName& request,
                                         const AskedNames& names) const {
  auto place = names.resolve(request.name());
  if (!place) return fail(place.error());
  StoreTransaction transaction;
  if (place->kind != Place::Kind::kAtom || place->entry == nullptr)
    return transaction;  // success if absent
  if (place->entry->child != nullptr)
    return refuse("OPERATION_NOT_SUPPORTED",
                  fmt::format("'{}' is a context; destroy_subcontext ends it", request.name()),
                  Code::kFailedPrecondition);
  transaction.compares.push_back(
      StoreCompare::unchanged(key_of(*place->context, place->atom), place->entry->modified));
  transaction.then.push_back(StoreOperation::erase(key_of(*place->context, place->atom)));
  return transaction;
}

Result<StoreTransaction> Changes::create_subcontext(const v1::NamingBind& request,
                                                    const AskedNames& names) const {
  HECTOR_TRY(check_attributes(request));
  StoreTransaction transaction;
  std::vector<std::unique_ptr<Context>> made;
  auto found = place_for(request, names, transaction, made);
  if (!found) return fail(found.error());
  if (found->kind != Place::Kind::kAtom || found->entry != nullptr)
    return refuse("NAME_IN_USE", fmt::format("'{}' is there", request.name()),
                  Code::kAlreadyExists);
  v1::NamingBinding binding;
  binding.set_context(fmt::format("{:016x}", random_.next()));
  *binding.mutable_attributes() = request.attributes();
  if (made.empty()) guard(transaction, *found->context, found->atom, nullptr);
  transaction.then.push_back(StoreOperation::put("c/" + binding.context(), {}));
  transaction.then.push_back(put(key_of(*found->context, found->atom), std::move(binding)));
  return transaction;
}

Result<StoreTransaction> Changes::begin_destroy(const v1::NamingName& request,
                                                const AskedNames& names) const {
  auto checked = HECTOR_TRY(empty_context(names.resolve(request.name())));
  StoreTransaction transaction;
  if (checked != nullptr)
    transaction.then.push_back(StoreOperation::put("c/" + checked->id, Bytes::copy("closing")));
  return transaction;
}

Result<StoreTransaction> Changes::end_destroy(const v1::NamingName& request,
                                              const AskedNames& names) const {
  auto place = names.resolve(request.name());
  auto checked = HECTOR_TRY(empty_context(place));
  StoreTransaction transaction;
  if (checked == nullptr) return transaction;
  if (!checked->is_closing)
    return refuse("CTX_NOT_EMPTY", "a name was bound in it a moment ago",
                  Code::kFailedPrecondition);
  transaction.compares.push_back(StoreCompare::unchanged("c/" + checked->id, checked->modified));
  transaction.compares.push_back(
      StoreCompare::unchanged(key_of(*place->context, place->atom), place->entry->modified));
  transaction.then.push_back(StoreOperation::erase(key_of(*place->context, place->atom)));
  transaction.then.push_back(StoreOperation::erase("c/" + checked->id));
  return transaction;
}

Result<StoreTransaction> Changes::rename(const v1::NamingRename& asked,
                                         const AskedNames& names) const {
  auto from = names.resolve(asked.name());
  if (!from) return fail(from.error());
  auto entry = HECTOR_TRY(entry_at(*from));
  const Components to = *parse_name(asked.to());
  Context* context = from->context;
  std::string atom = to.back();
  const Entry* there = context->find(atom);
  if (to.size() > 1) {
    auto target = HECTOR_TRY(names.resolve(asked.to()));
    if (target.kind != Place::Kind::kAtom)
      return refuse("NAME_IN_USE", fmt::format("'{}' is a context", asked.to()),
                    Code::kAlreadyExists);
    context = target.context;
    atom = target.atom;
    there = target.entry;
  }
  StoreTransaction transaction;
  if (context == from->context && atom == from->atom) return transaction;
  if (atom.empty() || atom.size() > kAtomOctetsMax)
    return refuse("ILLEGAL_NAME", "the new name is empty or too long");
  if (there != nullptr && (asked.exclusive() || there->child != nullptr))
    return refuse("NAME_IN_USE", fmt::format("'{}' is bound", asked.to()), Code::kAlreadyExists);
  if (entry->child != nullptr) {
    // Not below itself, also if others rename above it meanwhile: they touch what they move.
    std::size_t depth = 0;
    for (const Context* above = context; above != nullptr; above = above->parent) {
      if (above == entry->child)
        return refuse("ILLEGAL_NAME",
                      fmt::format("'{}' is below '{}' itself", asked.to(), asked.name()));
      if (++depth > kDepthMax)
        return refuse("INSUFFICIENT_RESOURCES",
                      fmt::format("contexts may be {} deep where one is moved to", kDepthMax),
                      Code::kResourceExhausted);
      if (above != context && above->id != kRootContext)
        transaction.compares.push_back(StoreCompare::unchanged("c/" + above->id, above->modified));
    }
    transaction.then.push_back(StoreOperation::put("c/" + entry->child->id, {}));
  }
  guard(transaction, *context, atom, there);
  transaction.compares.push_back(
      StoreCompare::unchanged(key_of(*from->context, from->atom), entry->modified));
  transaction.then.push_back(StoreOperation::erase(key_of(*from->context, from->atom)));
  transaction.then.push_back(put(key_of(*context, atom), *entry->binding));
  return transaction;
}

Result<StoreTransaction> Changes::modify(const v1::NamingModify& request,
                                         const AskedNames& names) const {
  auto place = names.resolve(request.name());
  if (!place) return fail(place.error());
  auto entry = HECTOR_TRY(entry_at(*place));
  v1::NamingBinding binding = *entry->binding;
  for (const auto& each : request.modifications()) {
    if (auto done = modify_attribute(binding, each); !done) return fail(done.error());
  }
  if (binding.ByteSizeLong() > kBindingOctetsMax)
    return refuse("INSUFFICIENT_RESOURCES",
                  fmt::format("a binding may have {} octets", kBindingOctetsMax),
                  Code::kResourceExhausted);
  StoreTransaction transaction;
  const std::string key = key_of(*place->context, place->atom);
  transaction.compares.push_back(StoreCompare::unchanged(key, entry->modified));
  transaction.then.push_back(put(key, std::move(binding)));
  return transaction;
}

}  // namespace hector::naming

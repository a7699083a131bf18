// What: Directory, the contexts of one naming system in memory, and how a composite name leads
// through them.
// Why: a lookup touches no store; contexts have ids, so renaming one is one write however much is
// below it.
// Who: Naming. Its state comes from the store: "c/ID" a context, "n/ID/ATOM" what a context binds
// an atomic name to.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "hector/service/v1/naming.pb.h"
#include "hector/store.h"
#include "name.h"
#include "state/replica.h"

namespace hector::naming {

namespace v1 = hector::service::v1;

using Components = std::vector<std::string>;
inline constexpr const char* kRootContext = "0";  ///< its id
inline constexpr std::uint32_t kLinksMax = 16;    // XFN 3.2.3: an implementation's limit
inline constexpr std::uint32_t kHopsMax = 32;     ///< naming systems that one name leads through

struct Context;
/// What an atomic name is bound to.
struct Entry {
  std::shared_ptr<const v1::NamingBinding> binding;
  Bytes stored;              ///< the same as the store has it
  Context* child = nullptr;  ///< of a context
  Revision modified = 0;
};
struct TextHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const noexcept {
    return std::hash<std::string_view>()(text);
  }
};
struct Context {
  std::string id;
  std::unordered_map<std::string, Entry, TextHash, std::equal_to<>> entries;
  Context* parent = nullptr;
  Revision modified = 0;  ///< of the context itself; the root has none
  bool is_closing = false;
  [[nodiscard]] const Entry* find(std::string_view atom) const {
    const auto found = entries.find(atom);
    return found == entries.end() ? nullptr : &found->second;
  }
};

/// A link whose own name leads into another naming system.
struct LinkAcross {
  Components before, from;  ///< of the name that was asked: up to the link, and from it on
  Components link;          ///< the link's name
  std::size_t behind = 0;   ///< how many of Place::rest, its last, are not the link's
  /// The name that was asked.
  [[nodiscard]] Components whole() const {
    Components all = before;
    all.insert(all.end(), from.begin(), from.end());
    return all;
  }
};

/// Where a name led.
struct Place {
  enum class Kind : std::uint8_t { kContext, kAtom, kNext };
  Kind kind = Kind::kContext;
  Context* context = nullptr;  ///< itself, or the one that holds `atom`
  std::string atom;
  const Entry* entry = nullptr;  ///< of kAtom: null where the atom is not bound; of kNext: the
                                 ///< junction, null for the global root
  std::string next;              ///< of kNext: the URL of the next naming system
  Components rest;               ///< of kNext: the name there
  Components resolved;           ///< up to there, as it was asked
  std::optional<LinkAcross> link = std::nullopt;  ///< of kNext: how it led there
};

/// Atomic names of the initial context, and the composite names they stand for.
using InitialNames = std::map<std::string, Components, std::less<>>;
/// FNS's, and "_thiscapsule", "_thisobject", "_offers", "_types".
InitialNames initial_names(const v1::NamingWho& who);
/// The global root.
inline constexpr const char* kGlobalRoot = "...";

/// Makes an error of a status: "NAME_NOT_FOUND: 'c/d' of 'a/b/c/d' …", with the status as its
/// detail.
Error status_error(v1::NamingStatus status, const std::string& text);
/// Error::detail of such an error, if it is one.
std::optional<v1::NamingStatus> status_of(const Error& error);
/// The same status seen from before `resolved`.
Error status_from(const Components& resolved, const Error& error);

/// What the naming system behind `place` said of Place::rest, seen from here; a link's error where
/// a link's name failed there.
Error status_behind(const Place& place, const Error& error);

/// What is bound there. NAME_NOT_FOUND; OPERATION_NOT_SUPPORTED for the initial context.
Result<const Entry*> entry_at(const Place& place);
/// The context that a name stands for. NAME_NOT_FOUND, NOT_A_CONTEXT.
Result<Context*> context_at(const Place& place);
/// NAME_NOT_FOUND.
tl::unexpected<Error> missing_at(const Place& place);

class Directory final : public state::Machine {
 public:
  Directory() { clear(); }
  void clear() override;
  void apply(const StoreEvent& event) override;

  enum class LastLink { kFollow, kKeep };
  /// NAME_NOT_FOUND (a context that is not there), NOT_A_CONTEXT, LINK_LOOP_LIMIT, MALFORMED_LINK,
  /// LINK_ERROR. The last atom need not be bound.
  Result<Place> resolve(const Components& name, const InitialNames& initial, LastLink last) const;
  [[nodiscard]] Context& root() const { return *root_; }
  [[nodiscard]] Context* context(const std::string& id) const {
    const auto found = contexts_.find(id);
    return found == contexts_.end() ? nullptr : found->second.get();
  }
  [[nodiscard]] std::size_t size() const { return size_; }

 private:
  struct Walk;
  struct LinkUse;
  Result<Place> walk(Walk& walk, Context* from, const Components& name, std::size_t first) const;
  Result<Place> follow(Walk& walk, Context* holder, const std::string& link, const Components& name,
                       std::size_t at) const;
  static Result<Place> seen_through(Walk& walk, Place led, const LinkUse& use);
  static tl::unexpected<Error> failed_in(Walk& walk, const Error& error, const LinkUse& use);
  Context& make_context(const std::string& id);

  std::unordered_map<std::string, std::unique_ptr<Context>> contexts_;
  Context* root_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace hector::naming

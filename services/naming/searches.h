// What: Searches, attr_search: what a filter matches here and, all at once, in the Namings that
// junctions lead to.
// Why: a search of a subtree does not end where a naming system does; a system that does not answer
// has found nothing.
// Who: the Naming servant.
#pragma once

#include "federation.h"
#include "hector/operation_calls.h"
#include "resolver.h"
#include "search.h"
#include "state/iterators.h"
#include "state/seen.h"

namespace hector::naming {

/// INVALID_ENUM_HANDLE.
Error bad_handle();

/// Any thread.
class Searches {
 public:
  /// Each holds all that was found.
  static constexpr state::IteratorLimits kLimits{.max = 100, .lives = std::chrono::minutes(1)};
  using Given = Reply<v1::NamingBindings>;
  Searches(const ServiceContext& context, const Directory& directory, const Resolver& resolver,
           state::Peers& peers);

  /// False: this search has been here, however naming systems lead into each other.
  bool is_new(const v1::NamingSearch& search);
  /// Called under the directory's lock. Answers now, or when others have answered.
  void search(Given given, const v1::NamingSearch& search, const Place& place, Revision revision);
  /// The next page. FAILED_PRECONDITION (INVALID_ENUM_HANDLE).
  Result<v1::NamingBindings> next(const v1::NamingSearch& asked);

 private:
  using Found = std::vector<v1::NamingBinding>;
  using Junctions = std::vector<std::pair<Components, std::string>>;
  /// What is left of a search. The found names are shared by the iterator and the page being made.
  struct Rest {
    std::shared_ptr<const Found> found;
    std::size_t given = 0;
  };
  struct Gathering;
  Status find(Finder& finder, const v1::NamingSearch& search, const Place& place) const;
  Junctions asked_junctions(const Junctions& junctions, std::uint32_t hops) const;
  v1::NamingSearch further(const v1::NamingSearch& search);
  void search_further(Given reply, Found found, const Junctions& junctions,
                      const v1::NamingSearch& search, Revision revision);
  void ask(const std::shared_ptr<Gathering>& gathering, const Components& name,
           const std::string& url);
  void finish_one(Gathering& gathering);
  v1::NamingBindings first_page(Found found, std::uint32_t how_many, Revision revision);

  const ServiceContext& context_;
  const Directory& directory_;
  const Resolver& resolver_;
  state::Peers& peers_;
  state::Seen<std::uint64_t> seen_;
  state::Iterators<std::string, Rest> iterators_;
};

}  // namespace hector::naming

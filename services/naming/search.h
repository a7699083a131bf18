// What: Finder, one search for names by their attributes (XFN attr_search) in the contexts of one
// naming system.
// Why: what a name stands for is found by what it is.
// Who: Naming.
#pragma once

#include <set>

#include "directory.h"
#include "expression/program.h"

namespace hector::naming {

/// Under the replica's lock; `request` and `filter` outlive it.
class Finder {
 public:
  static constexpr std::size_t kFoundMax = 10'000;  ///< what there is beyond is left out
  static constexpr std::size_t kDepthMax = 80;      ///< as deep as a context may be moved
  enum class Depth : std::uint8_t { kThis, kSubtree };
  Finder(const Directory& directory, const v1::NamingSearch& request,
         const expression::Program& filter, InitialNames initial)
      : directory_(directory), request_(request), filter_(filter), initial_(std::move(initial)) {}
  /// Takes the name if it matches.
  void consider(const Components& name, const Entry& entry);
  /// Names in the context, in their order, and where asked those below it: each context once,
  /// whatever links lead back.
  void search_below(const Context& context, const Components& above, Depth depth);

  std::vector<v1::NamingBinding> found;
  std::vector<std::pair<Components, std::string>>
      junctions;  ///< into other naming systems, with their URLs

 private:
  const Directory& directory_;
  const v1::NamingSearch& request_;
  const expression::Program& filter_;
  const InitialNames initial_;
  std::set<const Context*> seen_;
};

}  // namespace hector::naming

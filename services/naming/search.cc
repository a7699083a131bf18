#include "search.h"

#include <algorithm>

#include "attributes.h"
#include "hector/check.h"

namespace hector::naming {

void Finder::consider(const Components& name, const Entry& entry) {
  HECTOR_CHECK(!name.empty() && entry.binding != nullptr, "an entry has no name or no binding");
  const auto& binding = *entry.binding;
  if (!matches(filter_, name.back(), binding)) return;
  if (found.size() >= kFoundMax) return;
  auto& one = found.emplace_back();
  if (request_.want_reference()) {
    one = binding;
    one.clear_attributes();
  }
  one.set_name(print_name(name));
  one.set_type(type_of(binding));
  for (const auto& id : request_.want_attributes()) {
    for (const auto& attribute : binding.attributes()) {
      if (id == "*" || id == attribute.id()) *one.add_attributes() = attribute;
    }
  }
}

void Finder::search_below(const Context& context, const Components& above, Depth depth) {
  if (!seen_.insert(&context).second || above.size() > kDepthMax) return;
  std::vector<const std::pair<const std::string, Entry>*> sorted;
  for (const auto& each : context.entries) sorted.push_back(&each);
  std::sort(sorted.begin(), sorted.end(),
            [](const auto* a, const auto* b) { return a->first < b->first; });
  for (const auto* each : sorted) {
    Components name = above;
    name.push_back(each->first);
    const Entry* entry = &each->second;
    if (request_.follow_links() && !entry->binding->link().empty()) {
      auto base = parse_name(entry->binding->link());
      auto led = base ? directory_.resolve(*base, initial_, Directory::LastLink::kFollow)
                      : fail(base.error());
      if (!led || led->entry == nullptr || led->kind != Place::Kind::kAtom) continue;
      entry = led->entry;
    }
    consider(name, *entry);
    if (depth == Depth::kThis) continue;
    if (entry->child != nullptr)
      search_below(*entry->child, name, depth);
    else if (!entry->binding->next().empty())
      junctions.emplace_back(name, entry->binding->next());
  }
}

}  // namespace hector::naming

#include "database.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

namespace hector::policy {

Quark Quarks::of(std::string_view text) {
  const auto found = numbers_.find(text);
  if (found != numbers_.end()) return found->second;
  const auto made = static_cast<Quark>(numbers_.size() + 1);
  numbers_.emplace(std::string(text), made);
  return made;
}
Quark Quarks::find(std::string_view text) const {
  const auto found = numbers_.find(text);
  return found == numbers_.end() ? 0 : found->second;
}

Result<std::vector<std::string_view>> split_key(std::string_view key) {
  std::vector<std::string_view> parts;
  for (std::size_t start = 0;;) {
    const std::size_t dot = std::min(key.find('.', start), key.size());
    if (dot == start) return fail(Error{Code::kInvalidArgument, fmt::format("BAD_KEY: column {}: a component is empty, in '{}'", start + 1, key), "BAD_KEY", {}, {}});
    parts.push_back(key.substr(start, dot - start));
    if (dot == key.size()) return parts;
    start = dot + 1;
  }
}

namespace {

struct Component {
  std::string_view name;
  bool is_loose;
};

tl::unexpected<Error> bad_spec(std::size_t column, std::string_view what, std::string_view spec) {
  return fail(Error{Code::kInvalidArgument, fmt::format("BAD_SPEC: column {}: {}, in '{}'", column, what, spec), "BAD_SPEC", {}, {}});
}

Result<std::vector<Component>> components_of(std::string_view spec) {
  std::vector<Component> components;
  for (std::size_t at = 0; at < spec.size();) {
    bool is_loose = false;
    while (at < spec.size() && (spec[at] == '.' || spec[at] == '*')) is_loose = spec[at++] == '*' || is_loose;
    const std::size_t start = at;
    while (at < spec.size() && spec[at] != '.' && spec[at] != '*') ++at;
    if (at == start) return bad_spec(start + 1, "a name must follow the last '.' or '*'", spec);
    components.push_back({spec.substr(start, at - start), is_loose});
  }
  if (components.empty()) return bad_spec(1, "it has no name", spec);
  if (components.back().name == "?") return bad_spec(spec.size(), "the last component must be a name, not '?'", spec);
  if (components.size() > Database::kLevelsMax) return bad_spec(spec.size(), fmt::format("it has more than {} components", Database::kLevelsMax), spec);
  return components;
}

std::string joined(const std::vector<Component>& components) {
  std::string text;
  for (const auto& component : components) {
    if (component.is_loose) text += '*';
    else if (!text.empty()) text += '.';
    text += component.name;
  }
  return text;
}

}  // namespace

Result<std::string> Database::canonical(std::string_view spec) {
  return components_of(spec).map([](const auto& components) { return joined(components); });
}

std::uint32_t Database::child(std::uint32_t node, Quark component, bool is_loose) const {
  return edges_.find(edge(node, component, is_loose));
}

void Database::Edges::put(std::uint64_t key, std::uint32_t node) {
  if (++used_ * 2 > places_.size()) {
    auto before = std::exchange(places_, std::vector<Place>(std::max<std::size_t>(64, places_.size() * 2)));
    used_ = 0;
    for (const auto& place : before) {
      if (place.node != 0) put(place.key, place.node);
    }
    ++used_;
  }
  std::size_t at = home(key);
  while (places_[at].node != 0) at = (at + 1) & (places_.size() - 1);
  places_[at] = {key, node};
}

Status Database::put(Entry entry) {
  auto components = components_of(entry.spec);
  if (!components) return fail(components.error());
  std::uint32_t node = 0;
  for (const auto& component : *components) {
    const Quark quark = quarks_->of(component.name);
    std::uint32_t next = child(node, quark, component.is_loose);
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      edges_.put(edge(node, quark, component.is_loose), next);
      nodes_.emplace_back();
      (component.is_loose ? nodes_[node].has_loose : nodes_[node].has_tight) = true;
      nodes_[node].has_any_one = nodes_[node].has_any_one || quark == kAnyOne;
    }
    node = next;
  }
  entry.spec = joined(*components);
  if (nodes_[node].entry >= 0) {
    entries_[static_cast<std::size_t>(nodes_[node].entry)] = std::move(entry);
    return {};
  }
  nodes_[node].entry = static_cast<std::int32_t>(entries_.size());
  entries_.push_back(std::move(entry));
  ++size_;
  return {};
}

Result<bool> Database::remove(std::string_view spec) {
  auto components = components_of(spec);
  if (!components) return fail(components.error());
  std::uint32_t node = 0;
  for (const auto& component : *components) {
    node = child(node, quarks_->find(component.name), component.is_loose);
    if (node == 0) return false;
  }
  if (nodes_[node].entry < 0) return false;
  entries_[static_cast<std::size_t>(nodes_[node].entry)].spec.clear();
  nodes_[node].entry = -1;
  --size_;
  return true;
}

/// A walk down the trie, one level of the question after the other, at each the better ways first: what is found first is what counts.
struct Database::Search {
  const std::vector<Quark>& names;
  const std::vector<Quark>& classes;
  const std::function<void(const Entry&, const std::vector<Way>&)>* told;
  std::vector<Way> way;
  const Entry* found = nullptr;
  /// Where "*a*a*a" could be tried in many ways, a place that led nowhere is not visited again.
  std::set<std::uint64_t> dead;
  std::uint32_t steps = 0;
};

bool Database::step(Search& search, std::uint32_t node, std::size_t level, Quark component, Step how, bool is_skipping) const {
  if (component == 0) return false;
  for (const bool is_loose : {false, true}) {
    if (is_loose ? !nodes_[node].has_loose : is_skipping || !nodes_[node].has_tight) continue;
    const std::uint32_t next = child(node, component, is_loose);
    if (next == 0) continue;
    if (search.told != nullptr) search.way.push_back({how, is_loose});
    const bool is_over = look(search, next, level + 1, false);
    if (is_over) return true;
    if (search.told != nullptr) search.way.pop_back();
  }
  return false;
}

bool Database::look(Search& search, std::uint32_t node, std::size_t level, bool is_skipping) const {
  constexpr std::uint32_t kStepsFree = 200;
  if (level == search.names.size()) {
    if (is_skipping || nodes_[node].entry < 0) return false;
    const Entry& entry = entries_[static_cast<std::size_t>(nodes_[node].entry)];
    if (search.told == nullptr) {
      search.found = &entry;
      return true;
    }
    (*search.told)(entry, search.way);
    return false;
  }
  const bool is_last = level + 1 == search.names.size();
  const std::uint64_t place = (static_cast<std::uint64_t>(node) << 16) | (level << 1) | (is_skipping ? 1 : 0);
  if (++search.steps > kStepsFree && search.told == nullptr && search.dead.contains(place)) return false;
  if (step(search, node, level, search.names[level], Step::kName, is_skipping)) return true;
  if (search.classes[level] != search.names[level] && step(search, node, level, search.classes[level], Step::kClass, is_skipping)) return true;
  if (!is_last && nodes_[node].has_any_one && step(search, node, level, kAnyOne, Step::kAnyOne, is_skipping)) return true;
  if (!is_last && nodes_[node].has_loose) {
    if (search.told != nullptr) search.way.push_back({Step::kSkipped, true});
    if (look(search, node, level + 1, true)) return true;
    if (search.told != nullptr) search.way.pop_back();
  }
  if (search.steps > kStepsFree) search.dead.insert(place);
  return false;
}

const Entry* Database::get(const std::vector<Quark>& names, const std::vector<Quark>& classes) const {
  Search search{names, classes, nullptr, {}, nullptr, {}, 0};
  look(search, 0, 0, false);
  return search.found;
}

void Database::each_match(const std::vector<Quark>& names, const std::vector<Quark>& classes, const std::function<void(const Entry&, const std::vector<Way>&)>& told) const {
  std::set<const Entry*> known;  // one entry may match in several ways; its best one is the first
  const std::function<void(const Entry&, const std::vector<Way>&)> once = [&](const Entry& entry, const std::vector<Way>& way) {
    if (known.insert(&entry).second) told(entry, way);
  };
  Search search{names, classes, &once, {}, nullptr, {}, 0};
  look(search, 0, 0, false);
}

void Database::each_entry(const std::function<void(const Entry&)>& told) const {
  for (const auto& entry : entries_) {
    if (!entry.spec.empty()) told(entry);
  }
}

}  // namespace hector::policy

#include "database.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "hector/check.h"

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

Result<std::vector<Quark>> Quarks::find_all(std::string_view key) const {
  std::vector<Quark> parts;
  parts.reserve(8);
  for (std::size_t start = 0;;) {
    const std::size_t dot = std::min(key.find('.', start), key.size());
    if (dot == start)
      return fail(
          Error::invalid_argument(
              fmt::format("BAD_KEY: column {}: a component is empty, in '{}'", start + 1, key))
              .with_type("BAD_KEY"));
    parts.push_back(find(key.substr(start, dot - start)));
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
  return fail(
      Error::invalid_argument(fmt::format("BAD_SPEC: column {}: {}, in '{}'", column, what, spec))
          .with_type("BAD_SPEC"));
}

Result<std::vector<Component>> components_of(std::string_view spec) {
  std::vector<Component> components;
  for (std::size_t at = 0; at < spec.size();) {
    bool is_loose = false;
    while (at < spec.size() && (spec[at] == '.' || spec[at] == '*'))
      is_loose = spec[at++] == '*' || is_loose;
    const std::size_t start = at;
    while (at < spec.size() && spec[at] != '.' && spec[at] != '*') ++at;
    if (at == start) return bad_spec(start + 1, "a name must follow the last '.' or '*'", spec);
    components.push_back({spec.substr(start, at - start), is_loose});
  }
  if (components.empty()) return bad_spec(1, "it has no name", spec);
  if (components.back().name == "?")
    return bad_spec(spec.size(), "the last component must be a name, not '?'", spec);
  if (components.size() > Database::kLevelsMax)
    return bad_spec(spec.size(),
                    fmt::format("it has more than {} components", Database::kLevelsMax), spec);
  return components;
}

std::string joined(const std::vector<Component>& components) {
  std::string text;
  for (const auto& component : components) {
    if (component.is_loose)
      text += '*';
    else if (!text.empty())
      text += '.';
    text += component.name;
  }
  return text;
}

}  // namespace

Result<std::string> Database::canonical(std::string_view spec) {
  return components_of(spec).map([](const auto& components) { return joined(components); });
}

Database::Children& Database::Edges::at(std::uint64_t key) {
  HECTOR_CHECK(key != 0, "the key 0 marks a place without an edge");
  if ((used_ + 1) * 2 > places_.size()) {
    const auto before =
        std::exchange(places_, std::vector<Place>(std::max<std::size_t>(64, places_.size() * 2)));
    for (const auto& place : before) {
      if (place.key == 0) continue;
      std::size_t to = home(place.key);
      while (places_[to].key != 0) to = (to + 1) & (places_.size() - 1);
      places_[to] = place;
    }
  }
  std::size_t at = home(key);
  while (places_[at].key != 0 && places_[at].key != key) at = (at + 1) & (places_.size() - 1);
  if (places_[at].key == 0) ++used_;
  places_[at].key = key;
  return places_[at].children;
}

Status Database::put(Entry entry) {
  auto components = HECTOR_TRY(components_of(entry.spec));
  std::uint32_t node = 0;
  for (const auto& component : components) {
    const Quark quark = quarks_->of(component.name);
    auto& next = edges_.at(edge(node, quark)).node[component.is_loose ? 1 : 0];
    if (next == 0) {
      next = static_cast<std::uint32_t>(nodes_.size());
      nodes_.emplace_back();
    }
    HECTOR_CHECK(next < nodes_.size(), "an edge leads to a node that there is not");
    const bool is_leaf = &component == &components.back();
    (is_leaf ? nodes_[node].has_leaf : nodes_[node].has_inner)[component.is_loose ? 1 : 0] = true;
    nodes_[node].below |= Node::bit(quark);
    nodes_[node].has_any_one = nodes_[node].has_any_one || (!is_leaf && quark == kAnyOne);
    node = next;
  }
  entry.spec = joined(components);
  if (nodes_[node].entry >= 0) {
    HECTOR_CHECK(static_cast<std::size_t>(nodes_[node].entry) < entries_.size(),
                 "a node has an entry that there is not");
    entries_[static_cast<std::size_t>(nodes_[node].entry)] = std::move(entry);
    return {};
  }
  nodes_[node].entry = static_cast<std::int32_t>(entries_.size());
  entries_.push_back(std::move(entry));
  ++size_;
  return {};
}

Result<bool> Database::remove(std::string_view spec) {
  auto components = HECTOR_TRY(components_of(spec));
  std::uint32_t node = 0;
  for (const auto& component : components) {
    node = child(node, quarks_->find(component.name), component.is_loose);
    if (node == 0) return false;
  }
  if (nodes_[node].entry < 0) return false;
  HECTOR_CHECK(size_ > 0, "more entries are removed than were put");
  entries_[static_cast<std::size_t>(nodes_[node].entry)].spec.clear();
  nodes_[node].entry = -1;
  --size_;
  return true;
}

/// A walk down the trie, one level of the question after the other, at each the better ways first:
/// what is found first is what counts.
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

bool Database::step(Search& search, std::uint32_t node, std::size_t level, Quark component,
                    Step how, bool is_skipping) const {
  if (component == 0 || (nodes_[node].below & Node::bit(component)) == 0) return false;
  const Children children = edges_.find(edge(node, component));
  for (const bool is_loose : {false, true}) {
    const std::uint32_t next = children.node[is_loose ? 1 : 0];
    if (next == 0 || (is_skipping && !is_loose)) continue;
    if (search.told != nullptr) search.way.push_back({how, is_loose});
    if (look(search, next, level + 1, false)) return true;
    if (search.told != nullptr) search.way.pop_back();
  }
  return false;
}

/// The last component is a name or a class, and has an entry.
bool Database::look_last(Search& search, std::uint32_t node, bool is_skipping) const {
  if (!nodes_[node].has_leaf[1] && (is_skipping || !nodes_[node].has_leaf[0])) return false;
  const Quark name = search.names.back(), class_name = search.classes.back();
  for (const auto& [component, how] :
       {std::pair(name, Step::kName), std::pair(class_name, Step::kClass)}) {
    if (component == 0 || (nodes_[node].below & Node::bit(component)) == 0 ||
        (how == Step::kClass && class_name == name))
      continue;
    const Children children = edges_.find(edge(node, component));
    for (const bool is_loose : {false, true}) {
      const std::uint32_t leaf = children.node[is_loose ? 1 : 0];
      if (leaf == 0 || (is_skipping && !is_loose) || nodes_[leaf].entry < 0) continue;
      const Entry& entry = entries_[static_cast<std::size_t>(nodes_[leaf].entry)];
      if (search.told == nullptr) {
        search.found = &entry;
        return true;
      }
      search.way.push_back({how, is_loose});
      (*search.told)(entry, search.way);
      search.way.pop_back();
    }
  }
  return false;
}

bool Database::look(Search& search, std::uint32_t node, std::size_t level, bool is_skipping) const {
  /// Almost every look-up ends before; only then is it worth to note dead ends.
  constexpr std::uint32_t kStepsFree = 500;
  const std::size_t last = search.names.size() - 1;
  if (level >= last) return level == last && look_last(search, node, is_skipping);
  const Node& here = nodes_[node];
  const std::uint64_t place =
      (static_cast<std::uint64_t>(node) << 16) | (level << 1) | (is_skipping ? 1 : 0);
  if (++search.steps > kStepsFree && search.told == nullptr && search.dead.contains(place))
    return false;
  if (here.has_inner[1] || (!is_skipping && here.has_inner[0])) {
    if (step(search, node, level, search.names[level], Step::kName, is_skipping)) return true;
    if (search.classes[level] != search.names[level] &&
        step(search, node, level, search.classes[level], Step::kClass, is_skipping))
      return true;
    if (here.has_any_one && step(search, node, level, kAnyOne, Step::kAnyOne, is_skipping))
      return true;
  }
  // Where only entries hang loosely below, everything up to the last component is skipped at once.
  const std::size_t next = here.has_inner[1] ? level + 1 : last;
  if (here.has_inner[1] || here.has_leaf[1]) {
    if (search.told != nullptr)
      search.way.resize(search.way.size() + next - level, Way{Step::kSkipped, true});
    if (look(search, node, next, true)) return true;
    if (search.told != nullptr) search.way.resize(search.way.size() - (next - level));
  }
  if (search.steps > kStepsFree) search.dead.insert(place);
  return false;
}

const Entry* Database::get(const std::vector<Quark>& names,
                           const std::vector<Quark>& classes) const {
  HECTOR_CHECK(names.size() == classes.size(), "a question has a name without a class");
  Search search{names, classes, nullptr, {}, nullptr, {}, 0};
  if (!names.empty()) look(search, 0, 0, false);
  return search.found;
}

void Database::each_match(
    const std::vector<Quark>& names, const std::vector<Quark>& classes,
    const std::function<void(const Entry&, const std::vector<Way>&)>& told) const {
  HECTOR_CHECK(names.size() == classes.size(), "a question has a name without a class");
  std::set<const Entry*> known;  // one entry may match in several ways; its best one is the first
  const std::function<void(const Entry&, const std::vector<Way>&)> once =
      [&](const Entry& entry, const std::vector<Way>& way) {
        if (known.insert(&entry).second) told(entry, way);
      };
  Search search{names, classes, &once, {}, nullptr, {}, 0};
  if (!names.empty()) look(search, 0, 0, false);
}

void Database::each_entry(const std::function<void(const Entry&)>& told) const {
  for (const auto& entry : entries_) {
    if (!entry.spec.empty()) told(entry);
  }
}

}  // namespace hector::policy

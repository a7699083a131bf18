#include "offers.h"

#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "hector/check.h"

namespace hector::trading {

using expression::Operator;
using expression::Preference;
using expression::Program;

namespace {

std::uint64_t number_of_id(std::string_view id) {
  const auto hash = id.rfind('#');
  std::uint64_t number = 0;
  if (hash != std::string_view::npos)
    std::from_chars(id.data() + hash + 1, id.data() + id.size(), number);
  return number;
}

}  // namespace

void Offers::clear() {
  size_ = 0;
  types_.clear();
  attributes_ = {};
  links_.clear();
}

void Offers::apply(const StoreEvent& event) {
  const std::string& key = event.entry.key;
  const bool is_put = event.kind == StoreEvent::Kind::kPut;
  const std::string name = key.size() > 2 ? key.substr(2) : "";
  if (key.rfind("o/", 0) == 0) {
    erase_offer(name);
    if (is_put) put_offer(name, event.entry);
  } else if (key.rfind("t/", 0) == 0) {
    auto& type = types_[name];
    type.is_declared =
        is_put && type.model.ParseFromArray(event.entry.value.data(),
                                            static_cast<int>(event.entry.value.size()));
    if (!type.is_declared) type.model.Clear();
    type.model.set_name(name);
    type.model.set_incarnation(type.is_declared ? event.entry.created : 0);
    if (!type.is_declared && type.offers.empty() && type.proxies.empty()) types_.erase(name);
  } else if (key.rfind("l/", 0) == 0) {
    v1::TradingLink link;
    if (is_put &&
        link.ParseFromArray(event.entry.value.data(), static_cast<int>(event.entry.value.size())))
      links_[name] = std::move(link);
    else
      links_.erase(name);
  } else if (key == "a") {
    attributes_.Clear();
    if (is_put)
      static_cast<void>(attributes_.ParseFromArray(event.entry.value.data(),
                                                   static_cast<int>(event.entry.value.size())));
  }
}

void Offers::place(Type& type, Offer& offer, bool is_there) {
  const auto put = [&](Column<Offer>& column, const Value& value) {
    is_there ? column.insert(value, &offer) : column.erase(value, &offer);
  };
  for (const auto& each : offer.properties.all()) {
    const bool is_list = each.value.kind == expression::Kind::kList;
    put(type.columns[each.name],
        is_list && each.value.size != 0 ? each.value.items[0] : each.value);
    if (!is_list) continue;
    std::vector<Value> items(each.value.items, each.value.items + each.value.size);
    std::sort(items.begin(), items.end(), expression::sorts_before);
    items.erase(std::unique(items.begin(), items.end(),
                            [](const Value& a, const Value& b) {
                              return !expression::sorts_before(a, b) &&
                                     !expression::sorts_before(b, a);
                            }),
                items.end());
    for (const auto& item : items) put(type.items[each.name], item);
  }
}

void Offers::put_offer(const std::string& id, const StoreEntry& entry) {
  v1::TradingOffer model;
  if (!model.ParseFromArray(entry.value.data(), static_cast<int>(entry.value.size()))) return;
  auto properties = Properties::of(model.properties(), names_);
  if (!properties) return;  // it was read before it was taken
  auto& type = types_[model.type()];
  type.model.set_name(model.type());
  auto offer = std::make_unique<Offer>();
  offer->number = number_of_id(id);
  offer->type = &type;
  offer->properties = std::move(*properties);
  offer->model = entry.value;
  highest_ = std::max(highest_, offer->number);
  ++size_;
  if (model.has_proxy()) {
    type.proxies.emplace(offer->number, std::move(offer));
    return;
  }
  place(type, *offer, true);
  if (model.dynamic_size() > 0) type.dynamic.insert(offer->number);
  const std::uint64_t number = offer->number;
  const bool is_new = type.offers.emplace(number, std::move(offer)).second;
  HECTOR_CHECK(is_new, "two offers of a type have one number");
}

void Offers::erase_offer(const std::string& id) {
  auto* const offer = const_cast<Offer*>(find(id));  // it is ours
  if (offer == nullptr) return;
  Type& type = *offer->type;
  HECTOR_CHECK(size_ > 0, "more offers are erased than there are");
  --size_;
  if (type.proxies.erase(offer->number) == 0) {
    place(type, *offer, false);
    type.dynamic.erase(offer->number);
    type.offers.erase(offer->number);
  }
  if (type.offers.empty() && type.proxies.empty() && !type.is_declared)
    types_.erase(type.model.name());
}

const Offer* Offers::find(const std::string& id) const {
  const auto type = types_.find(std::string_view(id).substr(0, id.rfind('#')));
  const std::uint64_t number = number_of_id(id);
  if (type == types_.end() || !id.ends_with(fmt::format("#{}", number))) return nullptr;
  for (const auto* list : {&type->second.offers, &type->second.proxies}) {
    if (const auto found = list->find(number); found != list->end()) return found->second.get();
  }
  return nullptr;
}
const Type* Offers::type(const std::string& name) const {
  const auto found = types_.find(name);
  return found == types_.end() ? nullptr : &found->second;
}
std::vector<std::string> Offers::types_since(std::int64_t incarnation) const {
  std::vector<std::string> names;
  for (const auto& [name, type] : types_) {
    if (type.is_declared && type.model.incarnation() > incarnation) names.push_back(name);
  }
  return names;
}
std::vector<std::string> Offers::proxies() const {
  std::vector<std::string> list;
  for (const auto& [name, type] : types_) {
    for (const auto& [number, offer] : type.proxies)
      list.push_back(fmt::format("{}#{}", name, number));
  }
  return list;
}
std::vector<std::string> Offers::ids(std::size_t from, std::size_t count) const {
  std::vector<std::string> list;
  for (const auto& [name, type] : types_) {
    for (const auto& [number, offer] : type.offers) {
      if (from > 0) {
        --from;
        continue;
      }
      if (list.size() == count) return list;
      list.push_back(fmt::format("{}#{}", name, number));
    }
  }
  return list;
}

bool Offers::is_subtype(const std::string& name, const std::string& of) const {
  std::set<std::string> known;
  std::vector<std::string> open{name};
  while (!open.empty()) {
    const std::string each = open.back();
    open.pop_back();
    if (each == of) return true;
    const Type* found = known.insert(each).second ? type(each) : nullptr;
    if (found != nullptr)
      open.insert(open.end(), found->model.supers().begin(), found->model.supers().end());
  }
  return false;
}
std::vector<const Type*> Offers::subtypes(const std::string& name) const {
  std::vector<const Type*> list;
  for (const auto& [each, type] : types_) {
    if (each != name && is_subtype(each, name)) list.push_back(&type);
  }
  return list;
}
std::vector<v1::TradingPropertyType> Offers::all_properties(const v1::TradingType& model) const {
  std::vector<v1::TradingPropertyType> all;
  std::set<std::string> known, names;
  std::function<void(const v1::TradingType&)> add = [&](const v1::TradingType& each) {
    for (const auto& property : each.properties()) {
      if (names.insert(property.name()).second) all.push_back(property);
    }
    for (const auto& super : each.supers()) {
      const Type* found = known.insert(super).second ? type(super) : nullptr;
      if (found != nullptr) add(found->model);
    }
  };
  add(model);
  return all;
}
/// Masking a type ends exports, not the offers that are there.
std::vector<const Type*> Offers::scope(const std::string& name, bool is_exact) const {
  std::vector<const Type*> list;
  if (const Type* own = type(name)) list.push_back(own);
  if (!is_exact) {
    const auto more = subtypes(name);
    list.insert(list.end(), more.begin(), more.end());
  }
  return list;
}

// --- search
// ----------------------------------------------------------------------------------------------

Slots::Slots(const Program& program, const Names& names) {
  for (const auto& name : program.tree().names) ids_.push_back(names.find(name));
  values_.resize(ids_.size());
}
const std::vector<Value>& Slots::of(const Offer& offer) {
  for (std::size_t i = 0; i < ids_.size(); ++i) values_[i] = offer.properties.get(ids_[i]);
  return values_;
}

Value rank_of(const Preference& preference, const Offer& offer, Slots& slots) {
  if (preference.kind == Preference::Kind::kFirst || preference.kind == Preference::Kind::kRandom)
    return {};
  const Value value = preference.program.run(slots.of(offer));
  return value.is_number() || value.kind == expression::Kind::kBoolean ? value : Value();
}

/// Neighbours in one column that a part of the constraint asks for.
struct Offers::Run {
  const Column<Offer>* column = nullptr;
  Column<Offer>::Place from, to;
  std::size_t count = 0;
  std::string what;
};

namespace {

bool is_leaf(const expression::Node& node) {
  return node.op == Operator::kName || node.op == Operator::kLiteral;
}

/// The relation as it reads with the name on the left.
Operator turned(Operator op) {
  switch (op) {
    case Operator::kLess:
      return Operator::kGreater;
    case Operator::kLessEqual:
      return Operator::kGreaterEqual;
    case Operator::kGreater:
      return Operator::kLess;
    case Operator::kGreaterEqual:
      return Operator::kLessEqual;
    default:
      return op;
  }
}

}  // namespace

/// Only what has to hold for the whole to be TRUE is asked here, so the whole is evaluated on what
/// is found. Nothing: no index helps.
std::optional<Offers::Run> Offers::run_of(const Type& type, const expression::Tree& tree,
                                          expression::NodeId id) const {
  const auto& node = tree[id];
  const auto run_in = [&](const std::unordered_map<NameId, Column<Offer>>& columns,
                          const std::string& name, auto&& places,
                          std::string_view what) -> std::optional<Run> {
    const auto column = columns.find(names_.find(name));
    if (column == columns.end()) return Run{nullptr, {}, {}, 0, name};  // no offer has the property
    Run made{&column->second, {}, {}, 0, fmt::format("{} {}", name, what)};
    std::tie(made.from, made.to) = places(column->second);
    made.count = made.column->count(made.from, made.to);
    return made;
  };
  const auto run = [&](const std::string& name, auto&& places, std::string_view what) {
    return run_in(type.columns, name, places, what);
  };
  const auto whole = [](const Column<Offer>& column) {
    return std::pair(column.begin(), column.end());
  };
  const auto equal = [](const Value& value) {
    return [value](const Column<Offer>& column) {
      return std::pair(column.lower(value), column.upper(value));
    };
  };
  if (node.op == Operator::kExist) return run(tree.names[node.name], whole, "is there");
  if (node.op == Operator::kName)
    return run(tree.names[node.name], equal(Value::of(true)), "is TRUE");
  if (node.op == Operator::kNot && tree[node.left].op == Operator::kName)
    return run(tree.names[tree[node.left].name], equal(Value::of(false)), "is FALSE");
  if (node.op == Operator::kIn && tree[node.left].op == Operator::kLiteral &&
      tree[node.right].op == Operator::kName) {
    const Value& item = tree[node.left].literal;
    return run_in(type.items, tree.names[tree[node.right].name], equal(item),
                  fmt::format("has {}", expression::print(item)));
  }
  if (node.op < Operator::kEqual || node.op > Operator::kGreaterEqual ||
      node.op == Operator::kUnequal)
    return std::nullopt;
  if (!is_leaf(tree[node.left]) || !is_leaf(tree[node.right]) ||
      tree[node.left].op == tree[node.right].op)
    return std::nullopt;
  const bool is_turned = tree[node.left].op == Operator::kLiteral;
  const Operator op = is_turned ? turned(node.op) : node.op;
  const Value& literal = tree[is_turned ? node.left : node.right].literal;
  const std::string& name = tree.names[tree[is_turned ? node.right : node.left].name];
  const std::string what = fmt::format("{} {}",
                                       op == Operator::kEqual       ? "=="
                                       : op == Operator::kLess      ? "<"
                                       : op == Operator::kLessEqual ? "<="
                                       : op == Operator::kGreater   ? ">"
                                                                    : ">=",
                                       expression::print(literal));
  return run(
      name,
      [&](const Column<Offer>& column) {
        switch (op) {
          case Operator::kEqual:
            return std::pair(column.lower(literal), column.upper(literal));
          case Operator::kLess:
            return std::pair(column.begin(), column.lower(literal));
          case Operator::kLessEqual:
            return std::pair(column.begin(), column.upper(literal));
          case Operator::kGreater:
            return std::pair(column.upper(literal), column.end());
          default:
            return std::pair(column.lower(literal), column.end());
        }
      },
      what);
}

/// The shortest run of all parts, and the share of the type's offers that may match if the parts
/// have nothing to do with each other. False: none can.
bool Offers::narrow(const Type& type, const Program& constraint, std::optional<Run>& best,
                    double& share) const {
  if (constraint.is_always()) return true;
  /// The share of offers that a part lets through of which nothing is known.
  constexpr double kUnknown = 0.5;
  const auto& tree = constraint.tree();
  for (const auto id : tree.conjuncts()) {
    auto run = run_of(type, tree, id);
    if (!run) {
      share *= kUnknown;
      continue;
    }
    if (run->column == nullptr) return false;
    share *= static_cast<double>(run->count) /
             static_cast<double>(std::max<std::size_t>(type.offers.size(), 1));
    if (!best || run->count < best->count) best = std::move(run);
  }
  return true;
}

/// What is found on the way.
struct Offers::Evaluation {
  const Offers& offers;
  const Program& constraint;
  const Preference& preference;
  std::size_t wanted;
  Answer& answer;
  struct Match {
    Value rank;
    const Offer* offer;
  };
  Slots slots{constraint, offers.names_}, rank_slots{preference.program, offers.names_};
  std::vector<Match> matches;

  bool look(const Offer& offer) {
    ++answer.looked_at;
    if (!constraint.is_always() && !constraint.matches(slots.of(offer))) return false;
    matches.push_back({rank_of(preference, offer, rank_slots), &offer});
    return true;
  }
  /// All between, or until `enough` match. Offers lie anywhere in memory: those that come next are
  /// fetched while one is looked at.
  std::size_t look_at(const Column<Offer>& column, Column<Offer>::Place from,
                      Column<Offer>::Place to, std::size_t enough) {
    constexpr std::size_t kAhead = 16;  // power of two; half of it from an offer to its properties
    static_assert((kAhead & (kAhead - 1)) == 0);
    const Offer* next[kAhead];
    std::size_t fetched = 0, looked = 0, found = 0;
    const auto fetch = [&] {
      if (from == to) return;
      const Offer* const offer = column[from].offer;
      from = column.next(from);
      __builtin_prefetch(offer);
      next[fetched++ % kAhead] = offer;
    };
    for (std::size_t i = 0; i < kAhead; ++i) fetch();
    for (; looked < fetched && found < enough; ++looked) {
      if (looked + kAhead / 2 < fetched)
        next[(looked + kAhead / 2) % kAhead]->properties.prefetch();
      found += look(*next[looked % kAhead]);
      fetch();
    }
    return found;
  }
  /// Best first: the rank, what has none last, then the order of export.
  bool before(const Match& left, const Match& right) const {
    if (left.rank.is_defined() != right.rank.is_defined()) return left.rank.is_defined();
    const bool is_ascending = preference.kind == Preference::Kind::kMin;
    if (expression::sorts_before(left.rank, right.rank)) return is_ascending;
    if (expression::sorts_before(right.rank, left.rank)) return !is_ascending;
    return left.offer->number < right.offer->number;
  }
  void order(Random& random) {
    if (preference.kind == Preference::Kind::kRandom) {
      std::sort(matches.begin(), matches.end(),
                [](const Match& a, const Match& b) { return a.offer->number < b.offer->number; });
      for (std::size_t i = matches.size(); i > 1; --i)
        std::swap(matches[i - 1], matches[random.next() % i]);
    } else {
      const auto end =
          matches.begin() + static_cast<std::ptrdiff_t>(std::min(wanted, matches.size()));
      std::partial_sort(matches.begin(), end, matches.end(),
                        [this](const Match& a, const Match& b) { return before(a, b); });
    }
    for (const auto& match : matches) {
      if (answer.offers.size() == wanted) break;
      answer.offers.push_back(match.offer);
    }
  }
};

/// In the order of export, over all types, until `wanted` match.
void Offers::search_in_order(const std::vector<const Type*>& types, Evaluation& evaluation) const {
  using At = std::map<std::uint64_t, std::unique_ptr<Offer>>::const_iterator;
  std::vector<std::pair<At, At>> open;
  for (const Type* type : types) open.emplace_back(type->offers.begin(), type->offers.end());
  while (evaluation.matches.size() < evaluation.wanted) {
    std::pair<At, At>* next = nullptr;
    for (auto& each : open) {
      if (each.first != each.second && (next == nullptr || each.first->first < next->first->first))
        next = &each;
    }
    if (next == nullptr) return;
    evaluation.look(*next->first->second);
    ++next->first;
  }
}

/// From the better end of a column, equal values in the order of export: when enough have matched,
/// no later one is better.
void Offers::search_by_value(Evaluation& evaluation, bool is_descending,
                             const Column<Offer>& column) const {
  std::size_t found = 0;
  const auto look = [&](auto from, auto to) {
    found += evaluation.look_at(column, from, to, evaluation.wanted - found);
  };
  if (!is_descending) return look(column.begin(), column.end());
  for (auto to = column.end(); to != column.begin() && found < evaluation.wanted;) {
    const auto from = column.lower(column[column.previous(to)].value);
    look(from, to);
    to = from;
  }
}

Answer Offers::query(const std::vector<const Type*>& types, const Program& constraint,
                     const Preference& preference, const Cards& cards, Random& random) const {
  Answer answer;
  std::size_t total = 0;
  for (const Type* type : types) total += type->offers.size();
  Evaluation evaluation{*this, constraint, preference, cards.result, answer};
  if (total > cards.search || total > cards.match) {
    // A card may bite: what is considered is decided by the order of export alone.
    answer.plan = fmt::format("in the order of export, {} offers at most", cards.search);
    Evaluation considered{*this, constraint, preference, SIZE_MAX, answer};
    std::vector<const Offer*> all;
    for (const Type* type : types) {
      for (const auto& [number, offer] : type->offers) all.push_back(offer.get());
    }
    std::sort(all.begin(), all.end(),
              [](const Offer* a, const Offer* b) { return a->number < b->number; });
    bool searched = all.size() > cards.search, matched = false;
    for (std::size_t i = 0; i < all.size() && i < cards.search; ++i) {
      if (considered.matches.size() == cards.match) {
        matched = true;
        searched = false;
        break;
      }
      considered.look(*all[i]);
    }
    if (searched) answer.limits_applied.emplace_back("search_card");
    if (matched) answer.limits_applied.emplace_back("match_card");
    evaluation.matches = std::move(considered.matches);
  } else {
    const bool is_ordered =
        preference.kind != Preference::Kind::kFirst && preference.kind != Preference::Kind::kRandom;
    const bool may_stop = preference.kind == Preference::Kind::kFirst;
    std::vector<const Type*> unsearched;
    for (const Type* type : types) {
      std::optional<Run> run;
      double share = 1;
      if (!narrow(*type, constraint, run, share)) continue;
      // A walk in the preferred order looks at about wanted / share offers, a run at all of it.
      const auto& tree = preference.program.tree();
      const Column<Offer>* ranked = nullptr;
      if (is_ordered && preference.kind != Preference::Kind::kWith &&
          tree[tree.root].op == Operator::kName) {
        const auto column = type->columns.find(names_.find(tree.names[tree[tree.root].name]));
        if (column != type->columns.end() && column->second.size() == type->offers.size())
          ranked = &column->second;
      }
      const double count =
          static_cast<double>(run ? std::max<std::size_t>(run->count, 1) : type->offers.size());
      const double walk = static_cast<double>(evaluation.wanted) / std::max(share, 1e-12);
      if (ranked != nullptr && walk < count) {
        answer.plan += fmt::format("{}{}: in the order of {}", answer.plan.empty() ? "" : "; ",
                                   type->model.name(), tree.names[tree[tree.root].name]);
        search_by_value(evaluation, preference.kind == Preference::Kind::kMax, *ranked);
      } else if (run && !(may_stop && walk < count)) {
        answer.plan +=
            fmt::format("{}{}: where {} (about {} of {})", answer.plan.empty() ? "" : "; ",
                        type->model.name(), run->what, run->count, type->offers.size());
        evaluation.look_at(*run->column, run->from, run->to, SIZE_MAX);
      } else {
        unsearched.push_back(type);
      }
    }
    if (!unsearched.empty()) {
      answer.plan += fmt::format("{}all in the order of export", answer.plan.empty() ? "" : "; ");
      Evaluation rest{*this, constraint, preference, may_stop ? evaluation.wanted : SIZE_MAX,
                      answer};
      search_in_order(unsearched, rest);
      evaluation.matches.insert(evaluation.matches.end(), rest.matches.begin(), rest.matches.end());
    }
  }
  evaluation.order(random);
  return answer;
}

}  // namespace hector::trading

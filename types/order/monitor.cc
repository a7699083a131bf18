#include "types/order/monitor.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::types {

namespace {

/// Up to here a table costs some kilobytes a party; larger orders come of many members, and a party
/// meets few of their states.
constexpr std::size_t kTableStatesMax = 256;

}  // namespace

Monitor::Monitor(const hector::type::v1::Binding& binding, View view)
    : binding_(binding), view_(std::move(view)) {
  node_ = first_ = project(binding_, view_, language_);
  auto automaton = build_automaton(language_, node_, kTableStatesMax);
  if (!automaton) return;
  symbols_ = std::move(automaton->symbols);
  for (const auto& row : automaton->next) table_.insert(table_.end(), row.begin(), row.end());
  ends_ = std::move(automaton->accepting);
  states_ = static_cast<State>(automaton->size());
  state_ = start_ = automaton->start;
  HECTOR_CHECK(start_ < states_, "an automaton without a start");
  HECTOR_CHECK(table_.size() == states_ * symbols_.size() && ends_.size() == states_,
               "the table is not rectangular");
  // Once for all steps: none leads out of the table.
  for (const State to : table_)
    HECTOR_CHECK(to < states_ || to == Automaton::kNone,
                 "a step leads to a state that is not there");
}

Automaton::Column Monitor::column_of(Symbol symbol) const noexcept {
  for (std::size_t c = 0; c < symbols_.size(); ++c) {
    if (symbols_[c] == symbol) return static_cast<Automaton::Column>(c);
  }
  return Automaton::kNone;
}

bool Monitor::step_derived(Symbol symbol) noexcept {
  const std::lock_guard lock(mutex_);
  return advance(symbol);
}

/// A language only grows. Before it is full it is made again; the numbers of its expressions
/// change, so the visited states are derived again from the symbols taken.
void Monitor::derive_again() {
  const auto taken = std::move(visited_);
  visited_.clear();
  language_ = Regular();
  node_ = first_ = project(binding_, view_, language_);
  for (const auto& [state, symbol] : taken) {
    visited_.emplace_back(node_, symbol);
    node_ = language_.after(node_, symbol);
    HECTOR_CHECK(node_ != Regular::kVoid, "symbols taken before are not allowed any more");
  }
}

bool Monitor::advance(Symbol symbol) {
  if (language_.size() > Regular::kNodesMax / 4) derive_again();
  const Regular::Node to = language_.after(node_, symbol);
  if (to == Regular::kVoid) return false;
  visited_.emplace_back(node_, symbol);
  const auto before = std::find_if(visited_.begin(), visited_.end(),
                                   [&](const auto& state) { return state.first == to; });
  visited_.erase(before, visited_.end());
  node_ = to;
  return true;
}

std::vector<Symbol> Monitor::trace() {
  if (has_table()) return shortest_trace(current());
  const std::lock_guard lock(mutex_);
  std::vector<Symbol> word;
  for (const auto& [state, symbol] : visited_) word.push_back(symbol);
  return word;
}

std::vector<Symbol> Monitor::shortest_trace(State goal) const {
  struct Step {
    State from = Automaton::kNone;
    std::size_t column = 0;
  };
  std::vector<Step> reached_by(states_);
  std::vector<State> reached{start_};
  for (std::size_t i = 0; i < reached.size() && reached[i] != goal; ++i) {
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      const State to = next(reached[i], c);
      if (to == Automaton::kNone || to == start_ || reached_by[to].from != Automaton::kNone)
        continue;
      reached_by[to] = {reached[i], c};
      reached.push_back(to);
    }
  }
  std::vector<Symbol> word;
  for (State state = goal; state != start_; state = reached_by[state].from) {
    HECTOR_CHECK(reached_by[state].from != Automaton::kNone, "no word leads to the current state");
    word.push_back(symbols_[reached_by[state].column]);
  }
  std::reverse(word.begin(), word.end());
  return word;
}

bool Monitor::replay(const std::vector<Symbol>& word) {
  if (has_table()) {
    const State before = state_.exchange(start_);
    if (std::all_of(word.begin(), word.end(), [this](Symbol symbol) { return step(symbol); }))
      return true;
    state_ = before;
    return false;
  }
  const std::vector<Symbol> before = trace();
  const std::lock_guard lock(mutex_);
  const auto from_start = [&](const std::vector<Symbol>& symbols) {
    node_ = first_;
    visited_.clear();
    return std::all_of(symbols.begin(), symbols.end(),
                       [this](Symbol symbol) { return advance(symbol); });
  };
  if (from_start(word)) return true;
  const bool is_back = from_start(before);
  HECTOR_CHECK(is_back, "the monitor's own trace is not allowed");
  return false;
}

bool Monitor::reachable_in_table(State from, Automaton::Column column) const {
  if (column == Automaton::kNone) return false;
  HECTOR_CHECK(from < states_, "the monitor is in a state that there is not");
  std::vector<bool> seen(states_, false);
  std::vector<State> pending{from};
  while (!pending.empty()) {
    const State state = pending.back();
    pending.pop_back();
    if (seen[state]) continue;
    seen[state] = true;
    if (next(state, column) != Automaton::kNone) return true;
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      if (next(state, c) != Automaton::kNone) pending.push_back(next(state, c));
    }
  }
  return false;
}

bool Monitor::reachable(Symbol symbol) {
  if (has_table()) return reachable_in_table(current(), column_of(symbol));
  const std::lock_guard lock(mutex_);  // what still occurs in the expression may still come
  const auto left = language_.alphabet(node_);
  return std::find(left.begin(), left.end(), symbol) != left.end();
}

Monitor::Answer Monitor::look(Symbol symbol) {
  return reachable(symbol) ? Answer::kNotYet : Answer::kNever;
}

const std::string& Monitor::name(Symbol symbol) const {
  HECTOR_CHECK(
      symbol_interaction(symbol) < static_cast<std::uint32_t>(binding_.interactions_size()),
      "a symbol of another Binding type");
  return binding_.interactions(static_cast<int>(symbol_interaction(symbol))).name();
}

bool Monitor::allows_any(const std::vector<std::uint32_t>& interactions) {
  const auto is_wanted = [&](Symbol symbol) {
    return std::find(interactions.begin(), interactions.end(), symbol_interaction(symbol)) !=
           interactions.end();
  };
  if (has_table()) {
    const State state = current();
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      if (is_wanted(symbols_[c]) && next(state, c) != Automaton::kNone) return true;
    }
    return false;
  }
  const std::lock_guard lock(mutex_);
  const auto& first = language_.first(node_);
  return std::any_of(first.begin(), first.end(), is_wanted);
}

std::string Monitor::allowed() {
  std::vector<std::string> names;
  const auto add = [&](Symbol symbol) {
    if (std::find(names.begin(), names.end(), name(symbol)) == names.end())
      names.push_back(name(symbol));
  };
  if (has_table()) {
    const State state = current();
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      if (next(state, c) != Automaton::kNone) add(symbols_[c]);
    }
  } else {
    const std::lock_guard lock(mutex_);
    for (const Symbol symbol : language_.first(node_)) {
      if (language_.after(node_, symbol) != Regular::kVoid) add(symbol);
    }
  }
  std::string text;
  for (const auto& each : names) text += (text.empty() ? "" : ", ") + each;
  return text.empty() ? "nothing" : text;
}

std::vector<Symbol> Monitor::needed_for(Symbol symbol) {
  std::vector<Symbol> needed;
  if (has_table()) {
    const State state = current();
    const Automaton::Column column = column_of(symbol);
    if (column == Automaton::kNone || next(state, column) != Automaton::kNone) return needed;
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      const State to = next(state, c);
      if (to != Automaton::kNone && reachable_in_table(to, column)) needed.push_back(symbols_[c]);
    }
    return needed;
  }
  const std::lock_guard lock(mutex_);
  const auto first = language_.first(node_);  // a copy: after() makes new expressions
  if (std::find(first.begin(), first.end(), symbol) != first.end()) return needed;
  for (const Symbol each : first) {
    const Regular::Node to = language_.after(node_, each);
    if (to == Regular::kVoid) continue;
    const auto left = language_.alphabet(to);
    if (std::find(left.begin(), left.end(), symbol) != left.end()) needed.push_back(each);
  }
  return needed;
}

bool Monitor::may_end() {
  if (has_table()) return ends_[current()];
  const std::lock_guard lock(mutex_);
  return language_.may_end(node_);
}

}  // namespace hector::types

#include "types/order/monitor.h"

#include <algorithm>
#include <set>

namespace hector::types {

namespace {
constexpr std::size_t kTableStatesMax = 256;
}

Monitor::Monitor(const hector::type::v1::Binding& binding, View view)
    : binding_(binding), view_(std::move(view)) {
  node_ = first_ = project(binding_, view_, language_);
  auto automaton = build_automaton(language_, node_, kTableStatesMax);
  if (!automaton) return;
  symbols_ = automaton->symbols;
  for (std::size_t s = 0; s < automaton->next.size(); ++s) {
    table_.insert(table_.end(), automaton->next[s].begin(), automaton->next[s].end());
    table_ends_.push_back(automaton->accepting[s]);
  }
  if (table_.empty()) table_.push_back(Automaton::kNone);
  state_ = start_ = automaton->start;
}

std::int32_t Monitor::row_of(Symbol symbol) const noexcept {
  for (std::size_t c = 0; c < symbols_.size(); ++c) {
    if (symbols_[c] == symbol) return static_cast<std::int32_t>(c);
  }
  return Automaton::kNone;
}

bool Monitor::step(Symbol symbol) noexcept {
  if (!table_.empty()) {
    const std::int32_t column = row_of(symbol);
    if (column == Automaton::kNone) return false;
    const auto width = static_cast<std::int32_t>(symbols_.size());
    std::int32_t state = state_.load(std::memory_order_acquire);
    for (;;) {
      const std::int32_t next = table_[static_cast<std::size_t>(state * width + column)];
      if (next == Automaton::kNone) return false;
      if (next == state || state_.compare_exchange_weak(state, next, std::memory_order_acq_rel))
        return true;
    }
  }
  const std::lock_guard lock(mutex_);
  return advance(symbol);
}

bool Monitor::advance(Symbol symbol) {
  if (language_.size() >
      Regular::kNodesMax / 4) {  // numbers change: where it has been is made again from what it did
    auto word = std::move(been_);
    been_.clear();
    language_ = Regular();
    node_ = first_ = project(binding_, view_, language_);
    for (const auto& [place, by] : word) {
      been_.emplace_back(node_, by);
      node_ = language_.after(node_, by);
    }
  }
  const Regular::Node next = language_.after(node_, symbol);
  if (next == Regular::kVoid) return false;
  been_.emplace_back(node_, symbol);
  const auto before = std::find_if(been_.begin(), been_.end(),
                                   [&](const auto& place) { return place.first == next; });
  been_.erase(before, been_.end());
  node_ = next;
  return true;
}

std::vector<Symbol> Monitor::way() {
  std::vector<Symbol> word;
  if (table_.empty()) {
    const std::lock_guard lock(mutex_);
    for (const auto& [place, by] : been_) word.push_back(by);
    return word;
  }
  const std::size_t width = symbols_.size();
  const std::int32_t goal = state_.load(std::memory_order_acquire);
  std::vector<std::pair<std::int32_t, std::size_t>> from(table_ends_.size(), {Automaton::kNone, 0});
  std::vector<std::int32_t> reached{start_};
  for (std::size_t i = 0; i < reached.size() && reached[i] != goal; ++i) {
    for (std::size_t c = 0; c < width; ++c) {
      const std::int32_t next = table_[static_cast<std::size_t>(reached[i]) * width + c];
      if (next == Automaton::kNone || next == start_ ||
          from[static_cast<std::size_t>(next)].first != Automaton::kNone)
        continue;
      from[static_cast<std::size_t>(next)] = {reached[i], c};
      reached.push_back(next);
    }
  }
  for (std::int32_t state = goal; state != start_;
       state = from[static_cast<std::size_t>(state)].first) {
    word.push_back(symbols_[from[static_cast<std::size_t>(state)].second]);
  }
  std::reverse(word.begin(), word.end());
  return word;
}

bool Monitor::walk(const std::vector<Symbol>& word) {
  if (!table_.empty()) {
    const std::int32_t before = state_.exchange(start_);
    for (const Symbol symbol : word) {
      if (step(symbol)) continue;
      state_ = before;
      return false;
    }
    return true;
  }
  const std::vector<Symbol> before = way();
  const std::lock_guard lock(mutex_);
  const auto go = [&](const std::vector<Symbol>& symbols) {
    node_ = first_;
    been_.clear();
    return std::all_of(symbols.begin(), symbols.end(),
                       [this](Symbol symbol) { return advance(symbol); });
  };
  if (go(word)) return true;
  go(before);
  return false;
}

bool Monitor::reachable(Symbol symbol) {
  if (!table_.empty()) {
    const std::int32_t column = row_of(symbol);
    if (column == Automaton::kNone) return false;
    const std::size_t width = symbols_.size();
    std::set<std::int32_t> seen;
    std::vector<std::int32_t> todo{state_.load(std::memory_order_acquire)};
    while (!todo.empty()) {
      const auto state = static_cast<std::size_t>(todo.back());
      todo.pop_back();
      if (!seen.insert(static_cast<std::int32_t>(state)).second) continue;
      if (table_[state * width + static_cast<std::size_t>(column)] != Automaton::kNone) return true;
      for (std::size_t c = 0; c < width; ++c) {
        const auto next = table_[state * width + c];
        if (next != Automaton::kNone) todo.push_back(next);
      }
    }
    return false;
  }
  const std::lock_guard lock(mutex_);  // what still occurs in the expression may still come
  const auto left = language_.alphabet(node_);
  return std::find(left.begin(), left.end(), symbol) != left.end();
}

Monitor::Answer Monitor::look(Symbol symbol) {
  return reachable(symbol) ? Answer::kNotYet : Answer::kNever;
}

std::string Monitor::name(Symbol symbol) const {
  return binding_.interactions(static_cast<int>(symbol_interaction(symbol))).name();
}

bool Monitor::allows_any(const std::vector<std::uint32_t>& interactions) {
  const auto is_wanted = [&](Symbol symbol) {
    return std::find(interactions.begin(), interactions.end(), symbol_interaction(symbol)) !=
           interactions.end();
  };
  if (!table_.empty()) {
    const auto state = static_cast<std::size_t>(state_.load(std::memory_order_acquire));
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      if (is_wanted(symbols_[c]) && table_[state * symbols_.size() + c] != Automaton::kNone)
        return true;
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
  if (!table_.empty()) {
    const auto state = static_cast<std::size_t>(state_.load(std::memory_order_acquire));
    for (std::size_t c = 0; c < symbols_.size(); ++c) {
      if (table_[state * symbols_.size() + c] != Automaton::kNone) add(symbols_[c]);
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

bool Monitor::may_end() {
  if (!table_.empty())
    return table_ends_.empty() || table_ends_[static_cast<std::size_t>(state_.load())];
  const std::lock_guard lock(mutex_);
  return language_.may_end(node_);
}

}  // namespace hector::types

// What: Database, resources found by wildcard keys with X's exact precedence (Xlib, section 15.2
// and 15.3: Resource File Syntax, Resource Manager Matching Rules).
// Why: policies are few and general, questions many and exact: the most specific one counts, by
// rules that are forty years old and known.
// Who: Policy's contexts; `hector policy get --db`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "hector/result.h"

namespace hector::policy {

/// A component's number; the same text has the same one. 0 is none.
using Quark = std::uint32_t;
inline constexpr Quark kAnyOne = 1;  ///< "?"

/// Any number of databases share one. One thread at a time adds.
class Quarks {
 public:
  Quarks() { of("?"); }
  /// Makes one if there is none yet.
  Quark of(std::string_view text);
  /// 0 if there is none: then no database has it.
  [[nodiscard]] Quark find(std::string_view text) const;
  /// Of each component of "x.a.b". INVALID_ARGUMENT (BAD_KEY): an empty one, or none at all.
  [[nodiscard]] Result<std::vector<Quark>> find_all(std::string_view key) const;

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>()(text);
    }
  };
  std::unordered_map<std::string, Quark, Hash, std::equal_to<>> numbers_;
};

struct Entry {
  std::string spec;  ///< in its canonical form: "*a.?.b"
  std::string value;
  std::uint32_t line = 0;  ///< in the text it came from
  bool is_final = false;
  std::int64_t valid_until_s = 0;  ///< seconds since 1970; 0: for ever
};

/// How a level of the question was met.
enum class Step : std::uint8_t { kName, kClass, kAnyOne, kSkipped };
struct Way {
  Step step;
  bool is_loose;  ///< met after a "*"
  friend bool operator==(const Way&, const Way&) = default;
};

/// One thread at a time changes it, or many ask.
class Database {
 public:
  explicit Database(Quarks& quarks) : quarks_(&quarks) { nodes_.emplace_back(); }
  static constexpr std::size_t kLevelsMax = 100;  ///< components of a name

  /// A spec put twice: the last one counts. INVALID_ARGUMENT (BAD_SPEC) with the column.
  Status put(Entry entry);
  /// False if it is not there. INVALID_ARGUMENT (BAD_SPEC).
  Result<bool> remove(std::string_view spec);
  /// The entry that counts; null if none matches. `names` and `classes` are equally many.
  [[nodiscard]] const Entry* get(const std::vector<Quark>& names,
                                 const std::vector<Quark>& classes) const;
  /// Every entry that matches, best first, with how each level was met.
  void each_match(const std::vector<Quark>& names, const std::vector<Quark>& classes,
                  const std::function<void(const Entry&, const std::vector<Way>&)>& told) const;
  /// Every entry below a prefix of the question, in the order they were put.
  void each_entry(const std::function<void(const Entry&)>& told) const;
  [[nodiscard]] std::size_t size() const noexcept { return size_; }
  /// "x..*a.b" as "x*a.b".
  static Result<std::string> canonical(std::string_view spec);

 private:
  /// What is below a node: "inner" children have children of their own, "leaf" ones an entry. What
  /// is not there is not looked for.
  struct Node {
    std::int32_t entry = -1;
    bool has_inner[2] = {}, has_leaf[2] = {};  ///< tight, loose
    bool has_any_one = false;                  ///< a "?" among the inner ones
    std::uint64_t below =
        0;  ///< one of 64 bits for each component below: most that are not there need no look
    static std::uint64_t bit(Quark component) {
      return std::uint64_t{1} << (component * 0x9E3779B1U >> 26);
    }
  };
  struct Children {
    std::uint32_t node[2] = {};  ///< tight, loose; 0: none
  };
  struct Search;
  static std::uint64_t edge(std::uint32_t node, Quark component) {
    return (static_cast<std::uint64_t>(node) << 32) | component;
  }
  [[nodiscard]] std::uint32_t child(std::uint32_t node, Quark component, bool is_loose) const {
    return edges_.find(edge(node, component)).node[is_loose ? 1 : 0];
  }
  bool look(Search& search, std::uint32_t node, std::size_t level, bool is_skipping) const;
  bool look_last(Search& search, std::uint32_t node, bool is_skipping) const;
  bool step(Search& search, std::uint32_t node, std::size_t level, Quark component, Step how,
            bool is_skipping) const;

  Quarks* quarks_;
  std::vector<Node> nodes_;
  /// Open addressing: a step down the trie is one look into memory. Nothing is ever taken out.
  class Edges {
   public:
    [[nodiscard]] Children find(std::uint64_t key) const noexcept {
      if (places_.empty()) return {};
      for (std::size_t at = home(key);; at = (at + 1) & (places_.size() - 1)) {
        if (places_[at].key == key) return places_[at].children;
        if (places_[at].key == 0) return {};
      }
    }
    /// The place of the key, made if it is not there.
    Children& at(std::uint64_t key);

   private:
    struct Place {
      std::uint64_t key = 0;  ///< 0: free; a component is never 0
      Children children;
    };
    [[nodiscard]] std::size_t home(std::uint64_t key) const noexcept {
      return static_cast<std::size_t>((key ^ (key >> 32)) * 0x9E3779B97F4A7C15ULL >> 38) &
             (places_.size() - 1);
    }
    std::vector<Place> places_;
    std::size_t used_ = 0;
  };
  Edges edges_;
  std::vector<Entry> entries_;
  std::size_t size_ = 0;
};

}  // namespace hector::policy

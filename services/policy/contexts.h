// What: Contexts, the databases of all policy contexts, their chains and bundles: Policy's state.
// Why: the first context of a chain that has a match counts, unless an outer one says "final" (the
// paper, section 6; X's own merging is merge_view).
// Who: the Policy servant; `hector policy get --db`; the bench.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "hector/service/v1/policy.pb.h"
#include "resource_file.h"
#include "state/replica.h"

namespace hector::policy {

namespace v1 = hector::service::v1;

struct Place {
  std::string capsule, host, network;
};

/// A question that has been taken apart once.
struct Question {
  std::vector<Quark> names, classes;
  std::vector<std::string> chain;  ///< nearest first
};

struct Found {
  const Entry* entry = nullptr;
  const std::string* context = nullptr;
};

/// "object:NAME", "capsule:NAME", "host:NAME", "network:NAME" or "enterprise". INVALID_ARGUMENT
/// (BAD_CONTEXT).
Status check_context(std::string_view context);

/// Reads hold Replica::read(), or nothing else changes it. Keys of the store: "e/<context> <spec>"
/// an entry, "c/<context>" a chain, "b/<context> <n>" a part of a bundle's text.
class Contexts final : public state::Machine {
 public:
  using Now = std::function<std::int64_t()>;
  /// `now`: seconds since 1970.
  explicit Contexts(Now now) : now_(std::move(now)) {}

  void clear() override;
  void apply(const StoreEvent& event) override;
  void applied(Revision revision) override;
  void published(Revision revision) override {
    if (on_change) on_change(revision);
  }
  /// Called without a lock after each change.
  std::function<void(Revision)> on_change;

  /// INVALID_ARGUMENT (BAD_KEY): empty components, or not equally many.
  [[nodiscard]] Result<Question> question(std::string_view name, std::string_view class_name,
                                          std::vector<std::string> chain) const;
  /// The chain that starts at a context, everything expanded, each context once.
  [[nodiscard]] std::vector<std::string> chain_of(const std::string& context,
                                                  const Place& place) const;
  [[nodiscard]] std::vector<std::string> next_of(const std::string& context,
                                                 const Place& place) const;
  /// Whether setting this chain would lead back to its own context.
  [[nodiscard]] bool makes_cycle(const std::string& context, const std::vector<std::string>& next,
                                 const Place& place) const;
  [[nodiscard]] Found get(const Question& question) const;
  /// The same, remembered under a key that says all of the question until anything changes. `make`
  /// makes the question; its error is not remembered.
  [[nodiscard]] Result<Found> get(const std::string& key,
                                  const std::function<Result<Question>()>& make) const;
  [[nodiscard]] v1::PolicyExplanation explain(const Question& question) const;
  /// All entries of the chain as X would merge them: the same spec of a nearer context hides a
  /// farther one's.
  [[nodiscard]] v1::PolicyEntries merged(const std::vector<std::string>& chain) const;
  /// Those that would match a question beginning like this.
  [[nodiscard]] v1::PolicyEntries enumerate(const Question& prefix, bool one_level) const;
  [[nodiscard]] bool has(const std::string& context, const std::string& spec) const;
  [[nodiscard]] std::uint64_t bundle_version(const std::string& context) const;
  /// Puts a text's entries into the context "text". INVALID_ARGUMENT (BAD_SPEC).
  Status try_text(std::string_view text, Dialect dialect);
  [[nodiscard]] std::size_t bundle_parts(const std::string& context) const;

 private:
  struct Context {
    std::map<std::string, Entry> entries;             ///< by spec
    std::map<std::string, std::string> bundle_parts;  ///< by number
    std::vector<Entry> bundle;
    std::uint64_t version = 0;
    std::unique_ptr<Database> database;
    bool has_expiries = false;
    bool is_bundle_new = false, is_new = false;
  };
  [[nodiscard]] const Entry* winner(const Context& context, const Question& question) const;
  [[nodiscard]] bool is_over(const Entry& entry) const {
    return entry.valid_until_s != 0 && entry.valid_until_s <= now_();
  }
  void rebuild(Context& context);

  Now now_;
  Quarks quarks_;
  std::map<std::string, Context, std::less<>> contexts_;
  std::map<std::string, std::vector<std::string>> chains_;
  std::vector<std::string> changed_;
  bool has_expiries_ = false;  ///< then nothing is remembered: what counts changes by itself
  static constexpr std::size_t kRememberedMax = 100'000;  ///< answers; above it all are forgotten
  mutable std::mutex remembered_mutex_;
  mutable std::unordered_map<std::string, Found> remembered_;
};

/// The version in a bundle's first line, and its expiry. INVALID_ARGUMENT (BAD_BUNDLE).
struct BundleHead {
  std::uint64_t version = 0;
  std::int64_t expires_s = 0;
};
Result<BundleHead> read_bundle_head(std::string_view text);

v1::PolicyEntry model_of(const Entry& entry, const std::string& context);

}  // namespace hector::policy

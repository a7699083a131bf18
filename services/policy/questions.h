// What: Questions, the operations of Policy that read: values and how they come about.
// Why: they need the contexts and where this capsule is, and neither calls, locks nor a store.
// Who: the Policy servant.
#pragma once

#include <map>
#include <mutex>

#include "contexts.h"

namespace hector::policy {

/// Every function is called while the contexts do not change; `revision` is theirs.
class Questions {
 public:
  Questions(const Contexts& contexts, Place place)
      : contexts_(contexts), place_(std::move(place)) {}

  /// NOT_FOUND (NO_MATCH); FAILED_PRECONDITION if `at_least` is later than the revision.
  Result<v1::PolicyValue> get(const v1::PolicyQuestion& asked, Revision revision) const;
  /// TYPE_ERROR says which entry has no value of the type.
  Result<v1::PolicyTyped> get_typed(const v1::PolicyTypedQuestion& asked, Revision revision) const;
  Result<v1::PolicyEntries> enumerate(const v1::PolicyPrefix& asked) const;
  [[nodiscard]] v1::PolicyEntries merge_view(const v1::PolicyQuestion& asked) const;
  Result<v1::PolicyExplanation> explain(const v1::PolicyQuestion& asked) const;
  Result<v1::PolicyChain> get_chain(const v1::PolicyContext& asked) const;
  /// BAD_KEY, or a context of the chain that is none.
  Result<Question> question_of(const v1::PolicyQuestion& asked) const;

 private:
  [[nodiscard]] Place place_of(const v1::PolicyQuestion& question) const;
  template <class Request>
  std::vector<std::string> chain_of(const Request& request, const Place& place) const;
  const Contexts& contexts_;
  const Place place_;
};

/// The question asked of a text alone; nothing is kept.
Result<v1::PolicyExplanation> try_out(const v1::PolicyTrial& trial, Contexts::Now now);

/// XrmQGetSearchList: the chain and the first components once, the last ones many times. Any
/// thread.
class SearchLists {
 public:
  static constexpr std::size_t kMax = 10'000;  ///< lists that are remembered
  /// The oldest is forgotten when there are kMax.
  v1::PolicyHandle add(const v1::PolicySearchList& list);
  /// FAILED_PRECONDITION (BAD_KEY) if it has been forgotten.
  Result<v1::PolicyQuestion> question(const v1::PolicyLeaf& leaf) const;

 private:
  mutable std::mutex mutex_;
  std::map<std::uint64_t, v1::PolicySearchList> lists_;
  std::uint64_t next_ = 1;
};

}  // namespace hector::policy

#include "engine/history.h"

#include <algorithm>

#include "hector/check.h"

namespace hector::stores {

const History::Version* History::at(const std::vector<Version>& versions, Revision revision) {
  for (auto each = versions.rbegin(); each != versions.rend(); ++each) {
    if (each->modified <= revision) return &*each;
  }
  return nullptr;
}

StoreEntry History::entry_of(const std::string& key, const Version& version) {
  return {key, version.value, version.created, version.modified, version.version, version.lease};
}

/// Of a logged revision: it is there until it is compacted.
std::vector<History::Version>::const_iterator History::of_revision(
    const std::vector<Version>& versions, Revision revision) {
  const auto found = std::find_if(versions.begin(), versions.end(),
                                  [&](const Version& each) { return each.modified == revision; });
  HECTOR_CHECK(found != versions.end(), "a logged revision has no version");
  return found;
}

void History::count(bool was_there, bool is_there) {
  if (is_there && !was_there) ++entries_;
  if (!was_there || is_there) return;
  HECTOR_CHECK(entries_ > 0, "more keys are erased than there are");
  --entries_;
}

void History::start_at(Revision compacted, Revision latest) {
  HECTOR_CHECK(compacted <= latest, "a store is compacted beyond its latest revision");
  HECTOR_CHECK(latest >= latest_, "a record is later than the store");
  compacted_ = compacted;
  latest_ = latest;
}

void History::apply(const Record& record) {
  HECTOR_CHECK(record.revision > 0 && record.revision >= latest_, "a revision goes backwards");
  const auto key = keys_.try_emplace(record.key).first;
  auto& versions = key->second;
  const bool was_there = !versions.empty() && versions.back().version != 0;
  count(was_there, record.is_put);
  if (versions.empty()) versions.reserve(1);
  versions.push_back({record.value, record.revision, record.created,
                      record.is_put ? record.version : 0, record.lease, record.sub});
  log_.push_back({record.revision, key});
  latest_ = record.revision;
}

void History::undo(Revision after) {
  HECTOR_CHECK(after <= latest_ && after >= compacted_,
               "what is undone was compacted or never was");
  while (!log_.empty() && log_.back().revision > after) {
    auto key = log_.back().key;
    log_.pop_back();
    auto& versions = key->second;
    HECTOR_CHECK(!versions.empty() && versions.back().modified > after,
                 "the last version of a key is not the one that is undone");
    const bool is_there = versions.back().version != 0;
    versions.pop_back();
    const bool was_there = !versions.empty() && versions.back().version != 0;
    count(is_there, was_there);
    if (versions.empty()) keys_.erase(key);
  }
  latest_ = after;
}

std::vector<std::pair<Revision, std::uint32_t>> History::superseded(Revision revision) const {
  std::vector<std::pair<Revision, std::uint32_t>> list;
  for (const auto& [at, key] : log_) {
    if (at > revision) break;
    const auto& versions = key->second;
    const auto own = of_revision(versions, at);
    if (own != versions.begin()) list.emplace_back((own - 1)->modified, (own - 1)->sub);
    if (own->version == 0) list.emplace_back(own->modified, own->sub);
  }
  std::sort(list.begin(), list.end());
  list.erase(std::unique(list.begin(), list.end()), list.end());
  return list;
}

void History::compact(Revision revision) {
  HECTOR_CHECK(revision <= latest_, "a store is compacted beyond its latest revision");
  while (!log_.empty() && log_.front().revision <= revision) {
    const auto [at, key] = log_.front();
    log_.pop_front();
    auto& versions = key->second;
    // No read goes behind this version any more; of an erased key nothing is left.
    const auto own = of_revision(versions, at);
    versions.erase(versions.begin(), own->version == 0 ? own + 1 : own);
    if (versions.empty()) keys_.erase(key);
  }
  compacted_ = std::max(compacted_, revision);
}

std::optional<StoreEntry> History::find(std::string_view key, Revision revision) const {
  const auto found = keys_.find(key);
  if (found == keys_.end()) return std::nullopt;
  const auto* version = at(found->second, revision);
  if (version == nullptr || version->version == 0) return std::nullopt;
  return entry_of(found->first, *version);
}

StorePage History::range(const StoreRead& request, Revision revision) const {
  StorePage page;
  page.revision = revision;
  if (request.range.is_one()) {
    if (auto entry = find(request.range.from, revision)) page.entries.push_back(std::move(*entry));
    return page;
  }
  const auto take = [&](const auto& key) {
    const auto* version = at(key.second, revision);
    if (version == nullptr || version->version == 0) return true;
    if (request.limit != 0 && page.entries.size() == request.limit) {
      page.next = page.entries.back().key;
      return false;
    }
    page.entries.push_back(entry_of(key.first, *version));
    return true;
  };
  if (request.range.to <= request.range.from) return page;
  if (request.reverse) {
    auto end = keys_.lower_bound(!request.after.empty() && request.after < request.range.to
                                     ? request.after
                                     : request.range.to);
    const auto begin = keys_.lower_bound(request.range.from);
    while (end != begin && take(*--end)) continue;
    return page;
  }
  auto each = !request.after.empty() && request.after >= request.range.from
                  ? keys_.upper_bound(request.after)
                  : keys_.lower_bound(request.range.from);
  for (const auto end = keys_.lower_bound(request.range.to);
       each != end && (each == keys_.end() || each->first < request.range.to) && take(*each);
       ++each)
    continue;
  return page;
}

void History::each_change(Revision from, Revision to, const KeyRange& range, bool with_previous,
                          const std::function<void(const StoreChange&)>& told) const {
  auto each = std::lower_bound(
      log_.begin(), log_.end(), from,
      [](const Logged& logged, Revision revision) { return logged.revision < revision; });
  StoreChange change;
  const auto tell = [&] {
    if (!change.events.empty()) told(change);
    change.events.clear();
  };
  for (; each != log_.end() && each->revision <= to; ++each) {
    if (each->revision != change.revision) tell();
    change.revision = each->revision;
    if (!range.contains(each->key->first)) continue;
    const auto& versions = each->key->second;
    const auto* version = at(versions, each->revision);
    HECTOR_CHECK(version != nullptr && version->modified == each->revision,
                 "a logged revision has no version");
    StoreEvent event{version->version != 0 ? StoreEvent::Kind::kPut : StoreEvent::Kind::kErase,
                     entry_of(each->key->first, *version),
                     {}};
    if (with_previous && version != versions.data() && (version - 1)->version != 0)
      event.previous = entry_of(each->key->first, *(version - 1));
    change.events.push_back(std::move(event));
  }
  tell();
}

void History::each_record(const std::function<void(const Record&)>& told) const {
  std::vector<std::pair<Revision, Keys::const_iterator>> current;
  for (auto key = keys_.begin(); key != keys_.end(); ++key) {
    HECTOR_CHECK(!key->second.empty(), "a key is kept that has no version");
    if (key->second.back().version != 0) current.emplace_back(key->second.back().modified, key);
  }
  std::stable_sort(current.begin(), current.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [revision, key] : current) {
    const auto& version = key->second.back();
    told({revision, true, key->first, version.value, version.created, version.version,
          version.lease, version.sub});
  }
}

}  // namespace hector::stores

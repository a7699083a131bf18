#include "blobs.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "state/signature.h"

namespace hector::type_service {

using state::digest_of;

void Blobs::remember(const std::string& digest, std::shared_ptr<const std::string> content) {
  const std::lock_guard lock(mutex_);
  const std::size_t size = content->size();
  if (!remembered_.emplace(digest, std::move(content)).second) return;
  octets_ += size;
  order_.push_back(digest);
  while (octets_ > kRememberedOctetsMax && order_.size() > 1) {
    const auto oldest = remembered_.find(order_.front());
    HECTOR_CHECK(oldest != remembered_.end() && oldest->second->size() <= octets_,
                 "a remembered content is not counted");
    octets_ -= oldest->second->size();
    remembered_.erase(oldest);
    order_.pop_front();
  }
}

Result<std::string> Blobs::put(const std::string& content) {
  if (content.size() > kOctetsMax)
    return fail(Code::kResourceExhausted,
                fmt::format("a description or module may have {} octets, this one has {}",
                            kOctetsMax, content.size()));
  const std::string digest = digest_of(content);
  const std::string key = key_of(digest);
  StoreTransaction transaction;
  std::size_t part = 0;
  for (std::size_t at = 0; at < content.size() || part == 0; at += kPartOctets, ++part) {
    transaction.then.push_back(
        StoreOperation::put(fmt::format("{}{:04}", key, part),
                            Bytes::copy(std::string_view(content).substr(at, kPartOctets))));
    if (transaction.then.size() < 4) continue;
    auto kept = commit_and_wait(store_, std::exchange(transaction, {}));
    if (!kept) return fail(kept.error());
  }
  if (!transaction.then.empty()) {
    auto kept = commit_and_wait(store_, std::move(transaction));
    if (!kept) return fail(kept.error());
  }
  return digest;
}

Result<std::shared_ptr<const std::string>> Blobs::get(const std::string& digest) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = remembered_.find(digest); found != remembered_.end())
      return found->second;
  }
  auto page = HECTOR_TRY(read_and_wait(store_, {KeyRange::prefix(key_of(digest))}));
  if (page.entries.empty())
    return fail(Code::kNotFound, fmt::format("there is no content of digest {}", digest));
  auto content = std::make_shared<std::string>();
  for (const auto& entry : page.entries) content->append(entry.value.view());
  if (digest_of(*content) != digest) {
    return fail(Error::data_loss(
                    fmt::format("BAD_SIGNATURE: what is stored under digest {} has another one: "
                                "it was altered, and is not given out",
                                digest))
                    .with_type("BAD_SIGNATURE"));
  }
  remember(digest, content);
  return std::shared_ptr<const std::string>(std::move(content));
}

}  // namespace hector::type_service

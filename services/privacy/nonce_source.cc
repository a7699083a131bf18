#include "nonce_source.h"

#include <sys/mman.h>

#include "secret.h"

namespace hector::privacy {

namespace {

NonceSource::Nonce draw_one() {
  NonceSource::Nonce nonce;
  randombytes_buf(nonce.data(), nonce.size());
  return nonce;
}

/// Zeros here, and again in each child. Null where the system has no such memory.
void* wiped_on_fork(std::size_t octets) {
  void* const page =
      ::mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (page == MAP_FAILED) return nullptr;
  if (::madvise(page, octets, MADV_WIPEONFORK) == 0) return page;
  ::munmap(page, octets);
  return nullptr;
}

}  // namespace

NonceSource::~NonceSource() {
  if (page_ != nullptr) ::munmap(page_, sizeof(Page));
}

NonceSource::Nonce NonceSource::next() {
  const std::lock_guard lock(mutex_);
  if (page_ == nullptr && is_used_) page_ = static_cast<Page*>(wiped_on_fork(sizeof(Page)));
  is_used_ = true;
  if (page_ == nullptr) return draw_one();
  if (page_->left == 0) {
    randombytes_buf(page_->nonces, sizeof page_->nonces);
    page_->left = kDrawn;
  }
  return page_->nonces[--page_->left];
}

}  // namespace hector::privacy

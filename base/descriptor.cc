#include "hector/descriptor.h"

#include <unistd.h>

#include <cerrno>

#include "hector/check.h"

namespace hector {

void Descriptor::reset() noexcept {
  if (!is_open()) return;
  const bool is_closed = ::close(release()) == 0 || errno != EBADF;
  HECTOR_CHECK(is_closed, "a descriptor is closed twice, or was never open");
}

bool write_all(int descriptor, std::string_view octets) noexcept {
  while (!octets.empty()) {
    const ssize_t written = ::write(descriptor, octets.data(), octets.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return false;
    octets.remove_prefix(static_cast<std::size_t>(written));
  }
  return true;
}

}  // namespace hector

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

}  // namespace hector

#include "hector/descriptor.h"

#include <unistd.h>

namespace hector {

void Descriptor::reset() noexcept {
  if (is_open()) ::close(release());
}

}  // namespace hector

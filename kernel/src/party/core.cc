#include "party/core.h"

#include <cstring>

#include "call/frame.h"
#include "hector/call.h"
#include "hector/check.h"

namespace hector {

namespace {

/// Trace and span ids need to be different, not secret (splitmix64).
std::uint64_t next_id(const Core& core) noexcept {
  std::uint64_t mixed = core.ids.fetch_add(0x9e3779b97f4a7c15ULL, std::memory_order_relaxed);
  mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebULL;
  return mixed ^ mixed >> 31;
}

KernelOptions with_principal(KernelOptions options) {
  HECTOR_CHECK(options.clock && options.executor && options.random && options.log,
               "a kernel is made without clock, executor, random numbers or log");
  if (options.principal.empty()) options.principal = "capsule:" + options.capsule;
  return options;
}

}  // namespace

Core::Core(const KernelOptions& given)
    : options(with_principal(given)),
      capsule_id(given.random->next()),
      ids(given.random->next()),
      references(given.capsule, capsule_id, protocols),
      own_peer{options.principal, kInProcess, options.capsule, Security::kPrivacy, true} {
  blocking.use(*options.executor);
  interceptors.add_own(*options.log);
}

void inherit(Call& call, const Core& core) {
  const Frame* frame = frames_of_this_thread;
  const Call* outer = frame == nullptr ? nullptr : frame->call;
  Header& header = call.header;
  if (outer != nullptr && outer->header.deadline < header.deadline)
    header.deadline = outer->header.deadline;
  if (header.deadline == kNever && call.kind != Kind::kStream) {
    header.deadline = core.options.clock->now() + core.limits.default_deadline.load();
  }
  if (!header.trace.is_set()) {
    if (outer != nullptr && outer->header.trace.is_set()) {
      header.trace = outer->header.trace;
    } else {
      for (int half = 0; half < 2; ++half) {
        const std::uint64_t value = next_id(core);
        std::memcpy(header.trace.trace_id.data() + 8 * half, &value, 8);
      }
      header.trace.flags = 0;
    }
    const std::uint64_t span = next_id(core);
    std::memcpy(header.trace.span_id.data(), &span, 8);
  }
}

}  // namespace hector

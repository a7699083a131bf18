// What: the memory provider: an Engine whose journal keeps nothing.
// Why: for tests, demonstrations and capsules whose state may end with them; and the model that the
// other providers are compared with.
// Who: loaded by capsules whose configuration says `store: memory`.
#include "engine/engine.h"
#include "hector/check.h"
#include "hector/plugin.h"

namespace {

using namespace hector;
using namespace hector::stores;

class NoJournal final : public Journal {
 public:
  Result<Loaded> load(const std::function<void(Record)>&) override { return Loaded{}; }
  Status append(const Batch&) override { return {}; }
  Status rewrite(const Loaded&, const History&) override { return {}; }
  bool is_instant() const noexcept override { return true; }
  std::string provider() const override { return "memory"; }
};

Store* make(const StoreContext& context) {
  auto engine = Engine::make({context.clock, context.random, context.executor, context.log},
                             std::make_unique<NoJournal>());
  HECTOR_CHECK(engine, "a store without a journal could not be loaded");
  return engine->release();
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "memory",
    .make_store = make,
};

// What: the SQLite provider: an Engine on a SqliteJournal.
// Why: the default: durable, in one file, with nothing to set up.
// Who: loaded by capsules whose configuration says `store: sqlite:/path/of/the/file`.
#include "engine/engine.h"
#include "hector/plugin.h"
#include "sqlite_journal.h"

namespace {

using namespace hector;
using namespace hector::stores;

Result<std::unique_ptr<Engine>> open(const StoreContext& context) {
  auto journal = HECTOR_TRY(SqliteJournal::open({context.location}));
  return Engine::make({context.clock, context.random, context.executor, context.log},
                      std::move(journal));
}

Store* make(const StoreContext& context) {
  auto engine = open(context);
  if (engine) return engine->release();
  if (context.why != nullptr) *context.why = engine.error();
  return nullptr;
}

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "sqlite",
    .make_store = make,
};

// What: a counter as a service: one operation of each kind.
// Why: what a new service needs is in its own folder, and this proves it.
// Who: tests/system/toy_service_test.py.
#include <atomic>
#include <chrono>

#include "hector/plugin.h"
#include "toy.hector.h"

namespace {

using namespace hector;

class Toy final : public ServiceOf<toy::CounterServant> {
 public:
  explicit Toy(const ServiceContext& context)
      : clock_(*context.clock), executor_(*context.executor) {}

  void add(const toy::Amount& asked, Reply<toy::Total> reply) override {
    if (asked.by() < 0)
      return reply.fail(Error::invalid_argument("the total only grows; reset it instead"));
    reply(total_after(asked.by()));
  }
  /// Answers after the function has returned.
  void later(const toy::Amount& asked, Reply<toy::Total> given) override {
    executor_.at(clock_.now() + std::chrono::milliseconds(1),
                 [this, reply = given.later(), by = asked.by()] { reply(total_after(by)); });
  }
  void reset(const toy::Total& asked, Reply<void> reply) override {
    total_ = asked.value();
    reply({});
  }
  void count(const toy::Range& asked, OutFlow<toy::Total> given) override {
    tell(given.later(), 1, asked.to());
  }
  void sum(InFlow<toy::Amount> in, Reply<toy::Total> given) override {
    read_on(in, given.later(), 0);
  }

 private:
  toy::Total total_after(std::int64_t by) {
    toy::Total total;
    total.set_value(total_ += by);
    return total;
  }
  static void tell(OutFlow<toy::Total> out, std::int64_t next, std::int64_t last) {
    if (next > last) return out.end();
    toy::Total total;
    total.set_value(next);
    out.write(total, [out, next, last](Status taken) {
      if (!taken) return out.fail(std::move(taken.error()));
      tell(out, next + 1, last);
    });
  }
  static void read_on(InFlow<toy::Amount> in, Reply<toy::Total> reply, std::int64_t sum) {
    in.read([in, reply, sum](Result<std::optional<toy::Amount>> amount) {
      if (!amount) return reply.fail(std::move(amount.error()));
      if (*amount) return read_on(in, reply, sum + (*amount)->by());
      toy::Total total;
      total.set_value(sum);
      reply(std::move(total));
    });
  }

  const Clock& clock_;
  Executor& executor_;
  std::atomic<std::int64_t> total_{0};
};

Service* make(const ServiceContext& context) { return std::make_unique<Toy>(context).release(); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {.size = sizeof(hector_plugin),
                                                                 .abi = HECTOR_ABI_VERSION,
                                                                 .name = "toy",
                                                                 .make_protocol = nullptr,
                                                                 .make_language = nullptr,
                                                                 .make_service = make,
                                                                 .make_store = nullptr};

#include "channel/interceptors.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/nearest.h"
#include "call/call_state.h"
#include "hector/check.h"

namespace hector {

namespace {

/// A line for each interaction, with the trace it belongs to.
class TraceInterceptor final : public Interceptor {
 public:
  explicit TraceInterceptor(Log& log) : log_(log) {}
  void ended(const Call& call, const Hop& hop, Duration took) noexcept override {
    log_.write(Level::kInfo, "interaction",
               {{"binding", hop.binding_type},
                {"interaction", hop.interaction},
                {"role", hop.role},
                {"partner", hop.partner},
                {"trace", call.header.trace.traceparent()},
                {"outcome", std::string(code_name(call.error ? call.error->code : Code::kOk))},
                {"us", std::to_string(
                           std::chrono::duration_cast<std::chrono::microseconds>(took).count())}});
  }

 private:
  Log& log_;
};

/// Authorisation: only the principal that is named, or those that begin so ("capsule:hub*").
class AllowInterceptor final : public Interceptor {
 public:
  explicit AllowInterceptor(std::string pattern) : pattern_(std::move(pattern)) {}
  Status arriving(Call& call, const Hop& hop) noexcept override {
    const std::string principal = call.peer == nullptr ? "" : call.peer->principal;
    const bool is_prefix = pattern_.ends_with('*');
    const bool allowed =
        is_prefix ? principal.starts_with(std::string_view(pattern_).substr(0, pattern_.size() - 1))
                  : principal == pattern_;
    if (allowed) return {};
    return fail(Code::kPermissionDenied,
                fmt::format("'{}' may not start '{}' at role '{}' of {}: policy allows '{}'",
                            principal, hop.interaction, hop.role, hop.binding_type, pattern_));
  }

 private:
  const std::string pattern_;
};

/// Tells the interceptors that the call is over.
class Observer final : public CallObserver {
 public:
  Observer(const InterceptorList& list, const Hop& hop, std::shared_ptr<const void> keep,
           const Clock& clock)
      : list_(list), hop_(hop), keep_(std::move(keep)), clock_(clock), began_(clock.now()) {}
  void ended(const Call& call) noexcept override {
    const Duration took = clock_.now() - began_;
    for (auto each = list_.rbegin(); each != list_.rend(); ++each) (*each)->ended(call, hop_, took);
  }

 private:
  const InterceptorList& list_;
  const Hop hop_;
  const std::shared_ptr<const void> keep_;
  const Clock& clock_;
  const TimePoint began_;
};

}  // namespace

void InterceptorTable::add_own(Log& log) {
  const std::lock_guard lock(mutex_);
  factories_["metrics"] = [](const std::string&) -> Result<std::unique_ptr<Interceptor>> {
    return std::make_unique<MetricsInterceptor>();
  };
  factories_["trace"] = [&log](const std::string&) -> Result<std::unique_ptr<Interceptor>> {
    return std::make_unique<TraceInterceptor>(log);
  };
  factories_["allow"] = [](const std::string& argument) -> Result<std::unique_ptr<Interceptor>> {
    if (argument.empty())
      return fail(Code::kInvalidArgument,
                  "the interceptor 'allow' needs a principal: allow:capsule:hub, or "
                  "allow:capsule:hub* for all that begin so");
    return std::make_unique<AllowInterceptor>(argument);
  };
}

Status InterceptorTable::add(const std::string& name, InterceptorFactory factory) {
  HECTOR_CHECK(factory, "an interceptor has no factory");
  const std::lock_guard lock(mutex_);
  if (!factories_.emplace(name, std::move(factory)).second)
    return fail(Code::kAlreadyExists, fmt::format("an interceptor named '{}' exists", name));
  return {};
}

Result<InterceptorList> InterceptorTable::make(const std::vector<std::string>& names) const {
  InterceptorList list;
  const std::lock_guard lock(mutex_);
  for (const auto& each : names) {
    const std::string name = each.substr(0, each.find(':'));
    const auto found = factories_.find(name);
    if (found == factories_.end()) {
      std::vector<std::string> known;
      for (const auto& [key, factory] : factories_) known.push_back(key);
      return fail(Code::kNotFound,
                  fmt::format("policy names an interceptor '{}'{}; there are {}", name,
                              nearest_hint(name, known), fmt::join(known, ", ")));
    }
    auto made =
        HECTOR_TRY(found->second(name.size() < each.size() ? each.substr(name.size() + 1) : ""));
    HECTOR_CHECK(made != nullptr, "a factory made no interceptor, and gave no error");
    list.push_back(std::move(made));
  }
  return list;
}

void MetricsInterceptor::ended(const Call& call, const Hop& hop, Duration took) noexcept {
  const std::lock_guard lock(mutex_);
  ++counts_.calls;
  counts_.total += took;
  counts_.longest = std::max(counts_.longest, took);
  if (!call.error) return;
  ++counts_.failed;
  counts_.last_failure =
      fmt::format("{}: {}: {}", hop.interaction, code_name(call.error->code), call.error->message);
}

MetricsInterceptor::Counts MetricsInterceptor::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

bool intercept(const InterceptorList& list, Way way, Call& call, const Hop& hop,
               const std::shared_ptr<const void>& keep, const Clock& clock) {
  HECTOR_CHECK(!list.empty(), "a channel without interceptors intercepts");
  for (const auto& each : list) {
    auto passed = way == Way::kSending ? each->sending(call, hop) : each->arriving(call, hop);
    if (passed) continue;
    call.fail(std::move(passed.error()));
    return false;
  }
  CallState::of(call).observe(std::make_unique<Observer>(list, hop, keep, clock));
  return true;
}

}  // namespace hector

#include "channel/rights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace hector {

RightsAnswer Rights::no_service() {
  return {
      false,
      "`rights: required`, and this capsule has no Policy service to ask; load services/policy, "
      "or join another capsule's",
      false};
}

RightsAnswer Rights::answer(const Result<RightsDecision>& decision) {
  if (!decision)
    return {false, fmt::format("the Policy service cannot say: {}", decision.error().text()),
            false};
  std::string why = decision->is_allowed
                        ? fmt::format("permitted by {}", fmt::join(decision->policies, ", "))
                    : decision->policies.empty()
                        ? "no policy permits it"
                        : fmt::format("forbidden by {}", fmt::join(decision->policies, ", "));
  for (const auto& each : decision->errors) why += "; " + each;
  return {decision->is_allowed, std::move(why)};
}

RightsAnswer Rights::ask(const RightsQuestion& question) const {
  auto* const service = this->service();
  return service == nullptr ? no_service() : answer(service->authorise(question));
}

}  // namespace hector

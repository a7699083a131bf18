#include "types/check/contract.h"

#include <fmt/format.h>

#include <algorithm>

#include "hector/check.h"
#include "types/model/qos.h"

namespace hector::types {

using hector::type::v1::Binding;
using hector::type::v1::Concurrency;
using hector::type::v1::Interaction;
using hector::type::v1::Qos;

namespace {

std::ptrdiff_t rank(const std::vector<std::string>& known, const std::string& value) {
  return std::find(known.begin(), known.end(), value) - known.begin();
}

void check(const std::string& operation, const Qos& offered, const Qos& required,
           std::vector<Finding>& findings) {
  const auto add = [&](const std::string& dimension, const std::string& offers,
                       const std::string& wants) {
    findings.push_back({"qos",
                        fmt::format("operation '{}': {} {} offered, {} required", operation,
                                    dimension, offers, wants),
                        {}});
  };
  if (required.deadline_ms() != 0 && offered.deadline_ms() > required.deadline_ms())
    add("deadline_ms", std::to_string(offered.deadline_ms()),
        fmt::format("at most {}", required.deadline_ms()));
  if (offered.rate_max() != 0 && required.rate_max() > offered.rate_max())
    add("rate_max", fmt::format("{}", offered.rate_max()),
        fmt::format("at least {}", required.rate_max()));
  if (offered.message_octets_max() != 0 &&
      required.message_octets_max() > offered.message_octets_max()) {
    add("message_octets_max", std::to_string(offered.message_octets_max()),
        fmt::format("at least {}", required.message_octets_max()));
  }
  if (offered.cost_max() != 0 && required.cost_max() != 0 &&
      offered.cost_max() > required.cost_max())
    add("cost_max", fmt::format("{}", offered.cost_max()),
        fmt::format("at most {}", required.cost_max()));
  const auto ranked = [&](const char* dimension, const std::vector<std::string>& known,
                          const std::string& offers, const std::string& wants) {
    if (!offers.empty() && !wants.empty() && rank(known, offers) < rank(known, wants))
      add(dimension, offers, wants);
  };
  ranked("reliability", reliabilities(), offered.reliability(), required.reliability());
  ranked("ordering", orderings(), offered.ordering(), required.ordering());
  ranked("privacy", privacies(), offered.privacy(), required.privacy());
}

const hector::type::v1::Operation* find(const hector::type::v1::Interface& interface,
                                        const std::string& name) {
  const auto found = std::find_if(interface.operations().begin(), interface.operations().end(),
                                  [&](const auto& each) { return each.name() == name; });
  return found == interface.operations().end() ? nullptr : &*found;
}

void check_concurrency(const Concurrency& offered, const Concurrency& required,
                       std::vector<Finding>& findings) {
  const auto add = [&](const std::string& what, std::uint32_t offers, std::uint32_t wants) {
    findings.push_back({"concurrency",
                        fmt::format("{}: {} permitted, {} demanded", what, offers,
                                    wants == 0 ? "no bound" : std::to_string(wants)),
                        {}});
  };
  const auto is_less = [](std::uint32_t offers, std::uint32_t wants) {
    return offers != 0 && (wants == 0 || offers < wants);
  };
  if (required.sessions_max() != 0 && is_less(offered.sessions_max(), required.sessions_max()))
    add("sessions", offered.sessions_max(), required.sessions_max());
  for (const auto& [operation, wants] : required.operations_max()) {
    const auto found = offered.operations_max().find(operation);
    if (found != offered.operations_max().end() && is_less(found->second, wants))
      add(fmt::format("operation '{}'", operation), found->second, wants);
  }
}

}  // namespace

void check_contract(const CompiledInterface& offered, const Binding& binding, std::uint32_t role,
                    const CompiledInterface& required, std::vector<Finding>& findings) {
  check_concurrency(offered.typed_model().concurrency(), required.typed_model().concurrency(),
                    findings);
  HECTOR_CHECK(role < static_cast<std::uint32_t>(binding.roles_size()), "a role of another type");
  const std::string& name = binding.roles(static_cast<int>(role)).name();
  for (const auto& interaction : binding.interactions()) {
    if (interaction.to() != name || (!interaction.has_qos() && !binding.has_qos())) continue;
    const auto* operation = find(offered.typed_model(), interaction.operation());
    if (operation == nullptr || !operation->has_qos()) continue;
    check(fmt::format("{}' as interaction '{}", interaction.operation(), interaction.name()),
          operation->qos(), required_qos(binding, interaction), findings);
  }
}

void check_contract(const CompiledInterface& newer, const CompiledInterface& older,
                    std::vector<Finding>& findings) {
  check_concurrency(newer.typed_model().concurrency(), older.typed_model().concurrency(), findings);
  for (const auto& promised : older.typed_model().operations()) {
    const auto* operation = find(newer.typed_model(), promised.name());
    if (operation == nullptr || !promised.has_qos()) continue;
    check(promised.name(), operation->qos(), promised.qos(), findings);
  }
}

}  // namespace hector::types

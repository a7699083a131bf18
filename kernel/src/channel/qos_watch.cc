#include "channel/qos_watch.h"

#include <fmt/format.h>

#include "hector/check.h"
#include "types/model/qos.h"

namespace hector {

namespace {

/// What rates are counted in, and the least time between two reports of one dimension.
constexpr Duration kSecond = std::chrono::seconds(1);

/// What policy says for "<binding>.<interaction>.<dimension>", a positive number; where the type
/// says one as well the stricter counts.
template <class Number>
Number stricter(const AskedPolicies& policies, const std::string& binding,
                const std::string& interaction, const char* dimension, Number own) {
  const auto said = policies.all.ask(binding, interaction, dimension, policies.object).values;
  if (said.empty()) return own;
  const double number = std::strtod(said.front().c_str(), nullptr);
  if (!(number > 0) || number > 1e12) return own;
  return own == 0 ? static_cast<Number>(number) : std::min(own, static_cast<Number>(number));
}

}  // namespace

std::unique_ptr<QosWatch> QosWatch::make(const hector::type::v1::Binding& type,
                                         const std::string& from, const std::string& to,
                                         const Clock& clock, const AskedPolicies& policies,
                                         Breach breach) {
  HECTOR_CHECK(breach, "a channel's breaches are told to nobody");
  std::unique_ptr<QosWatch> watch(new QosWatch(clock, std::move(breach)));
  for (const auto& interaction : type.interactions()) {
    if (interaction.from() != from || interaction.to() != to) continue;
    auto qos = types::required_qos(type, interaction);
    qos.set_deadline_ms(
        stricter(policies, type.name(), interaction.name(), "deadline_ms", qos.deadline_ms()));
    qos.set_rate_max(
        stricter(policies, type.name(), interaction.name(), "rate_max", qos.rate_max()));
    qos.set_message_octets_max(stricter(policies, type.name(), interaction.name(),
                                        "message_octets_max", qos.message_octets_max()));
    if (qos.deadline_ms() != 0 || qos.rate_max() != 0 || qos.message_octets_max() != 0)
      watch->watched_[interaction.name()].qos = qos;
  }
  return watch->watched_.empty() ? nullptr : std::move(watch);
}

Status QosWatch::sending(Call& call, const Hop& hop) noexcept {
  const auto found = watched_.find(hop.interaction);
  if (found == watched_.end()) return {};
  Watched& watched = found->second;
  const TimePoint now = clock_.now();
  if (watched.qos.deadline_ms() != 0 && call.header.deadline == kNever)
    call.header.deadline = now + std::chrono::milliseconds(watched.qos.deadline_ms());
  if (watched.qos.message_octets_max() != 0) {
    const std::size_t size = call.request.bytes().size();
    if (size > watched.qos.message_octets_max()) {
      return fail(Code::kInvalidArgument,
                  fmt::format("'{}' may have {} octets, and this message has {}", hop.interaction,
                              watched.qos.message_octets_max(), size));
    }
  }
  if (watched.qos.rate_max() == 0) return {};
  const std::lock_guard lock(mutex_);
  if (now - watched.window >= kSecond) {
    watched.window = now;
    watched.in_window = 0;
  }
  if (static_cast<double>(++watched.in_window) <= watched.qos.rate_max()) return {};
  return fail(Code::kResourceExhausted,
              fmt::format("'{}' may be started {} times a second (rate_max)", hop.interaction,
                          watched.qos.rate_max()));
}

void QosWatch::ended(const Call& call, const Hop& hop, Duration took) noexcept {
  const auto found = watched_.find(hop.interaction);
  if (found == watched_.end() || call.kind == Kind::kStream) return;
  const auto allowed = std::chrono::milliseconds(found->second.qos.deadline_ms());
  if (allowed.count() == 0 || took <= allowed) return;
  const std::string text = fmt::format(
      "'{}' took {} ms, {} required", hop.interaction,
      std::chrono::duration_cast<std::chrono::milliseconds>(took).count(), allowed.count());
  {
    const std::lock_guard lock(mutex_);
    auto& last = told_["deadline_ms"];
    const TimePoint now = clock_.now();
    if (last != TimePoint{} && now - last < kSecond) return;
    last = now;
  }
  breach_("deadline_ms", text);
}

}  // namespace hector

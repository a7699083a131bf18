#include "management/listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "base/text/nearest.h"
#include "hector/management/v1/management.pb.h"
#include "hector/sha256.h"
#include "party/party_session.h"

namespace hector {

namespace {

/// Enough of an identity to tell two apart by eye.
constexpr std::size_t kShortIdentity = 12;

class Row {
 public:
  Row(management::v1::ListReply& reply, const std::string& name) : item_(reply.add_items()) {
    item_->set_name(name);
  }
  Row& with(const std::string& field, const std::string& value) {
    auto* added = item_->add_fields();
    added->set_name(field);
    added->set_value(value);
    return *this;
  }

 private:
  management::v1::Item* item_;
};

std::string profiles_text(const std::vector<Profile>& profiles) {
  std::string text;
  for (const auto& profile : profiles)
    text += fmt::format("{}{} {}", text.empty() ? "" : ", ", profile.protocol, profile.address);
  return text;
}

const char* security_name(Security security) {
  static constexpr const char* kNames[] = {"none", "integrity", "privacy"};
  return kNames[static_cast<std::size_t>(security)];
}

std::string plural_of(const std::string& kind) {
  if (kind.empty() || kind.back() == 's') return kind;
  return kind.back() == 'y' ? kind.substr(0, kind.size() - 1) + "ies" : kind + "s";
}

std::string properties_text(const OfferProperties::Map& properties) {
  std::string text;
  for (const auto& [name, value] : properties)
    text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
  return text;
}

}  // namespace

const Listing::Kind Listing::kKinds[] = {
    {"capsules", &Listing::capsules},   {"protocols", &Listing::protocols},
    {"languages", &Listing::languages}, {"services", &Listing::services},
    {"templates", &Listing::templates}, {"objects", &Listing::objects},
    {"offers", &Listing::offers},       {"bindings", &Listing::bindings},
    {"channels", &Listing::channels},   {"types", &Listing::types},
    {"policies", &Listing::policies}};

Result<management::v1::ListReply> Listing::of(const std::string& kind) const {
  Reply reply;
  const std::string plural = plural_of(kind);
  reply.set_kind(plural);
  const auto* const known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                         [&](const Kind& each) { return plural == each.name; });
  if (known == std::end(kKinds)) {
    std::vector<std::string> names;
    for (const auto& each : kKinds) names.emplace_back(each.name);
    return fail(
        Error::invalid_argument(fmt::format("there is no kind '{}'{}; kinds are {}", kind,
                                            nearest_hint(plural, names), fmt::join(names, ", "))));
  }
  HECTOR_TRY((this->*known->list)(reply));
  return reply;
}

Status Listing::capsules(Reply& reply) const {
  auto naming = kernel_.capsule().naming();
  if (!naming) {
    Row(reply, core_.options.capsule).with("reached by", profiles_text(core_.protocols.profiles()));
    return {};
  }
  auto found = HECTOR_TRY((*naming)->list("capsules"));
  for (const auto& each : found)
    Row(reply, each.reference.capsule).with("reached by", profiles_text(each.reference.profiles));
  return {};
}

Status Listing::protocols(Reply& reply) const {
  for (const auto& name : core_.protocols.names()) {
    auto capabilities = core_.protocols.capabilities(name);
    std::string addresses;
    for (const auto& profile : core_.protocols.profiles()) {
      if (profile.protocol == name) addresses += (addresses.empty() ? "" : ", ") + profile.address;
    }
    std::string kinds = "rpc announce stream";
    if (capabilities && capabilities->multicast) kinds += " multicast";
    Row(reply, name)
        .with("address", addresses)
        .with("kinds", kinds)
        .with("security", security_name(capabilities ? capabilities->security : Security::kNone))
        .with("channels", std::to_string(core_.protocols.channels(name)));
  }
  return {};
}

Status Listing::languages(Reply& reply) const {
  for (const auto& [name, formats] : kernel_.templates().languages())
    Row(reply, name).with("formats", formats);
  return {};
}

Status Listing::services(Reply& reply) const {
  for (const auto& [name, provider] : kernel_.providers().list())
    Row(reply, name).with("provider", provider);
  return {};
}

Status Listing::templates(Reply& reply) const {
  for (const auto& loaded : kernel_.templates().list()) {
    Row(reply, loaded.name)
        .with("language", loaded.language)
        .with("interface", loaded.interface_id)
        .with("objects", std::to_string(loaded.objects))
        .with("build", loaded.build)
        .with("state", loaded.is_replaced ? "replaced" : "current")
        .with("file", loaded.path);
  }
  return {};
}

namespace {

/// "idle", or what it is at: the call that has run longest.
std::string state_text(const std::vector<RunningCall>& running, std::uint32_t unanswered) {
  if (running.empty())
    return unanswered == 0 ? "idle"
                           : fmt::format("no thread inside, {} calls unanswered", unanswered);
  const auto& first = running.front();
  const std::string more =
      running.size() == 1 ? "" : fmt::format(", and {} more", running.size() - 1);
  return fmt::format("{} {}{}", first.late ? "overdue" : "running", first.text(), more);
}

std::string ms_text(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::milliseconds>(time).count());
}

void add_activity(Row& row, const ObjectWatch& watch, const ObjectHost& host) {
  auto running = watch.running(host);
  std::stable_sort(running.begin(), running.end(),
                   [](const auto& a, const auto& b) { return a.running > b.running; });
  row.with("state", state_text(running, host.unanswered()))
      .with("unanswered", std::to_string(host.unanswered()))
      .with("queued", std::to_string(host.queued()))
      .with("processor ms", ms_text(watch.processor(host)));
  if (running.empty()) return;
  const auto& first = running.front();
  row.with("operation", first.operation)
      .with("since", time_text(first.since))
      .with("running ms", ms_text(first.running))
      .with("late ms", first.late ? ms_text(*first.late) : "")
      .with("call processor ms", ms_text(first.processor));
}

}  // namespace

Status Listing::objects(Reply& reply) const {
  kernel_.watch().look();
  for (const auto& offer : core_.offers.all()) {
    if (offer->is_system) continue;
    const auto& host = *offer->host;
    Row row(reply, offer->object);
    row.with("interface", offer->interface->id())
        .with("template", host.options().template_name)
        .with("thread", host.options().thread == ThreadModel::kPrivate ? "private" : "pooled")
        .with("calls", std::to_string(host.calls()))
        .with("principal", offer->principal());
    add_activity(row, kernel_.watch(), host);
  }
  // Deleted, and a call is still inside.
  for (const auto& [offer, call] : kernel_.watch().all_running()) {
    if (core_.offers.find_object(offer->object) == offer) continue;
    Row(reply, offer->object)
        .with("interface", offer->interface->id())
        .with("template", offer->host->options().template_name)
        .with("state", "deleted, still running " + call.text())
        .with("operation", call.operation);
  }
  return {};
}

Status Listing::offers(Reply& reply) const {
  for (const auto& offer : core_.offers.all()) {
    Row(reply, offer->object)
        .with("interface", offer->interface->id())
        .with("offer", id_text(offer->id))
        .with("sessions", std::to_string(offer->sessions.load()))
        .with("properties", properties_text(offer->properties.get()));
  }
  return {};
}

Status Listing::bindings(Reply& reply) const {
  for (const auto& controller : kernel_.bindings().all()) {
    std::string parties;
    const auto formation = controller->formation();
    for (const auto& party : formation.parties())
      parties += fmt::format("{}{}={}", parties.empty() ? "" : " ", party.role(), party.object());
    Row(reply, id_text(controller->id()))
        .with("type", hector::types::binding_id(controller->type()))
        .with("state", controller->state_text())
        .with("parties", parties);
  }
  return {};
}

Status Listing::channels(Reply& reply) const {
  for (const auto& session : core_.parties.all()) {
    for (const auto& channel : session->channels()) {
      Row row(reply, fmt::format("{}->{}", session->offer()->object, channel.party.object));
      row.with("binding", id_text(session->binding()))
          .with("role", channel.role)
          .with("protocol", channel.profile.protocol)
          .with("address", channel.profile.address)
          .with("sent", std::to_string(channel.sent))
          .with("why", channel.why)
          .with("hides", channel.hides);
      if (!channel.metrics) continue;
      const auto& counts = *channel.metrics;
      const auto us = [](Duration time) {
        return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(time).count());
      };
      row.with("calls", std::to_string(counts.calls))
          .with("failed", std::to_string(counts.failed))
          .with("mean us", us(counts.total / std::max<std::uint64_t>(counts.calls, 1)))
          .with("longest us", us(counts.longest))
          .with("last failure", counts.last_failure);
    }
  }
  return {};
}

Status Listing::types(Reply& reply) const {
  for (const auto& type : core_.types.interfaces()) {
    Row(reply, type->id())
        .with("kind", "interface")
        .with("source", core_.types.origin(type->id()))
        .with("identity", type->identity().substr(0, kShortIdentity))
        .with("description", type->typed_model().description());
  }
  for (const auto& type : core_.types.bindings()) {
    Row(reply, hector::types::binding_id(type))
        .with("kind", "binding")
        .with("source", core_.types.origin(hector::types::binding_id(type)))
        .with("identity", sha256_hex(type.SerializeAsString()).substr(0, kShortIdentity))
        .with("description", type.description());
  }
  for (const auto& type : core_.types.interaction_types()) {
    Row(reply, hector::types::interaction_type_id(type))
        .with("kind", "interaction")
        .with("source", core_.types.origin(hector::types::interaction_type_id(type)))
        .with("identity", sha256_hex(type.SerializeAsString()).substr(0, kShortIdentity))
        .with("description", type.description());
  }
  return {};
}

/// What the kernel goes by, without what a Policy service says.
Status Listing::policies(Reply& reply) const {
  for (const auto& entry : core_.policies.own())
    Row(reply, entry.key)
        .with("value", fmt::format("{}", fmt::join(entry.values, " ")))
        .with("source", "configuration");
  for (const auto& each : kernel_policies())
    Row(reply, fmt::format("*{}", each.resource))
        .with("value", each.otherwise)
        .with("source", "built in");
  return {};
}

}  // namespace hector

#include "cli_trade.h"

#include <fmt/ranges.h>
#include <google/protobuf/struct.pb.h>

#include <memory>

#include "cli_object.h"
#include "hector/service/v1/trading.pb.h"
#include "run_directory.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "trading";
constexpr int kExitUsage = 2;

struct Arguments {
  std::string type, where, prefer, object, id, interface, undefined;
  std::vector<std::string> properties, policies, supers, deleted;
  std::uint32_t how_many = 0;
  bool explains = false, is_strict = false, is_full = false;
};

/// "name=value"; a value that is no JSON is a string.
bool read_pairs(const std::vector<std::string>& pairs, google::protobuf::Map<std::string, std::string>& out, bool as_json) {
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      report({Code::kInvalidArgument, fmt::format("'{}' is not NAME=VALUE", pair), {}, {}, {}});
      return false;
    }
    std::string value = pair.substr(equals + 1);
    google::protobuf::Value read;
    if (as_json && !google::protobuf::util::JsonStringToMessage(value, &read).ok()) value = json_quoted(value);
    out[pair.substr(0, equals)] = value;
  }
  return true;
}

std::string properties_of(const s::TradingOffer& offer) {
  const std::map<std::string, std::string> sorted(offer.properties().begin(), offer.properties().end());
  std::string text;
  for (const auto& [name, value] : sorted) text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text;
}
void show_offers(const s::TradingOffers& reply) {
  for (const auto& offer : reply.offers()) fmt::print("{:<28} {} @ {}  {}\n", offer.id(), offer.reference().object(), offer.reference().capsule(), properties_of(offer));
  if (reply.limits_applied_size() != 0) fmt::print("cut by {}\n", fmt::join(reply.limits_applied(), ", "));
  if (reply.iterator() != 0) fmt::print("there are more (-n)\n");
}
void show_explanation(const s::TradingExplanation& reply) {
  fmt::print("{} of {} offers looked at: {}\n", reply.candidates(), reply.offers(), reply.plan());
  for (const auto& verdict : reply.verdicts()) {
    fmt::print("{:>3} {} {}{}\n", verdict.place() != 0 ? std::to_string(verdict.place()) : "-", verdict.id(), verdict.object(), verdict.rank().empty() ? "" : fmt::format("  ranked by {}", verdict.rank()));
    for (const auto& reason : verdict.reasons()) fmt::print("      {}\n", reason);
  }
}
void show_revision(const s::TradingRevision& reply) { fmt::print("revision {}\n", reply.revision()); }
std::string mode_name(s::TradingMode mode) {
  constexpr const char* kNames[] = {"", " readonly", " mandatory", " mandatory readonly"};
  return kNames[static_cast<int>(mode) & 3];
}
void show_type(const s::TradingType& type) {
  fmt::print("service {}{}{}\n", type.name(), type.supers_size() == 0 ? "" : fmt::format(" : {}", fmt::join(type.supers(), ", ")), type.masked() ? "  (masked)" : "");
  if (!type.interface().empty()) fmt::print("  interface {}\n", type.interface());
  for (const auto& property : type.properties()) fmt::print("  {}{}: {}\n", property.name(), mode_name(property.mode()), property.type());
}

/// "ppm:long:mandatory", modes joined by '+'.
bool read_property(const std::string& text, s::TradingPropertyType& out) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  const std::string mode = second == std::string::npos ? "" : text.substr(second + 1);
  const std::map<std::string, s::TradingMode> modes{{"", s::TRADING_NORMAL}, {"readonly", s::TRADING_READONLY}, {"mandatory", s::TRADING_MANDATORY}, {"mandatory+readonly", s::TRADING_MANDATORY_READONLY}};
  if (first == std::string::npos || !modes.contains(mode)) {
    report({Code::kInvalidArgument, fmt::format("'{}' is not NAME:TYPE or NAME:TYPE:MODE; modes are readonly, mandatory, mandatory+readonly", text), {}, {}, {}});
    return false;
  }
  out.set_name(text.substr(0, first));
  out.set_type(text.substr(first + 1, second == std::string::npos ? second : second - first - 1));
  out.set_mode(modes.at(mode));
  return true;
}

int export_offer(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::TradingOffer offer;
  offer.set_type(a.type);
  if (!read_pairs(a.properties, *offer.mutable_properties(), true)) return kExitUsage;
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto at = a.object.rfind("hector:", 0) == 0 ? Reference::from_text(a.object) : read_capsule_reference(run_directory(), session.capsule());
  if (!at) return report(at.error());
  auto& reference = *offer.mutable_reference();
  reference.set_capsule(at->capsule);
  reference.set_capsule_id(at->capsule_id);
  reference.set_object(a.object.rfind("hector:", 0) == 0 ? at->object : a.object);
  reference.set_interface_id(!a.interface.empty() ? a.interface : a.object.rfind("hector:", 0) == 0 ? at->interface_id : "");
  for (const auto& profile : at->profiles) {
    auto& added = *reference.add_profiles();
    added.set_protocol(profile.protocol);
    added.set_address(profile.address);
  }
  auto id = ask_object<s::TradingOfferId>(session, options, kService, "export", offer);
  if (!id) return report(id.error());
  fmt::print("{}\n", format == "json" ? json_of(*id, true) : id->id());
  return 0;
}

}  // namespace

void add_trade_commands(CLI::App& app, CliOptions& options, std::string& format, std::function<int()>& chosen) {
  auto* group = app.add_subcommand("trade", "what is offered: by service type, constraint and preference");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto run = [&](CLI::App* command, std::function<int(const Arguments&)> what) {
    choose(command, chosen, arguments, std::move(what));
  };

  auto* query = group->add_subcommand("query", "offers that match, best first");
  query->add_option("type", arguments->type, "a service type, or an Interface: diary.Room/1")->required();
  query->add_option("--where", arguments->where, "'ppm >= 20 and not colour'");
  query->add_option("--prefer", arguments->prefer, "'max ppm', 'min cost', 'with colour', random, first");
  query->add_option("-n,--how-many", arguments->how_many, "at most");
  query->add_option("--policy", arguments->policies, "NAME=VALUE: exact_type_match, search_card, match_card, return_card");
  query->add_option("--undefined", arguments->undefined, "what a property that is not there does: kleene or omg");
  query->add_flag("--strict", arguments->is_strict, "undeclared properties are an error");
  query->add_flag("--explain", arguments->explains, "every offer, and why it matched or did not");
  run(query, [&](const Arguments& a) {
    s::TradingQuery asked;
    asked.set_type(a.type);
    asked.set_constraint(a.where);
    asked.set_preference(a.prefer);
    asked.set_how_many(a.how_many);
    asked.set_strict(a.is_strict);
    asked.set_undefined(a.undefined);
    if (!read_pairs(a.policies, *asked.mutable_policies(), false)) return kExitUsage;
    if (a.explains) return ask_and_show<s::TradingExplanation>(options, format, kService, "explain", asked, show_explanation);
    return ask_and_show<s::TradingOffers>(options, format, kService, "query", asked, show_offers);
  });

  auto* exporting = group->add_subcommand("export", "an offer of an Object");
  exporting->add_option("type", arguments->type)->required();
  exporting->add_option("object", arguments->object, "its name in the capsule, or a reference (hector:…)")->required();
  exporting->add_option("properties", arguments->properties, "NAME=VALUE");
  exporting->add_option("--interface", arguments->interface, "its Interface's id");
  run(exporting, [&](const Arguments& a) { return export_offer(options, format, a); });

  const auto by_id = [&](const char* name, const char* text) {
    auto* command = group->add_subcommand(name, text);
    command->add_option("offer", arguments->id, "its id, as query shows it")->required();
    return command;
  };
  run(by_id("withdraw", "an offer"), [&](const Arguments& a) {
    s::TradingOfferId id;
    id.set_id(a.id);
    return ask_and_show<s::TradingOfferId>(options, format, kService, "withdraw", id, [](const s::TradingOfferId& gone) { fmt::print("{} withdrawn\n", gone.id()); });
  });
  run(by_id("describe", "an offer"), [&](const Arguments& a) {
    s::TradingOfferId id;
    id.set_id(a.id);
    return ask_and_show<s::TradingOffer>(options, format, kService, "describe", id, [](const s::TradingOffer& offer) {
      fmt::print("{}  {} @ {}\n  {}\n", offer.id(), offer.reference().object(), offer.reference().capsule(), properties_of(offer));
    });
  });
  auto* modify = by_id("modify", "an offer's properties, all or none");
  modify->add_option("properties", arguments->properties, "NAME=VALUE");
  modify->add_option("--delete", arguments->deleted, "a property");
  run(modify, [&](const Arguments& a) {
    s::TradingModify asked;
    asked.set_id(a.id);
    for (const auto& name : a.deleted) asked.add_deleted(name);
    if (!read_pairs(a.properties, *asked.mutable_modified(), true)) return kExitUsage;
    return ask_and_show<s::TradingOfferId>(options, format, kService, "modify", asked, [](const s::TradingOfferId& id) { fmt::print("{} modified\n", id.id()); });
  });

  auto* types = group->add_subcommand("type", "service types");
  types->require_subcommand(1);
  auto* add = types->add_subcommand("add", "with its properties: name:string:mandatory+readonly ppm:long:mandatory langs:sequence<string>");
  add->add_option("name", arguments->type)->required();
  add->add_option("properties", arguments->properties, "NAME:TYPE[:MODE]");
  add->add_option("--super", arguments->supers, "a supertype");
  add->add_option("--interface", arguments->interface, "what references of its offers have");
  run(add, [&](const Arguments& a) {
    s::TradingType type;
    type.set_name(a.type);
    type.set_interface(a.interface);
    for (const auto& super : a.supers) type.add_supers(super);
    for (const auto& property : a.properties) {
      if (!read_property(property, *type.add_properties())) return kExitUsage;
    }
    return ask_and_show<s::TradingRevision>(options, format, kService, "add_type", type, show_revision);
  });
  run(types->add_subcommand("list", "of this trader"), [&](const Arguments&) {
    return ask_and_show<s::TradingTypes>(options, format, kService, "list_types", s::TradingTypesSince(), [](const s::TradingTypes& reply) {
      for (const auto& name : reply.names()) fmt::print("{}\n", name);
    });
  });
  const auto named = [&](const char* name, const char* text, const char* operation) {
    auto* command = types->add_subcommand(name, text);
    command->add_option("name", arguments->type)->required();
    run(command, [&, operation](const Arguments& a) {
      s::TradingTypeName asked;
      asked.set_name(a.type);
      return ask_and_show<s::TradingRevision>(options, format, kService, operation, asked, show_revision);
    });
  };
  named("remove", "one without subtypes and offers", "remove_type");
  named("mask", "it takes no new offers", "mask_type");
  named("unmask", "it does again", "unmask_type");
  auto* show = types->add_subcommand("describe", "a service type");
  show->add_option("name", arguments->type)->required();
  show->add_flag("--full", arguments->is_full, "with what it has of its supertypes");
  run(show, [&](const Arguments& a) {
    s::TradingTypeName asked;
    asked.set_name(a.type);
    return ask_and_show<s::TradingType>(options, format, kService, a.is_full ? "fully_describe_type" : "describe_type", asked, show_type);
  });
}

}  // namespace hector

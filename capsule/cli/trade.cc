#include "cli/trade.h"

#include <fmt/ranges.h>
#include <google/protobuf/struct.pb.h>

#include <memory>

#include "cli/object.h"
#include "hector/service/v1/trading.pb.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "trading";
constexpr int kExitUsage = 2;

struct Arguments {
  std::string type, where, prefer, object, id, interface, undefined;
  std::string link, trader, pass_on, limiting, recipe = "$*";
  std::vector<std::string> properties, policies, supers, deleted, dynamic;
  std::uint32_t how_many = 0;
  bool explains = false, is_strict = false, is_full = false, matches_all = false;
};

/// "name=value"; a value that is no JSON is a string.
bool read_pairs(const std::vector<std::string>& pairs,
                google::protobuf::Map<std::string, std::string>& out, bool as_json) {
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0) {
      report({Code::kInvalidArgument, fmt::format("'{}' is not NAME=VALUE", pair)});
      return false;
    }
    std::string value = pair.substr(equals + 1);
    google::protobuf::Value read;
    if (as_json && !google::protobuf::util::JsonStringToMessage(value, &read).ok())
      value = json_quoted(value);
    out[pair.substr(0, equals)] = value;
  }
  return true;
}

std::string properties_of(const s::TradingOffer& offer) {
  const std::map<std::string, std::string> sorted(offer.properties().begin(),
                                                  offer.properties().end());
  std::string text;
  for (const auto& [name, value] : sorted)
    text += fmt::format("{}{}={}", text.empty() ? "" : ", ", name, value);
  return text;
}
void show_offers(const s::TradingOffers& reply) {
  for (const auto& offer : reply.offers())
    fmt::print("{:<28} {} @ {}  {}\n", offer.id(), offer.reference().object(),
               offer.reference().capsule(), properties_of(offer));
  if (reply.limits_applied_size() != 0)
    fmt::print("cut by {}\n", fmt::join(reply.limits_applied(), ", "));
  for (const auto& failed : reply.failed_links()) fmt::print("not asked: {}\n", failed);
  if (reply.iterator() != 0) fmt::print("there are more (-n)\n");
}
void show_explanation(const s::TradingExplanation& reply) {
  fmt::print("{} of {} offers looked at: {}\n", reply.candidates(), reply.offers(), reply.plan());
  for (const auto& verdict : reply.verdicts()) {
    fmt::print("{:>3} {} {}{}\n", verdict.place() != 0 ? std::to_string(verdict.place()) : "-",
               verdict.id(), verdict.object(),
               verdict.rank().empty() ? "" : fmt::format("  ranked by {}", verdict.rank()));
    for (const auto& reason : verdict.reasons()) fmt::print("      {}\n", reason);
  }
}
void show_revision(const s::TradingRevision& reply) {
  fmt::print("revision {}\n", reply.revision());
}
std::string mode_name(s::TradingMode mode) {
  constexpr const char* kNames[] = {"", " readonly", " mandatory", " mandatory readonly"};
  return kNames[static_cast<int>(mode) & 3];
}
void show_type(const s::TradingType& type) {
  fmt::print("service {}{}{}\n", type.name(),
             type.supers_size() == 0 ? "" : fmt::format(" : {}", fmt::join(type.supers(), ", ")),
             type.masked() ? "  (masked)" : "");
  if (!type.interface().empty()) fmt::print("  interface {}\n", type.interface());
  for (const auto& property : type.properties())
    fmt::print("  {}{}: {}\n", property.name(), mode_name(property.mode()), property.type());
}

/// "ppm:long:mandatory", modes joined by '+'.
bool read_property(const std::string& text, s::TradingPropertyType& out) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  const std::string mode = second == std::string::npos ? "" : text.substr(second + 1);
  const std::map<std::string, s::TradingMode> modes{
      {"", s::TRADING_NORMAL},
      {"readonly", s::TRADING_READONLY},
      {"mandatory", s::TRADING_MANDATORY},
      {"mandatory+readonly", s::TRADING_MANDATORY_READONLY}};
  if (first == std::string::npos || !modes.contains(mode)) {
    report({Code::kInvalidArgument,
            fmt::format("'{}' is not NAME:TYPE or NAME:TYPE:MODE; modes are readonly, mandatory, "
                        "mandatory+readonly",
                        text)});
    return false;
  }
  out.set_name(text.substr(0, first));
  out.set_type(text.substr(first + 1, second == std::string::npos ? second : second - first - 1));
  out.set_mode(modes.at(mode));
  return true;
}

/// An Object of the capsule by its name, or by a reference.
Status set_reference(const CliSession& session, const std::string& object,
                     hector::kernel::v1::Reference& reference) {
  const bool is_text = object.starts_with("hector:");
  auto at = HECTOR_TRY(is_text ? Reference::from_text(object)
                               : read_capsule_reference(run_directory(), session.capsule()));
  static_cast<void>(reference.ParseFromString(at.serialised()));
  if (is_text) return {};
  reference.set_object(object);
  reference.set_offer(0);
  reference.clear_interface_id();
  reference.clear_identity();
  return {};
}
/// A capsule's name, or a reference.
Status set_trader(const std::string& trader, hector::kernel::v1::Reference& reference) {
  auto at =
      HECTOR_TRY(trader.starts_with("hector:") ? Reference::from_text(trader)
                                               : read_capsule_reference(run_directory(), trader));
  static_cast<void>(reference.ParseFromString(at.serialised()));
  return {};
}

int export_proxy(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::TradingOffer offer;
  offer.set_type(a.type);
  if (!read_pairs(a.properties, *offer.mutable_properties(), true)) return kExitUsage;
  if (auto set = set_trader(a.trader, *offer.mutable_proxy()->mutable_target()); !set)
    return report(set.error());
  offer.mutable_proxy()->set_recipe(a.recipe);
  offer.mutable_proxy()->set_if_match_all(a.matches_all);
  return ask_and_show<s::TradingOfferId>(
      options, format, kService, "export_proxy", offer,
      [](const s::TradingOfferId& id) { fmt::print("{}\n", id.id()); });
}

int export_offer(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::TradingOffer offer;
  offer.set_type(a.type);
  if (!read_pairs(a.properties, *offer.mutable_properties(), true)) return kExitUsage;
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  if (auto set = set_reference(session, a.object, *offer.mutable_reference()); !set)
    return report(set.error());
  if (!a.interface.empty()) offer.mutable_reference()->set_interface_id(a.interface);
  for (const auto& each : a.dynamic) {
    const auto equals = each.find('=');
    const auto colon = each.find(':', equals == std::string::npos ? 0 : equals);
    if (equals == std::string::npos || colon == std::string::npos)
      return report({Code::kInvalidArgument, fmt::format("'{}' is not NAME=TYPE:OBJECT", each)});
    auto& dynamic = (*offer.mutable_dynamic())[each.substr(0, equals)];
    dynamic.set_returned_type(each.substr(equals + 1, colon - equals - 1));
    if (auto set = set_reference(session, each.substr(colon + 1), *dynamic.mutable_evaluator());
        !set)
      return report(set.error());
  }
  auto id = ask_object<s::TradingOfferId>(session, options, kService, "export", offer);
  if (!id) return report(id.error());
  fmt::print("{}\n", format == "json" ? json_of(*id, true) : id->id());
  return 0;
}

}  // namespace

void add_trade_commands(CLI::App& app, CliOptions& options, std::string& format,
                        std::function<int()>& chosen) {
  auto* group =
      app.add_subcommand("trade", "what is offered: by service type, constraint and preference");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto run = [&](CLI::App* command, std::function<int(const Arguments&)> what) {
    choose(command, chosen, arguments, std::move(what));
  };

  auto* query = group->add_subcommand("query", "offers that match, best first");
  query->add_option("type", arguments->type, "a service type, or an Interface: diary.Room/1")
      ->required();
  query->add_option("--where", arguments->where, "'ppm >= 20 and not colour'");
  query->add_option("--prefer", arguments->prefer,
                    "'max ppm', 'min cost', 'with colour', random, first");
  query->add_option("-n,--how-many", arguments->how_many, "at most");
  query->add_option("--policy", arguments->policies,
                    "NAME=VALUE: exact_type_match, search_card, match_card, return_card, "
                    "link_follow_rule, hop_count, starting_trader, …");
  query->add_option("--undefined", arguments->undefined,
                    "what a property that is not there does: kleene or omg");
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
    if (a.explains)
      return ask_and_show<s::TradingExplanation>(options, format, kService, "explain", asked,
                                                 show_explanation);
    return ask_and_show<s::TradingOffers>(options, format, kService, "query", asked, show_offers);
  });

  auto* exporting = group->add_subcommand("export", "an offer of an Object");
  exporting->add_option("type", arguments->type)->required();
  exporting
      ->add_option("object", arguments->object,
                   "its name in the capsule, or a reference (hector:…)")
      ->required();
  exporting->add_option("properties", arguments->properties, "NAME=VALUE");
  exporting->add_option(
      "--dynamic", arguments->dynamic,
      "NAME=TYPE:OBJECT, a property that the Object's operation evalDP says when it is needed");
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
    return ask_and_show<s::TradingOfferId>(
        options, format, kService, "withdraw", id,
        [](const s::TradingOfferId& gone) { fmt::print("{} withdrawn\n", gone.id()); });
  });
  run(by_id("describe", "an offer"), [&](const Arguments& a) {
    s::TradingOfferId id;
    id.set_id(a.id);
    return ask_and_show<s::TradingOffer>(
        options, format, kService, "describe", id, [](const s::TradingOffer& offer) {
          fmt::print("{}  {} @ {}\n  {}\n", offer.id(), offer.reference().object(),
                     offer.reference().capsule(), properties_of(offer));
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
    return ask_and_show<s::TradingOfferId>(
        options, format, kService, "modify", asked,
        [](const s::TradingOfferId& id) { fmt::print("{} modified\n", id.id()); });
  });

  auto* links = group->add_subcommand("link", "other traders that queries go on to");
  links->require_subcommand(1);
  const auto with_rules = [&](CLI::App* command) {
    command->add_option("name", arguments->link)->required();
    command->add_option("--pass-on", arguments->pass_on,
                        "the rule for queries without one: local_only, if_no_local, always");
    command->add_option("--limit", arguments->limiting, "the most that is followed");
    return command;
  };
  const auto link_of = [](const Arguments& a) {
    s::TradingLink link;
    link.set_name(a.link);
    link.set_def_pass_on_follow_rule(a.pass_on);
    link.set_limiting_follow_rule(a.limiting);
    return link;
  };
  auto* add_link = with_rules(links->add_subcommand("add", "to a capsule's trader"));
  add_link->add_option("capsule", arguments->trader, "its name, or a reference")->required();
  run(add_link, [&, link_of](const Arguments& a) {
    auto link = link_of(a);
    if (auto set = set_trader(a.trader, *link.mutable_target()); !set) return report(set.error());
    return ask_and_show<s::TradingRevision>(options, format, kService, "add_link", link,
                                            show_revision);
  });
  run(with_rules(links->add_subcommand("modify", "a link's rules")),
      [&, link_of](const Arguments& a) {
        return ask_and_show<s::TradingRevision>(options, format, kService, "modify_link",
                                                link_of(a), show_revision);
      });
  auto* remove_link = links->add_subcommand("remove", "a link");
  remove_link->add_option("name", arguments->link)->required();
  run(remove_link, [&](const Arguments& a) {
    s::TradingName name;
    name.set_name(a.link);
    return ask_and_show<s::TradingRevision>(options, format, kService, "remove_link", name,
                                            show_revision);
  });
  const auto show_ids = [](const s::TradingIds& reply) {
    for (const auto& id : reply.ids()) fmt::print("{}\n", id);
  };
  run(links->add_subcommand("list", "of this trader"), [&, show_ids](const Arguments&) {
    return ask_and_show<s::TradingIds>(options, format, kService, "list_links", s::TradingNothing(),
                                       show_ids);
  });
  auto* proxies = group->add_subcommand("proxy", "offers whose queries go on to another trader");
  proxies->require_subcommand(1);
  auto* add_proxy = proxies->add_subcommand("export", "a proxy offer");
  add_proxy->add_option("type", arguments->type)->required();
  add_proxy->add_option("capsule", arguments->trader, "the trader's: its name, or a reference")
      ->required();
  add_proxy->add_option("properties", arguments->properties, "NAME=VALUE");
  add_proxy
      ->add_option("--recipe", arguments->recipe,
                   "the constraint there: '$*' is the query's, '$(name)' a property's value")
      ->default_str("$*");
  add_proxy->add_flag("--match-all", arguments->matches_all,
                      "every query of the type goes on, whatever the proxy's properties");
  run(add_proxy, [&](const Arguments& a) { return export_proxy(options, format, a); });
  run(proxies->add_subcommand("list", "of this trader"), [&, show_ids](const Arguments&) {
    return ask_and_show<s::TradingIds>(options, format, kService, "list_proxies",
                                       s::TradingNothing(), show_ids);
  });
  auto* drop_proxy = proxies->add_subcommand("withdraw", "a proxy offer");
  drop_proxy->add_option("offer", arguments->id)->required();
  run(drop_proxy, [&](const Arguments& a) {
    s::TradingOfferId id;
    id.set_id(a.id);
    return ask_and_show<s::TradingOfferId>(
        options, format, kService, "withdraw_proxy", id,
        [](const s::TradingOfferId& gone) { fmt::print("{} withdrawn\n", gone.id()); });
  });

  auto* types = group->add_subcommand("type", "service types");
  types->require_subcommand(1);
  auto* add = types->add_subcommand("add",
                                    "with its properties: name:string:mandatory+readonly "
                                    "ppm:long:mandatory langs:sequence<string>");
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
    return ask_and_show<s::TradingRevision>(options, format, kService, "add_type", type,
                                            show_revision);
  });
  run(types->add_subcommand("list", "of this trader"), [&](const Arguments&) {
    return ask_and_show<s::TradingTypes>(options, format, kService, "list_types",
                                         s::TradingTypesSince(), [](const s::TradingTypes& reply) {
                                           for (const auto& name : reply.names())
                                             fmt::print("{}\n", name);
                                         });
  });
  const auto named = [&](const char* name, const char* text, const char* operation) {
    auto* command = types->add_subcommand(name, text);
    command->add_option("name", arguments->type)->required();
    run(command, [&, operation](const Arguments& a) {
      s::TradingTypeName asked;
      asked.set_name(a.type);
      return ask_and_show<s::TradingRevision>(options, format, kService, operation, asked,
                                              show_revision);
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
    return ask_and_show<s::TradingType>(options, format, kService,
                                        a.is_full ? "fully_describe_type" : "describe_type", asked,
                                        show_type);
  });
}

}  // namespace hector

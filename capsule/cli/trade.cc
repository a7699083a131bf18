// What: `hector trade …`: offers, links to other traders, proxy offers and service types.
// Why: what is offered is found, and put there, from a shell. Who: people and scripts.
#include <fmt/ranges.h>
#include <google/protobuf/struct.pb.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "hector/service/v1/trading.pb.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "trading";

struct Arguments {
  std::string type, where, prefer, object, id, interface, undefined;
  std::string link, trader, pass_on, limiting, recipe = "$*";
  std::vector<std::string> properties, policies, supers, deleted, dynamic;
  std::uint32_t how_many = 0;
  bool explains = false, is_strict = false, is_full = false, matches_all = false;
};

enum class Values { kText, kJson };

/// "NAME=VALUE" each; of kJson, a value that is no JSON is taken as a string.
Status read_pairs(const std::vector<std::string>& pairs, Values values,
                  google::protobuf::Map<std::string, std::string>& out) {
  for (const auto& text : pairs) {
    auto pair = HECTOR_TRY(split_pair(text, "NAME=VALUE"));
    google::protobuf::Value read;
    if (values == Values::kJson &&
        !google::protobuf::util::JsonStringToMessage(pair.second, &read).ok())
      pair.second = json_quoted(pair.second);
    out[pair.first] = pair.second;
  }
  return {};
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
    emit("{:<28} {} @ {}  {}\n", offer.id(), offer.reference().object(),
         offer.reference().capsule(), properties_of(offer));
  if (reply.limits_applied_size() != 0)
    emit("cut by {}\n", fmt::join(reply.limits_applied(), ", "));
  for (const auto& failed : reply.failed_links()) emit("not asked: {}\n", failed);
  if (reply.iterator() != 0) emit("there are more (-n)\n");
}
void show_explanation(const s::TradingExplanation& reply) {
  emit("{} of {} offers looked at: {}\n", reply.candidates(), reply.offers(), reply.plan());
  for (const auto& verdict : reply.verdicts()) {
    emit("{:>3} {} {}{}\n", verdict.place() != 0 ? std::to_string(verdict.place()) : "-",
         verdict.id(), verdict.object(),
         verdict.rank().empty() ? "" : fmt::format("  ranked by {}", verdict.rank()));
    for (const auto& reason : verdict.reasons()) emit("      {}\n", reason);
  }
}
std::string mode_name(s::TradingMode mode) {
  constexpr const char* kNames[] = {"", " readonly", " mandatory", " mandatory readonly"};
  return kNames[static_cast<int>(mode) & 3];
}
void show_type(const s::TradingType& type) {
  emit("service {}{}{}\n", type.name(),
       type.supers_size() == 0 ? "" : fmt::format(" : {}", fmt::join(type.supers(), ", ")),
       type.masked() ? "  (masked)" : "");
  if (!type.interface().empty()) emit("  interface {}\n", type.interface());
  for (const auto& property : type.properties())
    emit("  {}{}: {}\n", property.name(), mode_name(property.mode()), property.type());
}

/// "ppm:long:mandatory", modes joined by '+'.
Status read_property(const std::string& text, s::TradingPropertyType& out) {
  const auto first = text.find(':');
  const auto second = first == std::string::npos ? first : text.find(':', first + 1);
  const std::string mode = second == std::string::npos ? "" : text.substr(second + 1);
  const std::map<std::string, s::TradingMode> modes{
      {"", s::TRADING_NORMAL},
      {"readonly", s::TRADING_READONLY},
      {"mandatory", s::TRADING_MANDATORY},
      {"mandatory+readonly", s::TRADING_MANDATORY_READONLY}};
  if (first == std::string::npos || !modes.contains(mode)) {
    return fail(
        Code::kInvalidArgument,
        fmt::format("'{}' is not NAME:TYPE or NAME:TYPE:MODE; modes are readonly, mandatory, "
                    "mandatory+readonly",
                    text));
  }
  out.set_name(text.substr(0, first));
  out.set_type(text.substr(first + 1, second == std::string::npos ? second : second - first - 1));
  out.set_mode(modes.at(mode));
  return {};
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

void show_id(const s::TradingOfferId& id) { emit("{}\n", id.id()); }
void show_withdrawn(const s::TradingOfferId& id) { emit("{} withdrawn\n", id.id()); }
void show_ids(const s::TradingIds& reply) {
  for (const auto& id : reply.ids()) emit("{}\n", id);
}
void show_offer(const s::TradingOffer& offer) {
  emit("{}  {} @ {}\n  {}\n", offer.id(), offer.reference().object(), offer.reference().capsule(),
       properties_of(offer));
}

s::TradingOfferId id_of(const Arguments& a) {
  s::TradingOfferId id;
  id.set_id(a.id);
  return id;
}

/// A question whose answer is a revision.
template <class Request>
int write(const CommandContext& context, const char* operation, const Request& request) {
  return ask_and_show<s::TradingRevision>(context, kService, operation, request,
                                          show_revision<s::TradingRevision>);
}

int query(const CommandContext& context, const Arguments& a) {
  s::TradingQuery asked;
  asked.set_type(a.type);
  asked.set_constraint(a.where);
  asked.set_preference(a.prefer);
  asked.set_how_many(a.how_many);
  asked.set_strict(a.is_strict);
  asked.set_undefined(a.undefined);
  if (auto read = read_pairs(a.policies, Values::kText, *asked.mutable_policies()); !read)
    return report(read.error());
  if (a.explains)
    return ask_and_show<s::TradingExplanation>(context, kService, "explain", asked,
                                               show_explanation);
  return ask_and_show<s::TradingOffers>(context, kService, "query", asked, show_offers);
}

/// "NAME=TYPE:OBJECT": a property that the Object's operation evalDP gives.
Status add_dynamic(const CliSession& session, const std::string& text, s::TradingOffer& offer) {
  const auto equals = text.find('=');
  const auto colon = text.find(':', equals == std::string::npos ? 0 : equals);
  if (equals == std::string::npos || colon == std::string::npos)
    return fail(Code::kInvalidArgument, fmt::format("'{}' is not NAME=TYPE:OBJECT", text));
  auto& dynamic = (*offer.mutable_dynamic())[text.substr(0, equals)];
  dynamic.set_returned_type(text.substr(equals + 1, colon - equals - 1));
  return set_reference(session, text.substr(colon + 1), *dynamic.mutable_evaluator());
}

Result<s::TradingOffer> offer_of(const CliSession& session, const Arguments& a) {
  s::TradingOffer offer;
  offer.set_type(a.type);
  HECTOR_TRY(read_pairs(a.properties, Values::kJson, *offer.mutable_properties()));
  HECTOR_TRY(set_reference(session, a.object, *offer.mutable_reference()));
  if (!a.interface.empty()) offer.mutable_reference()->set_interface_id(a.interface);
  for (const auto& each : a.dynamic) HECTOR_TRY(add_dynamic(session, each, offer));
  return offer;
}

int export_offer(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto offer = offer_of(session, a);
  if (!offer) return report(offer.error());
  auto id = ask_object<s::TradingOfferId>(session, context.options, kService, "export", *offer);
  if (!id) return report(id.error());
  print_reply(context, *id, show_id);
  return 0;
}

int withdraw(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::TradingOfferId>(context, kService, "withdraw", id_of(a), show_withdrawn);
}

int describe(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::TradingOffer>(context, kService, "describe", id_of(a), show_offer);
}

int modify(const CommandContext& context, const Arguments& a) {
  s::TradingModify asked;
  asked.set_id(a.id);
  for (const auto& name : a.deleted) asked.add_deleted(name);
  if (auto read = read_pairs(a.properties, Values::kJson, *asked.mutable_modified()); !read)
    return report(read.error());
  return ask_and_show<s::TradingOfferId>(
      context, kService, "modify", asked,
      [](const s::TradingOfferId& id) { emit("{} modified\n", id.id()); });
}

s::TradingLink link_of(const Arguments& a) {
  s::TradingLink link;
  link.set_name(a.link);
  link.set_def_pass_on_follow_rule(a.pass_on);
  link.set_limiting_follow_rule(a.limiting);
  return link;
}

int add_link(const CommandContext& context, const Arguments& a) {
  auto link = link_of(a);
  if (auto set = set_trader(a.trader, *link.mutable_target()); !set) return report(set.error());
  return write(context, "add_link", link);
}

int modify_link(const CommandContext& context, const Arguments& a) {
  return write(context, "modify_link", link_of(a));
}

int remove_link(const CommandContext& context, const Arguments& a) {
  return write(context, "remove_link", named<s::TradingName>(a.link));
}

int list_links(const CommandContext& context, const Arguments&) {
  return ask_and_show<s::TradingIds>(context, kService, "list_links", s::TradingNothing(),
                                     show_ids);
}

int export_proxy(const CommandContext& context, const Arguments& a) {
  s::TradingOffer offer;
  offer.set_type(a.type);
  if (auto read = read_pairs(a.properties, Values::kJson, *offer.mutable_properties()); !read)
    return report(read.error());
  auto& proxy = *offer.mutable_proxy();
  if (auto set = set_trader(a.trader, *proxy.mutable_target()); !set) return report(set.error());
  proxy.set_recipe(a.recipe);
  proxy.set_if_match_all(a.matches_all);
  return ask_and_show<s::TradingOfferId>(context, kService, "export_proxy", offer, show_id);
}

int list_proxies(const CommandContext& context, const Arguments&) {
  return ask_and_show<s::TradingIds>(context, kService, "list_proxies", s::TradingNothing(),
                                     show_ids);
}

int withdraw_proxy(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::TradingOfferId>(context, kService, "withdraw_proxy", id_of(a),
                                         show_withdrawn);
}

int add_type(const CommandContext& context, const Arguments& a) {
  auto type = named<s::TradingType>(a.type);
  type.set_interface(a.interface);
  for (const auto& super : a.supers) type.add_supers(super);
  for (const auto& property : a.properties) {
    if (auto read = read_property(property, *type.add_properties()); !read)
      return report(read.error());
  }
  return write(context, "add_type", type);
}

int list_types(const CommandContext& context, const Arguments&) {
  return ask_and_show<s::TradingTypes>(context, kService, "list_types", s::TradingTypesSince(),
                                       [](const s::TradingTypes& reply) {
                                         for (const auto& name : reply.names()) emit("{}\n", name);
                                       });
}

int describe_type(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::TradingType>(context, kService,
                                      a.is_full ? "fully_describe_type" : "describe_type",
                                      named<s::TradingTypeName>(a.type), show_type);
}

/// An operation on a service type's name that answers with a revision.
auto on_type(const char* operation) {
  return [operation](const CommandContext& context, const Arguments& a) {
    return write(context, operation, named<s::TradingTypeName>(a.type));
  };
}

using P = Parameter<Arguments>;

P offer_id() { return P{"offer", &Arguments::id, "its id, as query shows it"}.required(); }
P trader(const char* help) { return P{"capsule", &Arguments::trader, help}.required(); }

std::vector<Command<Arguments>> offer_commands() {
  const P properties{"properties", &Arguments::properties, "NAME=VALUE"};
  return {
      {"trade query",
       "offers that match, best first",
       {P{"type", &Arguments::type, "a service type, or an Interface: diary.Room/1"}.required(),
        {"--where", &Arguments::where, "'ppm >= 20 and not colour'"},
        {"--prefer", &Arguments::prefer, "'max ppm', 'min cost', 'with colour', random, first"},
        {"-n,--how-many", &Arguments::how_many, "at most"},
        {"--policy", &Arguments::policies,
         "NAME=VALUE: exact_type_match, search_card, match_card, return_card, link_follow_rule, "
         "hop_count, starting_trader, …"},
        {"--undefined", &Arguments::undefined,
         "what a property that is not there does: kleene or omg"},
        {"--strict", &Arguments::is_strict, "undeclared properties are an error"},
        {"--explain", &Arguments::explains, "every offer, and why it matched or did not"}},
       query},
      {"trade export",
       "an offer of an Object",
       {P{"type", &Arguments::type, "a service type"}.required(),
        P{"object", &Arguments::object, "its name in the capsule, or a reference (hector:…)"}
            .required(),
        properties,
        {"--dynamic", &Arguments::dynamic,
         "NAME=TYPE:OBJECT, a property that the Object's operation evalDP says when it is needed"},
        {"--interface", &Arguments::interface, "its Interface's id"}},
       export_offer},
      {"trade withdraw", "an offer", {offer_id()}, withdraw},
      {"trade describe", "an offer", {offer_id()}, describe},
      {"trade modify",
       "an offer's properties, all or none",
       {offer_id(), properties, {"--delete", &Arguments::deleted, "a property"}},
       modify},
  };
}

std::vector<Command<Arguments>> link_commands() {
  const P name = P{"name", &Arguments::link, "the link's name"}.required();
  const P pass_on{"--pass-on", &Arguments::pass_on,
                  "the rule for queries without one: local_only, if_no_local, always"};
  const P limit{"--limit", &Arguments::limiting, "the most that is followed"};
  return {
      {"trade link add",
       "to a capsule's trader",
       {name, trader("its name, or a reference"), pass_on, limit},
       add_link},
      {"trade link modify", "a link's rules", {name, pass_on, limit}, modify_link},
      {"trade link remove", "a link", {name}, remove_link},
      {"trade link list", "of this trader", {}, list_links},
  };
}

std::vector<Command<Arguments>> proxy_commands() {
  return {
      {"trade proxy export",
       "a proxy offer",
       {P{"type", &Arguments::type, "a service type"}.required(),
        trader("the trader's: its name, or a reference"),
        {"properties", &Arguments::properties, "NAME=VALUE"},
        {"--recipe", &Arguments::recipe,
         "the constraint there: '$*' is the query's, '$(name)' a property's value"},
        {"--match-all", &Arguments::matches_all,
         "every query of the type is passed on, whatever the proxy's properties"}},
       export_proxy},
      {"trade proxy list", "of this trader", {}, list_proxies},
      {"trade proxy withdraw", "a proxy offer", {offer_id()}, withdraw_proxy},
  };
}

std::vector<Command<Arguments>> type_commands() {
  const P name = P{"name", &Arguments::type, "the service type's name"}.required();
  return {
      {"trade type add",
       "with its properties: name:string:mandatory+readonly ppm:long:mandatory "
       "langs:sequence<string>",
       {name,
        {"properties", &Arguments::properties, "NAME:TYPE[:MODE]"},
        {"--super", &Arguments::supers, "a supertype"},
        {"--interface", &Arguments::interface, "what references of its offers have"}},
       add_type},
      {"trade type list", "of this trader", {}, list_types},
      {"trade type remove", "one without subtypes and offers", {name}, on_type("remove_type")},
      {"trade type mask", "it takes no new offers", {name}, on_type("mask_type")},
      {"trade type unmask", "it takes new offers again", {name}, on_type("unmask_type")},
      {"trade type describe",
       "a service type",
       {name, {"--full", &Arguments::is_full, "with what it has of its supertypes"}},
       describe_type},
  };
}

}  // namespace

void add_trade_commands(CommandTree& tree) {
  tree.group("trade", "what is offered: by service type, constraint and preference");
  tree.group("trade link", "other traders that queries are passed on to");
  tree.group("trade proxy", "offers whose queries are passed on to another trader");
  tree.group("trade type", "service types");
  tree.add(offer_commands());
  tree.add(link_commands());
  tree.add(proxy_commands());
  tree.add(type_commands());
}

}  // namespace hector

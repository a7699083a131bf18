// What: `hector get`, `describe`, `load`, `create` and their like: the operations of a capsule's
// management Object. Why: whatever a capsule hosts is listed, loaded and ended in one way. Who:
// people and scripts.
#include <fmt/format.h>
#include <google/protobuf/struct.pb.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "base/text/nearest.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/states.h"
#include "hector/binding/v1/binding.pb.h"
#include "hector/management/v1/management.pb.h"
#include "hector/type/v1/type.pb.h"
#include "process/name_claim.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace m = management::v1;

struct Arguments {
  std::string kind, name, file, template_name, arguments, to, settings, what, json, type;
  std::vector<std::string> properties, listen, roles;
  bool is_dry_run = false, is_forced = false, explains = false, is_insecure = false;
};

/// Connects, and asks the management Object.
template <class Out, class In>
Result<Out> ask_management(const CommandContext& context, const std::string& operation,
                           const In& request) {
  CliSession session(context.options);
  HECTOR_TRY(session.connect());
  return session.ask<Out>(operation, request);
}

/// The same, and prints the reply: for people by `show`, else as it is. Returns the exit code.
template <class Out, class In, class Show>
int ask(const CommandContext& context, const std::string& operation, const In& request,
        const Show& show) {
  auto reply = ask_management<Out>(context, operation, request);
  if (!reply) return report(reply.error());
  print_reply(context, *reply, show);
  return 0;
}

int run_capsule(const CommandContext& context, const Arguments& a) {
  const std::string program = program_prefix() + "/bin/hector-capsule";
  execl(program.c_str(), program.c_str(), a.file.c_str(), nullptr);
  return report(Error::unavailable(program + " cannot be started"));
}

/// How long `get capsules` waits for those that do not answer. All are asked at once; a processor
/// begins fifty a second.
constexpr std::chrono::milliseconds kPatience{1'000}, kPatienceForEach{20};

/// "up", "killed", or how it refused to answer.
std::string state_of(const CommandContext& context, const std::string& capsule) {
  if (!is_claimed(run_directory(), capsule)) return "killed";
  CommandContext asking = context;
  asking.options.capsule = capsule;
  asking.options.timeout_ms = static_cast<std::uint32_t>(kPatience.count());
  auto reply = ask_management<m::VersionReply>(asking, "version", m::Nothing());
  if (reply) return "up";
  return reply.error().code == Code::kUnavailable || reply.error().code == Code::kDeadlineExceeded
             ? "silent"
             : std::string(code_name(reply.error().code));
}

int get_capsules(const CommandContext& context) {
  const std::string directory = run_directory();
  if (auto readable = check_run_directory(directory); !readable) return report(readable.error());
  const auto names = known_capsules(directory);
  const auto states = states_of(
      names, [&](const std::string& name) { return state_of(context, name); },
      kPatience + kPatienceForEach * names.size());
  std::vector<OutputRow> rows;
  for (std::size_t i = 0; i < names.size(); ++i) {
    auto reference = read_capsule_reference(directory, names[i]);
    std::string reached;
    if (reference) {
      for (const auto& profile : reference->profiles)
        reached += (reached.empty() ? "" : ", ") + profile.protocol + " " + profile.address;
    }
    rows.push_back({names[i], {{"state", states[i]}, {"reached by", reached}}});
  }
  write_out(format_rows(rows, context.format));
  return 0;
}

std::vector<OutputRow> rows_of(const m::ListReply& reply) {
  std::vector<OutputRow> rows;
  for (const auto& item : reply.items()) {
    auto& row = rows.emplace_back(OutputRow{item.name(), {}});
    for (const auto& field : item.fields()) row.fields.emplace_back(field.name(), field.value());
  }
  return rows;
}

int get(const CommandContext& context, const Arguments& a) {
  if (a.kind == "capsules" || a.kind == "capsule") return get_capsules(context);
  m::ListRequest request;
  request.set_kind(a.kind);
  auto reply = ask_management<m::ListReply>(context, "list", request);
  if (!reply) return report(reply.error());
  write_out(format_rows(rows_of(*reply), context.is_wide ? "wide" : context.format));
  return 0;
}

/// JSON of one of these messages as the message has it: 64-bit numbers are numbers.
template <class First, class... Others>
Value typed_value(const std::string& json) {
  First message;
  if (google::protobuf::util::JsonStringToMessage(json, &message).ok()) return Value::of(message);
  if constexpr (sizeof...(Others) > 0) return typed_value<Others...>(json);
  return Value::from_json(json);
}

/// Fields by their names, as in a list's row.
Value described(const std::string& kind, const std::string& json) {
  if (kind == "type")
    return typed_value<type::v1::Interface, type::v1::Binding, type::v1::InteractionType>(json);
  if (kind == "binding") return typed_value<binding::v1::State>(json);
  m::ListReply reply;
  if (!google::protobuf::util::JsonStringToMessage(json, reply.add_items()).ok())
    return Value::from_json(json);
  return value_of(rows_of(reply).front());
}

std::string singular_of(const std::string& kind) {
  if (kind == "policies") return "policy";
  return kind.ends_with('s') ? kind.substr(0, kind.size() - 1) : kind;
}

int describe(const CommandContext& context, const Arguments& a) {
  m::DescribeRequest request;
  request.set_kind(singular_of(a.kind));
  request.set_name(a.name);
  auto reply = ask_management<m::DescribeReply>(context, "describe", request);
  if (!reply) return report(reply.error());
  write_out(format_value(described(request.kind(), reply->json()), context.format));
  return 0;
}

/// An Object's name where none is said: its template's, without package and language.
Result<std::string> default_name(const CommandContext& context, const std::string& template_name) {
  m::ListRequest request;
  request.set_kind("templates");
  const auto reply = HECTOR_TRY(ask_management<m::ListReply>(context, "list", request));
  std::string name = template_name;
  for (const auto& item : reply.items()) {
    for (const auto& field : item.fields()) {
      if (item.name() == template_name && field.name() == "language" &&
          name.ends_with("." + field.value()))
        name.resize(name.size() - field.value().size() - 1);
    }
  }
  name = name.substr(name.rfind('.') + 1);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return name;
}

/// INVALID_ARGUMENT unless it is empty or a JSON object.
Status check_object(const std::string& option, const std::string& json) {
  google::protobuf::Struct object;
  if (json.empty()) return {};
  const auto read = google::protobuf::util::JsonStringToMessage(json, &object);
  if (read.ok()) return {};
  return fail(Code::kInvalidArgument,
              fmt::format("{} '{}' is not a JSON object, as in '{{\"key\": 1}}': {}", option, json,
                          read.message().as_string()));
}

int create_object(const CommandContext& context, const Arguments& a) {
  m::CreateRequest request;
  if (auto read = check_object("--arguments", a.arguments); !read) return report(read.error());
  std::string name = a.name;
  if (name.empty()) {
    auto found = default_name(context, a.template_name);
    if (!found) return report(found.error());
    name = std::move(*found);
  }
  request.set_template_(a.template_name);
  request.set_name(name);
  request.set_arguments(a.arguments);
  for (const auto& property : a.properties) {
    auto pair = split_pair(property, "NAME=JSON");
    if (!pair) return report(pair.error());
    (*request.mutable_properties())[pair->first] = pair->second;
  }
  auto reply = ask_management<m::CreateReply>(context, "create", request);
  if (!reply) return report(reply.error());
  if (context.format == "table") {
    emit("object {} created\n{}\n", name, reply->reference());
  } else {
    write_out(format_value(Value::map().with("name", name).with("reference", reply->reference()),
                           context.format));
  }
  return 0;
}

int move_object(const CommandContext& context, const Arguments& a) {
  m::MoveRequest request;
  request.set_object(a.name);
  request.set_to(a.to);
  return ask<m::MoveReply>(context, "move", request, [&](const m::MoveReply& reply) {
    emit("object {} moved to {}\n", a.name, a.to);
    for (const auto& effect : reply.effects()) emit("  {}\n", effect);
  });
}

int remove(const CommandContext& context, const Arguments& a) {
  m::DeleteRequest request;
  request.set_kind(a.kind);
  request.set_name(a.name);
  return ask<m::Done>(context, "delete", request,
                      [](const m::Done& done) { emit("{}\n", done.text()); });
}

/// An effect that says the headline again says nothing.
void show_effects(const m::LoadReply& reply, const std::string& headline) {
  emit("{}\n", headline);
  for (const auto& effect : reply.effects()) {
    if (effect != headline) emit("  {}\n", effect);
  }
}

int load(const CommandContext& context, const Arguments& a) {
  const bool is_file = a.kind == "template" || a.kind == "type";
  m::LoadRequest request;
  request.set_kind(a.kind);
  request.set_name(is_file ? std::filesystem::absolute(a.name).string() : a.name);
  request.set_dry_run(a.is_dry_run);
  request.set_settings(a.settings);
  request.set_insecure(a.is_insecure);
  for (const auto& address : a.listen) request.add_listen(address);
  return ask<m::LoadReply>(context, "load", request, [&](const m::LoadReply& reply) {
    show_effects(reply, fmt::format("{} {} loaded", a.kind, reply.name()));
  });
}

int unload(const CommandContext& context, const Arguments& a) {
  m::LoadRequest request;
  request.set_kind(a.kind);
  request.set_name(a.name);
  request.set_dry_run(a.is_dry_run);
  request.set_force(a.is_forced);
  return ask<m::LoadReply>(context, "unload", request, [&](const m::LoadReply& reply) {
    show_effects(reply, fmt::format("{} {} {}", a.kind, a.name,
                                    a.is_dry_run ? "could be unloaded" : "unloaded"));
  });
}

/// Where there is no such Object, the nearest that the capsule has.
Error with_nearest_object(CliSession& session, const std::string& object, Error error) {
  if (error.code != Code::kNotFound || error.message.find("no Object") == std::string::npos ||
      error.message.find("did you mean") != std::string::npos)
    return error;
  m::ListRequest request;
  request.set_kind("objects");
  auto reply = session.ask<m::ListReply>("list", request);
  if (!reply) return error;
  std::vector<std::string> names;
  for (const auto& item : reply->items()) names.push_back(item.name());
  error.message += nearest_hint(object, names);
  return error;
}

/// One message, or those of a flow, which are JSON already.
void print_replies(const CommandContext& context, const m::CallReply& reply) {
  if (context.format == "table" || context.format == "name") {
    for (const auto& each : reply.json()) emit("{}\n", each);
    return;
  }
  auto list = Value::list();
  for (const auto& each : reply.json()) list.add(Value::from_json(each));
  const bool is_one = reply.json_size() == 1 && context.format != "jsonl";
  write_out(format_value(is_one ? list.entries().front().second : list, context.format));
}

int call(const CommandContext& context, const Arguments& a) {
  const auto dot = a.what.rfind('.');
  if (dot == std::string::npos || dot == 0) {
    return report(Error::invalid_argument(
        fmt::format("'{}' is not OBJECT.OPERATION, as in ana.free_slots", a.what)));
  }
  m::CallRequest request;
  request.set_target(a.what.substr(0, dot));
  request.set_operation(a.what.substr(dot + 1));
  request.set_json(a.json);
  request.set_timeout_ms(context.options.timeout_ms);
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto reply = session.ask<m::CallReply>("call", request);
  if (!reply) return report(with_nearest_object(session, request.target(), reply.error()));
  print_replies(context, *reply);
  if (!reply->why_cut().empty()) complain(fmt::format("hector: {}\n", reply->why_cut()));
  return 0;
}

void show_parties(const m::BindReply& reply, bool explains) {
  std::size_t width = 4;
  for (const auto& party : reply.parties()) width = std::max(width, party.role().size());
  for (const auto& party : reply.parties()) {
    emit("  {:<{}}  {} @ {} ({}) — {}\n", party.role(), width, party.object(), party.capsule(),
         party.interface_id(), party.how());
    if (!explains) continue;
    for (const auto& refused : party.refused()) emit("  {:<{}}    not {}\n", "", width, refused);
  }
}

void show_channels(const m::BindReply& reply, bool explains) {
  for (const auto& channel : reply.channels()) {
    emit("  {} → {}: {} {} [{}]\n", channel.from(), channel.to(), channel.protocol(),
         channel.address(), channel.interactions());
    emit("      because {}\n", channel.why());
    if (!explains) continue;
    for (const auto& refused : channel.refused()) emit("      not {}\n", refused);
  }
}

int bind(const CommandContext& context, const Arguments& a) {
  m::BindRequest request;
  request.set_type(a.type);
  request.set_explain_only(a.explains);
  for (const auto& role : a.roles) {
    auto pair = split_pair(role, "ROLE=OBJECT");
    if (!pair) return report(pair.error());
    auto* const party = request.add_parties();
    party->set_role(pair->first);
    party->set_who(pair->second);
  }
  return ask<m::BindReply>(context, "bind", request, [&](const m::BindReply& reply) {
    if (!reply.binding().empty()) emit("binding {}\n", reply.binding());
    show_parties(reply, a.explains);
    show_channels(reply, a.explains);
  });
}

int version(const CommandContext& context, const Arguments&) {
  constexpr const char* kVersion = "0.1.0";  ///< of the package, as in CMakeLists.txt
  if (context.format == "table") {
    emit("hector {}, g++ {}, ABI {}\n", kVersion, __VERSION__, HECTOR_ABI_RECORD);
  } else {
    write_out(format_value(Value::map()
                               .with("name", "hector")
                               .with("version", kVersion)
                               .with("compiler", "g++ " __VERSION__)
                               .with("abi", HECTOR_ABI_RECORD),
                           context.format));
  }
  return 0;
}

}  // namespace

void add_management_commands(CommandTree& tree) {
  using P = Parameter<Arguments>;
  const std::vector<std::string> unloaded{"protocol", "language", "service", "template"};
  std::vector<std::string> loaded = unloaded;
  loaded.emplace_back("type");
  const P kind = P{"kind", &Arguments::kind, "objects, bindings, types, …"}.required();
  const P module = P{"kind", &Arguments::kind, "what it is"}.required();
  const P name = P{"name", &Arguments::name, "as `hector get KIND` shows it"}.required();
  tree.group("capsule", "the process");
  tree.group("create", "make an Object");
  tree.add<Arguments>({
      {"capsule run",
       "run a capsule in this terminal until Ctrl-C",
       {P{"configuration", &Arguments::file, "its YAML file"}.required()},
       run_capsule},
      {"get",
       "list capsules, protocols, languages, services, templates, objects, offers, bindings, "
       "channels, types or policies",
       {kind},
       get},
      {"describe", "one thing in full", {kind, name}, describe},
      {"create object",
       "from a loaded template",
       {P{"template", &Arguments::template_name, "`hector get templates`"}.required(),
        P{"--name", &Arguments::name,
          "the Object's name; else its template's, without package and language"},
        P{"--arguments", &Arguments::arguments, "a JSON object"},
        P{"--property", &Arguments::properties, "NAME=JSON, for the Trader"}},
       create_object},
      {"move",
       "an Object to another capsule: with its name, its state, and its places in Bindings, under "
       "traffic",
       {P{"object", &Arguments::name, "its name"}.required(),
        P{"--to", &Arguments::to, "the capsule; it has the Object's template loaded"}.required()},
       move_object},
      {"delete",
       "end an object or a binding",
       {P{module}.checked(one_of({"object", "binding"})), name},
       remove},
      {"load",
       "a protocol, language, service (by name), template or type (by file)",
       {P{module}.checked(one_of(loaded)),
        P{"name", &Arguments::name, "a plugin's name; a template's or type's file"}.required(),
        P{"--listen", &Arguments::listen,
          "a protocol's address, once or several times; else where it listens by itself"}
            .repeated(),
        P{"--settings", &Arguments::settings, "a JSON object for the plugin"},
        P{"--insecure", &Arguments::is_insecure,
          "a protocol's channels may be plain, though the capsule has an identity"},
        P{"--dry-run", &Arguments::is_dry_run, "say what would happen"}},
       load},
      {"unload",
       "a protocol, language, service or template",
       {P{module}.checked(one_of(unloaded)), name,
        P{"--dry-run", &Arguments::is_dry_run, "say what would break and what would move"},
        P{"--force", &Arguments::is_forced, "also what others depend on, or channels that break"}},
       unload},
      {"call",
       "an operation of an Object",
       {P{"what", &Arguments::what, "OBJECT.OPERATION"}.required(),
        P{"message", &Arguments::json, "the request as JSON"}},
       call},
      {"bind",
       "instantiate a Binding type",
       {P{"type", &Arguments::type, "NAME/MAJOR"}.required(),
        P{"--role,-r", &Arguments::roles,
          "ROLE=OBJECT; again for further members. Roles without one are traded"},
        P{"--explain", &Arguments::explains,
          "say what would be chosen and refused, and why; bind nothing"}},
       bind},
      {"version", "of this program", {}, version},
  });
}

}  // namespace hector

// What: `hector get`, `describe`, `load`, `create` and their like: the operations of a capsule's
// management Object. Why: whatever a capsule hosts is listed, loaded and ended in one way. Who:
// people and scripts.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>

#include "cli/client.h"
#include "cli/commands.h"
#include "hector/management/v1/management.pb.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace m = management::v1;

struct Arguments {
  std::string kind, name, file, template_name, arguments, to, settings, what, json, type;
  std::vector<std::string> properties, listen, roles;
  bool is_dry_run = false, explains = false;
};

/// Connects, asks the management Object, and hands the reply to `show`. Returns the exit code.
template <class Out, class In, class Show>
int ask(const CommandContext& context, const std::string& operation, const In& request,
        const Show& show) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto reply = session.ask<Out>(operation, request);
  if (!reply) return report(reply.error());
  show(*reply);
  return 0;
}

int run_capsule(const CommandContext& context, const Arguments& a) {
  const std::string program = program_prefix() + "/bin/hector-capsule";
  execl(program.c_str(), program.c_str(), a.file.c_str(), nullptr);
  return report(Error::unavailable(program + " cannot be started"));
}

int get_capsules(const CommandContext& context) {
  std::vector<OutputRow> rows;
  const std::string directory = run_directory();
  for (const auto& name : running_capsules(directory)) {
    auto reference = read_capsule_reference(directory, name);
    std::string reached;
    if (reference) {
      for (const auto& profile : reference->profiles)
        reached += (reached.empty() ? "" : ", ") + profile.protocol + " " + profile.address;
    }
    rows.push_back({name, {{"reached by", reached}}});
  }
  fmt::print("{}", format_rows(rows, context.format));
  return 0;
}

int get(const CommandContext& context, const Arguments& a) {
  if (a.kind == "capsules") return get_capsules(context);
  m::ListRequest request;
  request.set_kind(a.kind);
  return ask<m::ListReply>(context, "list", request, [&](const m::ListReply& reply) {
    std::vector<OutputRow> rows;
    for (const auto& item : reply.items()) {
      auto& row = rows.emplace_back(OutputRow{item.name(), {}});
      for (const auto& field : item.fields()) row.fields.emplace_back(field.name(), field.value());
    }
    fmt::print("{}", format_rows(rows, context.format));
  });
}

int describe(const CommandContext& context, const Arguments& a) {
  m::DescribeRequest request;
  request.set_kind(a.kind.ends_with('s') ? a.kind.substr(0, a.kind.size() - 1) : a.kind);
  request.set_name(a.name);
  return ask<m::DescribeReply>(context, "describe", request, [](const m::DescribeReply& reply) {
    fmt::print("{}", reply.json());
  });
}

int create_object(const CommandContext& context, const Arguments& a) {
  m::CreateRequest request;
  request.set_template_(a.template_name);
  request.set_name(a.name);
  request.set_arguments(a.arguments);
  for (const auto& property : a.properties) {
    auto pair = split_pair(property, "NAME=JSON");
    if (!pair) return report(pair.error());
    (*request.mutable_properties())[pair->first] = pair->second;
  }
  return ask<m::CreateReply>(context, "create", request, [&](const m::CreateReply& reply) {
    if (context.format == "name") {
      fmt::print("{}\n", a.name);
    } else {
      fmt::print("object {} created\n{}\n", a.name, reply.reference());
    }
  });
}

int move_object(const CommandContext& context, const Arguments& a) {
  m::MoveRequest request;
  request.set_object(a.name);
  request.set_to(a.to);
  return ask<m::MoveReply>(context, "move", request, [&](const m::MoveReply& reply) {
    fmt::print("object {} moved to {}\n", a.name, a.to);
    for (const auto& effect : reply.effects()) fmt::print("  {}\n", effect);
  });
}

int remove(const CommandContext& context, const Arguments& a) {
  m::DeleteRequest request;
  request.set_kind(a.kind);
  request.set_name(a.name);
  return ask<m::Done>(context, "delete", request,
                      [](const m::Done& done) { fmt::print("{}\n", done.text()); });
}

void show_effects(const m::LoadReply& reply, const std::string& headline) {
  fmt::print("{}\n", headline);
  for (const auto& effect : reply.effects()) fmt::print("  {}\n", effect);
}

int load(const CommandContext& context, const Arguments& a) {
  const bool is_file = a.kind == "template" || a.kind == "type";
  m::LoadRequest request;
  request.set_kind(a.kind);
  request.set_name(is_file ? std::filesystem::absolute(a.name).string() : a.name);
  request.set_dry_run(a.is_dry_run);
  request.set_settings(a.settings);
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
  return ask<m::LoadReply>(context, "unload", request, [&](const m::LoadReply& reply) {
    show_effects(reply, fmt::format("{} {} {}", a.kind, a.name,
                                    a.is_dry_run ? "could be unloaded" : "unloaded"));
  });
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
  return ask<m::CallReply>(context, "call", request, [](const m::CallReply& reply) {
    for (const auto& each : reply.json()) fmt::print("{}\n", each);
    if (!reply.why_cut().empty()) fmt::print(stderr, "hector: {}\n", reply.why_cut());
  });
}

void show_parties(const m::BindReply& reply, bool explains) {
  std::size_t width = 4;
  for (const auto& party : reply.parties()) width = std::max(width, party.role().size());
  for (const auto& party : reply.parties()) {
    fmt::print("  {:<{}}  {} @ {} ({}) — {}\n", party.role(), width, party.object(),
               party.capsule(), party.interface_id(), party.how());
    if (!explains) continue;
    for (const auto& refused : party.refused())
      fmt::print("  {:<{}}    not {}\n", "", width, refused);
  }
}

void show_channels(const m::BindReply& reply, bool explains) {
  for (const auto& channel : reply.channels()) {
    fmt::print("  {} → {}: {} {} [{}]\n", channel.from(), channel.to(), channel.protocol(),
               channel.address(), channel.interactions());
    fmt::print("      because {}\n", channel.why());
    if (!explains) continue;
    for (const auto& refused : channel.refused()) fmt::print("      not {}\n", refused);
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
    print_reply(context, reply, [&](const m::BindReply&) {
      if (context.format == "name") {
        fmt::print("{}\n", reply.binding());
        return;
      }
      if (!reply.binding().empty()) fmt::print("binding {}\n", reply.binding());
      show_parties(reply, a.explains);
      show_channels(reply, a.explains);
    });
  });
}

int version(const CommandContext&, const Arguments&) {
  fmt::print("hector 0.1.0, g++ {}, ABI {}\n", __VERSION__, HECTOR_ABI_RECORD);
  return 0;
}

}  // namespace

void add_management_commands(CommandTree& tree) {
  using P = Parameter<Arguments>;
  const CLI::Validator modules =
      CLI::IsMember({"protocol", "language", "service", "template", "type"});
  const P kind{"kind", &Arguments::kind};
  const P name = P{"name", &Arguments::name}.required();
  tree.group("capsule", "the process");
  tree.group("create", "make an Object");
  tree.add<Arguments>({
      {"capsule run",
       "run a capsule in this terminal until Ctrl-C",
       {P{"configuration", &Arguments::file, "its YAML file"}.required()},
       run_capsule},
      {"get",
       "list capsules, protocols, languages, services, templates, objects, offers, bindings, "
       "channels or types",
       {P{kind}.required()},
       get},
      {"describe", "one thing in full", {P{kind}.required(), name}, describe},
      {"create object",
       "from a loaded template",
       {P{"template", &Arguments::template_name, "`hector get templates`"}.required(),
        P{"--name", &Arguments::name, "the Object's name"}.required(),
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
       {P{kind}.required().checked(CLI::IsMember({"object", "binding"})), name},
       remove},
      {"load",
       "a protocol, language, service (by name), template or type (by file)",
       {P{kind}.required().checked(modules), name,
        P{"--listen", &Arguments::listen,
          "a protocol's address, once or several times; else where it listens by itself"}
            .repeated(),
        P{"--settings", &Arguments::settings, "a JSON object for the plugin"},
        P{"--dry-run", &Arguments::is_dry_run, "say what would happen"}},
       load},
      {"unload",
       "a protocol, language, service or template",
       {P{kind}.required().checked(modules), name,
        P{"--dry-run", &Arguments::is_dry_run, "say what would break and what would move"}},
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

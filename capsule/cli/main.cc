// What: hector, the command line.
// Why: everything that can be administered in a capsule, from a shell; a client of the management
// interface like any other. Who: people and scripts. Exit codes: 0 ok, 1 failed, 2 usage, 3 not
// found, 4 denied, 5 conflict, 6 unavailable or timed out, 7 incompatible types.
#include <fmt/format.h>
#include <google/protobuf/util/json_util.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <filesystem>

#include "cli/binding.h"
#include "cli/name.h"
#include "cli/output.h"
#include "cli/policy.h"
#include "cli/session.h"
#include "cli/trade.h"
#include "cli/type_service.h"
#include "cli/types.h"
#include "hector/management/v1/management.pb.h"
#include "process/run_directory.h"

namespace {

using namespace hector;
namespace m = hector::management::v1;

class Commands {
 public:
  Commands(CliOptions& options, std::string& format) : options_(options), format_(format) {}

  /// Connects, asks, and hands the reply to `show`.
  template <class Out, class In, class Show>
  int ask(const std::string& operation, const In& request, Show show) {
    CliSession session(options_);
    if (auto connected = session.connect(); !connected) return report(connected.error());
    auto reply = session.ask<Out>(operation, request);
    if (!reply) return report(reply.error());
    return show(*reply);
  }

  int get(const std::string& kind) {
    if (kind == "capsules") return get_capsules();
    m::ListRequest request;
    request.set_kind(kind);
    return ask<m::ListReply>("list", request, [&](const m::ListReply& reply) {
      std::vector<OutputRow> rows;
      for (const auto& item : reply.items()) {
        auto& row = rows.emplace_back(OutputRow{item.name(), {}});
        for (const auto& field : item.fields())
          row.fields.emplace_back(field.name(), field.value());
      }
      fmt::print("{}", format_rows(rows, format_));
      return 0;
    });
  }

  int get_capsules() {
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
    fmt::print("{}", format_rows(rows, format_));
    return 0;
  }

  int describe(const std::string& kind, const std::string& name) {
    m::DescribeRequest request;
    request.set_kind(kind.back() == 's' ? kind.substr(0, kind.size() - 1) : kind);
    request.set_name(name);
    return ask<m::DescribeReply>("describe", request, [](const m::DescribeReply& reply) {
      fmt::print("{}", reply.json());
      return 0;
    });
  }

  int load(const std::string& kind, const std::string& name, bool dry_run,
           const std::vector<std::string>& listen, const std::string& settings) {
    m::LoadRequest request;
    request.set_kind(kind);
    request.set_name(
        (kind == "template" || kind == "type") ? std::filesystem::absolute(name).string() : name);
    request.set_dry_run(dry_run);
    request.set_settings(settings);
    for (const auto& address : listen) request.add_listen(address);
    return ask<m::LoadReply>("load", request, [&](const m::LoadReply& reply) {
      return show_effects(reply, fmt::format("{} {} loaded", kind, reply.name()));
    });
  }

  int unload(const std::string& kind, const std::string& name, bool dry_run) {
    m::LoadRequest request;
    request.set_kind(kind);
    request.set_name(name);
    request.set_dry_run(dry_run);
    return ask<m::LoadReply>("unload", request, [&](const m::LoadReply& reply) {
      return show_effects(reply, dry_run ? fmt::format("{} {} could be unloaded", kind, name)
                                         : fmt::format("{} {} unloaded", kind, name));
    });
  }

  int create(const m::CreateRequest& request) {
    return ask<m::CreateReply>("create", request, [&](const m::CreateReply& reply) {
      if (format_ == "name") {
        fmt::print("{}\n", request.name());
      } else {
        fmt::print("object {} created\n{}\n", request.name(), reply.reference());
      }
      return 0;
    });
  }

  int remove(const std::string& kind, const std::string& name) {
    m::DeleteRequest request;
    request.set_kind(kind);
    request.set_name(name);
    return ask<m::Done>("delete", request, [](const m::Done& done) {
      fmt::print("{}\n", done.text());
      return 0;
    });
  }

  int move(const std::string& object, const std::string& to) {
    m::MoveRequest request;
    request.set_object(object);
    request.set_to(to);
    return ask<m::MoveReply>("move", request, [&](const m::MoveReply& reply) {
      fmt::print("object {} moved to {}\n", object, to);
      for (const auto& effect : reply.effects()) fmt::print("  {}\n", effect);
      return 0;
    });
  }

  int call(const std::string& what, const std::string& json) {
    const auto dot = what.rfind('.');
    if (dot == std::string::npos || dot == 0) {
      return report({Code::kInvalidArgument,
                     fmt::format("'{}' is not OBJECT.OPERATION, as in ana.free_slots", what)});
    }
    m::CallRequest request;
    request.set_target(what.substr(0, dot));
    request.set_operation(what.substr(dot + 1));
    request.set_json(json);
    request.set_timeout_ms(options_.timeout_ms);
    return ask<m::CallReply>("call", request, [](const m::CallReply& reply) {
      for (const auto& each : reply.json()) fmt::print("{}\n", each);
      return 0;
    });
  }

  int bind(const std::string& type, const std::vector<std::string>& parties, bool explain) {
    m::BindRequest request;
    request.set_type(type);
    request.set_explain_only(explain);
    for (const auto& party : parties) {
      const auto equals = party.find('=');
      if (equals == std::string::npos)
        return report({Code::kInvalidArgument, fmt::format("'{}' is not ROLE=OBJECT", party)});
      auto* added = request.add_parties();
      added->set_role(party.substr(0, equals));
      added->set_who(party.substr(equals + 1));
    }
    return ask<m::BindReply>("bind", request, [&](const m::BindReply& reply) {
      if (format_ == "json") {
        std::string json;
        google::protobuf::util::JsonPrintOptions options;
        options.preserve_proto_field_names = true;
        options.always_print_primitive_fields = true;
        static_cast<void>(google::protobuf::util::MessageToJsonString(reply, &json, options));
        fmt::print("{}\n", json);
        return 0;
      }
      show_binding(reply, explain);
      return 0;
    });
  }

  int version() {
    fmt::print("hector 0.1.0, g++ {}, ABI {}\n", __VERSION__, HECTOR_ABI_RECORD);
    return 0;
  }

 private:
  static int show_effects(const m::LoadReply& reply, const std::string& headline) {
    fmt::print("{}\n", headline);
    for (const auto& effect : reply.effects()) fmt::print("  {}\n", effect);
    return 0;
  }

  void show_binding(const m::BindReply& reply, bool explain) const {
    if (format_ == "name") {
      fmt::print("{}\n", reply.binding());
      return;
    }
    if (!reply.binding().empty()) fmt::print("binding {}\n", reply.binding());
    std::size_t width = 4;
    for (const auto& party : reply.parties()) width = std::max(width, party.role().size());
    for (const auto& party : reply.parties()) {
      fmt::print("  {:<{}}  {} @ {} ({}) — {}\n", party.role(), width, party.object(),
                 party.capsule(), party.interface_id(), party.how());
      if (explain) {
        for (const auto& refused : party.refused())
          fmt::print("  {:<{}}    not {}\n", "", width, refused);
      }
    }
    for (const auto& channel : reply.channels()) {
      fmt::print("  {} → {}: {} {} [{}]\n", channel.from(), channel.to(), channel.protocol(),
                 channel.address(), channel.interactions());
      fmt::print("      because {}\n", channel.why());
      if (explain) {
        for (const auto& refused : channel.refused()) fmt::print("      not {}\n", refused);
      }
    }
  }

  CliOptions& options_;
  std::string& format_;
};

int run_capsule(const std::string& file) {
  const std::string program = program_prefix() + "/bin/hector-capsule";
  execl(program.c_str(), program.c_str(), file.c_str(), nullptr);
  return report({Code::kUnavailable, program + " cannot be started"});
}

int run(int argc, char** argv) {
  CliOptions options;
  std::string format = "table";
  Commands commands(options, format);
  std::function<int()> chosen;
  CLI::App app{
      "hector administers capsules: what they host, what they speak, and who is bound to whom."};
  app.require_subcommand(1);
  app.fallthrough();
  app.add_option("--capsule,-c", options.capsule,
                 "which capsule: a name (`hector get capsules`) or a hector: reference");
  app.add_option("--protocol", options.protocol, "reach it over this protocol");
  app.add_option("--timeout-ms", options.timeout_ms, "give up after this time")
      ->capture_default_str();
  app.add_option("--output,-o", format, "table, json, yaml or name; jsonl for type check")
      ->check(CLI::IsMember({"table", "json", "yaml", "name", "jsonl"}));
  app.add_flag("--verbose,-v", options.verbose, "show the log");

  auto* capsule = app.add_subcommand("capsule", "the process");
  capsule->require_subcommand(1);
  std::string file;
  auto* capsule_run = capsule->add_subcommand("run", "run a capsule in this terminal until Ctrl-C");
  capsule_run->add_option("configuration", file, "its YAML file")->required();
  capsule_run->callback([&] { chosen = [&] { return run_capsule(file); }; });

  std::string kind, name;
  auto* get = app.add_subcommand("get",
                                 "list capsules, protocols, languages, services, templates, "
                                 "objects, offers, bindings, channels or types");
  get->add_option("kind", kind)->required();
  get->callback([&] { chosen = [&] { return commands.get(kind); }; });

  auto* describe = app.add_subcommand("describe", "one thing in full");
  describe->add_option("kind", kind)->required();
  describe->add_option("name", name)->required();
  describe->callback([&] { chosen = [&] { return commands.describe(kind, name); }; });

  m::CreateRequest creation;
  std::vector<std::string> properties;
  std::string template_name, object_name, arguments;
  auto* create = app.add_subcommand("create", "make an Object");
  create->require_subcommand(1);
  auto* create_object = create->add_subcommand("object", "from a loaded template");
  create_object->add_option("template", template_name, "`hector get templates`")->required();
  create_object->add_option("--name", object_name, "the Object's name")->required();
  create_object->add_option("--arguments", arguments, "a JSON object");
  create_object->add_option("--property", properties, "NAME=JSON, for the Trader");
  create_object->callback([&] {
    chosen = [&] {
      creation.set_template_(template_name);
      creation.set_name(object_name);
      creation.set_arguments(arguments);
      for (const auto& property : properties) {
        const auto equals = property.find('=');
        if (equals == std::string::npos)
          return report({Code::kInvalidArgument, fmt::format("'{}' is not NAME=JSON", property)});
        (*creation.mutable_properties())[property.substr(0, equals)] = property.substr(equals + 1);
      }
      return commands.create(creation);
    };
  });

  std::string moved, destination;
  auto* move = app.add_subcommand("move",
                                  "an Object to another capsule: with its name, its state, and its "
                                  "places in Bindings, under traffic");
  move->add_option("object", moved, "its name")->required();
  move->add_option("--to", destination, "the capsule; it has the Object's template loaded")
      ->required();
  move->callback([&] { chosen = [&] { return commands.move(moved, destination); }; });

  auto* remove = app.add_subcommand("delete", "end an object or a binding");
  remove->add_option("kind", kind)->required()->check(CLI::IsMember({"object", "binding"}));
  remove->add_option("name", name)->required();
  remove->callback([&] { chosen = [&] { return commands.remove(kind, name); }; });

  bool dry_run = false;
  std::string settings;
  std::vector<std::string> listen;
  const auto loadable = CLI::IsMember({"protocol", "language", "service", "template", "type"});
  auto* load = app.add_subcommand(
      "load", "a protocol, language, service (by name), template or type (by file)");
  load->add_option("kind", kind)->required()->check(loadable);
  load->add_option("name", name)->required();
  load->add_option("--listen", listen,
                   "a protocol's address, once or several times; else where it listens by itself")
      ->allow_extra_args(false);
  load->add_option("--settings", settings, "a JSON object for the plugin");
  load->add_flag("--dry-run", dry_run, "say what would happen");
  load->callback(
      [&] { chosen = [&] { return commands.load(kind, name, dry_run, listen, settings); }; });

  auto* unload = app.add_subcommand("unload", "a protocol, language, service or template");
  unload->add_option("kind", kind)->required()->check(loadable);
  unload->add_option("name", name)->required();
  unload->add_flag("--dry-run", dry_run, "say what would break and what would move");
  unload->callback([&] { chosen = [&] { return commands.unload(kind, name, dry_run); }; });

  std::string what, json;
  auto* call = app.add_subcommand("call", "an operation of an Object");
  call->add_option("what", what, "OBJECT.OPERATION")->required();
  call->add_option("message", json, "the request as JSON");
  call->callback([&] { chosen = [&] { return commands.call(what, json); }; });

  std::string type;
  std::vector<std::string> parties;
  bool explain = false;
  auto* bind = app.add_subcommand("bind", "instantiate a Binding type");
  bind->add_option("type", type, "NAME/MAJOR")->required();
  bind->add_option("--role,-r", parties,
                   "ROLE=OBJECT; again for further members. Roles without one are traded");
  bind->add_flag("--explain", explain,
                 "say what would be chosen and refused, and why; bind nothing");
  bind->callback([&] { chosen = [&] { return commands.bind(type, parties, explain); }; });

  add_binding_commands(app, options, format, chosen);
  add_policy_commands(app, options, format, chosen);
  add_trade_commands(app, options, format, chosen);
  add_name_commands(app, options, format, chosen);

  std::vector<std::string> paths;
  auto* types = app.add_subcommand("type", "types");
  types->require_subcommand(1);
  auto* check = types->add_subcommand(
      "check", "say what is wrong with the types in these files, and in those below these folders");
  check->add_option("paths", paths)->required();
  check->callback([&] { chosen = [&] { return type_check(paths, format); }; });
  add_type_service_commands(*types, options, format, chosen);
  std::string candidate, role, level;
  auto* conforms =
      types->add_subcommand("conforms",
                            "say whether an Interface may play a Role (or replace an Interface): "
                            "in files, or where no FILE is named in the Type service");
  conforms->add_option("interface", candidate, "FILE:INTERFACE")->required();
  conforms->add_option("role", role, "FILE:ROLE, FILE:BINDING.ROLE or FILE:INTERFACE")->required();
  conforms->add_option("--level", level, "of the Type service: signature or behaviour");
  conforms->callback([&] {
    chosen = [&] {
      return candidate.find(':') == std::string::npos && role.find(':') == std::string::npos
                 ? service_conforms(options, format, candidate, role, level)
                 : type_conforms(candidate, role, format);
    };
  });

  std::string drawn, drawn_type, form = "svg";
  auto* draw = types->add_subcommand(
      "draw", "a type as a picture: roles, channels, and what each role may send and get");
  draw->add_option("file", drawn)->required();
  draw->add_option("type", drawn_type, "NAME/MAJOR; the file's Binding type if it is left out");
  draw->add_option("--form", form, "svg, or dot for Graphviz's own language")
      ->check(CLI::IsMember({"svg", "dot"}));
  draw->callback([&] { chosen = [&] { return type_draw(drawn, drawn_type, form); }; });

  std::string older, newer;
  auto* diff = types->add_subcommand("diff", "what differs between two type files");
  auto* breaking = types->add_subcommand(
      "breaking", "whether users of the older types could go on with the newer");
  for (auto* each : {diff, breaking}) {
    each->add_option("older", older)->required();
    each->add_option("newer", newer)->required();
  }
  diff->callback([&] { chosen = [&] { return type_diff(older, newer); }; });
  std::string rules;
  breaking->add_option(
      "--rules", rules,
      "for .proto files, or folders of them: FILE, PACKAGE, WIRE_JSON, WIRE, as Buf has them");
  breaking->callback([&] {
    chosen = [&] {
      return rules.empty() ? type_breaking(older, newer, format)
                           : proto_breaking(older, newer, rules, format);
    };
  });
  std::string imported, folder, exported;
  unsigned major = 1;
  auto* import_command =
      types->add_subcommand("import",
                            "the gRPC services of a .proto file, a FileDescriptorSet or "
                            "a live server, as Interfaces in YAML");
  import_command
      ->add_option("file", imported, "a file, or PROTOCOL:ADDRESS of a server with reflection")
      ->required();
  import_command->add_option("--major", major, "the Interfaces' major version")
      ->check(CLI::Range(1U, 1'000'000U));
  import_command->add_option("--out", folder,
                             "write files there; needed for a FileDescriptorSet and for a server");
  import_command->callback([&] { chosen = [&] { return type_import(imported, major, folder); }; });
  bool only_check = false;
  auto* format_command = types->add_subcommand(
      "fmt", "lay type files out in the one way; comments stay. Names the files that change");
  format_command->add_option("paths", paths, "files, and folders with .yaml files")->required();
  format_command->add_flag("--check", only_check,
                           "change nothing; exit code 1 if a file would change");
  format_command->callback([&] { chosen = [&] { return type_fmt(paths, only_check); }; });
  std::string generated, code_form = "h", out_file;
  auto* gen = types->add_subcommand(
      "gen",
      "code made from a type file: a C++ header to derive templates from, or a .pyi for editors");
  gen->add_option("file", generated)->required();
  gen->add_option("--form", code_form, "h: a C++ header; pyi: for editors of Python")
      ->check(CLI::IsMember({"h", "pyi"}))
      ->capture_default_str();
  gen->add_option("--out", out_file, "write it there");
  gen->callback([&] { chosen = [&] { return type_gen(generated, code_form, out_file); }; });
  auto* export_command =
      types->add_subcommand("export", "an Interface as the .proto of its gRPC service");
  export_command->add_option("interface", exported, "FILE:INTERFACE")->required();
  export_command->callback([&] { chosen = [&] { return type_export(exported); }; });

  app.add_subcommand("version", "of this program")->callback([&] {
    chosen = [&] { return commands.version(); };
  });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    const int code = app.exit(error);
    return code == 0 ? 0 : 2;
  }
  return chosen();
}

}  // namespace

int main(int argc, char** argv) try {
  return run(argc, argv);
} catch (const std::exception& error) {
  return report({Code::kInternal, error.what()});
}

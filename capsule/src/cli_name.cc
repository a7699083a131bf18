#include "cli_name.h"

#include <memory>

#include "cli_object.h"
#include "hector/service/v1/naming.pb.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "naming";

/// Needs no capsule: the service is asked in a kernel of our own.
int parse(const CliOptions& options, const std::string& format, const std::string& name) {
  s::NamingName asked;
  asked.set_name(name);
  CliSession session(options);
  if (auto opened = session.open_service(kService); !opened) return report(opened.error());
  auto parsed = ask_object<s::NamingComponents>(session, options, kService, "parse", asked);
  if (!parsed) return report(parsed.error());
  if (format == "json") {
    fmt::print("{}\n", json_of(*parsed, true));
    return 0;
  }
  for (const auto& component : parsed->components()) fmt::print("{}\n", component.empty() ? "(empty)" : component);
  return 0;
}

void show_binding(const s::NamingBinding& binding) {
  fmt::print("{:<24} {} @ {}  {}\n", binding.name(), binding.reference().object(), binding.reference().capsule(), binding.reference().interface_id());
}

}  // namespace

void add_name_commands(CLI::App& app, CliOptions& options, std::string& format, std::function<int()>& chosen) {
  auto* group = app.add_subcommand("name", "names for references (X/Open XFN)");
  group->require_subcommand(1);
  const auto name = std::make_shared<std::string>();
  const auto add = [&](const char* command, const char* text, bool is_required, std::function<int(const std::string&)> what) {
    auto* added = group->add_subcommand(command, text);
    auto* option = added->add_option("name", *name);
    if (is_required) option->required();
    choose(added, chosen, name, std::move(what));
  };
  const auto asked = [](const std::string& each) {
    s::NamingName request;
    request.set_name(each);
    return request;
  };
  add("parse", "a composite name's components; needs no capsule", true, [&](const std::string& each) { return parse(options, format, each); });
  add("lookup", "what a name is bound to", true, [&options, &format, asked](const std::string& each) { return ask_and_show<s::NamingBinding>(options, format, kService, "lookup", asked(each), show_binding); });
  add("unbind", "a name; well if it is not there", true, [&options, &format, asked](const std::string& each) {
    return ask_and_show<s::NamingRevision>(options, format, kService, "unbind", asked(each), [](const s::NamingRevision& reply) { fmt::print("revision {}\n", reply.revision()); });
  });
  add("list", "names that begin so; all without it", false, [&options, &format, asked](const std::string& each) {
    return ask_and_show<s::NamingBindings>(options, format, kService, "list_bindings", asked(each), [](const s::NamingBindings& reply) {
      for (const auto& binding : reply.bindings()) show_binding(binding);
    });
  });
}

}  // namespace hector

// What: `hector type …` of files: check, conforms, draw, diff, breaking, import, fmt, gen, export.
// Why: they need no capsule, only files. Who: people, build scripts and editors. Exit codes beyond
// main.cc's: 7 where a type cannot work, does not conform or breaks; fmt --check: 1.
#include <fmt/ranges.h>
#include <graphviz/gvc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <sstream>

#include "base/text/read_file.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/reflection.h"
#include "cli/type_service.h"
#include "hector/authoring.h"

namespace hector {

namespace {

constexpr std::uint32_t kMajorMax = 1'000'000;  ///< as the readers of types accept it

struct Arguments {
  std::vector<std::string> paths, roots;
  std::string interface, role, level, file, type, older, newer, rules, folder, out;
  std::string picture = "svg", code = "h";
  std::uint32_t major = 1;
  bool only_checks = false;
};

Value value_of(const types::TypeCheck& check) {
  static const Finding kNone;
  const Finding& finding = check.finding ? *check.finding : kNone;
  return Value::map()
      .with("type", check.type)
      .with("ok", Value::truth(!check.finding))
      .with("rule", check.finding ? Value::text(finding.rule) : Value::plain("null"))
      .with("trace", Value::texts(finding.trace))
      .with("who", Value::texts(finding.roles))
      .with("text", finding.text)
      .with("file", check.file);
}

std::string trace_of(const std::vector<std::string>& trace) {
  return trace.empty() ? "at the start" : fmt::format("{}", fmt::join(trace, " ; "));
}

void print(const types::TypeCheck& check) {
  if (!check.finding) return emit("ok {} ({})\n", check.type, check.file);
  const Finding& finding = *check.finding;
  if (finding.rule == "syntax") return complain(finding.text + "\n");
  complain(fmt::format(
      "{}: {}: {}: {}{}{}\n", check.file, check.type, finding.rule, finding.text,
      finding.trace.empty() && finding.rule[0] != 'C' ? ""
                                                      : " (trace: " + trace_of(finding.trace) + ")",
      finding.roles.empty() ? "" : fmt::format(" [{}]", fmt::join(finding.roles, ", "))));
}

Value value_of(const Conformance& conformance) {
  auto reasons = Value::list();
  for (const auto& finding : conformance.findings)
    reasons.add(Value::map()
                    .with("rule", finding.rule)
                    .with("trace", Value::texts(finding.trace))
                    .with("text", finding.text));
  return Value::map()
      .with("conforms", Value::truth(conformance.conforms()))
      .with("rule", conformance.conforms() ? Value::plain("null")
                                           : Value::text(conformance.findings.front().rule))
      .with("order_compared", Value::truth(conformance.order_compared))
      .with("reasons", std::move(reasons));
}

/// "yes" or the reasons.
int print_conformance(const Conformance& conformance, const std::string& format) {
  const int code = conformance.conforms() ? 0 : kExitIncompatible;
  if (format != "table") {
    const auto value = value_of(conformance);
    write_out(format == "jsonl" ? json_line(value) + "\n" : format_value(value, format));
    return code;
  }
  if (conformance.conforms()) emit("yes\n");
  if (!conformance.order_compared)
    emit("the Interface says no order: signatures alone were compared\n");
  for (const auto& finding : conformance.findings)
    emit("{}: {}{}\n", finding.rule, finding.text,
         finding.rule[0] != 'R' ? "" : fmt::format(" (trace: {})", trace_of(finding.trace)));
  return code;
}

int check(const CommandContext& context, const Arguments& a) {
  auto checks = types::check_files(a.paths);
  if (!checks) return report(checks.error());
  int worst = 0;
  auto list = Value::list();
  for (const auto& check : *checks) {
    list.add(value_of(check));
    if (context.format == "table") print(check);
    if (check.finding)
      worst = std::max(worst, check.finding->rule == "syntax" ? kExitUsage : kExitIncompatible);
  }
  if (context.format != "table") write_out(format_value(list, context.format));
  return worst;
}

int conforms(const CommandContext& context, const Arguments& a) {
  if (a.interface.find(':') == std::string::npos && a.role.find(':') == std::string::npos)
    return service_conforms(context, a.interface, a.role, a.level);
  auto checked = types::check_conformance(a.interface, a.role);
  return checked ? print_conformance(*checked, context.format) : report(checked.error());
}

int diff(const CommandContext& context, const Arguments& a) {
  auto lines = types::differences(a.older, a.newer);
  if (!lines) return report(lines.error());
  print_lines(context, *lines);
  return 0;
}

int breaking(const CommandContext& context, const Arguments& a) {
  if (!a.rules.empty()) return proto_breaking(a.older, a.newer, a.rules, context.format);
  auto findings = types::breaking_changes(a.older, a.newer);
  if (!findings) return report(findings.error());
  if (context.format == "table" && findings->empty()) {
    emit("nothing breaks\n");
    return 0;
  }
  return print_conformance({.findings = std::move(*findings), .order_compared = true},
                           context.format);
}

/// The descriptors of a server are fetched into a file first.
Result<types::ImportedTypes> imported_from(const Arguments& a) {
  if (!is_server(a.file)) return types::import_services(a.file, a.major, a.roots);
  const auto descriptors = HECTOR_TRY(reflect(a.file));
  const auto file =
      std::filesystem::temp_directory_path() / fmt::format("hector-import-{}", getpid());
  HECTOR_TRY(write_to(file, descriptors));
  auto imported = types::import_services(file.string(), a.major);
  std::filesystem::remove(file);
  return imported;
}

/// Where a file that was imported goes. INVALID_ARGUMENT if its name leads out of the folder.
Result<std::filesystem::path> place_in(const std::string& folder, const std::string& name,
                                       const std::string& origin) {
  if (name.find("..") != std::string::npos)
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' names a file outside the folder: {}", origin, name));
  return std::filesystem::path(folder) /
         std::filesystem::path(name).lexically_normal().relative_path();
}

int import(const CommandContext& context, const Arguments& a) {
  auto imported = imported_from(a);
  if (!imported) return report(imported.error());
  if (a.folder.empty()) {
    if (!imported->proto_files.empty())
      return report(Error::invalid_argument(
          fmt::format("'{}' brings its messages along: say --out FOLDER for them", a.file)));
    print_document(context, imported->yaml);
    return 0;
  }
  std::vector<std::string> places;
  auto files = imported->proto_files;
  files.emplace_back("types.hector.yaml", imported->yaml);
  for (const auto& [name, text] : files) {
    auto place = place_in(a.folder, name, a.file);
    if (!place) return report(place.error());
    std::error_code error;
    std::filesystem::create_directories(place->parent_path(), error);
    if (auto written = write_to(*place, text); !written) return report(written.error());
    places.push_back(place->string());
  }
  print_lines(context, places);
  return 0;
}

/// Lays one file out; true if it changes. With `only_checks` it is left as it is.
Result<bool> format_file(const std::string& path, const Arguments& a) {
  auto before = HECTOR_TRY(read_file(path));
  auto after = types::format_file(path);
  if (!after) {
    // A folder's .yaml files need not be type files; a file that is named must be one.
    const bool is_named = std::find(a.paths.begin(), a.paths.end(), path) != a.paths.end();
    if (after.error().code == Code::kFailedPrecondition && !is_named) return false;
    return fail(after.error());
  }
  if (*after == before) return false;
  if (!a.only_checks) HECTOR_TRY(write_to(path, *after));
  return true;
}

int format(const CommandContext& context, const Arguments& a) {
  auto files = types::type_files(a.paths);
  if (!files) return report(files.error());
  int code = 0;
  std::vector<std::string> changed;
  for (const auto& path : *files) {
    auto changes = format_file(path, a);
    if (!changes) {
      code = report(changes.error());
    } else if (*changes) {
      changed.push_back(path);
      if (a.only_checks) code = std::max(code, kExitFailed);
    }
  }
  print_lines(context, changed);
  return code;
}

int gen(const CommandContext& context, const Arguments& a) {
  auto text = types::generate_code(
      a.file, a.code == "pyi" ? types::CodeForm::kPyi : types::CodeForm::kHeader);
  if (!text) return report(text.error());
  if (a.out.empty()) {
    print_document(context, *text);
    return 0;
  }
  auto written = write_to(a.out, *text);
  return written ? 0 : report(written.error());
}

int export_proto(const CommandContext& context, const Arguments& a) {
  auto text = types::export_service(a.interface);
  if (!text) return report(text.error());
  print_document(context, *text);
  return 0;
}

/// Graphviz lays the picture out; nothing if it cannot.
std::optional<std::string> svg_of(const std::string& dot) {
  GVC_t* const context = gvContext();
  Agraph_t* const graph = agmemread(dot.c_str());
  char* picture = nullptr;
  unsigned int size = 0;
  std::optional<std::string> drawn;
  if (graph != nullptr && gvLayout(context, graph, "dot") == 0 &&
      gvRenderData(context, graph, "svg", &picture, &size) == 0)
    drawn.emplace(picture, size);
  if (picture != nullptr) gvFreeRenderData(picture);
  if (graph != nullptr) {
    gvFreeLayout(context, graph);
    agclose(graph);
  }
  gvFreeContext(context);
  return drawn;
}

int draw(const CommandContext& context, const Arguments& a) {
  auto picture = types::draw_type(a.file, a.type);
  if (!picture) return report(picture.error());
  if (a.picture == "svg") {
    auto svg = svg_of(*picture);
    if (!svg) {
      complain("hector: Graphviz cannot lay the picture out; `--form dot` prints its text\n");
      return kExitFailed;
    }
    picture = std::move(*svg);
  }
  print_document(context, *picture);
  return 0;
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> checking_commands() {
  const P older = P{"older", &Arguments::older, "the file that was"}.required();
  const P newer = P{"newer", &Arguments::newer, "the file that is to take its place"}.required();
  return {
      {"type check",
       "say what is wrong with the types in these files, and in those below these folders",
       {P{"paths", &Arguments::paths, "type files, and folders"}.required()},
       check},
      {"type conforms",
       "say whether an Interface may play a Role (or replace an Interface): in files, or where no "
       "FILE is named in the Type service",
       {P{"interface", &Arguments::interface, "FILE:INTERFACE"}.required(),
        P{"role", &Arguments::role, "FILE:ROLE, FILE:BINDING.ROLE or FILE:INTERFACE"}.required(),
        {"--level", &Arguments::level, "of the Type service: signature or behaviour"}},
       conforms},
      {"type diff", "what differs between two type files", {older, newer}, diff},
      {"type breaking",
       "whether the newer types would break users of the older ones",
       {older,
        newer,
        {"--rules", &Arguments::rules,
         "for .proto files, or folders that imports begin at: FILE, PACKAGE, WIRE_JSON, WIRE, as "
         "Buf has them"}},
       breaking},
  };
}

std::vector<Command<Arguments>> authoring_commands() {
  const P file = P{"file", &Arguments::file, "a type file"}.required();
  return {
      {"type draw",
       "a type as a picture: roles, channels, and what each role may send and get",
       {file,
        {"type", &Arguments::type, "NAME/MAJOR; the file's Binding type if it is left out"},
        P{"--form", &Arguments::picture, "svg, or dot for Graphviz's own language"}.checked(
            one_of({"svg", "dot"}))},
       draw},
      {"type import",
       "the gRPC services of a .proto file, a FileDescriptorSet or a live server, as Interfaces in "
       "YAML",
       {P{"file", &Arguments::file, "a file, or PROTOCOL:ADDRESS of a server with reflection"}
            .required(),
        P{"--major", &Arguments::major, "the Interfaces' major version"}.checked(
            CLI::Range(1U, kMajorMax)),
        P{"-I,--proto-path", &Arguments::roots,
          "a folder that the imports of .proto files begin at, as protoc has it, once or several "
          "times; else the nearest around the file where all of them are found"}
            .repeated(),
        {"--out", &Arguments::folder,
         "write files there; needed for a FileDescriptorSet and for a server"}},
       import},
      {"type fmt",
       "lay type files out in the one way; comments stay. Names the files that change",
       {P{"paths", &Arguments::paths, "files, and folders with .yaml files"}.required(),
        {"--check", &Arguments::only_checks, "change nothing; exit code 1 if a file would change"}},
       format},
      {"type gen",
       "code made from a type file: a C++ header to derive templates from, or a .pyi for editors",
       {file,
        P{"--form", &Arguments::code, "h: a C++ header; pyi: for editors of Python"}.checked(
            one_of({"h", "pyi"})),
        {"--out", &Arguments::out, "write it there"}},
       gen},
      {"type export",
       "an Interface as the .proto of its gRPC service",
       {P{"interface", &Arguments::interface, "FILE:INTERFACE"}.required()},
       export_proto},
  };
}

}  // namespace

void add_type_commands(CommandTree& tree) {
  tree.group("type", "types");
  tree.add(checking_commands());
  tree.add(authoring_commands());
}

}  // namespace hector

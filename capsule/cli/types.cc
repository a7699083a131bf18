// What: `hector type …` of files: check, conforms, draw, diff, breaking, import, fmt, gen, export.
// Why: they need no capsule, only files. Who: people, build scripts and editors. Exit codes beyond
// main.cc's: 7 where a type cannot work, does not conform or breaks; fmt --check: 1.
#include <fmt/format.h>
#include <graphviz/gvc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/text/read_file.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "cli/output.h"
#include "cli/reflection.h"
#include "cli/type_service.h"
#include "hector/authoring.h"

namespace hector {

namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
constexpr int kExitIncompatible = 7;
constexpr std::uint32_t kMajorMax = 1'000'000;  ///< as the readers of types accept it

struct Arguments {
  std::vector<std::string> paths;
  std::string interface, role, level, file, type, older, newer, rules, folder, out;
  std::string picture = "svg", code = "h";
  std::uint32_t major = 1;
  bool only_checks = false;
};

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() > 1 ? ", " : "") + json_quoted(text);
  return out + "]";
}

std::string json_of(const types::TypeCheck& check) {
  static const Finding kNone;
  const Finding& finding = check.finding ? *check.finding : kNone;
  return fmt::format(
      "{{\"type\": {}, \"ok\": {}, \"rule\": {}, \"trace\": {}, \"who\": {}, \"text\": {}, "
      "\"file\": {}}}",
      json_quoted(check.type), !check.finding, check.finding ? json_quoted(finding.rule) : "null",
      json_list(finding.trace), json_list(finding.roles), json_quoted(finding.text),
      json_quoted(check.file));
}

std::string trace_of(const std::vector<std::string>& trace) {
  return trace.empty() ? "at the start" : fmt::format("{}", fmt::join(trace, " ; "));
}

void print(const types::TypeCheck& check) {
  if (!check.finding) return fmt::print("ok {} ({})\n", check.type, check.file);
  const Finding& finding = *check.finding;
  if (finding.rule == "syntax") return fmt::print(stderr, "{}\n", finding.text);
  fmt::print(stderr, "{}: {}: {}: {}{}{}\n", check.file, check.type, finding.rule, finding.text,
             finding.trace.empty() && finding.rule[0] != 'C'
                 ? ""
                 : " (trace: " + trace_of(finding.trace) + ")",
             finding.roles.empty() ? "" : fmt::format(" [{}]", fmt::join(finding.roles, ", ")));
}

/// "yes" or the reasons; json: conforms, rule, reasons.
int print_conformance(const Conformance& conformance, const std::string& format) {
  const bool conforms = conformance.conforms();
  if (format == "json" || format == "jsonl") {
    std::string reasons;
    for (const auto& finding : conformance.findings) {
      reasons += fmt::format("{}{{\"rule\": {}, \"trace\": {}, \"text\": {}}}",
                             reasons.empty() ? "" : ", ", json_quoted(finding.rule),
                             json_list(finding.trace), json_quoted(finding.text));
    }
    fmt::print("{{\"conforms\": {}, \"rule\": {}, \"order_compared\": {}, \"reasons\": [{}]}}\n",
               conforms, conforms ? "null" : json_quoted(conformance.findings.front().rule),
               conformance.order_compared, reasons);
    return conforms ? 0 : kExitIncompatible;
  }
  if (conforms) fmt::print("yes\n");
  if (!conformance.order_compared)
    fmt::print("the Interface says no order: signatures alone were compared\n");
  for (const auto& finding : conformance.findings)
    fmt::print("{}: {}{}\n", finding.rule, finding.text,
               finding.rule[0] != 'R' ? "" : fmt::format(" (trace: {})", trace_of(finding.trace)));
  return conforms ? 0 : kExitIncompatible;
}

int check(const CommandContext& context, const Arguments& a) {
  auto checks = types::check_files(a.paths);
  if (!checks) return report(checks.error());
  int worst = 0;
  for (const auto& check : *checks) {
    if (context.format == "jsonl") {
      fmt::print("{}\n", json_of(check));
    } else {
      print(check);
    }
    if (check.finding)
      worst = std::max(worst, check.finding->rule == "syntax" ? kExitUsage : kExitIncompatible);
  }
  return worst;
}

int conforms(const CommandContext& context, const Arguments& a) {
  if (a.interface.find(':') == std::string::npos && a.role.find(':') == std::string::npos)
    return service_conforms(context, a.interface, a.role, a.level);
  auto checked = types::check_conformance(a.interface, a.role);
  return checked ? print_conformance(*checked, context.format) : report(checked.error());
}

int diff(const CommandContext&, const Arguments& a) {
  auto lines = types::differences(a.older, a.newer);
  if (!lines) return report(lines.error());
  for (const auto& line : *lines) fmt::print("{}\n", line);
  return 0;
}

int breaking(const CommandContext& context, const Arguments& a) {
  if (!a.rules.empty()) return proto_breaking(a.older, a.newer, a.rules, context.format);
  auto findings = types::breaking_changes(a.older, a.newer);
  if (!findings) return report(findings.error());
  if (context.format == "table" && findings->empty()) {
    fmt::print("nothing breaks\n");
    return 0;
  }
  return print_conformance({.findings = std::move(*findings), .order_compared = true},
                           context.format);
}

/// The descriptors of a server are fetched into a file first.
Result<types::ImportedTypes> imported_from(const Arguments& a) {
  if (!is_server(a.file)) return types::import_services(a.file, a.major);
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

int import(const CommandContext&, const Arguments& a) {
  auto imported = imported_from(a);
  if (!imported) return report(imported.error());
  if (a.folder.empty()) {
    if (!imported->proto_files.empty())
      return report(Error::invalid_argument(
          fmt::format("'{}' brings its messages along: say --out FOLDER for them", a.file)));
    fmt::print("{}", imported->yaml);
    return 0;
  }
  auto files = imported->proto_files;
  files.emplace_back("types.hector.yaml", imported->yaml);
  for (const auto& [name, text] : files) {
    auto place = place_in(a.folder, name, a.file);
    if (!place) return report(place.error());
    std::error_code error;
    std::filesystem::create_directories(place->parent_path(), error);
    if (auto written = write_to(*place, text); !written) return report(written.error());
    fmt::print("{}\n", place->string());
  }
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
  fmt::print("{}\n", path);
  if (!a.only_checks) HECTOR_TRY(write_to(path, *after));
  return true;
}

int format(const CommandContext&, const Arguments& a) {
  auto files = types::type_files(a.paths);
  if (!files) return report(files.error());
  int code = 0;
  for (const auto& path : *files) {
    auto changes = format_file(path, a);
    if (!changes) {
      code = report(changes.error());
    } else if (*changes && a.only_checks) {
      code = std::max(code, kExitFailed);
    }
  }
  return code;
}

int gen(const CommandContext&, const Arguments& a) {
  auto text = types::generate_code(
      a.file, a.code == "pyi" ? types::CodeForm::kPyi : types::CodeForm::kHeader);
  if (!text) return report(text.error());
  if (a.out.empty()) {
    fmt::print("{}", *text);
    return 0;
  }
  auto written = write_to(a.out, *text);
  return written ? 0 : report(written.error());
}

int export_proto(const CommandContext&, const Arguments& a) {
  auto text = types::export_service(a.interface);
  if (!text) return report(text.error());
  fmt::print("{}", *text);
  return 0;
}

/// Graphviz lays the picture out; false if it cannot.
bool print_svg(const std::string& dot) {
  GVC_t* const context = gvContext();
  Agraph_t* const graph = agmemread(dot.c_str());
  char* picture = nullptr;
  unsigned int size = 0;
  const bool is_drawn = graph != nullptr && gvLayout(context, graph, "dot") == 0 &&
                        gvRenderData(context, graph, "svg", &picture, &size) == 0;
  if (is_drawn) fwrite(picture, 1, size, stdout);
  if (picture != nullptr) gvFreeRenderData(picture);
  if (graph != nullptr) {
    gvFreeLayout(context, graph);
    agclose(graph);
  }
  gvFreeContext(context);
  return is_drawn;
}

int draw(const CommandContext&, const Arguments& a) {
  auto dot = types::draw_type(a.file, a.type);
  if (!dot) return report(dot.error());
  if (a.picture == "dot") {
    fmt::print("{}", *dot);
    return 0;
  }
  if (print_svg(*dot)) return 0;
  fmt::print(stderr, "hector: Graphviz cannot lay the picture out; `--form dot` prints its text\n");
  return kExitFailed;
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> checking_commands() {
  const P older = P{"older", &Arguments::older}.required();
  const P newer = P{"newer", &Arguments::newer}.required();
  return {
      {"type check",
       "say what is wrong with the types in these files, and in those below these folders",
       {P{"paths", &Arguments::paths}.required()},
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
         "for .proto files, or folders of them: FILE, PACKAGE, WIRE_JSON, WIRE, as Buf has them"}},
       breaking},
  };
}

std::vector<Command<Arguments>> authoring_commands() {
  const P file = P{"file", &Arguments::file}.required();
  return {
      {"type draw",
       "a type as a picture: roles, channels, and what each role may send and get",
       {file,
        {"type", &Arguments::type, "NAME/MAJOR; the file's Binding type if it is left out"},
        P{"--form", &Arguments::picture, "svg, or dot for Graphviz's own language"}.checked(
            CLI::IsMember({"svg", "dot"}))},
       draw},
      {"type import",
       "the gRPC services of a .proto file, a FileDescriptorSet or a live server, as Interfaces in "
       "YAML",
       {P{"file", &Arguments::file, "a file, or PROTOCOL:ADDRESS of a server with reflection"}
            .required(),
        P{"--major", &Arguments::major, "the Interfaces' major version"}.checked(
            CLI::Range(1U, kMajorMax)),
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
            CLI::IsMember({"h", "pyi"})),
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

#include "cli/types.h"

#include <fmt/format.h>
#include <graphviz/gvc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "base/text/read_file.h"
#include "cli/output.h"
#include "cli/reflection.h"
#include "hector/authoring.h"

namespace hector {

namespace {

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
    return conforms ? 0 : 7;
  }
  if (conforms) fmt::print("yes\n");
  if (!conformance.order_compared)
    fmt::print("the Interface says no order: signatures alone were compared\n");
  for (const auto& finding : conformance.findings)
    fmt::print("{}: {}{}\n", finding.rule, finding.text,
               finding.rule[0] != 'R' ? "" : fmt::format(" (trace: {})", trace_of(finding.trace)));
  return conforms ? 0 : 7;
}

}  // namespace

int type_check(const std::vector<std::string>& paths, const std::string& format) {
  auto checks = types::check_files(paths);
  if (!checks) return report(checks.error());
  int worst = 0;
  for (const auto& check : *checks) {
    if (format == "jsonl") {
      fmt::print("{}\n", json_of(check));
    } else {
      print(check);
    }
    if (check.finding) worst = std::max(worst, check.finding->rule == "syntax" ? 2 : 7);
  }
  return worst;
}

int type_conforms(const std::string& interface, const std::string& role,
                  const std::string& format) {
  auto checked = types::check_conformance(interface, role);
  return checked ? print_conformance(*checked, format) : report(checked.error());
}

int type_diff(const std::string& older, const std::string& newer) {
  auto lines = types::differences(older, newer);
  if (!lines) return report(lines.error());
  for (const auto& line : *lines) fmt::print("{}\n", line);
  return 0;
}

int type_breaking(const std::string& older, const std::string& newer, const std::string& format) {
  auto changes = types::breaking_changes(older, newer);
  if (!changes) return report(changes.error());
  if (format != "table" || !changes->empty())
    return print_conformance({std::move(*changes)}, format);
  fmt::print("nothing breaks\n");
  return 0;
}

int type_import(const std::string& path, unsigned major, const std::string& folder) {
  std::string file = path;
  if (is_server(path)) {
    auto reflected = reflect(path);
    if (!reflected) return report(reflected.error());
    file = (std::filesystem::temp_directory_path() / fmt::format("hector-import-{}", getpid()))
               .string();
    std::ofstream(file) << *reflected;
  }
  auto imported = types::import_services(file, major);
  if (file != path) std::filesystem::remove(file);
  if (!imported) return report(imported.error());
  if (folder.empty()) {
    if (!imported->proto_files.empty())
      return report(
          {Code::kInvalidArgument,
           fmt::format("'{}' brings its messages along: say --out FOLDER for them", path)});
    fmt::print("{}", imported->yaml);
    return 0;
  }
  auto files = imported->proto_files;
  files.emplace_back("types.hector.yaml", imported->yaml);
  for (const auto& [name, text] : files) {
    const auto place = std::filesystem::path(folder) /
                       std::filesystem::path(name).lexically_normal().relative_path();
    if (name.find("..") != std::string::npos)
      return report({Code::kInvalidArgument,
                     fmt::format("'{}' names a file outside the folder: {}", path, name)});
    std::error_code error;
    std::filesystem::create_directories(place.parent_path(), error);
    std::ofstream out(place);
    if (!(out << text))
      return report({Code::kUnavailable, fmt::format("'{}' cannot be written", place.string())});
    fmt::print("{}\n", place.string());
  }
  return 0;
}

int type_fmt(const std::vector<std::string>& paths, bool check) {
  auto files = types::type_files(paths);
  if (!files) return report(files.error());
  int code = 0;
  for (const auto& path : *files) {
    const auto before = read_file(path, "type file");
    auto after = types::format_file(path);
    if (!after && after.error().code == Code::kFailedPrecondition &&
        std::find(paths.begin(), paths.end(), path) == paths.end())
      continue;
    if (!after) {
      code = report(after.error());
      continue;
    }
    if (before && *after == *before) continue;
    fmt::print("{}\n", path);
    if (check) {
      code = std::max(code, 1);
      continue;
    }
    std::ofstream out(path);
    if (!(out << *after))
      code = report({Code::kUnavailable, fmt::format("'{}' cannot be written", path)});
  }
  return code;
}

int type_gen(const std::string& path, const std::string& form, const std::string& out) {
  auto text =
      types::generate_code(path, form == "pyi" ? types::CodeForm::kPyi : types::CodeForm::kHeader);
  if (!text) return report(text.error());
  if (out.empty()) {
    fmt::print("{}", *text);
    return 0;
  }
  std::ofstream file(out);
  if (!(file << *text))
    return report({Code::kUnavailable, fmt::format("'{}' cannot be written", out)});
  return 0;
}

int type_export(const std::string& interface) {
  auto text = types::export_service(interface);
  if (!text) return report(text.error());
  fmt::print("{}", *text);
  return 0;
}

int type_draw(const std::string& path, const std::string& type, const std::string& form) {
  auto drawn = types::draw_type(path, type);
  if (!drawn) return report(drawn.error());
  if (form == "dot") {
    fmt::print("{}", *drawn);
    return 0;
  }
  GVC_t* context = gvContext();
  Agraph_t* graph = agmemread(drawn->c_str());
  char* picture = nullptr;
  unsigned int size = 0;
  const bool ok = graph != nullptr && gvLayout(context, graph, "dot") == 0 &&
                  gvRenderData(context, graph, "svg", &picture, &size) == 0;
  if (ok)
    fwrite(picture, 1, size, stdout);
  else
    fmt::print(stderr,
               "hector: Graphviz cannot lay the picture out; `--form dot` prints its text\n");
  if (picture != nullptr) gvFreeRenderData(picture);
  if (graph != nullptr) {
    gvFreeLayout(context, graph);
    agclose(graph);
  }
  gvFreeContext(context);
  return ok ? 0 : 1;
}

}  // namespace hector

#include "cli/types.h"

#include <fmt/format.h>
#include <graphviz/gvc.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/output.h"
#include "cli/reflection.h"
#include "hector/type_file.h"

namespace hector {

namespace {

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() > 1 ? ", " : "") + json_quoted(text);
  return out + "]";
}

std::string json_of(const TypeCheck& check) {
  return fmt::format(
      "{{\"type\": {}, \"ok\": {}, \"rule\": {}, \"trace\": {}, \"who\": {}, \"text\": {}, "
      "\"file\": {}}}",
      json_quoted(check.type), check.ok, check.ok ? "null" : json_quoted(check.rule),
      json_list(check.trace), json_list(check.who), json_quoted(check.text),
      json_quoted(check.file));
}

std::string trace_of(const std::vector<std::string>& trace) {
  return trace.empty() ? "at the start" : fmt::format("{}", fmt::join(trace, " ; "));
}

void print(const TypeCheck& check) {
  if (check.ok) {
    fmt::print("ok {} ({})\n", check.type, check.file);
  } else if (check.rule == "syntax") {
    fmt::print(stderr, "{}\n", check.text);
  } else {
    fmt::print(stderr, "{}: {}: {}: {}{}{}\n", check.file, check.type, check.rule, check.text,
               check.trace.empty() && check.rule[0] != 'C'
                   ? ""
                   : " (trace: " + trace_of(check.trace) + ")",
               check.who.empty() ? "" : fmt::format(" [{}]", fmt::join(check.who, ", ")));
  }
}

/// "yes" or the reasons; json: conforms, rule, reasons.
int print_verdict(const Conformance& verdict, const std::string& format) {
  const bool conforms = verdict.reasons.empty();
  if (format == "json" || format == "jsonl") {
    std::string reasons;
    for (const auto& reason : verdict.reasons) {
      reasons += fmt::format("{}{{\"rule\": {}, \"trace\": {}, \"text\": {}}}",
                             reasons.empty() ? "" : ", ", json_quoted(reason.rule),
                             json_list(reason.trace), json_quoted(reason.text));
    }
    fmt::print("{{\"conforms\": {}, \"rule\": {}, \"order_compared\": {}, \"reasons\": [{}]}}\n",
               conforms, conforms ? "null" : json_quoted(verdict.reasons.front().rule),
               verdict.order_compared, reasons);
    return conforms ? 0 : 7;
  }
  if (conforms) fmt::print("yes\n");
  if (!verdict.order_compared)
    fmt::print("the Interface says no order: signatures alone were compared\n");
  for (const auto& reason : verdict.reasons)
    fmt::print("{}: {}{}\n", reason.rule, reason.text,
               reason.rule[0] != 'R' ? "" : fmt::format(" (trace: {})", trace_of(reason.trace)));
  return conforms ? 0 : 7;
}

}  // namespace

int type_check(const std::vector<std::string>& paths, const std::string& format) {
  auto checks = check_types(paths);
  if (!checks) return report(checks.error());
  int worst = 0;
  for (const auto& check : *checks) {
    if (format == "jsonl") {
      fmt::print("{}\n", json_of(check));
    } else {
      print(check);
    }
    if (!check.ok) worst = std::max(worst, check.rule == "syntax" ? 2 : 7);
  }
  return worst;
}

int type_conforms(const std::string& interface, const std::string& role,
                  const std::string& format) {
  auto checked = check_conformance(interface, role);
  return checked ? print_verdict(*checked, format) : report(checked.error());
}

int type_diff(const std::string& older, const std::string& newer) {
  auto lines = diff_types(older, newer);
  if (!lines) return report(lines.error());
  for (const auto& line : *lines) fmt::print("{}\n", line);
  return 0;
}

int type_breaking(const std::string& older, const std::string& newer, const std::string& format) {
  auto checked = check_breaking(older, newer);
  if (!checked) return report(checked.error());
  if (format != "table" || !checked->reasons.empty()) return print_verdict(*checked, format);
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
  auto imported = import_types(file, major);
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
  auto files = type_files(paths);
  if (!files) return report(files.error());
  int code = 0;
  for (const auto& path : *files) {
    std::ifstream in(path);
    std::stringstream before;
    before << in.rdbuf();
    auto after = format_type_file(path);
    if (!after && after.error().code == Code::kFailedPrecondition &&
        std::find(paths.begin(), paths.end(), path) == paths.end())
      continue;
    if (!after) {
      code = report(after.error());
      continue;
    }
    if (*after == before.str()) continue;
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
  auto text = generate_code(path, form == "pyi" ? CodeForm::kPyi : CodeForm::kHeader);
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
  auto text = export_type(interface);
  if (!text) return report(text.error());
  fmt::print("{}", *text);
  return 0;
}

int type_draw(const std::string& path, const std::string& type, const std::string& form) {
  auto drawn = draw_type(path, type);
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

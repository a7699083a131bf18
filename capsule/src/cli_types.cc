#include "cli_types.h"

#include <fmt/format.h>
#include <graphviz/gvc.h>

#include <algorithm>

#include "cli_output.h"
#include "hector/type_file.h"

namespace hector {

namespace {

std::string json_list(const std::vector<std::string>& texts) {
  std::string out = "[";
  for (const auto& text : texts) out += (out.size() > 1 ? ", " : "") + json_quoted(text);
  return out + "]";
}

std::string json_of(const TypeCheck& check) {
  return fmt::format("{{\"type\": {}, \"ok\": {}, \"rule\": {}, \"trace\": {}, \"who\": {}, \"text\": {}, \"file\": {}}}", json_quoted(check.type), check.ok,
                     check.ok ? "null" : json_quoted(check.rule), json_list(check.trace), json_list(check.who), json_quoted(check.text), json_quoted(check.file));
}

std::string trace_of(const std::vector<std::string>& trace) { return trace.empty() ? "at the start" : fmt::format("{}", fmt::join(trace, " ; ")); }

void print(const TypeCheck& check) {
  if (check.ok) {
    fmt::print("ok {} ({})\n", check.type, check.file);
  } else if (check.rule == "syntax") {
    fmt::print(stderr, "{}\n", check.text);
  } else {
    fmt::print(stderr, "{}: {}: {}: {}{}{}\n", check.file, check.type, check.rule, check.text, check.trace.empty() && check.rule[0] != 'C' ? "" : " (trace: " + trace_of(check.trace) + ")",
               check.who.empty() ? "" : fmt::format(" [{}]", fmt::join(check.who, ", ")));
  }
}

}  // namespace

int type_check(const std::vector<std::string>& paths, const std::string& format) {
  auto checks = check_types(paths);
  if (!checks) {
    fmt::print(stderr, "hector: {}\n", checks.error().text());
    return 3;
  }
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

int type_conforms(const std::string& interface, const std::string& role, const std::string& format) {
  auto checked = check_conformance(interface, role);
  if (!checked) {
    fmt::print(stderr, "hector: {}\n", checked.error().text());
    return checked.error().code == Code::kNotFound ? 3 : checked.error().code == Code::kResourceExhausted ? 1 : 2;
  }
  const bool conforms = checked->reasons.empty();
  if (format == "json" || format == "jsonl") {
    std::string reasons;
    for (const auto& reason : checked->reasons) {
      reasons += fmt::format("{}{{\"rule\": {}, \"trace\": {}, \"text\": {}}}", reasons.empty() ? "" : ", ", json_quoted(reason.rule), json_list(reason.trace), json_quoted(reason.text));
    }
    fmt::print("{{\"conforms\": {}, \"rule\": {}, \"order_compared\": {}, \"reasons\": [{}]}}\n", conforms, conforms ? "null" : json_quoted(checked->reasons.front().rule), checked->order_compared, reasons);
    return conforms ? 0 : 7;
  }
  if (conforms) fmt::print("yes\n");
  if (!checked->order_compared) fmt::print("the Interface says no order: signatures alone were compared\n");
  for (const auto& reason : checked->reasons) {
    fmt::print("{}: {}{}\n", reason.rule, reason.text, reason.rule == "signature" ? "" : fmt::format(" (trace: {})", trace_of(reason.trace)));
  }
  return conforms ? 0 : 7;
}

int type_draw(const std::string& path, const std::string& type, const std::string& form) {
  auto drawn = draw_type(path, type);
  if (!drawn) {
    fmt::print(stderr, "hector: {}\n", drawn.error().text());
    return drawn.error().code == Code::kNotFound ? 3 : 2;
  }
  if (form == "dot") {
    fmt::print("{}", *drawn);
    return 0;
  }
  GVC_t* context = gvContext();
  Agraph_t* graph = agmemread(drawn->c_str());
  char* picture = nullptr;
  unsigned int size = 0;
  const bool ok = graph != nullptr && gvLayout(context, graph, "dot") == 0 && gvRenderData(context, graph, "svg", &picture, &size) == 0;
  if (ok) fwrite(picture, 1, size, stdout);
  else fmt::print(stderr, "hector: Graphviz cannot lay the picture out; `--form dot` prints its text\n");
  if (picture != nullptr) gvFreeRenderData(picture);
  if (graph != nullptr) {
    gvFreeLayout(context, graph);
    agclose(graph);
  }
  gvFreeContext(context);
  return ok ? 0 : 1;
}

}  // namespace hector

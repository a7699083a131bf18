#include "types/authoring/drawing.h"

#include <fmt/format.h>

#include <map>
#include <vector>

#include "hector/check.h"
#include "types/order/expression.h"
#include "types/order/projection.h"

namespace hector::types {

namespace {

using hector::type::v1::Binding;

constexpr const char* kStyle =
    "  graph [fontname=\"Helvetica\", fontsize=14, labelloc=t, rankdir=LR, nodesep=0.35, "
    "ranksep=0.5, compound=true]\n"
    "  node [fontname=\"Helvetica\", fontsize=11]\n"
    "  edge [fontname=\"Helvetica\", fontsize=10, arrowsize=0.7]\n";

/// A string of Graphviz's language.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') {
      out += "\\n";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string cardinality(const hector::type::v1::Role& role) {
  if (role.members_min() == 1 && role.members_max() == 1) return role.optional() ? "optional" : "";
  const std::string upper = role.members_max() < 0 ? "*" : std::to_string(role.members_max());
  return fmt::format("{}..{}{}", role.members_min(), upper, role.optional() ? ", optional" : "");
}

/// Below the picture of the roles: one automaton, its states as circles, its end states as double
/// ones.
void draw_automaton(const std::string& id, const std::string& title, const Automaton& automaton,
                    const std::vector<std::string>& labels, std::string& out) {
  out += fmt::format(
      "  subgraph cluster_{} {{\n    label={}; fontsize=12; style=rounded; color=\"#bbbbbb\"\n", id,
      quoted(title));
  HECTOR_CHECK(automaton.next.size() > kDrawnStatesMax ||
                   automaton.accepting.size() == automaton.next.size(),
               "an automaton does not know which of its states accept");
  if (automaton.next.size() > kDrawnStatesMax) {
    out += fmt::format("    {}_large [shape=plaintext, label={}]\n  }}\n", id,
                       quoted(fmt::format("{} states: too many to draw", automaton.next.size())));
    return;
  }
  out += fmt::format("    {}_begin [shape=point, width=0.08]\n", id);
  for (std::size_t s = 0; s < automaton.next.size(); ++s) {
    out += fmt::format("    {}_{} [shape={}, label=\"\", width=0.22, fixedsize=true]\n", id, s,
                       automaton.accepting[s] ? "doublecircle" : "circle");
  }
  out += fmt::format("    {}_begin -> {}_{}\n", id, id, automaton.start);
  for (std::size_t s = 0; s < automaton.next.size(); ++s) {
    std::map<Automaton::State, std::string> to;
    for (std::size_t c = 0; c < automaton.symbols.size(); ++c) {
      const auto next = automaton.next[s][c];
      if (next == Automaton::kNone) continue;
      HECTOR_CHECK(automaton.symbols[c] < labels.size(), "a symbol is drawn that has no label");
      auto& label = to[next];
      label += (label.empty() ? "" : "\n") + labels[automaton.symbols[c]];
    }
    for (const auto& [next, label] : to)
      out += fmt::format("    {}_{} -> {}_{} [label={}]\n", id, s, id, next, quoted(label));
  }
  out += "  }\n";
}

std::string kind_mark(const hector::type::v1::Interaction& x) {
  switch (x.kind()) {
    case hector::type::v1::KIND_RPC:
      return x.name() + "()";
    case hector::type::v1::KIND_STREAM:
      return x.name() + " ~";
    default:
      return x.name();
  }
}

}  // namespace

std::string draw_binding(const Binding& binding) {
  std::string out = "digraph binding {\n" + std::string(kStyle);
  const std::string protocol =
      binding.has_protocol() ? print_expression(binding.protocol()) : "any order";
  out +=
      fmt::format("  label={}\n",
                  quoted(fmt::format("{}/{}\n{}\n\n() a call, ~ a stream, bold a multicast; below, "
                                     "what one member of each role may send (!) and get (?)",
                                     binding.name(), binding.major(), protocol)));
  const std::vector<std::uint32_t> one(static_cast<std::size_t>(binding.roles_size()), 1);
  for (int r = binding.roles_size(); r-- > 0;) {  // Graphviz stacks what is first to the bottom
    const auto order = role_order(binding, static_cast<std::uint32_t>(r), one);
    const std::string id = fmt::format("order_{}", r);
    if (!order) {
      draw_automaton(
          id, binding.roles(r).name(),
          Automaton{{}, std::vector<std::vector<Automaton::State>>(kDrawnStatesMax + 1), {}, 0}, {},
          out);
      continue;
    }
    std::vector<std::string> labels;
    for (std::size_t s = 0; s < order->operations.size(); ++s)
      labels.push_back((order->is_output[s] ? "!" : "?") + order->operations[s]);
    draw_automaton(id, binding.roles(r).name(), order->automaton, labels, out);
  }
  out += "  subgraph cluster_roles {\n    color=white; label=\"\"\n";
  for (int r = 0; r < binding.roles_size(); ++r) {
    const auto& role = binding.roles(r);
    const std::string count = cardinality(role);
    out += fmt::format(
        "  role_{} [shape=box, style=\"rounded,filled\", fillcolor=\"#e8f0fe\", peripheries={}, "
        "label={}]\n",
        r, role.members_max() == 1 ? 1 : 2,
        quoted(fmt::format("{}\n{}{}", role.name(), role.interface_id(),
                           count.empty() ? "" : "\n" + count)));
  }
  for (const auto& x : binding.interactions()) {
    const bool is_multicast = x.kind() == hector::type::v1::KIND_MULTICAST;
    out += fmt::format("  role_{} -> role_{} [label={}{}]\n", role_position(binding, x.from()),
                       role_position(binding, x.to()), quoted(kind_mark(x)),
                       is_multicast ? ", penwidth=2" : "");
  }
  out += "  }\n";
  return out + "}\n";
}

Result<std::string> draw_interface(const hector::type::v1::Interface& interface) {
  std::string out = "digraph interface {\n" + std::string(kStyle);
  const std::string protocol =
      interface.has_protocol() ? print_expression(interface.protocol()) : "any order";
  out += fmt::format("  label={}\n",
                     quoted(fmt::format("{}/{}\n{}\n\n? is asked of it, ! it starts",
                                        interface.name(), interface.major(), protocol)));
  std::vector<std::string> labels;
  for (const auto& operation : interface.operations()) labels.push_back("?" + operation.name());
  for (const auto& operation : interface.initiates()) labels.push_back("!" + operation.name());
  if (interface.has_protocol()) {
    auto automaton = HECTOR_TRY(interface_automaton(interface));
    draw_automaton("order", "order", automaton, labels, out);
  }
  return out + "}\n";
}

}  // namespace hector::types

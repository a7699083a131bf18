#include "expression/tree.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "hector/check.h"

namespace hector::expression {

NodeId Tree::literal(Value value, std::uint32_t column) {
  nodes.push_back({Operator::kLiteral, 0, 0, value, 0, column});
  return static_cast<NodeId>(nodes.size() - 1);
}
NodeId Tree::text(std::string text, std::uint32_t column) {
  texts_.push_back(std::move(text));
  return literal(Value::of(std::string_view(texts_.back())), column);
}
NodeId Tree::name(std::string_view name, Operator op, std::uint32_t column) {
  HECTOR_CHECK(op == Operator::kName || op == Operator::kExist, "a name is no operand of that");
  auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) found = names.insert(names.end(), std::string(name));
  nodes.push_back({op, 0, 0, {}, static_cast<std::uint32_t>(found - names.begin()), column});
  return static_cast<NodeId>(nodes.size() - 1);
}
NodeId Tree::node(Operator op, NodeId left, NodeId right, std::uint32_t column) {
  HECTOR_CHECK(left < nodes.size() && right < nodes.size(), "a node's parts are made before it");
  nodes.push_back({op, left, right, {}, 0, column});
  return static_cast<NodeId>(nodes.size() - 1);
}

std::vector<NodeId> Tree::conjuncts() const {
  HECTOR_CHECK(root < nodes.size(), "a tree has no root");
  std::vector<NodeId> list, open{root};
  while (!open.empty()) {
    const NodeId id = open.back();
    open.pop_back();
    if (nodes[id].op != Operator::kAnd) {
      list.push_back(id);
      continue;
    }
    open.push_back(nodes[id].right);
    open.push_back(nodes[id].left);
  }
  return list;
}

namespace {

std::string print_inner(const Tree& tree, NodeId id, bool is_outermost) {
  constexpr std::string_view kSigns[] = {
      "",  "",  "exist", "not", "-",  "and", "or", "==", "!=", "<",  "<=", ">",  ">=", "~", "in",
      "+", "-", "*",     "/",   "==", "~=",  "==", "!=", "<",  "<=", ">",  ">=", "==", "~="};
  static_assert(std::size(kSigns) == static_cast<std::size_t>(Operator::kAnyApproximates) + 1);
  const Node& node = tree[id];
  HECTOR_CHECK(
      (node.op != Operator::kName && node.op != Operator::kExist) || node.name < tree.names.size(),
      "a node has a name of another tree");
  const std::string_view sign = kSigns[static_cast<int>(node.op)];
  std::string text;
  switch (node.op) {
    case Operator::kLiteral:
      return print(node.literal);
    case Operator::kName:
      return tree.names[node.name];
    case Operator::kExist:
      return fmt::format("exist {}", tree.names[node.name]);
    case Operator::kNot:
      return fmt::format("not {}", print_inner(tree, node.left, false));
    case Operator::kNegate:
      return fmt::format("-{}", print_inner(tree, node.left, false));
    default:
      text = fmt::format("{} {} {}", print_inner(tree, node.left, false), sign,
                         print_inner(tree, node.right, false));
  }
  return is_outermost ? text : "(" + text + ")";
}

}  // namespace

std::string print(const Tree& tree, NodeId id) { return print_inner(tree, id, true); }

Error mistake(std::string_view error, std::size_t column, std::string_view what,
              std::string_view text) {
  // More of an expression hides the message.
  constexpr std::size_t kShown = 200;
  return Error::invalid_argument(fmt::format("{}: column {}: {}, in: {}{}", error, column, what,
                                             text.substr(0, kShown),
                                             text.size() > kShown ? " …" : ""))
      .with_type(std::string(error));
}

Status check_size(std::string_view error, std::string_view text, std::string_view openers) {
  if (text.size() > Tree::kOctetsMax)
    return fail(mistake(error, Tree::kOctetsMax + 1,
                        fmt::format("an expression may have {} KiB, this one has {}",
                                    Tree::kOctetsMax / 1024, text.size() / 1024),
                        text));
  std::size_t depth = 0;
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != 0) {
      if (c == '\\')
        ++i;
      else if (c == quote)
        quote = 0;
    } else if (c == '\'' || c == '"') {
      quote = c;
    } else if (openers.find(c) != std::string_view::npos) {
      if (++depth > Tree::kDepthMax)
        return fail(mistake(error, i + 1,
                            fmt::format("an expression may be nested {} deep", Tree::kDepthMax),
                            text));
    } else if ((c == ')' || c == ']') && depth > 0) {
      --depth;
    }
  }
  return {};
}

}  // namespace hector::expression

// What: `hector name …`: composite names, and what is bound to them.
// Why: names are tried out and looked up from a shell. Who: people and scripts.
#include <fmt/ranges.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "hector/service/v1/naming.pb.h"
#include "process/run_directory.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "naming";

struct Arguments {
  std::string name, to, object, link, next, type, filter, leading;
  std::vector<std::string> names, addresses, attributes, removed;
  std::uint32_t how_many = 0;
  bool is_exclusive = false, keeps_links = false, is_deep = false, makes_contexts = false,
       adds = false;
};

/// Needs no capsule: the service is asked in a kernel of our own.
int parse(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto opened = session.open_service(kService); !opened) return report(opened.error());
  auto parsed = ask_object<s::NamingComponents>(session, context.options, kService, "parse",
                                                named<s::NamingName>(a.name));
  if (!parsed) return report(parsed.error());
  print_reply(context, *parsed, [](const s::NamingComponents& reply) {
    for (const auto& component : reply.components())
      emit("{}\n", component.empty() ? "(empty)" : component);
  });
  return 0;
}

std::string target_text(const s::NamingBinding& binding) {
  if (!binding.link().empty()) return "-> " + binding.link();
  if (!binding.next().empty() && !binding.has_reference())
    return "=> " +
           (binding.next().size() > 60 ? binding.next().substr(0, 57) + "..." : binding.next());
  std::string text;
  if (binding.has_reference())
    text = fmt::format("{} @ {}  {}", binding.reference().object(), binding.reference().capsule(),
                       binding.reference().interface_id());
  for (const auto& address : binding.addresses())
    text += fmt::format(
        "{}{} {}", text.empty() ? "" : ", ", address.type(),
        address.data().size() > 80 ? address.data().substr(0, 77) + "..." : address.data());
  return text.empty() ? "(" + binding.type() + ")" : text;
}
void show_attributes(const google::protobuf::RepeatedPtrField<s::NamingAttribute>& attributes) {
  for (const auto& each : attributes)
    emit("    {}{}{}\n", each.id(), each.values_size() == 0 ? "" : " = ",
         fmt::join(each.values(), ", "));
}
void show_binding(const s::NamingBinding& binding) {
  emit("{:<24} {}\n", binding.name(), target_text(binding));
  show_attributes(binding.attributes());
}
Result<s::NamingAttribute> attribute_of(const std::string& text) {
  s::NamingAttribute attribute;
  const auto equals = text.find('=');
  attribute.set_id(text.substr(0, equals));
  if (attribute.id().empty())
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no attribute: write ID or ID=VALUE,VALUE", text));
  for (std::size_t at = equals; at != std::string::npos && at < text.size();) {
    const auto comma = text.find(',', at + 1);
    attribute.add_values(text.substr(at + 1, comma == std::string::npos ? comma : comma - at - 1));
    at = comma;
  }
  return attribute;
}

/// What the name is to be bound to: an Object by its name or its reference, or what the options
/// say.
Status set_target(CliSession& session, const CliOptions& options, const Arguments& a,
                  s::NamingBind& request) {
  request.set_link(a.link);
  request.set_type(a.type);
  for (const auto& each : a.addresses) {
    auto pair = HECTOR_TRY(split_pair(each, "an address: write TYPE=DATA"));
    auto& address = *request.add_addresses();
    address.set_type(std::move(pair.first));
    address.set_data(std::move(pair.second));
  }
  for (const auto& each : a.attributes) {
    auto attribute = HECTOR_TRY(attribute_of(each));
    *request.add_attributes() = std::move(attribute);
  }
  if (a.next.find(':') != std::string::npos) {
    request.set_next(a.next);
  } else if (!a.next.empty()) {
    auto capsule = HECTOR_TRY(read_capsule_reference(run_directory(), a.next));
    request.set_next(capsule.text());
  }
  if (a.object.empty()) return {};
  if (a.object.starts_with("hector:")) {
    auto reference = HECTOR_TRY(Reference::from_text(a.object));
    static_cast<void>(request.mutable_reference()->ParseFromString(reference.serialised()));
    return {};
  }
  auto found = HECTOR_TRY(ask_object<s::NamingBinding>(session, options, kService, "lookup",
                                                       named<s::NamingName>(a.object)));
  *request.mutable_reference() = found.reference();
  return {};
}

int bind_name(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto request = named<s::NamingBind>(a.name);
  request.set_exclusive(a.is_exclusive);
  request.set_make_contexts(a.makes_contexts);
  if (auto set = set_target(session, context.options, a, request); !set) return report(set.error());
  auto bound = ask_object<s::NamingRevision>(session, context.options, kService, "bind", request);
  if (!bound) return report(bound.error());
  print_reply(context, *bound, show_revision<s::NamingRevision>);
  return 0;
}

void show_bindings(const s::NamingBindings& reply) {
  for (const auto& binding : reply.bindings()) show_binding(binding);
}

/// Every page; of the first page's revision.
template <class Request>
int list_all(const CommandContext& context, const char* operation, Request request) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  s::NamingBindings all;
  do {
    auto page =
        ask_object<s::NamingBindings>(session, context.options, kService, operation, request);
    if (!page) return report(page.error());
    all.set_revision(page->revision());
    all.mutable_bindings()->MergeFrom(page->bindings());
    request.set_iterator(page->iterator());
  } while (!request.iterator().empty());
  print_reply(context, all, show_bindings);
  return 0;
}

/// A question whose answer is a revision.
template <class Request>
int write(const CommandContext& context, const char* operation, const Request& request) {
  return ask_and_show<s::NamingRevision>(context, kService, operation, request,
                                         show_revision<s::NamingRevision>);
}

int modify(const CommandContext& context, const Arguments& a) {
  auto request = named<s::NamingModify>(a.name);
  for (const auto& each : a.attributes) {
    auto attribute = attribute_of(each);
    if (!attribute) return report(attribute.error());
    auto& one = *request.add_modifications();
    one.set_operation(a.is_exclusive ? s::NAMING_ADD_EXCLUSIVE
                      : a.adds       ? s::NAMING_ADD_VALUES
                                     : s::NAMING_ADD);
    *one.mutable_attribute() = std::move(*attribute);
  }
  for (const auto& each : a.removed) {
    auto attribute = attribute_of(each);
    if (!attribute) return report(attribute.error());
    auto& one = *request.add_modifications();
    one.set_operation(attribute->values_size() == 0 ? s::NAMING_REMOVE : s::NAMING_REMOVE_VALUES);
    *one.mutable_attribute() = std::move(*attribute);
  }
  return write(context, "attr_multi_modify", request);
}

int lookup(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::NamingBinding>(context, kService, a.keeps_links ? "lookup_link" : "lookup",
                                        named<s::NamingName>(a.name), show_binding);
}

int unbind(const CommandContext& context, const Arguments& a) {
  return write(context, "unbind", named<s::NamingName>(a.name));
}

int rename(const CommandContext& context, const Arguments& a) {
  auto request = named<s::NamingRename>(a.name);
  request.set_to(a.to);
  request.set_exclusive(a.is_exclusive);
  return write(context, "rename", request);
}

int create(const CommandContext& context, const Arguments& a) {
  auto request = named<s::NamingBind>(a.name);
  request.set_make_contexts(a.makes_contexts);
  return write(context, "create_subcontext", request);
}

int destroy(const CommandContext& context, const Arguments& a) {
  return write(context, "destroy_subcontext", named<s::NamingName>(a.name));
}

int list(const CommandContext& context, const Arguments& a) {
  return list_all(context, "list_bindings", named<s::NamingPage>(a.name));
}

int search(const CommandContext& context, const Arguments& a) {
  auto request = named<s::NamingSearch>(a.name);
  request.set_filter(a.filter);
  request.set_scope(a.is_deep ? s::NAMING_SUBTREE : s::NAMING_ONE_CTX);
  request.set_follow_links(!a.keeps_links);
  request.set_want_reference(true);
  request.add_want_attributes("*");
  return list_all(context, "attr_search", request);
}

int attributes(const CommandContext& context, const Arguments& a) {
  if (!a.attributes.empty() || !a.removed.empty()) return modify(context, a);
  return ask_and_show<s::NamingAttributes>(
      context, kService, "attr_multi_get", named<s::NamingAttributeIds>(a.name),
      [](const s::NamingAttributes& reply) { show_attributes(reply.attributes()); });
}

int initial(const CommandContext& context, const Arguments&) {
  return ask_and_show<s::NamingBindings>(context, kService, "initial_context", s::NamingName(),
                                         show_bindings);
}

int equivalent(const CommandContext& context, const Arguments& a) {
  auto request = named<s::NamingEquivalent>(a.name);
  request.set_leading(a.leading);
  return ask_and_show<s::NamingComponents>(
      context, kService, "equivalent_name", request, [](const s::NamingComponents& reply) {
        emit("{}\n", reply.components_size() == 0 ? "(none)" : reply.name());
      });
}

int syntax(const CommandContext& context, const Arguments& a) {
  return ask_and_show<s::NamingSyntax>(
      context, kService, "get_syntax_attrs", named<s::NamingName>(a.name),
      [](const s::NamingSyntax& reply) {
        emit("direction {}, separator '{}', escape '{}', quotes {}, case {}\n", reply.direction(),
             reply.separator(), reply.escape(), fmt::join(reply.quotes(), " "),
             reply.ignores_case() ? "does not count" : "counts");
      });
}

}  // namespace

void add_name_commands(CommandTree& tree) {
  using P = Parameter<Arguments>;
  const P optional_name{"name", &Arguments::name, "a composite name"};
  const P name = P{optional_name}.required();
  const P parents{"--parents,-p", &Arguments::makes_contexts, "make the contexts that are missing"};
  tree.group("name", "names for references (X/Open XFN)");
  tree.add<Arguments>({
      {"name parse", "a composite name's components; needs no capsule", {name}, parse},
      {"name lookup",
       "what a name is bound to",
       {name, {"--link", &Arguments::keeps_links, "the link itself, where the last part is one"}},
       lookup},
      {"name bind",
       "bind a name to an Object, an address, a link, or the next naming system",
       {name,
        {"object", &Arguments::object, "an Object's name, or a hector: reference"},
        {"--link", &Arguments::link,
         "another composite name; it begins with . if it is of the same context"},
        {"--next", &Arguments::next,
         "a capsule whose Naming resolves the rest, or the URL of another naming system"},
        {"--address", &Arguments::addresses, "TYPE=DATA"},
        {"--type", &Arguments::type, "the reference type"},
        {"--attribute,-a", &Arguments::attributes, "ID=VALUE,VALUE"},
        {"--exclusive", &Arguments::is_exclusive, "only if it is not bound"},
        parents},
       bind_name},
      {"name unbind", "remove a name (succeeds if it is not bound)", {name}, unbind},
      {"name rename",
       "a name, with all that is below it",
       {name,
        P{"to", &Arguments::to, "one part: in the same context; more: a composite name"}.required(),
        {"--exclusive", &Arguments::is_exclusive, "only if the new name is not bound"}},
       rename},
      {"name create", "a context", {name, parents}, create},
      {"name destroy", "a context with nothing in it", {name}, destroy},
      {"name list",
       "what a context binds; the initial one's without a name",
       {optional_name},
       list},
      {"name search",
       "names by their attributes",
       {optional_name,
        {"--where", &Arguments::filter, "an XFN filter: colour == 'red' and name(hall*)"},
        {"--deep", &Arguments::is_deep, "everything below as well, also in other capsules' naming"},
        {"--keep-links", &Arguments::keeps_links, "look at links themselves"}},
       search},
      {"name attributes",
       "a name's attributes, or changes them, all or none",
       {name,
        {"--set", &Arguments::attributes, "ID=VALUE,VALUE: instead of earlier values"},
        {"--remove", &Arguments::removed, "ID, or ID=VALUE,VALUE for some values"},
        {"--add", &Arguments::adds, "--set adds to earlier values"},
        {"--exclusive", &Arguments::is_exclusive, "--set only where there is none"}},
       attributes},
      {"name initial", "the initial context's own names", {}, initial},
      {"name equivalent",
       "the same name with another beginning",
       {name, P{"leading", &Arguments::leading, "_user, _thishost, …"}.required()},
       equivalent},
      {"name syntax",
       "how names are written in a context's naming system",
       {optional_name},
       syntax},
  });
}

}  // namespace hector

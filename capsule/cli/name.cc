#include "cli/name.h"

#include <fmt/ranges.h>

#include <memory>

#include "cli/object.h"
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
int parse(const CliOptions& options, const std::string& format, const Arguments& arguments) {
  s::NamingName asked;
  asked.set_name(arguments.name);
  CliSession session(options);
  if (auto opened = session.open_service(kService); !opened) return report(opened.error());
  auto parsed = ask_object<s::NamingComponents>(session, options, kService, "parse", asked);
  if (!parsed) return report(parsed.error());
  if (format == "json") {
    fmt::print("{}\n", json_of(*parsed, true));
    return 0;
  }
  for (const auto& component : parsed->components())
    fmt::print("{}\n", component.empty() ? "(empty)" : component);
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
    fmt::print("    {}{}{}\n", each.id(), each.values_size() == 0 ? "" : " = ",
               fmt::join(each.values(), ", "));
}
void show_binding(const s::NamingBinding& binding) {
  fmt::print("{:<24} {}\n", binding.name(), target_text(binding));
  show_attributes(binding.attributes());
}
void show_revision(const s::NamingRevision& reply) {
  fmt::print("revision {}\n", reply.revision());
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
    const auto equals = each.find('=');
    if (equals == std::string::npos)
      return fail(Code::kInvalidArgument, fmt::format("'{}' is no address: write TYPE=DATA", each));
    auto& address = *request.add_addresses();
    address.set_type(each.substr(0, equals));
    address.set_data(each.substr(equals + 1));
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
  s::NamingName known;
  known.set_name(a.object);
  auto found =
      HECTOR_TRY(ask_object<s::NamingBinding>(session, options, kService, "lookup", known));
  *request.mutable_reference() = found.reference();
  return {};
}

int bind_name(const CliOptions& options, const std::string& format, const Arguments& a) {
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  s::NamingBind request;
  request.set_name(a.name);
  request.set_exclusive(a.is_exclusive);
  request.set_make_contexts(a.makes_contexts);
  if (auto set = set_target(session, options, a, request); !set) return report(set.error());
  auto bound = ask_object<s::NamingRevision>(session, options, kService, "bind", request);
  if (!bound) return report(bound.error());
  if (format == "json")
    fmt::print("{}\n", json_of(*bound, true));
  else
    show_revision(*bound);
  return 0;
}

/// Every page; of the first page's revision.
template <class Request>
int list_all(const CliOptions& options, const std::string& format, const char* operation,
             Request request) {
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  s::NamingBindings all;
  do {
    auto page = ask_object<s::NamingBindings>(session, options, kService, operation, request);
    if (!page) return report(page.error());
    all.set_revision(page->revision());
    all.mutable_bindings()->MergeFrom(page->bindings());
    request.set_iterator(page->iterator());
  } while (!request.iterator().empty());
  if (format == "json") {
    fmt::print("{}\n", json_of(all, true));
  } else {
    for (const auto& binding : all.bindings()) show_binding(binding);
  }
  return 0;
}

int modify(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::NamingModify request;
  request.set_name(a.name);
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
  return ask_and_show<s::NamingRevision>(options, format, kService, "attr_multi_modify", request,
                                         show_revision);
}

template <class Request>
Request named(const Arguments& arguments) {
  Request request;
  request.set_name(arguments.name);
  return request;
}

}  // namespace

void add_name_commands(CLI::App& app, CliOptions& options, std::string& format,
                       std::function<int()>& chosen) {
  auto* group = app.add_subcommand("name", "names for references (X/Open XFN)");
  group->require_subcommand(1);
  const auto a = std::make_shared<Arguments>();
  const auto add = [&](const char* command, const char* text,
                       std::function<int(const Arguments&)> what) {
    auto* added = group->add_subcommand(command, text);
    choose(added, chosen, a, std::move(what));
    return added;
  };
  const auto with_name = [&](CLI::App* command, bool is_required = true) {
    auto* option = command->add_option("name", a->name, "a composite name");
    if (is_required) option->required();
    return command;
  };
  with_name(add("parse", "a composite name's components; needs no capsule",
                [&](const Arguments& each) { return parse(options, format, each); }));
  auto* lookup = with_name(add("lookup", "what a name is bound to", [&](const Arguments& each) {
    return ask_and_show<s::NamingBinding>(options, format, kService,
                                          each.keeps_links ? "lookup_link" : "lookup",
                                          named<s::NamingName>(each), show_binding);
  }));
  lookup->add_flag("--link", a->keeps_links, "the link itself, where the last part is one");
  auto* bound =
      with_name(add("bind", "a name to an Object, an address, a link, or the next naming system",
                    [&](const Arguments& each) { return bind_name(options, format, each); }));
  bound->add_option("object", a->object, "an Object's name, or a hector: reference");
  bound->add_option("--link", a->link,
                    "another composite name; it begins with . if it is of the same context");
  bound->add_option("--next", a->next,
                    "a capsule whose Naming goes on, or the URL of another naming system");
  bound->add_option("--address", a->addresses, "TYPE=DATA");
  bound->add_option("--type", a->type, "the reference type");
  bound->add_option("--attribute,-a", a->attributes, "ID=VALUE,VALUE");
  bound->add_flag("--exclusive", a->is_exclusive, "only if it is not bound");
  bound->add_flag("--parents,-p", a->makes_contexts, "makes the contexts that are missing");
  with_name(add("unbind", "a name; well if it is not there", [&](const Arguments& each) {
    return ask_and_show<s::NamingRevision>(options, format, kService, "unbind",
                                           named<s::NamingName>(each), show_revision);
  }));
  auto* renamed =
      with_name(add("rename", "a name, with all that is below it", [&](const Arguments& each) {
        auto request = named<s::NamingRename>(each);
        request.set_to(each.to);
        request.set_exclusive(each.is_exclusive);
        return ask_and_show<s::NamingRevision>(options, format, kService, "rename", request,
                                               show_revision);
      }));
  renamed->add_option("to", a->to, "one part: in the same context; more: a composite name")
      ->required();
  renamed->add_flag("--exclusive", a->is_exclusive, "only if the new name is not bound");
  auto* create = with_name(add("create", "a context", [&](const Arguments& each) {
    auto request = named<s::NamingBind>(each);
    request.set_make_contexts(each.makes_contexts);
    return ask_and_show<s::NamingRevision>(options, format, kService, "create_subcontext", request,
                                           show_revision);
  }));
  create->add_flag("--parents,-p", a->makes_contexts, "makes the contexts that are missing");
  with_name(add("destroy", "a context with nothing in it", [&](const Arguments& each) {
    return ask_and_show<s::NamingRevision>(options, format, kService, "destroy_subcontext",
                                           named<s::NamingName>(each), show_revision);
  }));
  with_name(add("list", "what a context binds; the initial one's without a name",
                [&](const Arguments& each) {
                  return list_all(options, format, "list_bindings", named<s::NamingPage>(each));
                }),
            false);
  auto* search =
      with_name(add("search", "names by their attributes",
                    [&](const Arguments& each) {
                      auto request = named<s::NamingSearch>(each);
                      request.set_filter(each.filter);
                      request.set_scope(each.is_deep ? s::NAMING_SUBTREE : s::NAMING_ONE_CTX);
                      request.set_follow_links(!each.keeps_links);
                      request.set_want_reference(true);
                      request.add_want_attributes("*");
                      return list_all(options, format, "attr_search", request);
                    }),
                false);
  search->add_option("--where", a->filter, "an XFN filter: colour == 'red' and name(hall*)");
  search->add_flag("--deep", a->is_deep,
                   "everything below as well, into other capsules' naming too");
  search->add_flag("--keep-links", a->keeps_links, "looks at links themselves");
  auto* attributes = with_name(
      add("attributes", "a name's attributes, or changes them, all or none",
          [&](const Arguments& each) {
            if (!each.attributes.empty() || !each.removed.empty())
              return modify(options, format, each);
            return ask_and_show<s::NamingAttributes>(
                options, format, kService, "attr_multi_get", named<s::NamingAttributeIds>(each),
                [](const s::NamingAttributes& reply) { show_attributes(reply.attributes()); });
          }));
  attributes->add_option("--set", a->attributes, "ID=VALUE,VALUE: instead of earlier values");
  attributes->add_option("--remove", a->removed, "ID, or ID=VALUE,VALUE for some values");
  attributes->add_flag("--add", a->adds, "--set adds to earlier values");
  attributes->add_flag("--exclusive", a->is_exclusive, "--set only where there is none");
  auto* initial = add("initial", "the initial context's own names", [&](const Arguments&) {
    return ask_and_show<s::NamingBindings>(options, format, kService, "initial_context",
                                           s::NamingName(), [](const s::NamingBindings& reply) {
                                             for (const auto& binding : reply.bindings())
                                               show_binding(binding);
                                           });
  });
  static_cast<void>(initial);
  auto* equivalent =
      with_name(add("equivalent", "the same name, beginning otherwise", [&](const Arguments& each) {
        auto request = named<s::NamingEquivalent>(each);
        request.set_leading(each.leading);
        return ask_and_show<s::NamingComponents>(
            options, format, kService, "equivalent_name", request,
            [](const s::NamingComponents& reply) {
              fmt::print("{}\n", reply.components_size() == 0 ? "(none)" : reply.name());
            });
      }));
  equivalent->add_option("leading", a->leading, "_user, _thishost, …")->required();
  with_name(add("syntax", "how names are written in a context's naming system",
                [&](const Arguments& each) {
                  return ask_and_show<s::NamingSyntax>(
                      options, format, kService, "get_syntax_attrs", named<s::NamingName>(each),
                      [](const s::NamingSyntax& reply) {
                        fmt::print(
                            "direction {}, separator '{}', escape '{}', quotes {}, case {}\n",
                            reply.direction(), reply.separator(), reply.escape(),
                            fmt::join(reply.quotes(), " "),
                            reply.ignores_case() ? "does not count" : "counts");
                      });
                }),
            false);
}

}  // namespace hector

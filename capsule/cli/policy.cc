// What: `hector policy …`: entries, chains of contexts, rights, entities, schemas and bundles.
// Why: a value is explained, tried out and changed from a shell. Who: people and scripts.
#include "hector/service/policy.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

#include "base/text/read_file.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "hector/management/v1/management.pb.h"
#include "hector/service/v1/policy.pb.h"

namespace hector {

namespace {

namespace s = service::v1;
namespace m = management::v1;

constexpr const char* kService = "policy";

constexpr int kExitDenied = 7;  ///< the question was answered: with no

struct Arguments {
  std::string principal, action, resource, json, tags;
  std::vector<std::string> parents;
  std::string name, class_name, object, file, context, spec, value, type, signature;
  std::vector<std::string> contexts;
  bool is_xrm = false, is_final = false, removes = false;
};

s::PolicyQuestion question_of(const Arguments& arguments) {
  s::PolicyQuestion question;
  question.set_name(arguments.name);
  question.set_class_(arguments.class_name);
  question.set_object(arguments.object);
  for (const auto& each : arguments.contexts) question.add_chain(each);
  return question;
}

void show_value(const s::PolicyValue& value) { emit("{}\n", value.value()); }

constexpr const char* kConfiguration = "configuration";
constexpr const char* kBuiltIn = "built in";

std::string field_of(const m::Item& item, const std::string& name) {
  for (const auto& field : item.fields()) {
    if (field.name() == name) return field.value();
  }
  return "";
}

/// What the capsule's kernel goes by, the candidate that counts first: its configuration, the
/// Policy service, what is built in. Null where the question is none of the kernel's, or names
/// contexts or classes of its own.
std::optional<s::PolicyExplanation> kernel_explanation(CliSession& session, const Arguments& a) {
  const std::string classes = policy_classes(a.name);
  const bool is_other =
      !a.contexts.empty() || classes.empty() || (!a.class_name.empty() && a.class_name != classes);
  if (is_other) return std::nullopt;
  m::DescribeRequest request;
  request.set_kind("policy");
  request.set_name(a.name);
  request.set_object(a.object);
  const auto described = session.ask<m::DescribeReply>("describe", request);
  m::ListReply reply;
  if (!described || !google::protobuf::util::JsonStringToMessage(described->json(), &reply).ok())
    return std::nullopt;
  s::PolicyExplanation explanation;
  for (const auto& item : reply.items()) {
    auto& candidate = *explanation.add_candidates();
    candidate.mutable_entry()->set_spec(item.name());
    candidate.mutable_entry()->set_value(field_of(item, "value"));
    candidate.mutable_entry()->set_context(field_of(item, "source"));
    candidate.set_counts(field_of(item, "counts") == "yes");
    candidate.set_why(field_of(item, "why"));
  }
  return explanation;
}

bool is_capsules_own(const s::PolicyCandidate& candidate) {
  return candidate.entry().context() == kConfiguration || candidate.entry().context() == kBuiltIn;
}

/// The service's candidates in the place of the one that the kernel was told of.
s::PolicyExplanation merged(const s::PolicyExplanation& kernels,
                            const s::PolicyExplanation& services) {
  s::PolicyExplanation all;
  *all.mutable_chain() = services.chain();
  all.set_revision(services.revision());
  for (const auto& candidate : kernels.candidates()) {
    if (is_capsules_own(candidate)) {
      *all.add_candidates() = candidate;
      continue;
    }
    for (const auto& each : services.candidates()) {
      auto& added = *all.add_candidates() = each;
      if (!each.counts() || candidate.counts()) continue;
      added.set_counts(false);
      added.set_why(candidate.why());
    }
  }
  return all;
}

void show_decision(const s::PolicyDecision& decision) {
  emit("{}{}\n", decision.allowed() ? "allowed" : "denied",
       decision.reasons_size() == 0 ? ""
                                    : fmt::format(" by {}", fmt::join(decision.reasons(), ", ")));
  for (const auto& error : decision.errors()) emit("  {}\n", error);
}

void show_candidates(const s::PolicyExplanation& explanation) {
  if (explanation.candidates_size() == 0)
    emit("nothing matches; asked were {}\n", fmt::join(explanation.chain(), ", "));
  for (const auto& candidate : explanation.candidates()) {
    const auto& entry = candidate.entry();
    emit("{} {}{}{}\n    {}{} — {}\n", candidate.counts() ? "→" : " ",
         entry.spec().empty() ? "" : entry.spec() + ": ", entry.value(),
         entry.is_final() ? "  (final)" : "", entry.context(),
         entry.line() == 0 ? "" : fmt::format(" line {}", entry.line()), candidate.why());
  }
}

/// What a file alone says, in a kernel of our own.
Result<s::PolicyExplanation> try_file(const CommandContext& context, const Arguments& a) {
  s::PolicyTrial trial;
  // X keeps every octet.
  const auto text = HECTOR_TRY(a.is_xrm ? read_file(a.file) : read_text(a.file));
  trial.set_text(text);
  trial.set_xrm(a.is_xrm);
  *trial.mutable_question() = question_of(a);
  CliSession session(context.options);
  HECTOR_TRY(session.open_service(kService));
  return ask_object<s::PolicyExplanation>(session, context.options, kService, "try_out", trial);
}

/// The value that counts, of what a file says.
int get_from_file(const CommandContext& context, const Arguments& a) {
  auto explanation = try_file(context, a);
  if (!explanation) return report(explanation.error());
  for (const auto& candidate : explanation->candidates()) {
    if (!candidate.counts()) continue;
    s::PolicyValue value;
    value.set_value(candidate.entry().value());
    print_reply(context, value, show_value);
    return 0;
  }
  return report(Error::not_found(
      fmt::format("NO_MATCH: no entry of {} matches '{}' ({})", a.file, a.name, a.class_name)));
}

/// A question whose answer is a revision.
template <class Request>
int write(const CommandContext& context, const char* operation, const Request& request) {
  return ask_and_show<s::PolicyRevision>(context, kService, operation, request,
                                         show_revision<s::PolicyRevision>);
}

Status need_class(const Arguments& a) {
  if (!a.class_name.empty()) return {};
  return fail(Error::invalid_argument(fmt::format(
      "'{}' is no question that the kernel asks of a Binding; say its classes: --class", a.name)));
}

/// A text as a value of the type, by a Policy service of our own.
Result<s::PolicyTyped> typed(const CommandContext& context, const std::string& type,
                             const std::string& text) {
  s::PolicyTypedQuestion asked;
  asked.mutable_question()->set_name("none");
  asked.mutable_question()->set_class_("None");
  asked.set_type(type);
  asked.set_otherwise(text);
  CliSession session(context.options);
  HECTOR_TRY(session.open_service(kService));
  return ask_object<s::PolicyTyped>(session, context.options, kService, "get_typed", asked);
}

/// A value of the capsule's own: its configuration's, or what is built in.
int show_own(const CommandContext& context, const Arguments& a, const s::PolicyEntry& entry) {
  const bool is_built_in = entry.context() == kBuiltIn;
  if (!a.type.empty() && !is_built_in) {
    if (auto checked = typed(context, a.type, entry.value()); !checked)
      return report(checked.error());
  }
  if (context.format == "table") {
    emit("{}\n", is_built_in ? fmt::format("({}: {})", kBuiltIn, entry.value()) : entry.value());
    return 0;
  }
  write_out(format_value(Value::map()
                             .with("value", is_built_in ? "" : entry.value())
                             .with("context", entry.context())
                             .with("spec", entry.spec())
                             .with("otherwise", is_built_in ? entry.value() : ""),
                         context.format));
  return 0;
}

int get(const CommandContext& context, const Arguments& a) {
  if (!a.file.empty()) return get_from_file(context, a);
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  Arguments asked = a;
  if (const auto kernels = kernel_explanation(session, a)) {
    if (is_capsules_own(kernels->candidates(0)))
      return show_own(context, a, kernels->candidates(0).entry());
    asked.class_name = policy_classes(a.name);
  }
  if (auto named = need_class(asked); !named) return report(named.error());
  const auto show = [&](const auto& reply, const auto& print) {
    if (!reply) return report(reply.error());
    print_reply(context, *reply, print);
    return 0;
  };
  if (a.type.empty())
    return show(
        ask_object<s::PolicyValue>(session, context.options, kService, "get", question_of(asked)),
        show_value);
  s::PolicyTypedQuestion typed;
  *typed.mutable_question() = question_of(asked);
  typed.set_type(a.type);
  return show(ask_object<s::PolicyTyped>(session, context.options, kService, "get_typed", typed),
              [](const s::PolicyTyped& value) { emit("{}\n", value.found().value()); });
}

int explain(const CommandContext& context, const Arguments& a) {
  if (!a.file.empty()) {
    auto explanation = try_file(context, a);
    if (!explanation) return report(explanation.error());
    print_reply(context, *explanation, show_candidates);
    return 0;
  }
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  Arguments asked = a;
  const auto kernels = kernel_explanation(session, a);
  if (kernels) asked.class_name = policy_classes(a.name);
  if (auto named = need_class(asked); !named) return report(named.error());
  auto services = ask_object<s::PolicyExplanation>(session, context.options, kService, "explain",
                                                   question_of(asked));
  if (!services && !kernels) return report(services.error());
  // The kernel goes by its own entries too where the service is away, or there is none.
  print_reply(context,
              !kernels   ? *services
              : services ? merged(*kernels, *services)
                         : *kernels,
              show_candidates);
  return 0;
}

int authorise(const CommandContext& context, const Arguments& a) {
  s::PolicyAuthorisation asked;
  asked.set_principal(a.principal);
  asked.set_action(a.action);
  asked.set_resource(a.resource);
  asked.set_context(a.json);
  auto decision = ask_once<s::PolicyDecision>(context, kService, "authorise", asked);
  if (!decision) return report(decision.error());
  print_reply(context, *decision, show_decision);
  return decision->allowed() ? 0 : kExitDenied;
}

/// With a file: puts its rules under the name; with neither file nor --remove: lists.
int rules(const CommandContext& context, const Arguments& a) {
  if (a.removes) return write(context, "remove_rules", named<s::PolicyName>(a.name));
  if (a.file.empty()) {
    return ask_and_show<s::PolicyNames>(context, kService, "list_rules",
                                        named<s::PolicyName>(a.name),
                                        [](const s::PolicyNames& names) {
                                          for (const auto& name : names.names()) emit("{}\n", name);
                                        });
  }
  auto text = read_text(a.file);
  if (!text) return report(text.error());
  auto put = named<s::PolicyRules>(a.name);
  put.set_text(*text);
  auto revision = ask_once<s::PolicyRevision>(context, kService, "put_rules", put);
  if (!revision) {
    auto& message = revision.error().message;  // it has the set's name, and the place in the text
    message = fmt::format("{}: {}", a.file, message);
    return report(revision.error());
  }
  print_reply(context, *revision, show_revision<s::PolicyRevision>);
  return 0;
}

int entity(const CommandContext& context, const Arguments& a) {
  if (a.removes) return write(context, "remove_entity", named<s::PolicyName>(a.name));
  s::PolicyEntity model;
  model.set_id(a.name);
  model.set_attributes(a.json);
  model.set_tags(a.tags);
  for (const auto& parent : a.parents) model.add_parents(parent);
  return write(context, "put_entity", model);
}

int schema(const CommandContext& context, const Arguments& a) {
  auto text = read_text(a.file);
  if (!text) return report(text.error());
  s::PolicySchema model;
  if (const auto read = google::protobuf::util::JsonStringToMessage(*text, &model); !read.ok())
    return report(
        Error::invalid_argument(fmt::format("SCHEMA: {}: {}", a.file, read.message().as_string()))
            .with_type("SCHEMA"));
  return write(context, "put_schema", model);
}

int put(const CommandContext& context, const Arguments& a) {
  s::PolicyEntry entry;
  entry.set_context(a.context);
  entry.set_spec(a.spec);
  entry.set_value(a.value);
  entry.set_is_final(a.is_final);
  return write(context, "put", entry);
}

int remove(const CommandContext& context, const Arguments& a) {
  s::PolicySpec spec;
  spec.set_context(a.context);
  spec.set_spec(a.spec);
  return write(context, "remove", spec);
}

OutputRow row_of(const std::string& spec, const std::string& value, const std::string& source,
                 bool is_final) {
  return {spec, {{"value", value}, {"source", source}, {"final", is_final ? "yes" : ""}}};
}

/// What the kernel goes by: the capsule's configuration, the service's entries of its chain, and
/// what is built in; or the entries of the contexts that are named.
int list(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  m::ListReply own;
  if (a.contexts.empty()) {
    m::ListRequest request;
    request.set_kind("policies");
    auto listed = session.ask<m::ListReply>("list", request);
    if (!listed) return report(listed.error());
    own = std::move(*listed);
  }
  auto entries = ask_object<s::PolicyEntries>(session, context.options, kService, "merge_view",
                                              question_of(a));
  // A capsule without a Policy service has policies all the same.
  const bool is_none = !entries && entries.error().code == Code::kNotFound;
  if (!entries && (!a.contexts.empty() || !is_none)) return report(entries.error());
  std::vector<OutputRow> rows, built_in;
  for (const auto& item : own.items())
    (field_of(item, "source") == kBuiltIn ? built_in : rows)
        .push_back(row_of(item.name(), field_of(item, "value"), field_of(item, "source"), false));
  if (entries) {
    for (const auto& entry : entries->entries())
      rows.push_back(row_of(entry.spec(), entry.value(), entry.context(), entry.is_final()));
  }
  rows.insert(rows.end(), built_in.begin(), built_in.end());
  write_out(format_rows(rows, context.format));
  return 0;
}

int chain(const CommandContext& context, const Arguments& a) {
  if (a.contexts.empty()) {
    s::PolicyContext asked;
    asked.set_context(a.context);
    return ask_and_show<s::PolicyChain>(
        context, kService, "get_chain", asked,
        [](const s::PolicyChain& reply) { emit("{}\n", fmt::join(reply.contexts(), "\n")); });
  }
  s::PolicyChain set;
  set.set_context(a.context);
  for (const auto& each : a.contexts) set.add_contexts(each);
  return write(context, "set_chain", set);
}

int load_bundle(const CommandContext& context, const Arguments& a) {
  auto text = read_file(a.file);  // octet for octet: it is signed
  if (!text) return report(text.error());
  auto signature = read_file(a.signature);
  if (!signature) return report(signature.error());
  s::PolicyBundle bundle;
  bundle.set_context(a.context);
  bundle.set_text(*text);
  bundle.set_signature(*signature);
  return write(context, "replace_bundle", bundle);
}

using P = Parameter<Arguments>;

/// What a question is made of, and more.
std::vector<P> question(std::vector<P> more) {
  std::vector<P> all{
      P{"name", &Arguments::name, "\"diary.Meeting.room.protocols\""}.required(),
      P{"--class", &Arguments::class_name,
        "as many components: \"Binding.Binding.Role.Protocols\"; left out: as the kernel asks"},
      {"--object", &Arguments::object, "whose chain; left out: the capsule's"},
      P{"--chain", &Arguments::contexts, "these contexts instead, the nearest first"}.separated_by(
          ','),
      {"--db", &Arguments::file, "a resource file alone; needs no capsule"},
      {"--xrm", &Arguments::is_xrm, "read the file as X does: what is malformed is ignored"}};
  all.insert(all.end(), more.begin(), more.end());
  return all;
}

std::vector<Command<Arguments>> value_commands() {
  const P context = P{"context", &Arguments::context,
                      "object:NAME, capsule:NAME, host:NAME, network:NAME or enterprise"}
                        .required();
  const P spec = P{"spec", &Arguments::spec, "\"*room.protocols\""}.required();
  return {
      {"policy get", "the value that counts",
       question({{"--type", &Arguments::type,
                  "boolean, integer, real, duration, list or text: refused if it is none"}}),
       get},
      {"policy explain", "every entry that matches, best first, and why one counts", question({}),
       explain},
      {"policy put",
       "an entry into a context: object:NAME, capsule:NAME, host:NAME, network:NAME or enterprise",
       {context,
        spec,
        P{"value", &Arguments::value, "a text"}.required(),
        {"--final", &Arguments::is_final, "it overrides what is nearer"}},
       put},
      {"policy remove", "an entry from a context", {context, spec}, remove},
      {"policy list",
       "what the kernel goes by, with its source: configuration, a context of the Policy service, "
       "or "
       "built in",
       {{"contexts", &Arguments::contexts,
         "the service's entries of these alone, as X would merge them"}},
       list},
      {"policy chain",
       "what is asked after a context; with more contexts: sets it",
       {context,
        {"next", &Arguments::contexts,
         "the contexts that are asked after it; left out: shows them"}},
       chain},
      {"policy load",
       "a signed bundle in place of a context's last one",
       {context,
        P{"file", &Arguments::file, "its first line: ! hector-bundle version N [expires …]"}
            .required(),
        P{"--signature", &Arguments::signature,
          "a file with the Ed25519 signature of the text (64 octets)"}
            .required()},
       load_bundle},
  };
}

std::vector<Command<Arguments>> rights_commands() {
  return {
      {"policy authorise",
       "whether a principal may do an action on a resource, and by which policies",
       {P{"principal", &Arguments::principal, "User::ann"}.required(),
        P{"action", &Arguments::action, "bind"}.required(),
        P{"resource", &Arguments::resource, "Service::bank"}.required(),
        {"--context", &Arguments::json, "a JSON object"}},
       authorise},
      {"policy rules",
       "puts a file of permit and forbid policies, lists them, or removes some",
       {{"name", &Arguments::name, "of the set of policies; left out: lists the sets"},
        {"file", &Arguments::file, "permit and forbid policies, as Cedar writes them"},
        {"--remove", &Arguments::removes, "those of that name"}},
       rules},
      {"policy entity",
       "puts what is known of an entity that policies speak of",
       {P{"id", &Arguments::name, "User::ann"}.required(),
        {"attributes", &Arguments::json, "a JSON object"},
        {"--in", &Arguments::parents, "what it belongs to: Group::lab"},
        {"--tags", &Arguments::tags, "a JSON object: what getTag() finds"},
        {"--remove", &Arguments::removes, "forgets it"}},
       entity},
      {"policy schema",
       "puts the schema that policies have to fit, as JSON: entities with attributes, actions "
       "with principals and resources",
       {P{"file", &Arguments::file, "JSON"}.required()},
       schema},
  };
}

}  // namespace

void add_policy_commands(CommandTree& tree) {
  tree.group("policy", "values by wildcard keys (X resources), in a chain of contexts");
  tree.add(value_commands());
  tree.add(rights_commands());
}

}  // namespace hector

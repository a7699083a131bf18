#include "cli/policy.h"

#include <fmt/ranges.h>

#include <fstream>
#include <memory>

#include "cli/object.h"
#include "hector/service/v1/policy.pb.h"

namespace hector {

namespace {

namespace s = service::v1;

constexpr const char* kService = "policy";

struct Arguments {
  std::string principal, action, resource, json;
  std::vector<std::string> parents;
  std::string name, class_name, object, file, context, spec, value, type, signature;
  std::vector<std::string> contexts;
  bool is_xrm = false, is_final = false, explains = false;
};

Result<std::string> content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return fail(Code::kNotFound, fmt::format("'{}' cannot be read", path));
  return std::string(std::istreambuf_iterator<char>(in), {});
}

s::PolicyQuestion question_of(const Arguments& arguments) {
  s::PolicyQuestion question;
  question.set_name(arguments.name);
  question.set_class_(arguments.class_name);
  question.set_object(arguments.object);
  for (const auto& each : arguments.contexts) question.add_chain(each);
  return question;
}

void show_candidates(const s::PolicyExplanation& explanation) {
  if (explanation.candidates_size() == 0)
    fmt::print("nothing matches; asked were {}\n", fmt::join(explanation.chain(), ", "));
  for (const auto& candidate : explanation.candidates()) {
    const auto& entry = candidate.entry();
    fmt::print("{} {}: {}{}\n    {}{} — {}\n", candidate.counts() ? "→" : " ", entry.spec(),
               entry.value(), entry.is_final() ? "  (final)" : "", entry.context(),
               entry.line() == 0 ? "" : fmt::format(" line {}", entry.line()), candidate.why());
  }
}

/// A file alone, in a kernel of our own.
int try_file(const CliOptions& options, const std::string& format, const Arguments& arguments) {
  auto text = content_of(arguments.file);
  if (!text) return report(text.error());
  s::PolicyTrial trial;
  trial.set_text(*text);
  trial.set_xrm(arguments.is_xrm);
  *trial.mutable_question() = question_of(arguments);
  CliSession session(options);
  if (auto opened = session.open_service(kService); !opened) return report(opened.error());
  auto explanation = ask_object<s::PolicyExplanation>(session, options, kService, "try_out", trial);
  if (!explanation) return report(explanation.error());
  if (format == "json") {
    fmt::print("{}\n", json_of(*explanation, true));
    return 0;
  }
  if (arguments.explains) {
    show_candidates(*explanation);
    return 0;
  }
  for (const auto& candidate : explanation->candidates()) {
    if (candidate.counts()) {
      fmt::print("{}\n", candidate.entry().value());
      return 0;
    }
  }
  return report(
      {Code::kNotFound, fmt::format("NO_MATCH: no entry of {} matches '{}' ({})", arguments.file,
                                    arguments.name, arguments.class_name)});
}

void show_entries(const s::PolicyEntries& entries) {
  for (const auto& entry : entries.entries())
    fmt::print("{:<20} {}{}: {}\n", entry.context(), entry.is_final() ? "final " : "", entry.spec(),
               entry.value());
}
void show_revision(const s::PolicyRevision& reply) {
  fmt::print("revision {}\n", reply.revision());
}

int load_bundle(const CliOptions& options, const std::string& format, const Arguments& arguments) {
  auto text = content_of(arguments.file), signature = content_of(arguments.signature);
  for (const auto* each : {&text, &signature}) {
    if (!*each) return report(each->error());
  }
  s::PolicyBundle bundle;
  bundle.set_context(arguments.context);
  bundle.set_text(*text);
  bundle.set_signature(*signature);
  return ask_and_show<s::PolicyRevision>(options, format, kService, "replace_bundle", bundle,
                                         show_revision);
}

}  // namespace

void add_policy_commands(CLI::App& app, CliOptions& options, std::string& format,
                         std::function<int()>& chosen) {
  auto* group =
      app.add_subcommand("policy", "values by wildcard keys (X resources), in a chain of contexts");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto run = [&](CLI::App* command, std::function<int(const Arguments&)> what) {
    choose(command, chosen, arguments, std::move(what));
  };
  const auto asks = [&](CLI::App* command) {
    command->add_option("name", arguments->name, "\"diary.Meeting.room.protocols\"")->required();
    command
        ->add_option("--class", arguments->class_name,
                     "as many components: \"Binding.Binding.Role.Protocols\"")
        ->required();
    command->add_option("--object", arguments->object, "whose chain; left out: the capsule's");
    command->add_option("--chain", arguments->contexts, "these contexts instead, the nearest first")
        ->delimiter(',');
    command->add_option("--db", arguments->file, "a resource file alone; needs no capsule");
    command->add_flag("--xrm", arguments->is_xrm,
                      "read the file as X does: what is malformed is ignored");
  };

  auto* get = group->add_subcommand("get", "the value that counts");
  asks(get);
  get->add_option("--type", arguments->type,
                  "boolean, integer, real, duration, list or text: refused if it is none");
  run(get, [&](const Arguments& a) {
    if (!a.file.empty()) return try_file(options, format, a);
    if (a.type.empty())
      return ask_and_show<s::PolicyValue>(
          options, format, kService, "get", question_of(a),
          [](const s::PolicyValue& value) { fmt::print("{}\n", value.value()); });
    s::PolicyTypedQuestion typed;
    *typed.mutable_question() = question_of(a);
    typed.set_type(a.type);
    return ask_and_show<s::PolicyTyped>(
        options, format, kService, "get_typed", typed,
        [](const s::PolicyTyped& value) { fmt::print("{}\n", value.found().value()); });
  });

  auto* explain =
      group->add_subcommand("explain", "every entry that matches, best first, and why one counts");
  asks(explain);
  run(explain, [&](const Arguments& a) {
    if (a.file.empty())
      return ask_and_show<s::PolicyExplanation>(options, format, kService, "explain",
                                                question_of(a), show_candidates);
    Arguments explaining = a;
    explaining.explains = true;
    return try_file(options, format, explaining);
  });

  auto* authorise = group->add_subcommand(
      "authorise", "whether a principal may do an action on a resource, and by which policies");
  authorise->add_option("principal", arguments->principal, "User::ann")->required();
  authorise->add_option("action", arguments->action, "bind")->required();
  authorise->add_option("resource", arguments->resource, "Service::bank")->required();
  authorise->add_option("--context", arguments->json, "a JSON object");
  authorise->callback([&chosen, &options, &format, arguments] {
    chosen = [&options, &format, arguments] {
      s::PolicyAuthorisation asked;
      asked.set_principal(arguments->principal);
      asked.set_action(arguments->action);
      asked.set_resource(arguments->resource);
      asked.set_context(arguments->json);
      int code = 0;
      const int done = ask_and_show<s::PolicyDecision>(
          options, format, kService, "authorise", asked, [&](const s::PolicyDecision& decision) {
            fmt::print("{}{}\n", decision.allowed() ? "allowed" : "denied",
                       decision.reasons_size() == 0
                           ? ""
                           : fmt::format(" by {}", fmt::join(decision.reasons(), ", ")));
            for (const auto& error : decision.errors()) fmt::print("  {}\n", error);
            code = decision.allowed() ? 0 : 7;
          });
      return done != 0 ? done : code;
    };
  });
  auto* rules = group->add_subcommand(
      "rules", "puts a file of permit and forbid policies, lists them, or removes some");
  rules->add_option("name", arguments->name);
  rules->add_option("file", arguments->file);
  rules->add_flag("--remove", arguments->is_final, "those of that name");
  run(rules, [&](const Arguments& a) {
    s::PolicyName named;
    named.set_name(a.name);
    if (a.is_final)
      return ask_and_show<s::PolicyRevision>(options, format, kService, "remove_rules", named,
                                             show_revision);
    if (a.file.empty()) {
      return ask_and_show<s::PolicyNames>(options, format, kService, "list_rules", named,
                                          [](const s::PolicyNames& names) {
                                            for (const auto& name : names.names())
                                              fmt::print("{}\n", name);
                                          });
    }
    auto text = content_of(a.file);
    if (!text) return report(text.error());
    s::PolicyRules put_rules;
    put_rules.set_name(a.name);
    put_rules.set_text(*text);
    return ask_and_show<s::PolicyRevision>(options, format, kService, "put_rules", put_rules,
                                           show_revision);
  });
  auto* entity = group->add_subcommand(
      "entity", "puts what is known of somebody or something that policies speak of");
  entity->add_option("id", arguments->name, "User::ann")->required();
  entity->add_option("attributes", arguments->json, "a JSON object");
  entity->add_option("--in", arguments->parents, "what it belongs to: Group::lab");
  entity->add_flag("--remove", arguments->is_final);
  run(entity, [&](const Arguments& a) {
    s::PolicyName named;
    named.set_name(a.name);
    if (a.is_final)
      return ask_and_show<s::PolicyRevision>(options, format, kService, "remove_entity", named,
                                             show_revision);
    s::PolicyEntity model;
    model.set_id(a.name);
    model.set_attributes(a.json);
    for (const auto& parent : a.parents) model.add_parents(parent);
    return ask_and_show<s::PolicyRevision>(options, format, kService, "put_entity", model,
                                           show_revision);
  });
  auto* schema =
      group->add_subcommand("schema",
                            "puts the schema that policies have to fit, as JSON: entities with "
                            "attributes, actions with principals and resources");
  schema->add_option("file", arguments->file)->required();
  run(schema, [&](const Arguments& a) {
    auto text = content_of(a.file);
    if (!text) return report(text.error());
    s::PolicySchema model;
    if (const auto read = google::protobuf::util::JsonStringToMessage(*text, &model); !read.ok())
      return report({Code::kInvalidArgument,
                     fmt::format("SCHEMA: {}: {}", a.file, read.message().as_string()),
                     "SCHEMA",
                     {},
                     {}});
    return ask_and_show<s::PolicyRevision>(options, format, kService, "put_schema", model,
                                           show_revision);
  });

  auto* put = group->add_subcommand(
      "put",
      "an entry into a context: object:NAME, capsule:NAME, host:NAME, network:NAME or enterprise");
  put->add_option("context", arguments->context)->required();
  put->add_option("spec", arguments->spec, "\"*room.protocols\"")->required();
  put->add_option("value", arguments->value)->required();
  put->add_flag("--final", arguments->is_final, "it overrides what is nearer");
  run(put, [&](const Arguments& a) {
    s::PolicyEntry entry;
    entry.set_context(a.context);
    entry.set_spec(a.spec);
    entry.set_value(a.value);
    entry.set_is_final(a.is_final);
    return ask_and_show<s::PolicyRevision>(options, format, kService, "put", entry, show_revision);
  });

  auto* remove = group->add_subcommand("remove", "an entry from a context");
  remove->add_option("context", arguments->context)->required();
  remove->add_option("spec", arguments->spec)->required();
  run(remove, [&](const Arguments& a) {
    s::PolicySpec spec;
    spec.set_context(a.context);
    spec.set_spec(a.spec);
    return ask_and_show<s::PolicyRevision>(options, format, kService, "remove", spec,
                                           show_revision);
  });

  auto* list = group->add_subcommand("list", "all entries of a chain, as X would merge them");
  list->add_option("contexts", arguments->contexts, "left out: the capsule's chain");
  run(list, [&](const Arguments& a) {
    return ask_and_show<s::PolicyEntries>(options, format, kService, "merge_view", question_of(a),
                                          show_entries);
  });

  auto* chain =
      group->add_subcommand("chain", "what is asked after a context; with more contexts: sets it");
  chain->add_option("context", arguments->context)->required();
  chain->add_option("next", arguments->contexts);
  run(chain, [&](const Arguments& a) {
    if (a.contexts.empty()) {
      s::PolicyContext context;
      context.set_context(a.context);
      return ask_and_show<s::PolicyChain>(options, format, kService, "get_chain", context,
                                          [](const s::PolicyChain& reply) {
                                            fmt::print("{}\n", fmt::join(reply.contexts(), "\n"));
                                          });
    }
    s::PolicyChain set;
    set.set_context(a.context);
    for (const auto& each : a.contexts) set.add_contexts(each);
    return ask_and_show<s::PolicyRevision>(options, format, kService, "set_chain", set,
                                           show_revision);
  });

  auto* load = group->add_subcommand("load", "a signed bundle in place of a context's last one");
  load->add_option("context", arguments->context)->required();
  load->add_option("file", arguments->file, "its first line: ! hector-bundle version N [expires …]")
      ->required();
  load->add_option("--signature", arguments->signature,
                   "a file with the Ed25519 signature of the text (64 octets)")
      ->required();
  run(load, [&](const Arguments& a) { return load_bundle(options, format, a); });
}

}  // namespace hector

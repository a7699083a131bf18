// What: `hector type …` of the Type service: publish, get, describe, match and their like.
// Why: types, versions and code are published and found from a shell. Who: people and scripts.
#include "cli/type_service.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <regex>

#include "base/text/read_file.h"
#include "cli/client.h"
#include "cli/commands.h"
#include "cli/files.h"
#include "hector/authoring.h"
#include "hector/management/v1/management.pb.h"
#include "hector/service/v1/type.pb.h"
#include "hector/types.h"

namespace hector {

namespace {

namespace s = service::v1;
namespace m = management::v1;
namespace fs = std::filesystem;

constexpr const char* kService = "type";
constexpr std::uint32_t kMajorMax = 1'000'000;  ///< as the readers of types accept it

struct Arguments {
  std::string name, mode, module, abi, signature, language, out, text, kind;
  std::vector<std::string> files, languages, supers, roles, roots;
  std::uint64_t version = 0;
  std::uint32_t major = 1;
  bool is_off = false, is_package = false, checks = false;
};

void add_texts(const ProtoTexts& texts, s::TypeDefine& request) {
  for (const auto& [path, text] : texts) {
    auto& description = *request.add_descriptions();
    description.set_language("proto");
    description.set_media("text/x-protobuf");
    description.set_path(path);
    description.set_content(text);
  }
}

/// The texts behind the `messages:` of a type file: below a root, or below the nearest folder
/// around the file that has them.
Status add_messages(const fs::path& file, const std::string& text,
                    const std::vector<std::string>& roots, ProtoTexts& texts) {
  static const std::regex mentioned("[\\w./-]+\\.proto");
  for (std::sregex_iterator each(text.begin(), text.end(), mentioned), end; each != end; ++each) {
    std::vector<std::string> places = roots;
    for (fs::path at = file.parent_path(); roots.empty() && at != at.parent_path();
         at = at.parent_path())
      places.push_back(at.string());
    for (const auto& place : places) {
      if (!fs::exists(fs::path(place) / each->str())) continue;
      auto found = HECTOR_TRY(
          types::proto_texts((fs::path(place) / each->str()).string(), std::vector{place}));
      texts.merge(found.texts);
      break;
    }
  }
  return {};
}

/// One definition for each type of the file.
Result<std::vector<s::TypeDefine>> definitions_of(const std::string& file, const Arguments& a) {
  std::vector<s::TypeDefine> all;
  const fs::path path = fs::absolute(file);
  const bool is_proto = path.extension() == ".proto";
  ProtoTexts texts;
  Result<std::vector<TypeModelPtr>> models = std::vector<TypeModelPtr>();
  auto text = HECTOR_TRY(read_text(path.string()));
  if (is_proto) {
    auto found = HECTOR_TRY(types::proto_texts(path.string(), a.roots));
    texts = std::move(found.texts);
    models = read_proto_models(found.name, texts, a.major);
  } else {
    HECTOR_TRY(add_messages(path, text, a.roots, texts));
    models = read_type_models(text, path.filename().string(), texts);
  }
  if (!models) return fail(models.error());
  for (const auto& model : *models) {
    auto& request = all.emplace_back();
    request.set_name(model->name());
    request.set_kind(model->kind());
    request.set_mode(a.mode);
    for (const auto& super : a.supers) request.add_supers(super);
    if (!is_proto) {
      auto& description = *request.add_descriptions();
      description.set_language("hector");
      description.set_media("application/yaml");
      description.set_path(path.filename().string());
      description.set_content(text);
    }
    add_texts(texts, request);
  }
  return all;
}

void show_violations(const s::TypeVerdict& verdict) {
  for (const auto& each : verdict.violations()) {
    const std::string what =
        each.text().empty()
            ? fmt::format("{}: {} -> {}", each.path(), each.older().empty() ? "-" : each.older(),
                          each.newer().empty() ? "-" : each.newer())
            : each.text();
    emit("{}: {}{}{}\n", each.rule(), what,
         each.trace_size() == 0 ? "" : fmt::format(" (trace: {})", fmt::join(each.trace(), " ; ")),
         each.version() == 0 ? "" : fmt::format(" (version {})", each.version()));
  }
}
void show_version(const s::TypeVersion& version) {
  emit("{} {} version {}{}{}\n  id {}\n  mode {}\n", version.kind(), version.name(),
       version.version(), version.masked() ? ", masked" : "",
       version.deprecated() ? ", deprecated" : "", version.id(), version.mode());
  if (version.supers_size() > 0) emit("  supers {}\n", fmt::join(version.supers(), ", "));
  if (version.uses_size() > 0) emit("  uses {}\n", fmt::join(version.uses(), ", "));
  for (const auto& each : version.descriptions()) {
    emit("  {} {} {}\n", each.language(), each.media(), each.path());
    if (!each.content().empty())
      emit("{}{}", each.content(), each.content().ends_with('\n') ? "" : "\n");
  }
}

int publish_code(const CommandContext& context, const Arguments& a) {
  if (a.files.size() != 1)
    return report(Error::invalid_argument("--module is the name of one file"));
  auto content = read_file(a.files[0]);
  if (!content) return report(content.error());
  s::TypeModule module;
  if (a.language.empty())
    return report(Error::invalid_argument("code says its language: --language NAME"));
  module.set_language(a.language);
  module.set_name(a.module);
  module.set_abi(a.abi);
  module.set_media(a.abi.empty() ? "text/x-" + a.language
                                 : fmt::format("application/x-{}-code", a.language));
  module.set_content(*content);
  module.set_is_package(a.is_package);
  if (!a.signature.empty()) {
    auto signature = read_file(a.signature);
    if (!signature) return report(signature.error());
    module.set_signature(*signature);
  }
  return ask_and_show<s::TypeRevision>(context, kService, "publish_module", module,
                                       show_revision<s::TypeRevision>);
}

/// In an order in which what is used comes first: messages, Interfaces, the rest.
int publish(const CommandContext& context, const Arguments& a) {
  if (!a.module.empty()) return publish_code(context, a);
  std::vector<s::TypeDefine> all;
  for (const auto& file : a.files) {
    auto definitions = definitions_of(file, a);
    if (!definitions) return report(definitions.error());
    all.insert(all.end(), definitions->begin(), definitions->end());
  }
  const auto rank = [](const s::TypeDefine& each) {
    return each.kind() == "message"       ? 0
           : each.kind() == "interface"   ? 1
           : each.kind() == "interaction" ? 2
                                          : 3;
  };
  std::stable_sort(all.begin(), all.end(),
                   [&](const auto& x, const auto& y) { return rank(x) < rank(y); });
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  for (const auto& each : all) {
    if (a.checks) {
      s::TypeCandidate candidate;
      candidate.set_name(each.name());
      candidate.set_kind(each.kind());
      candidate.set_mode(a.mode);
      *candidate.mutable_descriptions() = each.descriptions();
      auto verdict =
          ask_object<s::TypeVerdict>(session, context.options, kService, "check", candidate);
      if (!verdict) return report(verdict.error());
      print_reply(context, *verdict, [&](const s::TypeVerdict& reply) {
        emit("{}: {}\n", each.name(), reply.ok() ? "may follow" : "may not follow");
        show_violations(reply);
      });
      if (!verdict->ok()) return kExitIncompatible;
      continue;
    }
    auto version = ask_object<s::TypeVersion>(session, context.options, kService, "define", each);
    if (!version) return report(version.error());
    print_reply(context, *version, [](const s::TypeVersion& made) {
      emit("{} version {}  {}\n", made.name(), made.version(), made.id());
    });
  }
  return 0;
}

int describe(const CommandContext& context, const Arguments& a) {
  s::TypeDefine request;
  request.set_name(a.name);
  request.set_kind(a.kind);
  auto& description = *request.add_descriptions();
  description.set_language(a.language);
  description.set_media("text/markdown");
  if (a.files.empty()) {
    description.set_content(a.text);
  } else {
    auto content = read_text(a.files[0]);
    if (!content) return report(content.error());
    description.set_content(*content);
  }
  return ask_and_show<s::TypeVersion>(
      context, kService, a.kind.empty() ? "add_description" : "define", request, show_version);
}

void show_names(const s::TypeNames& reply) {
  for (const auto& name : reply.names()) emit("{}\n", name);
}

int fetch(const CommandContext& context, const Arguments& a) {
  auto question = named<s::TypeModuleQuestion>(a.name);
  question.set_language(a.language);
  question.set_abi(a.abi);
  auto module = ask_once<s::TypeModule>(context, kService, "fetch_module", question);
  if (!module) return report(module.error());
  if (!a.out.empty()) {
    if (auto written = write_to(a.out, module->content()); !written) return report(written.error());
  }
  print_reply(context, *module, [&](const s::TypeModule& reply) {
    if (a.out.empty()) {
      write_out(reply.content());
    } else {
      emit("{}  {}\n", reply.digest(), a.out);
    }
  });
  return 0;
}

constexpr const char* kServiceSource = "Type service";

/// No Type service here, or no such type in it.
bool is_none(const Error& error) { return error.code == Code::kNotFound; }

/// The types that the capsule's kernel makes Bindings with, whose names begin so.
Result<std::vector<OutputRow>> kernel_types(CliSession& session, const std::string& beginning) {
  m::ListRequest request;
  request.set_kind("types");
  const auto reply = HECTOR_TRY(session.ask<m::ListReply>("list", request));
  std::vector<OutputRow> rows;
  for (const auto& item : reply.items()) {
    if (!item.name().starts_with(beginning)) continue;
    auto& row = rows.emplace_back(OutputRow{item.name(), {}});
    for (const auto& field : item.fields()) {
      if (field.name() == "kind" || field.name() == "source")
        row.fields.emplace_back(field.name(), field.value());
    }
  }
  return rows;
}

/// The kernel's, and the Type service's: a type that is in both has two rows.
int list(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto rows = kernel_types(session, a.name);
  if (!rows) return report(rows.error());
  const auto published = ask_object<s::TypeNames>(session, context.options, kService, "list",
                                                  named<s::TypeName>(a.name));
  if (!published && !is_none(published.error())) return report(published.error());
  if (published) {
    for (const auto& name : published->names())
      rows->push_back({name, {{"kind", ""}, {"source", kServiceSource}}});
  }
  write_out(format_rows(*rows, context.format));
  return 0;
}

/// A type of the kernel's, which needs no Type service.
int get_from_kernel(CliSession& session, const CommandContext& context, const OutputRow& row) {
  m::DescribeRequest request;
  request.set_kind("type");
  request.set_name(row.name);
  const auto described = session.ask<m::DescribeReply>("describe", request);
  if (!described) return report(described.error());
  auto shown = Value::map().with("name", row.name);
  for (const auto& [name, value] : row.fields) shown.with(name, value);
  shown.with("model", Value::from_json(described->json()));
  write_out(format_value(shown, context.format));
  return 0;
}

int get(const CommandContext& context, const Arguments& a) {
  auto request = named<s::TypeQuestion>(a.name);
  request.set_version(a.version);
  for (const auto& language : a.languages) request.add_languages(language);
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  const auto kernels = kernel_types(session, a.name);
  if (!kernels) return report(kernels.error());
  const auto here = std::find_if(kernels->begin(), kernels->end(),
                                 [&](const OutputRow& row) { return row.name == a.name; });
  auto version = ask_object<s::TypeVersion>(session, context.options, kService, "get", request);
  if (!version && is_none(version.error()) && here != kernels->end() && a.version == 0)
    return get_from_kernel(session, context, *here);
  if (!version) return report(version.error());
  const std::string used = here == kernels->end() ? "" : here->fields.back().second;
  if (context.format != "table") {
    write_out(format_value(
        Value::of(*version).with("source", kServiceSource).with("used_here_from", used),
        context.format));
    return 0;
  }
  show_version(*version);
  emit("  source {}{}\n", kServiceSource,
       used.empty() ? "; the kernel of this capsule has no type of the name"
                    : "; the kernel of this capsule has it from " + used);
  return 0;
}

/// An operation on a name that answers with names.
auto names_by(const char* operation) {
  return [operation](const CommandContext& context, const Arguments& a) {
    return ask_and_show<s::TypeNames>(context, kService, operation, named<s::TypeName>(a.name),
                                      show_names);
  };
}

/// A question whose answer is a revision.
template <class Request>
int write(const CommandContext& context, const char* operation, const Request& request) {
  return ask_and_show<s::TypeRevision>(context, kService, operation, request,
                                       show_revision<s::TypeRevision>);
}

int remove(const CommandContext& context, const Arguments& a) {
  return write(context, "delete", named<s::TypeName>(a.name));
}

int set_mode(const CommandContext& context, const Arguments& a) {
  auto request = named<s::TypeMode>(a.name);
  request.set_mode(a.mode);
  return write(context, "set_mode", request);
}

auto set_flag(const char* operation) {
  return [operation](const CommandContext& context, const Arguments& a) {
    auto request = named<s::TypeFlag>(a.name);
    request.set_on(!a.is_off);
    return write(context, operation, request);
  };
}

void show_matched(const s::TypeMatched& reply) {
  for (const auto& offer : reply.offers()) emit("{}\n", offer);
  for (const auto& [offer, verdict] : reply.refused()) {
    emit("not {}:\n", offer);
    show_violations(verdict);
  }
}

int match(const CommandContext& context, const Arguments& a) {
  s::TypeMatch request;
  request.set_role(a.name);
  for (const auto& offer : a.files) request.add_offers(offer);
  return ask_and_show<s::TypeMatched>(context, kService, "match", request, show_matched);
}

}  // namespace

namespace {

/// By the types that the capsule's kernel makes Bindings with. NOT_FOUND where it has not both.
Result<s::TypeVerdict> kernel_conforms(CliSession& session, const std::string& sub,
                                       const std::string& super) {
  m::DescribeRequest request;
  request.set_kind("conformance");
  request.set_name(sub + " " + super);
  const auto described = HECTOR_TRY(session.ask<m::DescribeReply>("describe", request));
  m::ListReply reply;
  if (!google::protobuf::util::JsonStringToMessage(described.json(), &reply).ok())
    return fail(Code::kInternal, "the capsule's answer is no list of findings");
  s::TypeVerdict verdict;
  verdict.set_ok(reply.items_size() == 0);
  verdict.set_order_compared(reply.kind() == "ordered");
  for (const auto& item : reply.items()) {
    auto& violation = *verdict.add_violations();
    violation.set_rule(item.name());
    for (const auto& field : item.fields()) {
      if (field.name() == "text")
        violation.set_text(field.value());
      else
        violation.add_trace(field.value());
    }
  }
  return verdict;
}

}  // namespace

int service_conforms(const CommandContext& context, const std::string& sub,
                     const std::string& super, const std::string& level) {
  s::TypeConforms request;
  request.set_sub(sub);
  request.set_super(super);
  request.set_level(level);
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  // What is asked for without a level is asked as a Binding asks it, where the kernel can.
  Result<s::TypeVerdict> verdict = fail(Error::not_found(""));
  if (level.empty()) verdict = kernel_conforms(session, sub, super);
  if (!verdict)
    verdict = ask_object<s::TypeVerdict>(session, context.options, kService, "conforms", request);
  if (!verdict) return report(verdict.error());
  print_reply(context, *verdict, [](const s::TypeVerdict& reply) {
    if (reply.ok()) emit("yes\n");
    if (!reply.order_compared())
      emit("the Interface says no order: signatures alone were compared\n");
    show_violations(reply);
  });
  return verdict->ok() ? 0 : kExitIncompatible;
}

namespace {

/// A .proto file with what it imports, or all below a folder, which imports begin at. `name` is the
/// one file's.
Status add_protos(const fs::path& place, ProtoTexts& texts, std::string& name) {
  if (!fs::is_directory(place)) {
    auto found = HECTOR_TRY(types::proto_texts(place.string()));
    name = std::move(found.name);
    texts = std::move(found.texts);
    return {};
  }
  for (const auto& each : fs::recursive_directory_iterator(place)) {
    if (each.path().extension() != ".proto") continue;
    auto found = HECTOR_TRY(types::proto_texts(each.path().string(), std::vector{place.string()}));
    texts.merge(found.texts);
  }
  return {};
}

}  // namespace

int proto_breaking(const std::string& older, const std::string& newer, const std::string& category,
                   const std::string& format) {
  ProtoTexts texts[2];
  std::string names[2];
  for (const int i : {0, 1}) {
    if (auto added = add_protos(i == 0 ? older : newer, texts[i], names[i]); !added)
      return report(added.error());
  }
  // One file beside another, whatever they are called.
  if (!names[0].empty() && !names[1].empty() && names[0] != names[1]) {
    auto text = texts[1].extract(names[1]);
    text.key() = names[0];
    texts[1].insert(std::move(text));
  }
  auto breaking = types::breaking_changes(texts[0], texts[1], category);
  if (!breaking) return report(breaking.error());
  auto list = Value::list();
  for (const auto& each : *breaking)
    list.add(Value::map()
                 .with("rule", each.rule)
                 .with("path", each.path)
                 .with("older", each.older)
                 .with("newer", each.newer));
  if (format != "table") {
    write_out(format_value(list, format));
  } else if (breaking->empty()) {
    emit("nothing breaks\n");
  }
  for (const auto& each : *breaking) {
    if (format == "table")
      emit("{}: {}: {} -> {}\n", each.rule, each.path, each.older.empty() ? "-" : each.older,
           each.newer.empty() ? "-" : each.newer);
  }
  return breaking->empty() ? 0 : kExitIncompatible;
}

void add_type_service_commands(CommandTree& tree) {
  using P = Parameter<Arguments>;
  const P name = P{"name", &Arguments::name, "a type's name"}.required();
  const P name_or_id = P{"name", &Arguments::name, "a name, or an id"}.required();
  const P off{"--off", &Arguments::is_off, "takes the mark away"};
  tree.add<Arguments>({
      {"type publish",
       "types of .yaml and .proto files, or code for `import`, to the Type service",
       {P{"files", &Arguments::files, "type files, .proto files, or one file of code"}.required(),
        P{"--root,-I,--proto-path", &Arguments::roots,
          "a folder that the imports of .proto files begin at, once or several times; else the "
          "nearest around the file where all of them are found"}
            .repeated(),
        {"--mode", &Arguments::mode,
         "of names that are new: NONE, BACKWARD, FORWARD, FULL, …_TRANSITIVE"},
        {"--super", &Arguments::supers, "a type that these conform to"},
        P{"--major", &Arguments::major, "of Interfaces that are services of .proto files"}.checked(
            CLI::Range(1U, kMajorMax)),
        {"--check", &Arguments::checks,
         "only says whether they may follow; with --mode also FILE, PACKAGE, WIRE_JSON, WIRE"},
        {"--module", &Arguments::module, "code under this name"},
        {"--language", &Arguments::language, "of code"},
        {"--abi", &Arguments::abi,
         "what compiled code is made for, of which interpreter or machine; source without it"},
        {"--signature", &Arguments::signature, "a file with the content's Ed25519 signature"},
        {"--package", &Arguments::is_package, "the module is a package"}},
       publish},
      {"type get",
       "a type: its versions' latest, or the one asked for",
       {name_or_id,
        {"--version", &Arguments::version, "its number; left out: the latest"},
        P{"--language,-l", &Arguments::languages,
          "a description in the first of these that there is"}
            .separated_by(',')},
       get},
      {"type describe",
       "adds a description in a human language; with --kind defines a type that has no other",
       {name,
        P{"--language,-l", &Arguments::language, "en, de, …"}.required(),
        {"--text", &Arguments::text, "the description"},
        {"--file", &Arguments::files, "a file with the description"},
        {"--kind", &Arguments::kind, "object, service, relationship, policy, role"}},
       describe},
      {"type list",
       "types that the capsule's kernel knows and those of the Type service, each with its source",
       {{"name", &Arguments::name, "only names that begin so"}},
       list},
      {"type versions",
       "the ids of a type's versions, the first one first",
       {name},
       names_by("versions")},
      {"type usages", "the types that name it", {name_or_id}, names_by("usages")},
      {"type delete", "a type that no other type uses, with its versions", {name}, remove},
      {"type mode",
       "what a type's next version is checked by",
       {name,
        P{"mode", &Arguments::mode, "NONE, BACKWARD, FORWARD, FULL, …_TRANSITIVE"}.required()},
       set_mode},
      {"type mask", "marks a type, or with --off no longer", {name, off}, set_flag("mask")},
      {"type deprecate",
       "marks a type, or with --off no longer",
       {name, off},
       set_flag("deprecate")},
      {"type match",
       "which of these Interfaces may play a Role",
       {P{"name", &Arguments::name, "diary.Meeting/1.attendee"}.required(),
        P{"interfaces", &Arguments::files, "their names"}.required()},
       match},
      {"type fetch",
       "published code",
       {P{"name", &Arguments::name, "a module's name"}.required(),
        P{"--language", &Arguments::language, "of the code"}.required(),
        {"--abi", &Arguments::abi, "what compiled code is made for; left out: source"},
        {"--out", &Arguments::out, "a file to write it to"}},
       fetch},
  });
}

}  // namespace hector

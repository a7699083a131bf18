#include "cli/type_service.h"

#include <fmt/ranges.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <regex>

#include "base/text/read_file.h"
#include "cli/object.h"
#include "hector/authoring.h"
#include "hector/service/v1/type.pb.h"
#include "hector/types.h"

namespace hector {

namespace {

namespace s = service::v1;
namespace fs = std::filesystem;

constexpr const char* kService = "type";

struct Arguments {
  std::string name, root, mode, module, abi, signature, language, out, text, kind;
  std::vector<std::string> files, languages, supers, roles;
  std::uint64_t version = 0;
  std::uint32_t major = 1;
  bool is_off = false, is_package = false, checks = false;
};

/// A .proto file and what it imports below the root (google/protobuf/ is everywhere).
Status add_proto(const fs::path& root, const std::string& name, ProtoTexts& texts) {
  if (texts.contains(name) || name.starts_with("google/protobuf/")) return {};
  auto text = HECTOR_TRY(read_file(root / name));
  texts[name] = text;
  static const std::regex import("(?:^|\\n)\\s*import\\s+(?:public\\s+|weak\\s+)?\"([^\"]+)\"");
  const std::string own = text;
  for (std::sregex_iterator each(own.begin(), own.end(), import), end; each != end; ++each) {
    if (auto added = add_proto(root, (*each)[1].str(), texts); !added) return added;
  }
  return {};
}
void add_texts(const ProtoTexts& texts, s::TypeDefine& request) {
  for (const auto& [path, text] : texts) {
    auto& description = *request.add_descriptions();
    description.set_language("proto");
    description.set_media("text/x-protobuf");
    description.set_path(path);
    description.set_content(text);
  }
}

/// One definition for each type of the file.
Result<std::vector<s::TypeDefine>> definitions_of(const std::string& file, const Arguments& a) {
  std::vector<s::TypeDefine> all;
  const fs::path path = fs::absolute(file);
  const bool is_proto = path.extension() == ".proto";
  const fs::path root = a.root.empty() ? path.parent_path() : fs::absolute(a.root);
  ProtoTexts texts;
  Result<std::vector<TypeModelPtr>> models = std::vector<TypeModelPtr>();
  auto text = HECTOR_TRY(read_file(path));
  if (is_proto) {
    const std::string name = fs::relative(path, root).string();
    HECTOR_TRY(add_proto(root, name, texts));
    models = read_proto_models(name, texts, a.major);
  } else {
    // The texts behind `messages:`, from the file's folder or the one above it.
    static const std::regex mentioned("[\\w./-]+\\.proto");
    for (std::sregex_iterator each(text.begin(), text.end(), mentioned), end; each != end; ++each) {
      for (const auto& place : {root, root.parent_path()}) {
        if (!fs::exists(place / each->str())) continue;
        HECTOR_TRY(add_proto(place, each->str(), texts));
        break;
      }
    }
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
    fmt::print(
        "{}: {}{}{}\n", each.rule(), what,
        each.trace_size() == 0 ? "" : fmt::format(" (trace: {})", fmt::join(each.trace(), " ; ")),
        each.version() == 0 ? "" : fmt::format(" (version {})", each.version()));
  }
}
void show_version(const s::TypeVersion& version) {
  fmt::print("{} {} version {}{}{}\n  id {}\n  mode {}\n", version.kind(), version.name(),
             version.version(), version.masked() ? ", masked" : "",
             version.deprecated() ? ", deprecated" : "", version.id(), version.mode());
  if (version.supers_size() > 0) fmt::print("  supers {}\n", fmt::join(version.supers(), ", "));
  if (version.uses_size() > 0) fmt::print("  uses {}\n", fmt::join(version.uses(), ", "));
  for (const auto& each : version.descriptions()) {
    fmt::print("  {} {} {}\n", each.language(), each.media(), each.path());
    if (!each.content().empty())
      fmt::print("{}{}", each.content(), each.content().ends_with('\n') ? "" : "\n");
  }
}

int publish_code(const CliOptions& options, const std::string& format, const Arguments& a) {
  if (a.files.size() != 1)
    return report({Code::kInvalidArgument, "--module is the name of one file"});
  auto content = read_file(a.files[0]);
  if (!content) return report(content.error());
  s::TypeModule module;
  if (a.language.empty())
    return report({Code::kInvalidArgument, "code says its language: --language NAME"});
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
  return ask_and_show<s::TypeRevision>(
      options, format, kService, "publish_module", module,
      [](const s::TypeRevision& reply) { fmt::print("revision {}\n", reply.revision()); });
}

/// In an order in which what is used comes first: messages, Interfaces, the rest.
int publish(const CliOptions& options, const std::string& format, const Arguments& a) {
  if (!a.module.empty()) return publish_code(options, format, a);
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
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  for (const auto& each : all) {
    if (a.checks) {
      s::TypeCandidate candidate;
      candidate.set_name(each.name());
      candidate.set_kind(each.kind());
      candidate.set_mode(a.mode);
      *candidate.mutable_descriptions() = each.descriptions();
      auto verdict = ask_object<s::TypeVerdict>(session, options, kService, "check", candidate);
      if (!verdict) return report(verdict.error());
      fmt::print("{}: {}\n", each.name(), verdict->ok() ? "may follow" : "may not follow");
      show_violations(*verdict);
      if (!verdict->ok()) return 7;
      continue;
    }
    auto version = ask_object<s::TypeVersion>(session, options, kService, "define", each);
    if (!version) return report(version.error());
    if (format == "json")
      fmt::print("{}\n", json_of(*version, true));
    else
      fmt::print("{} version {}  {}\n", version->name(), version->version(), version->id());
  }
  return 0;
}

int describe(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::TypeDefine request;
  request.set_name(a.name);
  request.set_kind(a.kind);
  auto& description = *request.add_descriptions();
  description.set_language(a.language);
  description.set_media("text/markdown");
  if (a.files.empty()) {
    description.set_content(a.text);
  } else {
    auto content = read_file(a.files[0]);
    if (!content) return report(content.error());
    description.set_content(*content);
  }
  return ask_and_show<s::TypeVersion>(options, format, kService,
                                      a.kind.empty() ? "add_description" : "define", request,
                                      show_version);
}

template <class Request>
Request named(const Arguments& a) {
  Request request;
  request.set_name(a.name);
  return request;
}
void show_names(const s::TypeNames& reply) {
  for (const auto& name : reply.names()) fmt::print("{}\n", name);
}

int fetch(const CliOptions& options, const std::string& format, const Arguments& a) {
  s::TypeModuleQuestion question;
  question.set_language(a.language);
  question.set_name(a.name);
  question.set_abi(a.abi);
  return ask_and_show<s::TypeModule>(options, format, kService, "fetch_module", question,
                                     [&](const s::TypeModule& module) {
                                       if (a.out.empty()) {
                                         fmt::print("{}", module.content());
                                         return;
                                       }
                                       std::ofstream(a.out, std::ios::binary) << module.content();
                                       fmt::print("{}  {}\n", module.digest(), a.out);
                                     });
}

}  // namespace

int service_conforms(const CliOptions& options, const std::string& format, const std::string& sub,
                     const std::string& super, const std::string& level) {
  s::TypeConforms request;
  request.set_sub(sub);
  request.set_super(super);
  request.set_level(level);
  int code = 0;
  const int asked = ask_and_show<s::TypeVerdict>(
      options, format, kService, "conforms", request, [&](const s::TypeVerdict& verdict) {
        if (verdict.ok()) fmt::print("yes\n");
        if (!verdict.order_compared())
          fmt::print("the Interface says no order: signatures alone were compared\n");
        show_violations(verdict);
        code = verdict.ok() ? 0 : 7;
      });
  return asked != 0 ? asked : code;
}

int proto_breaking(const std::string& older, const std::string& newer, const std::string& category,
                   const std::string& format) {
  ProtoTexts texts[2];
  for (const int i : {0, 1}) {
    const fs::path place = i == 0 ? older : newer;
    if (fs::is_directory(place)) {
      for (const auto& each : fs::recursive_directory_iterator(place)) {
        if (each.path().extension() != ".proto") continue;
        if (auto added = add_proto(place, fs::relative(each.path(), place).string(), texts[i]);
            !added)
          return report(added.error());
      }
    } else if (auto added = add_proto(fs::absolute(place).parent_path(), place.filename().string(),
                                      texts[i]);
               !added) {
      return report(added.error());
    }
  }
  // One file beside another, whatever they are called.
  if (!fs::is_directory(older) && fs::path(older).filename() != fs::path(newer).filename()) {
    auto text = texts[1].extract(fs::path(newer).filename().string());
    text.key() = fs::path(older).filename().string();
    texts[1].insert(std::move(text));
  }
  auto breaking = types::breaking_changes(texts[0], texts[1], category);
  if (!breaking) return report(breaking.error());
  for (const auto& each : *breaking) {
    if (format == "json" || format == "jsonl")
      fmt::print("{{\"rule\": {}, \"path\": {}, \"older\": {}, \"newer\": {}}}\n",
                 json_quoted(each.rule), json_quoted(each.path), json_quoted(each.older),
                 json_quoted(each.newer));
    else
      fmt::print("{}: {}: {} -> {}\n", each.rule, each.path, each.older.empty() ? "-" : each.older,
                 each.newer.empty() ? "-" : each.newer);
  }
  if (breaking->empty() && format == "table") fmt::print("nothing breaks\n");
  return breaking->empty() ? 0 : 7;
}

void add_type_service_commands(CLI::App& types, CliOptions& options, std::string& format,
                               std::function<int()>& chosen) {
  const auto a = std::make_shared<Arguments>();
  const auto add = [&](const char* command, const char* text,
                       std::function<int(const Arguments&)> what) {
    auto* added = types.add_subcommand(command, text);
    choose(added, chosen, a, std::move(what));
    return added;
  };
  const auto with_name = [&](CLI::App* command, const char* text, bool is_required = true) {
    auto* option = command->add_option("name", a->name, text);
    if (is_required) option->required();
    return command;
  };
  auto* published =
      add("publish", "types of .yaml and .proto files, or code for `import`, to the Type service",
          [&](const Arguments& each) { return publish(options, format, each); });
  published->add_option("files", a->files)->required();
  published->add_option("--root", a->root,
                        "the folder that imports begin at; the file's own without it");
  published->add_option("--mode", a->mode,
                        "of names that are new: NONE, BACKWARD, FORWARD, FULL, …_TRANSITIVE");
  published->add_option("--super", a->supers, "a type that these conform to");
  published->add_option("--major", a->major, "of Interfaces that are services of .proto files")
      ->check(CLI::Range(1U, 1'000'000U));
  published->add_flag(
      "--check", a->checks,
      "only says whether they may follow; with --mode also FILE, PACKAGE, WIRE_JSON, WIRE");
  published->add_option("--module", a->module, "code under this name");
  published->add_option("--language", a->language, "of code");
  published->add_option(
      "--abi", a->abi,
      "what compiled code is made for, of which interpreter or machine; source without it");
  published->add_option("--signature", a->signature, "a file with the content's Ed25519 signature");
  published->add_flag("--package", a->is_package, "the module is a package");
  auto* got = with_name(add("get", "a type: its versions' latest, or the one asked for",
                            [&](const Arguments& each) {
                              auto request = named<s::TypeQuestion>(each);
                              request.set_version(each.version);
                              for (const auto& language : each.languages)
                                request.add_languages(language);
                              return ask_and_show<s::TypeVersion>(options, format, kService, "get",
                                                                  request, show_version);
                            }),
                        "a name, or an id");
  got->add_option("--version", a->version);
  got->add_option("--language,-l", a->languages,
                  "a description in the first of these that there is")
      ->delimiter(',');
  auto* described = with_name(
      add("describe",
          "adds a description in a human language; with --kind defines a type that has no other",
          [&](const Arguments& each) { return describe(options, format, each); }),
      "a type's name");
  described->add_option("--language,-l", a->language, "en, de, …")->required();
  described->add_option("--text", a->text);
  described->add_option("--file", a->files);
  described->add_option("--kind", a->kind, "object, service, relationship, policy, role");
  with_name(add("list", "names that begin so; all without it",
                [&](const Arguments& each) {
                  return ask_and_show<s::TypeNames>(options, format, kService, "list",
                                                    named<s::TypeName>(each), show_names);
                }),
            "a beginning", false);
  with_name(add("versions", "the ids of a type's versions, the first one first",
                [&](const Arguments& each) {
                  return ask_and_show<s::TypeNames>(options, format, kService, "versions",
                                                    named<s::TypeName>(each), show_names);
                }),
            "a type's name");
  with_name(add("usages", "the types that name it",
                [&](const Arguments& each) {
                  return ask_and_show<s::TypeNames>(options, format, kService, "usages",
                                                    named<s::TypeName>(each), show_names);
                }),
            "a name, or an id");
  const auto show_revision = [](const s::TypeRevision& reply) {
    fmt::print("revision {}\n", reply.revision());
  };
  with_name(add("delete", "a type that nobody uses, with its versions",
                [&, show_revision](const Arguments& each) {
                  return ask_and_show<s::TypeRevision>(options, format, kService, "delete",
                                                       named<s::TypeName>(each), show_revision);
                }),
            "a type's name");
  auto* mode = with_name(add("mode", "what a type's next version is checked by",
                             [&, show_revision](const Arguments& each) {
                               auto request = named<s::TypeMode>(each);
                               request.set_mode(each.mode);
                               return ask_and_show<s::TypeRevision>(
                                   options, format, kService, "set_mode", request, show_revision);
                             }),
                         "a type's name");
  mode->add_option("mode", a->mode, "NONE, BACKWARD, FORWARD, FULL, …_TRANSITIVE")->required();
  for (const char* flag : {"mask", "deprecate"}) {
    auto* command = with_name(add(flag, "marks a type, or with --off no longer",
                                  [&, show_revision, flag](const Arguments& each) {
                                    auto request = named<s::TypeFlag>(each);
                                    request.set_on(!each.is_off);
                                    return ask_and_show<s::TypeRevision>(
                                        options, format, kService, flag, request, show_revision);
                                  }),
                              "a type's name");
    command->add_flag("--off", a->is_off);
  }
  auto* matched =
      add("match", "which of these Interfaces may play a Role", [&](const Arguments& each) {
        s::TypeMatch request;
        request.set_role(each.name);
        for (const auto& offer : each.files) request.add_offers(offer);
        return ask_and_show<s::TypeMatched>(options, format, kService, "match", request,
                                            [](const s::TypeMatched& reply) {
                                              for (const auto& offer : reply.offers())
                                                fmt::print("{}\n", offer);
                                              for (const auto& [offer, verdict] : reply.refused()) {
                                                fmt::print("not {}:\n", offer);
                                                show_violations(verdict);
                                              }
                                            });
      });
  with_name(matched, "diary.Meeting/1.attendee")->add_option("interfaces", a->files)->required();
  auto* fetched =
      with_name(add("fetch", "published code",
                    [&](const Arguments& each) { return fetch(options, format, each); }),
                "a module's name");
  fetched->add_option("--language", a->language)->required();
  fetched->add_option("--abi", a->abi);
  fetched->add_option("--out", a->out, "a file to write it to");
}

}  // namespace hector

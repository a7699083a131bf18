// What: `hector identity …`: whose certificate chains and tokens these are.
// Why: a refused peer is looked into with the code that refused it, without a capsule.
// Who: people and scripts. Exit codes of `check`: 0 all accepted, 1 any refused, 2 usage, or a file
// that cannot be read.
#include "hector/identity.h"

#include <fstream>
#include <optional>

#include "base/text/read_file.h"
#include "cli/commands.h"
#include "cli/output.h"
#include "cli/realm.h"
#include "hector/realm.h"

namespace hector {

namespace {

struct Arguments {
  std::vector<std::string> trust, audiences, files;
  std::string at, realm;
};

Result<identity::Instant> moment_of(const std::string& text) {
  if (!text.empty()) return identity::read_instant(text);
  return identity_now();
}

/// TRUST_DOMAIN=FILE.
Status add_bundle(const std::string& named, identity::TrustBundles& bundles) {
  const auto equals = named.find('=');
  if (equals == std::string::npos)
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is no bundle: write --trust TRUST_DOMAIN=FILE", named));
  const auto file = named.substr(equals + 1);
  const auto text = HECTOR_TRY(read_file(file, "bundle"));
  if (auto added = bundles.add(named.substr(0, equals), text); !added)
    return fail(Code::kInvalidArgument,
                fmt::format("bundle '{}': {}", file, added.error().message));
  return {};
}

Result<identity::TrustBundles> bundles_of(const Arguments& a) {
  if (a.trust.empty() && a.realm.empty())
    return fail(Code::kInvalidArgument,
                "nothing is trusted: say --trust TRUST_DOMAIN=FILE, or --realm FOLDER");
  identity::TrustBundles bundles;
  for (const auto& each : a.trust) HECTOR_TRY(add_bundle(each, bundles));
  if (a.realm.empty()) return bundles;
  const auto realm = HECTOR_TRY(identity::Realm::open(a.realm));
  HECTOR_TRY(realm.trust(bundles));
  return bundles;
}

/// As much of a file as is judged, and one octet more.
Result<std::string> read_content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string content(identity::kContentOctetsMax + 1, '\0');
  in.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (in.bad() || (in.fail() && !in.eof()))
    return fail(Code::kNotFound, fmt::format("file '{}' cannot be read", path));
  content.resize(static_cast<std::size_t>(in.gcount()));
  return content;
}

/// The exit code of a file: 0 accepted, 1 refused.
int show(const std::string& file, const identity::Judged<std::string>& verdict) {
  auto line = Value::map().with("file", file);
  if (verdict) {
    write_out(json_line(line.with("principal", *verdict)) + "\n");
    return 0;
  }
  line.with("error", std::string(identity::fault_name(verdict.error().fault)))
      .with("message", verdict.error().message);
  write_out(json_line(line) + "\n");
  return kExitFailed;
}

int usage(const Error& error) {
  complain(fmt::format("hector: {}\n", error.message));
  return kExitUsage;
}

int check(const CommandContext&, const Arguments& a) {
  const auto at = moment_of(a.at);
  if (!at) return usage(at.error());
  if (a.audiences.size() > 1)
    return usage(Error::invalid_argument("--audience is given once: it is who we are"));
  const auto bundles = bundles_of(a);
  if (!bundles) return usage(bundles.error());
  identity::Question question{*at, {}};
  if (!a.audiences.empty()) question.audience = a.audiences.front();
  int worst = 0;
  for (const auto& file : a.files) {
    const auto content = read_content(file);
    worst = std::max(worst, content ? show(file, identity::judge(*content, *bundles, question))
                                    : usage(content.error()));
  }
  return worst;
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> commands() {
  return {
      {"identity check",
       "say for each file, a PEM chain (leaf first) or a compact JWT, whose identity it is, or why "
       "it is refused: a JSON line each, in every output format. Exit code 1 where one is refused",
       {P{"--trust", &Arguments::trust,
          "TRUST_DOMAIN=FILE: what the domain trusts, PEM certificates or a JWKS; once for each"}
            .repeated(),
        {"--realm", &Arguments::realm, "a realm's folder: its bundle, and what it revoked"},
        {"--at", &Arguments::at, "judge as of this time: RFC 3339, in UTC; left out: now"},
        P{"--audience", &Arguments::audiences, "who we are; a token has to be for us"}.repeated(),
        P{"files", &Arguments::files, "chains and tokens; the content says which"}.required()},
       check},
  };
}

}  // namespace

void add_identity_commands(CommandTree& tree) {
  tree.group("identity", "certificate chains and tokens: whose they are");
  tree.add(commands());
  add_realm_commands(tree);
}

}  // namespace hector

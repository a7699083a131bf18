// What: judge(), which finds out what a file holds. Why: content decides, not a name.
// Who: `hector identity check`, whatever authenticates a peer.
#include <fmt/format.h>

#include "identity/certificate_chain.h"
#include "identity/pem.h"
#include "identity/trust_bundle.h"
#include "identity/verdict.h"
#include "identity/web_token.h"

namespace hector::identity {

namespace {

Judged<SpiffeId> judge_pem(std::string_view pem, const TrustBundles::Domains& domains,
                           const Question& question) {
  auto chain = Chain::read(pem);
  if (!chain) return refuse(chain.error());
  const auto* const bundle = domains.find(chain->id.trust_domain());
  if (bundle == nullptr)
    return refuse(
        Fault::kUntrustedDomain,
        fmt::format("there is no bundle of the trust domain '{}'", chain->id.trust_domain()));
  if (auto judged = judge_chain(*chain, *bundle, question.at); !judged)
    return refuse(judged.error());
  return std::move(chain->id);
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kWhite = " \t\r\n\v\f";
  const auto first = text.find_first_not_of(kWhite);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kWhite) - first + 1);
}

}  // namespace

Judged<std::string> judge(std::string_view content, const TrustBundles& bundles,
                          const Question& question) {
  if (content.size() > kContentOctetsMax)
    return malformed(fmt::format("it has more than {} octets", kContentOctetsMax));
  auto id = looks_like_pem(content) ? judge_pem(content, bundles.domains(), question)
                                    : judge_token(trimmed(content), bundles.domains(), question);
  if (!id) return refuse(id.error());
  return id->text();
}

}  // namespace hector::identity

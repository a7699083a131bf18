#include "channel/protocol_choice.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text/nearest.h"

namespace hector {

namespace {

/// -1: no match; else how specific: components given exactly count most, then how early.
int match(std::string_view key, const std::vector<std::string_view>& name) {
  std::vector<std::string_view> parts;
  bool is_loose = false;
  std::vector<bool> loose;  // a '*' stands before the part
  std::size_t at = 0;
  while (at < key.size()) {
    if (key[at] == '*') {
      is_loose = true;
      ++at;
      continue;
    }
    if (key[at] == '.') {
      ++at;
      continue;
    }
    std::size_t end = key.find_first_of("*.", at);
    // Type names have dots: the first component is matched as a whole.
    if (parts.empty() && !is_loose && key.substr(at).starts_with(name[0]))
      end = at + name[0].size();
    if (end == std::string_view::npos) end = key.size();
    parts.push_back(key.substr(at, end - at));
    loose.push_back(is_loose);
    is_loose = false;
    at = end;
  }
  std::size_t n = 0;
  int score = 0;
  for (std::size_t p = 0; p < parts.size(); ++p) {
    if (loose[p]) {
      while (n < name.size() && name[n] != parts[p]) ++n;
    }
    if (n >= name.size() || (name[n] != parts[p] && parts[p] != "?")) return -1;
    if (parts[p] != "?") score += 1 << static_cast<int>(name.size() - n);
    ++n;
  }
  return n == name.size() ? score : -1;
}

/// Entries that match, best first.
std::vector<PolicyCandidate> explain_own(const std::vector<PolicyEntry>& policy,
                                         const std::vector<std::string_view>& name) {
  std::vector<std::pair<int, std::size_t>> matches;
  for (std::size_t i = 0; i < policy.size(); ++i) {
    if (const int score = match(policy[i].key, name); score >= 0) matches.emplace_back(score, i);
  }
  std::sort(matches.rbegin(), matches.rend());
  std::vector<PolicyCandidate> all;
  for (const auto& [score, i] : matches) {
    const std::string why = all.empty()                      ? "the most specific one"
                            : score == matches.front().first ? "a later one is as specific"
                                                             : "another one is more specific";
    all.push_back({policy[i].key, fmt::format("{}", fmt::join(policy[i].values, " ")),
                   "configuration", why, false});
  }
  return all;
}

}  // namespace

PolicyAnswer ask_policy(const std::vector<PolicyEntry>& policy, const std::string& binding,
                        const std::string& role, const std::string& resource) {
  const std::vector<std::string_view> name{binding, role, resource};
  PolicyAnswer answer;
  int best = -1;
  for (const auto& entry : policy) {
    const int score = match(entry.key, name);
    if (score < 0 || score < best) continue;
    best = score;
    answer = {entry.values, entry.key};
  }
  return answer;
}

namespace {

std::vector<std::string> words(const std::string& text) {
  std::vector<std::string> list;
  for (std::size_t at = 0; (at = text.find_first_not_of(" ,\t\n", at)) != std::string::npos;) {
    const std::size_t end = std::min(text.find_first_of(" ,\t\n", at), text.size());
    list.push_back(text.substr(at, end - at));
    at = end;
  }
  return list;
}

}  // namespace

void Policies::configure(std::vector<PolicyEntry> own) {
  const std::unique_lock lock(mutex_);
  own_ = std::move(own);
}

std::vector<PolicyEntry> Policies::own() const {
  const std::shared_lock lock(mutex_);
  return own_;
}

const std::vector<KernelPolicy>& kernel_policies() {
  static const std::vector<KernelPolicy> all{
      {"protocols", "the order of the reference"},
      {"prefer", "the order of protocols stays"},
      {"principals", "any principal may play the role"},
      {"interceptors", "none"},
      {"transparencies", "access location relocation failure"},
      {"deadline_ms", "what the Binding type says"},
      {"rate_max", "what the Binding type says"},
      {"message_octets_max", "what the Binding type says"},
  };
  return all;
}

namespace {

/// Comes before the capsule's own entries.
bool comes_first(const PolicyValue& value) {
  return value.is_final || value.context.rfind("object:", 0) == 0;
}

}  // namespace

Result<PolicyValue> Policies::ask_service(const std::string& binding, const std::string& role,
                                          const std::string& resource,
                                          const std::string& object) const {
  auto* const service = service_.load(std::memory_order_acquire);
  if (service == nullptr || binding.rfind("hector.", 0) == 0)
    return fail(Error::not_found("no service is asked"));
  const std::string name = binding + "." + role + "." + resource;
  return service->get(name, policy_classes(name), object);
}

PolicyAnswer Policies::ask(const std::string& binding, const std::string& role,
                           const std::string& resource, const std::string& object) const {
  PolicyAnswer own;
  {
    const std::shared_lock lock(mutex_);
    own = ask_policy(own_, binding, role, resource);
  }
  const auto found = ask_service(binding, role, resource, object);
  if (!found || (!own.key.empty() && !comes_first(*found))) return own;
  return {words(found->value), fmt::format("{} ({})", found->spec, found->context)};
}

std::vector<PolicyCandidate> Policies::explain(const std::string& binding, const std::string& role,
                                               const std::string& resource,
                                               const std::string& object) const {
  std::vector<PolicyCandidate> all = explain_own(own(), {binding, role, resource});
  const auto found = ask_service(binding, role, resource, object);
  const bool is_first = found && (all.empty() || comes_first(*found));
  if (found) {
    PolicyCandidate said{found->spec, found->value, found->context, {}, false};
    said.why = comes_first(*found) ? found->is_final ? "it is final" : "it is the Object's own"
               : is_first          ? "the capsule's configuration has no entry that matches"
                                   : "the capsule's configuration comes before it";
    all.insert(is_first ? all.begin() : all.end(), std::move(said));
  }
  if (is_first && all.size() > 1) all[1].why = "the service's entry comes before it";
  for (const auto& each : kernel_policies()) {
    if (resource == each.resource)
      all.push_back({{}, each.otherwise, "built in", "no entry matches", false});
  }
  if (all.empty()) return all;
  if (all.size() > 1) all.back().why = "an entry matches";
  all.front().counts = true;
  if (!found && found.error().code != Code::kNotFound)
    all.front().why += "; the Policy service is not reached: " + found.error().message;
  return all;
}

namespace {

/// By one class: smaller is better. Protocols of which nothing is known come last.
double rank(const std::string& by, const std::map<std::string, ProtocolCapabilities>& known,
            const std::string& protocol) {
  // Behind every number of µs that a protocol states.
  constexpr double kLast = 1e18;
  const auto found = known.find(protocol);
  if (found == known.end()) return kLast;
  const auto& can = found->second;
  if (by == "latency") return can.latency_us == 0 ? kLast : can.latency_us;
  if (by == "cost") return can.cost_us == 0 ? kLast : can.cost_us;
  if (by == "privacy") return -static_cast<double>(can.security);
  return -static_cast<double>(can.reach);
}

/// The classes that policy prefers by; others are told in `unknown`.
std::vector<std::string> classes(const PolicyAnswer& prefer, std::string& unknown) {
  const std::vector<std::string> known{"latency", "cost", "privacy", "reach"};
  std::vector<std::string> by;
  for (const auto& each : prefer.values) {
    if (std::find(known.begin(), known.end(), each) != known.end())
      by.push_back(each);
    else
      unknown = fmt::format("policy '{}' prefers by '{}'{}; classes are {}", prefer.key, each,
                            nearest_hint(each, known), fmt::join(known, ", "));
  }
  return by;
}

}  // namespace

Result<ProtocolChoice> choose_protocol(const ProtocolQuestion& question) {
  const auto& [policies, binding, role, object, offered, here, exclude, unfit, known] = question;
  const PolicyAnswer order = policies.ask(binding, role, "protocols", object);
  const PolicyAnswer prefer = policies.ask(binding, role, "prefer", object);
  std::vector<std::string> wanted = order.values;
  std::string rule = order.key.empty()
                         ? "no policy names protocols: the reference's order"
                         : fmt::format("policy '{}: {}'", order.key, fmt::join(order.values, ", "));
  if (wanted.empty()) {
    for (const auto& profile : offered) wanted.push_back(profile.protocol);
  }
  std::string unknown;
  const auto by = classes(prefer, unknown);
  if (!unknown.empty()) return fail(Code::kInvalidArgument, unknown);
  if (!by.empty()) {
    std::stable_sort(wanted.begin(), wanted.end(), [&](const std::string& a, const std::string& b) {
      for (const auto& each : by) {
        if (const double left = rank(each, known, a), right = rank(each, known, b); left != right)
          return left < right;
      }
      return false;
    });
    rule = fmt::format("policy '{}: {}' orders them {}", prefer.key, fmt::join(prefer.values, ", "),
                       fmt::join(wanted, ", "));
  }
  ProtocolChoice choice;
  for (const auto& protocol : wanted) {
    const auto profile = std::find_if(offered.begin(), offered.end(),
                                      [&](const Profile& p) { return p.protocol == protocol; });
    if (protocol == exclude) {
      choice.refused.push_back(protocol + ": it is being unloaded");
    } else if (const auto why = unfit.find(protocol); why != unfit.end()) {
      choice.refused.push_back(protocol + ": " + why->second);
    } else if (profile == offered.end()) {
      choice.refused.push_back(protocol + ": the offering capsule does not have it");
    } else if (std::find(here.begin(), here.end(), protocol) == here.end()) {
      choice.refused.push_back(protocol + ": the initiating capsule does not have it");
    } else {
      choice.profile = *profile;
      choice.why = rule;
      for (const auto& other : offered) {
        if (std::find(wanted.begin(), wanted.end(), other.protocol) == wanted.end())
          choice.refused.push_back(other.protocol + ": policy does not name it");
      }
      return choice;
    }
  }
  Error error{Code::kUnavailable,
              fmt::format("no protocol that both ends have fits {}", rule),
              {},
              {},
              choice.refused};
  return fail(std::move(error));
}

}  // namespace hector

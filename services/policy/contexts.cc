#include "contexts.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <ctime>
#include <set>

#include "hector/check.h"
#include "hector/plain_text.h"

namespace hector::policy {

namespace {

constexpr std::size_t kNameOctetsMax = 200;  ///< of a context

/// "context rest": contexts have no spaces.
std::pair<std::string, std::string> divided(std::string_view key) {
  const auto space = std::min(key.find(' '), key.size());
  return {std::string(key.substr(0, space)),
          std::string(key.substr(std::min(space + 1, key.size())))};
}

}  // namespace

Status check_context(std::string_view context) {
  const auto colon = context.find(':');
  const std::string_view scope = context.substr(0, colon);
  const bool is_named =
      scope == "object" || scope == "capsule" || scope == "host" || scope == "network";
  const std::string_view name = colon == std::string_view::npos ? "" : context.substr(colon + 1);
  const bool fits = scope == "enterprise"
                        ? colon == std::string_view::npos
                        : is_named && !name.empty() && name.size() <= kNameOctetsMax &&
                              name.find_first_of(" \n") == std::string_view::npos;
  if (fits) return {};
  return fail(
      Error::invalid_argument(fmt::format("BAD_CONTEXT: '{}' is none of object:NAME, capsule:NAME, "
                                          "host:NAME, network:NAME, enterprise",
                                          context))
          .with_type("BAD_CONTEXT"));
}

v1::PolicyEntry model_of(const Entry& entry, const std::string& context) {
  v1::PolicyEntry model;
  model.set_context(context);
  model.set_spec(entry.spec);
  model.set_value(entry.value);
  model.set_is_final(entry.is_final);
  model.set_valid_until_s(entry.valid_until_s);
  model.set_line(entry.line);
  return model;
}

Result<BundleHead> read_bundle_head(std::string_view text) {
  std::string line = plain_text(text.substr(0, text.find('\n')));
  if (line.ends_with('\r')) line.pop_back();
  BundleHead head;
  char until[64] = {};
  unsigned long long version = 0;
  int end = 0;
  const int read = std::sscanf(line.c_str(), "! hector-bundle version %llu%n expires %63s%n",
                               &version, &end, until, &end);
  head.version = version;
  std::tm when{};
  const char* rest = read == 2 ? strptime(until, "%Y-%m-%dT%H:%M:%SZ", &when) : nullptr;
  if (read == 2) head.expires_s = timegm(&when);
  if (read < 1 || static_cast<std::size_t>(end) != line.size() ||
      (read == 2 && (rest == nullptr || *rest != '\0'))) {
    return fail(
        Error::invalid_argument("BAD_BUNDLE: line 1 is '! hector-bundle version N', with ' expires "
                                "YYYY-MM-DDThh:mm:ssZ' behind it if it does")
            .with_type("BAD_BUNDLE"));
  }
  return head;
}

void Contexts::clear() {
  contexts_.clear();
  chains_.clear();
  changed_.clear();
  const std::lock_guard lock(remembered_mutex_);
  remembered_.clear();
}

void Contexts::apply(const StoreEvent& event) {
  const std::string_view key = event.entry.key;
  const bool is_put = event.kind == StoreEvent::Kind::kPut;
  const auto [name, rest] = divided(key.substr(2));
  if (key.rfind("c/", 0) == 0) {
    v1::PolicyChain chain;
    if (is_put &&
        chain.ParseFromArray(event.entry.value.data(), static_cast<int>(event.entry.value.size())))
      chains_[name] = {chain.contexts().begin(), chain.contexts().end()};
    else
      chains_.erase(name);
    return;
  }
  auto& context = contexts_[name];
  if (!context.is_new) changed_.push_back(name);
  context.is_new = true;
  if (key.rfind("b/", 0) == 0) {
    context.is_bundle_new = true;
    if (is_put)
      context.bundle_parts[rest] = event.entry.value.str();
    else
      context.bundle_parts.erase(rest);
    return;
  }
  v1::PolicyEntry model;
  if (is_put &&
      model.ParseFromArray(event.entry.value.data(), static_cast<int>(event.entry.value.size()))) {
    context.entries[rest] = {model.spec(), model.value(), model.line(), model.is_final(),
                             model.valid_until_s()};
  } else {
    context.entries.erase(rest);
  }
}

void Contexts::rebuild(Context& context) {
  if (context.is_bundle_new) {
    std::string text;
    for (const auto& [number, part] : context.bundle_parts) text += part;
    context.bundle.clear();
    const auto head = read_bundle_head(text);
    context.version = head ? head->version : 0;
    static_cast<void>(
        read_resources(text, {}, [&](Entry entry) {  // it was read before it was taken
          context.bundle.push_back(std::move(entry));
          return Status{};
        }));
  }
  context.is_new = context.is_bundle_new = context.has_expiries = false;
  context.database = std::make_unique<Database>(quarks_);
  const auto put = [&](const Entry& entry) {
    context.has_expiries = context.has_expiries || entry.valid_until_s != 0;
    static_cast<void>(context.database->put(entry));
  };
  for (const auto& entry : context.bundle) put(entry);
  for (const auto& [spec, entry] : context.entries) put(entry);
}

void Contexts::applied(Revision) {
  for (const auto& name : changed_) rebuild(contexts_[name]);
  changed_.clear();
  has_expiries_ = std::any_of(contexts_.begin(), contexts_.end(),
                              [](const auto& each) { return each.second.has_expiries; });
  const std::lock_guard lock(remembered_mutex_);
  remembered_.clear();
}

Result<Question> Contexts::question(std::string_view name, std::string_view class_name,
                                    std::vector<std::string> chain) const {
  auto names = quarks_.find_all(name), classes = quarks_.find_all(class_name);
  for (const auto* each : {&names, &classes}) {
    if (!*each) return fail(each->error());
  }
  if (names->size() != classes->size()) {
    return fail(
        Error::invalid_argument(fmt::format("BAD_KEY: '{}' has {} components, the class '{}' has "
                                            "{}; they go together one by one",
                                            name, names->size(), class_name, classes->size()))
            .with_type("BAD_KEY"));
  }
  return Question{std::move(*names), std::move(*classes), std::move(chain)};
}

std::vector<std::string> Contexts::next_of(const std::string& context, const Place& place) const {
  const auto found = chains_.find(context);
  if (found != chains_.end()) return found->second;
  const std::string scope = context.substr(0, context.find(':'));
  if (scope == "object") return {"capsule:" + place.capsule};
  if (scope == "capsule") return {"host:" + place.host};
  if (scope == "host") return {"network:" + place.network};
  if (scope == "network") return {"enterprise"};
  return {};
}

std::vector<std::string> Contexts::chain_of(const std::string& context, const Place& place) const {
  std::vector<std::string> chain;
  std::set<std::string> known;
  std::function<void(const std::string&)> add = [&](const std::string& each) {
    if (!known.insert(each).second) return;
    chain.push_back(each);
    for (const auto& next : next_of(each, place)) add(next);
  };
  add(context);
  return chain;
}

bool Contexts::makes_cycle(const std::string& context, const std::vector<std::string>& next,
                           const Place& place) const {
  for (const auto& each : next) {
    const auto chain = chain_of(each, place);
    if (std::find(chain.begin(), chain.end(), context) != chain.end()) return true;
  }
  return false;
}

const Entry* Contexts::winner(const Context& context, const Question& question) const {
  if (!context.has_expiries) return context.database->get(question.names, question.classes);
  const Entry* found = nullptr;
  context.database->each_match(question.names, question.classes,
                               [&](const Entry& entry, const std::vector<Way>&) {
                                 if (found == nullptr && !is_over(entry)) found = &entry;
                               });
  return found;
}

Found Contexts::get(const Question& question) const {
  Found found;
  for (const auto& name : question.chain) {
    const auto context = contexts_.find(name);
    if (context == contexts_.end() || !context->second.database) continue;
    const Entry* entry = winner(context->second, question);
    if (entry != nullptr && (found.entry == nullptr || entry->is_final))
      found = {entry, &context->first};  // the outermost final one counts
  }
  return found;
}

Result<Found> Contexts::get(const std::string& key,
                            const std::function<Result<Question>()>& make) const {
  {
    const std::lock_guard lock(remembered_mutex_);
    const auto known = remembered_.find(key);
    if (known != remembered_.end()) return known->second;
  }
  auto question = HECTOR_TRY(make());
  const Found found = get(question);
  if (has_expiries_) return found;
  const std::lock_guard lock(remembered_mutex_);
  if (remembered_.size() >= kRememberedMax) remembered_.clear();
  remembered_.emplace(key, found);
  return found;
}

v1::PolicyExplanation Contexts::explain(const Question& question) const {
  v1::PolicyExplanation explanation;
  for (const auto& each : question.chain) explanation.add_chain(each);
  const Found counts = get(question);
  for (const auto& name : question.chain) {
    const auto context = contexts_.find(name);
    if (context == contexts_.end() || !context->second.database) continue;
    std::optional<std::vector<Way>> best;
    context->second.database->each_match(
        question.names, question.classes, [&](const Entry& entry, const std::vector<Way>& way) {
          auto& candidate = *explanation.add_candidates();
          *candidate.mutable_entry() = model_of(entry, name);
          if (is_over(entry)) return candidate.set_why("it was valid until then");
          if (&entry == counts.entry) {
            candidate.set_counts(true);
            candidate.set_why(entry.is_final && name != question.chain.front()
                                  ? "final: it overrides what is nearer"
                                  : "the first match of the nearest context that has one");
          } else if (best) {
            std::uint32_t level = 0;
            while (level < way.size() && way[level] == (*best)[level]) ++level;
            HECTOR_CHECK(level < way.size() && level < best->size(),
                         "two entries match in the same way");
            candidate.set_lost_at(level + 1);
            constexpr const char* kHow[] = {"the name", "the class", "any one component", "a skip"};
            static_assert(std::size(kHow) == static_cast<std::size_t>(Step::kSkipped) + 1);
            const auto& ours = way[level];
            const auto& theirs = (*best)[level];
            candidate.set_why(
                ours.step == theirs.step
                    ? fmt::format("at level {} a tight binding is better than a loose one",
                                  level + 1)
                    : fmt::format("at level {} it has {}, a better one has {}", level + 1,
                                  kHow[static_cast<int>(ours.step)],
                                  kHow[static_cast<int>(theirs.step)]));
          } else {
            candidate.set_why(counts.entry != nullptr && counts.entry->is_final &&
                                      *counts.context != name
                                  ? fmt::format("{} has a final one", *counts.context)
                                  : fmt::format("{} is nearer and has a match", *counts.context));
          }
          if (!best) best = way;
        });
  }
  return explanation;
}

v1::PolicyEntries Contexts::merged(const std::vector<std::string>& chain) const {
  v1::PolicyEntries entries;
  std::set<std::string> known;
  for (const auto& name : chain) {
    const auto context = contexts_.find(name);
    if (context == contexts_.end() || !context->second.database) continue;
    context->second.database->each_entry([&](const Entry& entry) {
      if (!is_over(entry) && known.insert(entry.spec).second)
        *entries.add_entries() = model_of(entry, name);
    });
  }
  return entries;
}

namespace {

/// Whether components could go on to match levels after the prefix; exactly one more if
/// `one_level`.
bool may_go_on(const std::vector<std::pair<Quark, bool>>& components, const Question& prefix,
               bool one_level) {
  std::set<std::pair<std::size_t, std::size_t>> known;  // component, level
  std::function<bool(std::size_t, std::size_t)> look = [&](std::size_t component,
                                                           std::size_t level) {
    if (level == prefix.names.size())
      return one_level ? component + 1 == components.size() : component < components.size();
    if (component >= components.size() || !known.insert({component, level}).second) return false;
    const auto [quark, is_loose] = components[component];
    const bool is_last = component + 1 == components.size();
    const bool meets =
        quark == kAnyOne ||
        (quark != 0 && (quark == prefix.names[level] || quark == prefix.classes[level]));
    return (!is_last && meets && look(component + 1, level + 1)) ||
           (is_loose && look(component, level + 1));
  };
  return look(0, 0);
}

}  // namespace

v1::PolicyEntries Contexts::enumerate(const Question& prefix, bool one_level) const {
  v1::PolicyEntries entries;
  for (const auto& name : prefix.chain) {
    const auto context = contexts_.find(name);
    if (context == contexts_.end() || !context->second.database) continue;
    context->second.database->each_entry([&](const Entry& entry) {
      std::vector<std::pair<Quark, bool>> components;
      const std::string& spec = entry.spec;
      for (std::size_t at = 0; at < spec.size();) {
        const bool is_bound = spec[at] == '*' || spec[at] == '.';
        const std::size_t end = std::min(spec.find_first_of(".*", at + 1), spec.size());
        components.emplace_back(quarks_.find(std::string_view(spec).substr(
                                    at + (is_bound ? 1 : 0), end - at - (is_bound ? 1 : 0))),
                                spec[at] == '*');
        at = end;
      }
      if (!is_over(entry) && may_go_on(components, prefix, one_level))
        *entries.add_entries() = model_of(entry, name);
    });
  }
  return entries;
}

Status Contexts::try_text(std::string_view text, Dialect dialect) {
  auto& context = contexts_["text"];
  context.bundle.clear();
  auto read = read_resources(text, {dialect, "text"}, [&](Entry entry) {
    context.bundle.push_back(std::move(entry));
    return Status{};
  });
  rebuild(context);
  return read;
}

bool Contexts::has(const std::string& context, const std::string& spec) const {
  const auto found = contexts_.find(context);
  return found != contexts_.end() && found->second.entries.contains(spec);
}
std::uint64_t Contexts::bundle_version(const std::string& context) const {
  const auto found = contexts_.find(context);
  return found == contexts_.end() ? 0 : found->second.version;
}
std::size_t Contexts::bundle_parts(const std::string& context) const {
  const auto found = contexts_.find(context);
  return found == contexts_.end() ? 0 : found->second.bundle_parts.size();
}

}  // namespace hector::policy

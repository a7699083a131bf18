// What: Searches, attr_search: what a filter matches here and, all at once, in the Namings that
// junctions lead to.
// Why: a search of a subtree does not end where a naming system does; a system that does not answer
// has found nothing.
// Who: the Naming servant.
#include "searches.h"

#include <fmt/format.h>

#include "expression/xfn.h"
#include "hector/check.h"
#include "hector/naming.hector.h"

namespace hector::naming {

/// Of one search, while others are asked; owned by the calls to them.
struct Searches::Gathering {
  Given reply;
  v1::NamingSearch asked;
  std::uint32_t how_many;
  Revision revision;
  Deadline deadline;
  std::mutex mutex;
  Found found;
  std::size_t left;  ///< systems that have not answered
};

Error bad_handle() {
  return Error::failed_precondition(
             "INVALID_ENUM_HANDLE: the iterator expired or belongs to "
             "another service; list again")
      .with_type("INVALID_ENUM_HANDLE");
}

Searches::Searches(const ServiceContext& context, const Directory& directory,
                   const Resolver& resolver, state::Peers& peers)
    : context_(context),
      directory_(directory),
      resolver_(resolver),
      peers_(peers),
      iterators_(*context.clock, kLimits) {}

bool Searches::is_new(const v1::NamingSearch& search) {
  return search.request() == 0 || seen_.is_new(search.request());
}

Status Searches::find(Finder& finder, const v1::NamingSearch& search, const Place& place) const {
  if (search.scope() == v1::NAMING_OBJECT) {
    const auto* const entry = HECTOR_TRY(entry_at(place));
    finder.consider({place.atom}, *entry);
    return {};
  }
  const auto* const context = HECTOR_TRY(context_at(place));
  finder.search_below(
      *context, {},
      search.scope() == v1::NAMING_ONE_CTX ? Finder::Depth::kThis : Finder::Depth::kSubtree);
  return {};
}

void Searches::search(Given given, const v1::NamingSearch& search, const Place& place,
                      Revision revision) {
  const auto filter = expression::compile_filter(
      search.filter(), {search.arguments().begin(), search.arguments().end()});
  if (!filter) return given.fail(filter.error());
  Finder finder(directory_, search, *filter, resolver_.initial_of(search.who(), given.call()));
  if (auto done = find(finder, search, place); !done) return given.fail(std::move(done.error()));
  if (search.scope() == v1::NAMING_SUBTREE && !finder.junctions.empty())
    return search_further(given.later(), std::move(finder.found), finder.junctions, search,
                          revision);
  given(first_page(std::move(finder.found), search.how_many(), revision));
}

Searches::Junctions Searches::asked_junctions(const Junctions& junctions,
                                              std::uint32_t hops) const {
  Junctions asked;
  for (const auto& each : junctions) {
    if (each.second.starts_with("hector:") && hops < kHopsMax &&
        asked.size() < Federation::kSystemsMax)
      asked.push_back(each);
  }
  return asked;
}

v1::NamingSearch Searches::further(const v1::NamingSearch& search) {
  v1::NamingSearch further = search;
  further.clear_name();
  further.clear_who();
  further.set_hops(search.hops() + 1);
  further.set_how_many(kPageMax);
  if (further.request() != 0) return further;
  further.set_request(context_.random->next() | 1);
  static_cast<void>(seen_.is_new(further.request()));  // it may come back to here
  return further;
}

void Searches::search_further(Given reply, Found found, const Junctions& junctions,
                              const v1::NamingSearch& search, Revision revision) {
  auto asked = further(search);
  const auto others = asked_junctions(junctions, asked.hops());
  if (others.empty()) return reply(first_page(std::move(found), search.how_many(), revision));
  const Deadline deadline =
      std::min(reply.call().header.deadline, context_.clock->now() + kSystemAnswersWithin);
  auto gathering = std::shared_ptr<Gathering>(new Gathering{.reply = reply,
                                                            .asked = std::move(asked),
                                                            .how_many = search.how_many(),
                                                            .revision = revision,
                                                            .deadline = deadline,
                                                            .mutex = {},
                                                            .found = std::move(found),
                                                            .left = others.size()});
  HECTOR_CHECK(gathering->left <= Federation::kSystemsMax,
               "a search asks more systems than it may");
  for (const auto& [name, url] : others)
    context_.run_blocking([this, gathering, name = name, url = url] { ask(gathering, name, url); });
}

void Searches::ask(const std::shared_ptr<Gathering>& gathering, const Components& name,
                   const std::string& url) {
  const auto target = peers_.at(url);
  if (!target) return finish_one(*gathering);
  const NamingClient other(**target, *context_.clock);
  other.attr_search(gathering->asked, gathering->deadline,
                    [this, gathering, name](Result<v1::NamingBindings> theirs) {
                      if (theirs) {
                        const std::lock_guard lock(gathering->mutex);
                        for (auto& each : *theirs->mutable_bindings()) {
                          Components whole = name;
                          if (auto rest = parse_name(each.name()))
                            whole.insert(whole.end(), rest->begin(), rest->end());
                          each.set_name(print_name(whole));
                          if (gathering->found.size() < Finder::kFoundMax)
                            gathering->found.push_back(std::move(each));
                        }
                      }
                      finish_one(*gathering);
                    });
}

void Searches::finish_one(Gathering& gathering) {
  {
    const std::lock_guard lock(gathering.mutex);
    HECTOR_CHECK(gathering.left > 0, "a naming system answered a search twice");
    if (--gathering.left != 0) return;
  }
  gathering.reply(first_page(std::move(gathering.found), gathering.how_many, gathering.revision));
}

v1::NamingBindings Searches::first_page(Found found, std::uint32_t how_many, Revision revision) {
  v1::NamingBindings reply;
  reply.set_revision(revision);
  const std::size_t first = std::min<std::size_t>(found.size(), page_of(how_many));
  for (std::size_t i = 0; i < first; ++i) *reply.add_bindings() = found[i];
  if (first == found.size()) return reply;
  const std::string iterator = fmt::format("s{:016x}", context_.random->next());
  if (iterators_.add(iterator, {std::make_shared<const Found>(std::move(found)), first}))
    reply.set_iterator(iterator);
  return reply;
}

Result<v1::NamingBindings> Searches::next(const v1::NamingSearch& asked) {
  auto rest = iterators_.find(asked.iterator());
  if (!rest) return fail(bad_handle());
  v1::NamingBindings reply;
  const auto& found = *rest->found;
  HECTOR_CHECK(rest->given <= found.size(), "an iterator stands behind its end");
  const std::size_t last = std::min(found.size(), rest->given + page_of(asked.how_many()));
  for (; rest->given < last; ++rest->given) *reply.add_bindings() = found[rest->given];
  if (rest->given == found.size()) {
    iterators_.erase(asked.iterator());
    return reply;
  }
  iterators_.update(asked.iterator(), std::move(*rest));
  reply.set_iterator(asked.iterator());
  return reply;
}

}  // namespace hector::naming

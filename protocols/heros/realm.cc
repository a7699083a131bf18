#include "realm.h"

#include <fmt/format.h>

#include <mutex>

#include "adopted_heroes.h"
#include "realm_link.h"
#include "realm_object.h"
#include "shown_heroes.h"

namespace hector::heros {

namespace {

class RealmImpl final : public Realm, public std::enable_shared_from_this<RealmImpl> {
 public:
  RealmImpl(const ProtocolContext& context, RealmOptions options)
      : link_(std::make_shared<RealmLink>(context, std::move(options))),
        theirs_(std::make_shared<AdoptedHeroes>(link_)),
        ours_(std::make_shared<ShownHeroes>(link_, [theirs = theirs_](const std::string& name) {
          return theirs->is_alive(name);
        })) {}
  ~RealmImpl() override { close(Duration::zero()); }

  Status start() {
    link_->zenoh = HECTOR_TRY(ZenohLink::open(link_->options.zenoh));
    presence_ = HECTOR_TRY(
        link_->zenoh->presence(key_of(link_->options.realm, "*", "_health"),
                               [weak = weak_from_this()](bool is_alive, std::string_view key,
                                                         std::string_view, std::string_view) {
                                 if (const auto self = weak.lock()) self->presence(is_alive, key);
                               }));
    link_->context.hosting->run_blocking([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->adopt_realm();
    });
    if (!link_->options.world.show.empty()) ours_->follow();
    return {};
  }

  void close(Duration) noexcept override {
    if (link_->is_closed.exchange(true)) return;
    link_->context.hosting->on_change(link_->owner(), nullptr);
    if (!link_->zenoh) return;
    presence_ = {};
    ours_->close();
    theirs_->close();
    bool has_object = false;
    {
      const std::lock_guard lock(mutex_);
      has_object = has_object_;
    }
    if (has_object) link_->dismiss(realm_object_name(link_->options.realm));
    link_->zenoh->close();
  }

 private:
  /// On a zenoh thread.
  void presence(bool is_alive, std::string_view key) {
    std::string name, member;
    if (link_->is_closed || !read_key(key, link_->options.realm, name, member)) return;
    if (ours_->contains(name)) return;
    theirs_->note(name, is_alive);
    if (!is_alive) ours_->name_is_free(name);
  }

  /// The Object that stands for the realm. On a thread that may block.
  void adopt_realm() {
    const auto& realm = link_->options.realm;
    auto adopted = heros::adopt_realm(link_->context, *link_->zenoh, realm, link_->owner());
    if (!adopted)
      return link_->context.log->write(Level::kInfo, "realm cannot be adopted as an Object",
                                       {{"realm", realm}, {"error", adopted.error().message}});
    {
      const std::lock_guard lock(mutex_);
      has_object_ = !link_->is_closed;
      if (has_object_) return;
    }
    link_->dismiss(realm_object_name(realm));
  }

  // Each part is shared with its tasks, which may outlast the realm.
  const std::shared_ptr<RealmLink> link_;
  const std::shared_ptr<AdoptedHeroes> theirs_;
  const std::shared_ptr<ShownHeroes> ours_;
  ZenohLink::Declared presence_;
  std::mutex mutex_;
  bool has_object_ = false;  ///< under mutex_: the one that stands for the realm
};

}  // namespace

Result<std::shared_ptr<Realm>> Realm::open(const ProtocolContext& context, RealmOptions options) {
  if (!is_key_chunk(options.realm))
    return fail(Error::invalid_argument(fmt::format(
        "'{}' cannot be a realm: it is one chunk of a zenoh key, as in heros", options.realm)));
  auto realm = std::make_shared<RealmImpl>(context, std::move(options));
  HECTOR_TRY(realm->start());
  return std::shared_ptr<Realm>(std::move(realm));
}

}  // namespace hector::heros

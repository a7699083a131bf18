// A foreign store as a tree: keys are names, '/' separates them. So an etcd prefix is a
// naming system.
#include <fmt/format.h>

#include "systems.h"

namespace hector::naming {

namespace {

constexpr std::uint32_t kPageEntries = 1'000;  ///< of one read of the store
constexpr std::size_t kListMax = 100'000;      ///< names of one list

class StoreSystem final : public NamingSystem {
 public:
  explicit StoreSystem(std::unique_ptr<Store> store) : store_(std::move(store)) {}

  Result<v1::NamingBinding> lookup(const Components& name) override {
    auto key = HECTOR_TRY(key_of(name));
    auto page = read_and_wait(*store_, {KeyRange::one(key)});
    if (!page) return unreachable(name, page.error());
    if (!page->entries.empty()) {
      v1::NamingBinding binding;
      binding.set_type("store.value");
      auto* const address = binding.add_addresses();
      address->set_type("value");
      address->set_data(page->entries[0].value.str());
      binding.set_revision(page->revision);
      return binding;
    }
    StoreRead below{KeyRange::prefix(key.empty() ? "" : key + "/")};
    below.limit = 1;
    auto any = read_and_wait(*store_, below);
    if (!any) return unreachable(name, any.error());
    if (any->entries.empty() && !is_root(name))
      return refuse_name("NAME_NOT_FOUND", name, name.size() - 1,
                         fmt::format("no key is or begins with '{}'", key));
    v1::NamingBinding binding;
    binding.set_type("store.prefix");
    return binding;
  }
  Result<std::vector<v1::NamingBinding>> list(const Components& name) override {
    auto key = HECTOR_TRY(key_of(name));
    const std::string prefix = key.empty() ? "" : key + "/";
    std::vector<v1::NamingBinding> all;
    StoreRead read{KeyRange::prefix(prefix)};
    read.limit = kPageEntries;
    do {
      auto page = read_and_wait(*store_, read);
      if (!page) return unreachable(name, page.error());
      for (const auto& entry : page->entries) {
        const auto slash = entry.key.find('/', prefix.size());
        const std::string atom = print_name({entry.key.substr(
            prefix.size(), slash == std::string::npos ? slash : slash - prefix.size())});
        if (!all.empty() && all.back().name() == atom) continue;
        if (all.size() >= kListMax)
          return refuse_name("INSUFFICIENT_RESOURCES", name, name.size(),
                             fmt::format("more than {} names", kListMax));
        all.emplace_back().set_name(atom);
        all.back().set_type(slash == std::string::npos ? "store.value" : "store.prefix");
      }
      read.revision = page->revision;
      read.after = page->next;
    } while (!read.after.empty());
    return all;
  }
  Status bind(const Components& name, const v1::NamingBind& request) override {
    auto key = HECTOR_TRY(key_of(name));
    if (request.addresses_size() != 1 || request.has_reference())
      return refuse_name("OPERATION_NOT_SUPPORTED", name, 0,
                         "a key is bound to one address, which is its value");
    StoreTransaction transaction;
    if (request.exclusive()) transaction.compares.push_back(StoreCompare::absent(key));
    transaction.then.push_back(StoreOperation::put(key, Bytes::copy(request.addresses(0).data())));
    auto outcome = commit_and_wait(*store_, std::move(transaction));
    if (!outcome) return unreachable(name, outcome.error());
    if (!outcome->succeeded)
      return refuse_name("NAME_IN_USE", name, 0, fmt::format("there is a key '{}'", key));
    return {};
  }
  Status unbind(const Components& name) override {
    auto key = HECTOR_TRY(key_of(name));
    StoreTransaction transaction;
    transaction.then.push_back(StoreOperation::erase(key));
    auto outcome = commit_and_wait(*store_, std::move(transaction));
    if (!outcome) return unreachable(name, outcome.error());
    return {};
  }
  v1::NamingSyntax syntax() const override {
    v1::NamingSyntax syntax;
    syntax.set_direction("left_to_right");
    syntax.set_separator("/");
    return syntax;
  }

 private:
  static Result<std::string> key_of(const Components& name) {
    std::string key;
    for (std::size_t i = 0; i < name.size(); ++i) {
      if (name[i].empty() && i + 1 == name.size()) break;
      if (name[i].empty() || name[i].find('/') != std::string::npos)
        return refuse_name(
            "ILLEGAL_NAME", name, i,
            fmt::format("'{}' is no part of a key: a key's parts are between '/'", name[i]));
      key += (i == 0 ? "" : "/") + name[i];
    }
    return key;
  }
  static tl::unexpected<Error> unreachable(const Components& name, const Error& error) {
    return refuse_name("CTX_UNAVAILABLE", name, 0, error.message);
  }
  const std::unique_ptr<Store> store_;
};

}  // namespace

Result<std::unique_ptr<NamingSystem>> make_store_system(const ServiceContext& service,
                                                        const std::string& url) {
  auto store = service.open_store
                   ? service.open_store(url)
                   : Result<std::unique_ptr<Store>>(fail(
                         Code::kUnimplemented, fmt::format("'{}': no such naming system", url)));
  if (!store) return refuse_name("CTX_UNAVAILABLE", {}, 0, store.error().message);
  return std::make_unique<StoreSystem>(std::move(*store));
}

}  // namespace hector::naming

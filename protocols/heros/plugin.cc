// What: the heros protocol: its settings, and a realm for each address that it listens at; and the
// entry of the plugin's library.
// Why: a capsule joins a realm as it listens anywhere else.
// Who: the capsule's loader.
#include "hector/plugin.h"

#include <boost/json.hpp>
#include <cstdlib>

#include "realm.h"

namespace {

using namespace hector;
using namespace hector::heros;

/// As zenoh's, and CBOR at both ends; rounded.
constexpr int kLatencyUs = 60;
constexpr int kCostUs = 80;

/// Settings: `zenoh` (its configuration; else what HEROS_ZENOH_CONFIG says, else zenoh's own
/// defaults, which find peers by multicast), `call_ms`, and WorldOptions.
class HerosProtocol final : public Protocol {
 public:
  explicit HerosProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.multicast = false;
    capabilities_.message_octets_max = 16ULL * 1024 * 1024;
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.reach = Reach::kEverywhere;
    capabilities_.address_format = "a realm, as in heros";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    auto options = HECTOR_TRY(read_settings(address));
    auto realm = HECTOR_TRY(Realm::open(context_, std::move(options)));
    return std::unique_ptr<Endpoint>(std::make_unique<RealmEndpoint>(std::move(realm)));
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    return fail(
        Error::unimplemented("a HERO is called as the Object that it is in a capsule of its realm, "
                             "not by an address: '" +
                             address + "'"));
  }

 private:
  class RealmEndpoint final : public Endpoint {
   public:
    explicit RealmEndpoint(std::shared_ptr<Realm> realm) : realm_(std::move(realm)) {}
    ~RealmEndpoint() override { realm_->close(Duration::zero()); }
    std::string address() const override { return {}; }
    void drain(Duration grace) noexcept override { realm_->close(grace); }

   private:
    std::shared_ptr<Realm> realm_;
  };

  Result<RealmOptions> read_settings(const std::string& realm) const {
    namespace json = boost::json;
    RealmOptions options;
    options.realm = realm;
    const char* const from_environment = std::getenv("HEROS_ZENOH_CONFIG");
    options.zenoh = from_environment != nullptr ? from_environment : "{}";
    boost::system::error_code error;
    const json::value settings =
        json::parse(context_.settings.empty() ? "{}" : context_.settings, error);
    if (error || !settings.is_object())
      return fail(Error::invalid_argument("heros: the settings are no map"));
    for (const auto& [key, value] : settings.as_object()) {
      if (key == "zenoh") {
        options.zenoh = json::serialize(value);
      } else if (key == "call_ms" && value.is_int64() && value.as_int64() > 0) {
        options.call_timeout = std::chrono::milliseconds(value.as_int64());
      } else if (!objects::read_world_setting(key, value, options.world)) {
        return fail(Error::invalid_argument(
            "heros: there is no setting '" + std::string(key) +
            "' with such a value; there are zenoh (a map), call_ms (a number), " +
            objects::kWorldSettings));
      }
    }
    return options;
  }

  const ProtocolContext context_;
  ProtocolCapabilities capabilities_;
};

Protocol* make(const ProtocolContext& context) { return new HerosProtocol(context); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "heros",
    .make_protocol = make,
};

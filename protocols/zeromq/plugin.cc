// What: the zeromq protocol: its settings, and which of the four networks an address names; and the
// entry of the plugin's library.
// Why: brokers, ROC nodes, post offices and Hermes nodes share one library and one thread each.
// Who: the capsule's loader.
#include "hector/plugin.h"

#include <boost/json.hpp>

#include "hermes.h"
#include "roc.h"

namespace {

using namespace hector;
using namespace hector::zeromq;
namespace json = boost::json;

constexpr std::uint64_t kMessageOctetsMax = 16ULL * 1024 * 1024;  // as the Reactor's sockets
/// Two hops through a broker or a post office on loopback, and JSON at both ends; rounded.
constexpr int kLatencyUs = 100;
constexpr int kCostUs = 60;

/// Listens at "postoffice:IN,OUT[,DEBUG]", "hermes:IN,OUT", "broker:tcp://HOST:PORT",
/// "roc:tcp://HOST:PORT". Settings: WorldOptions (ROC services and Objects), `heartbeat_ms`,
/// `liveness`, `discover` (mmi, names), `late` (deliver, drop, notify, disconnect, die), `late_ms`,
/// `skew_ms`, `hermes`, `roc` (names of the Objects).
class ZeroMqProtocol final : public Protocol {
 public:
  explicit ZeroMqProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.message_octets_max = kMessageOctetsMax;
    capabilities_.latency_us = kLatencyUs;
    capabilities_.cost_us = kCostUs;
    capabilities_.address_format =
        "postoffice:IN,OUT[,DEBUG]; hermes:IN,OUT; broker:tcp://HOST:PORT; roc:tcp://HOST:PORT";
  }
  const ProtocolCapabilities& capabilities() const noexcept override { return capabilities_; }
  Result<std::unique_ptr<Endpoint>> listen(const std::string& address) override {
    HermesOptions hermes;
    RocOptions roc;
    HECTOR_TRY(read_settings(hermes, roc));
    const auto colon = address.find(':');
    const std::string what = address.substr(0, colon);
    const std::string where = colon == std::string::npos ? "" : address.substr(colon + 1);
    if (what == "broker" || what == "roc") {
      roc.at = HECTOR_TRY(RocAddresses::of(where));
      return what == "broker" ? open_broker(context_, roc) : open_roc(context_, roc);
    }
    std::vector<std::string> parts{""};
    for (const char each : where)
      each == ',' ? void(parts.emplace_back()) : parts.back().push_back(each);
    if ((what != "postoffice" && what != "hermes") || parts.size() < 2 || parts.size() > 3) {
      return fail(Error::invalid_argument("'" + address + "' is no ZeroMQ network; expected " +
                                          capabilities_.address_format));
    }
    hermes.proxy_in = parts[0];
    hermes.proxy_out = parts[1];
    if (parts.size() == 3) hermes.debug = parts[2];
    return what == "postoffice" ? open_post_office(context_, hermes)
                                : open_hermes(context_, hermes);
  }
  Result<std::unique_ptr<Channel>> connect(const std::string& address) override {
    return fail(
        Error::unimplemented("a member of a ZeroMQ network is called as the Object that it is in a "
                             "capsule of that network, not by an address: '" +
                             address + "'"));
  }

 private:
  Status read_settings(HermesOptions& hermes, RocOptions& roc) const {
    boost::system::error_code error;
    const json::value settings =
        json::parse(context_.settings.empty() ? "{}" : context_.settings, error);
    if (error || !settings.is_object())
      return fail(Error::invalid_argument("zeromq: the settings are no map"));
    for (const auto& [name, value] : settings.as_object()) {
      if (!read_setting(name, value, hermes, roc)) {
        return fail(Error::invalid_argument(
            "zeromq: there is no setting '" + std::string(name) +
            "' with such a value; there are heartbeat_ms, liveness, late_ms and skew_ms (numbers), "
            "discover (mmi or names), late (deliver, drop, notify, disconnect or die), hermes and "
            "roc (Objects' names), " +
            objects::kWorldSettings));
      }
    }
    return {};
  }
  static bool read_setting(std::string_view name, const json::value& value, HermesOptions& hermes,
                           RocOptions& roc) {
    if (objects::read_world_setting(name, value, roc.world)) return true;
    if (name == "hermes" || name == "roc") {
      if (value.is_string()) (name == "roc" ? roc.name : hermes.name) = value.as_string();
      return value.is_string();
    }
    if (name == "discover") {
      if (!value.is_string() || (value.as_string() != "mmi" && value.as_string() != "names"))
        return false;
      roc.discover = value.as_string() == "mmi" ? Discover::kByMmi : Discover::kByNames;
      return true;
    }
    if (name == "late") {
      const char* const policies[] = {"deliver", "drop", "notify", "disconnect", "die"};
      for (int i = 0; i < 5; ++i) {
        if (value.is_string() && value.as_string() == policies[i])
          return hermes.late = static_cast<Late>(i), true;
      }
      return false;
    }
    if (!value.is_int64() || value.as_int64() < 0) return false;
    const std::int64_t number = value.as_int64();
    if (name == "heartbeat_ms" && number > 0)
      return roc.broker.heartbeat = std::chrono::milliseconds(number), true;
    if (name == "liveness" && number > 0 && number < 1'000)
      return roc.broker.liveness = static_cast<int>(number), true;
    if (name == "late_ms") return hermes.late_after = std::chrono::milliseconds(number), true;
    if (name == "skew_ms") return hermes.skew = std::chrono::milliseconds(number), true;
    return false;
  }

  const ProtocolContext context_;
  ProtocolCapabilities capabilities_;
};

Protocol* make(const ProtocolContext& context) { return new ZeroMqProtocol(context); }

}  // namespace

extern "C" HECTOR_EXPORT const hector_plugin hector_plugin_v1 = {
    .size = sizeof(hector_plugin),
    .abi = HECTOR_ABI_VERSION,
    .name = "zeromq",
    .make_protocol = make,
};

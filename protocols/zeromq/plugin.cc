#include "hector/plugin.h"

#include <boost/json.hpp>

#include "hermes.h"
#include "roc.h"

namespace {

using namespace hector;
using namespace hector::zeromq;
namespace json = boost::json;

/// Listens at "postoffice:IN,OUT[,DEBUG]", "hermes:IN,OUT", "broker:tcp://HOST:PORT",
/// "roc:tcp://HOST:PORT". Settings: WorldOptions (ROC services and Objects), `heartbeat_ms`,
/// `liveness`, `late` (deliver, drop, notify, disconnect, die), `late_ms`, `skew_ms`, `hermes`,
/// `roc` (names of the Objects).
class ZeroMqProtocol final : public Protocol {
 public:
  explicit ZeroMqProtocol(ProtocolContext context) : context_(std::move(context)) {
    capabilities_.message_octets_max = 16ULL * 1024 * 1024;
    capabilities_.latency_us = 100;
    capabilities_.cost_us = 60;
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
      auto at = HECTOR_TRY(RocAddresses::of(where));
      roc.at = std::move(at);
      return what == "broker" ? open_broker(context_, roc) : open_roc(context_, roc);
    }
    std::vector<std::string> parts{""};
    for (const char each : where)
      each == ',' ? void(parts.emplace_back()) : parts.back().push_back(each);
    if ((what != "postoffice" && what != "hermes") || parts.size() < 2 || parts.size() > 3) {
      return fail(Code::kInvalidArgument, "'" + address + "' is no ZeroMQ network; expected " +
                                              capabilities_.address_format);
    }
    hermes.proxy_in = parts[0];
    hermes.proxy_out = parts[1];
    if (parts.size() == 3) hermes.debug = parts[2];
    return what == "postoffice" ? open_post_office(context_, hermes)
                                : open_hermes(context_, hermes);
  }
  Result<std::shared_ptr<Channel>> connect(const std::string& address) override {
    return fail(Code::kUnimplemented,
                "what is in a ZeroMQ network is reached as the Object that it is in a capsule "
                "there, not by an address: '" +
                    address + "'");
  }

 private:
  Status read_settings(HermesOptions& hermes, RocOptions& roc) const {
    boost::system::error_code error;
    const json::value settings =
        json::parse(context_.settings.empty() ? "{}" : context_.settings, error);
    if (error || !settings.is_object())
      return fail(Code::kInvalidArgument, "zeromq: its settings are no map");
    for (const auto& [name, value] : settings.as_object()) {
      if (!read_setting(name, value, hermes, roc)) {
        return fail(Code::kInvalidArgument,
                    "zeromq: a setting '" + std::string(name) +
                        "' as it stands there is none; there are heartbeat_ms, liveness, late_ms "
                        "and skew_ms (numbers), late (deliver, drop, "
                        "notify, disconnect or die), hermes and roc (Objects' names), " +
                        objects::kWorldSettings);
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
    sizeof(hector_plugin), HECTOR_ABI_VERSION, "zeromq", make, nullptr, nullptr};

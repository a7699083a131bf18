// What: the protocols loaded now, their Endpoints, and the channels open through them.
// Why: one place knows how this capsule is reached and reaches others; a protocol may come and go
// while the rest runs.
// Who: targets, sessions, references, management.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "hector/protocol.h"
#include "hector/reference.h"

namespace hector {

inline constexpr const char* kInProcess = "in-process";  ///< the name of what is no plugin

/// Any thread.
class ProtocolTable {
 public:
  Status add(const std::string& name, std::unique_ptr<Protocol> protocol,
             const std::vector<std::string>& listen);
  /// Stops listening and connecting by it: profiles() has it no longer, connect() refuses it.
  Status withdraw(const std::string& name);
  /// After withdraw(): ends what is in flight within the grace and destroys the protocol.
  void remove(const std::string& name, Duration grace);
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] bool has(const std::string& name) const;
  [[nodiscard]] Result<ProtocolCapabilities> capabilities(const std::string& name) const;
  [[nodiscard]] std::map<std::string, ProtocolCapabilities> all_capabilities() const;
  [[nodiscard]] std::vector<Profile> profiles() const;
  /// Where it listens, also when it is withdrawn.
  [[nodiscard]] std::vector<std::string> addresses(const std::string& name) const;
  [[nodiscard]] std::size_t channels(const std::string& name) const;
  /// UNAVAILABLE if the protocol is not loaded.
  Status multicast(const std::string& protocol, const std::string& group, const Header& header,
                   Payload message);
  /// The channel to an address. Owners: this table, until drop() or remove(), and the senders that
  /// use it. UNAVAILABLE if the protocol is not loaded.
  Result<std::shared_ptr<Channel>> connect(const Profile& profile);
  /// The peer there is gone: what is in flight to it ends, the next connect() starts again.
  void drop(const Profile& profile);

 private:
  struct Loaded {
    std::unique_ptr<Protocol> protocol;
    std::vector<std::unique_ptr<Endpoint>> endpoints;
    std::map<std::string, std::shared_ptr<Channel>> channels;
    bool withdrawn = false;
  };
  static std::vector<std::string> addresses_of(const Loaded& loaded);
  mutable std::mutex mutex_;
  std::map<std::string, Loaded> protocols_;
};

}  // namespace hector

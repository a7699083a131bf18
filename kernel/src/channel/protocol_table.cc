#include "channel/protocol_table.h"

#include <fmt/format.h>

#include "hector/check.h"

namespace hector {

Status ProtocolTable::add(const std::string& name, std::unique_ptr<Protocol> protocol,
                          const std::vector<std::string>& listen) {
  HECTOR_CHECK(protocol != nullptr, "no protocol is added");
  if (has(name))
    return fail(Code::kAlreadyExists, fmt::format("protocol '{}' is loaded already", name));
  Loaded loaded;
  loaded.protocol = std::move(protocol);
  for (const auto& address : listen) {
    auto endpoint = loaded.protocol->listen(address);
    if (!endpoint) {
      loaded.endpoints.clear();
      return fail(endpoint.error());
    }
    loaded.endpoints.push_back(std::move(*endpoint));
  }
  const std::lock_guard lock(mutex_);
  protocols_.emplace(name, std::move(loaded));
  return {};
}

Status ProtocolTable::withdraw(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(name);
  if (found == protocols_.end())
    return fail(Code::kNotFound, fmt::format("protocol '{}' is not loaded", name));
  found->second.withdrawn = true;
  return {};
}

void ProtocolTable::remove(const std::string& name, Duration grace) {
  Loaded gone;
  {
    const std::lock_guard lock(mutex_);
    const auto found = protocols_.find(name);
    if (found == protocols_.end()) return;
    gone = std::move(found->second);
    protocols_.erase(found);
  }
  for (auto& endpoint : gone.endpoints) endpoint->drain(grace);
  for (auto& [address, channel] : gone.channels) channel->close();
  gone.endpoints.clear();
  gone.channels.clear();
}

std::vector<std::string> ProtocolTable::names() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> names;
  for (const auto& [name, loaded] : protocols_) names.push_back(name);
  return names;
}

bool ProtocolTable::has(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(name);
  return found != protocols_.end() && !found->second.withdrawn;
}

Result<ProtocolCapabilities> ProtocolTable::capabilities(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(name);
  if (found == protocols_.end())
    return fail(Code::kNotFound, fmt::format("protocol '{}' is not loaded", name));
  return found->second.protocol->capabilities();
}

std::map<std::string, ProtocolCapabilities> ProtocolTable::all_capabilities() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, ProtocolCapabilities> all;
  for (const auto& [name, loaded] : protocols_) all.emplace(name, loaded.protocol->capabilities());
  return all;
}

std::vector<std::string> ProtocolTable::addresses_of(const Loaded& loaded) {
  std::vector<std::string> addresses;
  for (const auto& endpoint : loaded.endpoints) {
    if (auto address = endpoint->address(); !address.empty())
      addresses.push_back(std::move(address));
  }
  return addresses;
}

std::vector<Profile> ProtocolTable::profiles() const {
  const std::lock_guard lock(mutex_);
  std::vector<Profile> profiles;
  for (const auto& [name, loaded] : protocols_) {
    if (loaded.withdrawn) continue;
    for (auto& address : addresses_of(loaded)) profiles.push_back({name, std::move(address)});
  }
  return profiles;
}

std::vector<std::string> ProtocolTable::addresses(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(name);
  return found == protocols_.end() ? std::vector<std::string>() : addresses_of(found->second);
}

std::size_t ProtocolTable::channels(const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(name);
  return found == protocols_.end() ? 0 : found->second.channels.size();
}

Status ProtocolTable::multicast(const std::string& protocol, const std::string& group,
                                const Header& header, Payload message) {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(protocol);
  if (found == protocols_.end() || found->second.withdrawn)
    return fail(Code::kUnavailable,
                fmt::format("protocol '{}' is not loaded in this capsule", protocol));
  return found->second.protocol->multicast(group, header, std::move(message));
}

Result<std::shared_ptr<Channel>> ProtocolTable::connect(const Profile& profile) {
  const std::lock_guard lock(mutex_);
  const auto found = protocols_.find(profile.protocol);
  if (found == protocols_.end() || found->second.withdrawn) {
    return fail(Code::kUnavailable,
                fmt::format("protocol '{}' is not loaded in this capsule", profile.protocol));
  }
  auto& channels = found->second.channels;
  if (const auto open = channels.find(profile.address); open != channels.end()) return open->second;
  auto channel = HECTOR_TRY(found->second.protocol->connect(profile.address));
  HECTOR_CHECK(channel != nullptr, "a protocol made no channel, and gave no error");
  return channels.emplace(profile.address, std::move(channel)).first->second;
}

void ProtocolTable::drop(const Profile& profile) {
  std::shared_ptr<Channel> gone;
  {
    const std::lock_guard lock(mutex_);
    const auto found = protocols_.find(profile.protocol);
    if (found == protocols_.end()) return;
    const auto open = found->second.channels.find(profile.address);
    if (open == found->second.channels.end()) return;
    gone = std::move(open->second);
    found->second.channels.erase(open);
  }
  gone->close();
}

}  // namespace hector

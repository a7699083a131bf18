#include "process/manifest.h"

#include <filesystem>

#include "process/yaml_file.h"

namespace hector {

namespace {

Manifest manifest_of(const YamlNode& node) {
  node.only({"name", "description", "status", "security", "unload", "libraries", "listen",
             "load_globally", "weight", "try", "peers", "abi", "library"});
  for (const char* key : {"name", "library", "abi", "unload"}) {
    if (!node.has(key)) node.refuse(fmt::format("the manifest has no '{}'", key));
  }
  Manifest manifest;
  manifest.name = node.at("name").text();
  manifest.library = node.at("library").text();
  manifest.abi = node.at("abi").text();
  manifest.unload = node.at("unload").text();
  if (manifest.unload != "unmap" && manifest.unload != "retire")
    node.at("unload").refuse("`unload` is unmap or retire");
  if (manifest.library.find('/') != std::string::npos)
    node.at("library").refuse("a plugin's library lies beside its manifest");
  manifest.description = node.text_or("description", "");
  manifest.status = node.text_or("status", "");
  manifest.security = node.text_or("security", "unknown");
  if (node.has("listen")) manifest.listen = node.at("listen").texts();
  if (node.has("load_globally")) manifest.load_globally = node.at("load_globally").texts();
  manifest.trial = node.text_or("try", "");
  const std::string peers = node.text_or("peers", "");
  if (peers == "loopback")
    manifest.peers = KnownPeers::kLoopback;
  else if (peers == "socket_file")
    manifest.peers = KnownPeers::kSocketFile;
  else if (!peers.empty())
    node.at("peers").refuse("`peers` is loopback or socket_file");
  if (node.has("weight")) manifest.weight = node.at("weight").number<std::uint32_t>("a number");
  return manifest;
}

}  // namespace

Result<Manifest> read_manifest(ModuleKind kind, const std::string& file) {
  auto manifest = HECTOR_TRY(read_yaml_file(file, "the manifest", manifest_of));
  manifest.kind = kind;
  manifest.folder = std::filesystem::path(file).parent_path().string();
  return manifest;
}

}  // namespace hector

// What: what a protocol plugin implements (Protocol, Endpoint, Channel) and what it is given
// (ProtocolContext, Inbound).
// Why: the kernel speaks every protocol through these few functions and knows none by name.
// Who: protocols/*; the kernel's channels.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/clock.h"
#include "hector/credentials.h"
#include "hector/executor.h"
#include "hector/language.h"
#include "hector/log.h"
#include "hector/network.h"
#include "hector/reference.h"

namespace hector {

struct ServiceDescription {
  std::string interface_name;  ///< "diary.Calendar"
  std::string descriptors;     ///< serialised google.protobuf.FileDescriptorSet
  std::vector<std::string> objects;
};

/// The kernel's side of what arrives. Any thread.
class Inbound {
 public:
  virtual ~Inbound() = default;
  /// Finds offer and operation from the header and sets call.operation, kind and flow; an error
  /// says why not. Protocols whose wire does not say the kind call it first; accept() does it
  /// otherwise.
  virtual Status resolve(Call& call) = 0;
  /// Hands the call to its Object; `call.peer` and, for flows, `call.stream` are set. It ends by
  /// finished().
  virtual void accept(Call& call) noexcept = 0;
  /// Every Interface offered now, for protocols that publish them.
  virtual std::vector<ServiceDescription> services() const = 0;
  /// Between JSON and the bytes of this call's messages, for protocols whose clients may send
  /// either.
  virtual Result<Bytes> request_from_json(const Call& call, std::string_view json) const = 0;
  virtual Result<std::string> reply_to_json(const Call& call, const Bytes& reply) const = 0;
};

/// One way to reach an Endpoint; the kernel shares it among its bindings. Any thread. Errors:
/// UNAVAILABLE when the peer is gone, DEADLINE_EXCEEDED at the deadline at the latest, CANCELLED,
/// RESOURCE_EXHAUSTED over a limit, INVALID_ARGUMENT for a message that is too large (naming both
/// sizes).
class Channel : public CallTarget {
 public:
  /// Ends the calls in flight with UNAVAILABLE. Later calls get the same. Idempotent.
  virtual void close() noexcept = 0;
};

/// Where this capsule listens. Destroying it closes it at once.
class Endpoint {
 public:
  virtual ~Endpoint() = default;
  /// As it goes into references; opaque to others. Empty: other capsules cannot reach it in this
  /// way.
  [[nodiscard]] virtual std::string address() const = 0;
  /// Accepts nothing new; returns when every call has ended or the grace is over, then what is left
  /// ends with UNAVAILABLE.
  virtual void drain(Duration grace) noexcept = 0;
};

/// How far a protocol gets.
enum class Reach : std::uint8_t { kHost, kSite, kEverywhere };

struct ProtocolCapabilities {
  bool rpc = true, announce = true, stream = true, multicast = false;
  /// Messages of one session arrive in the order in which they were started.
  bool ordered = false;
  std::uint64_t message_octets_max = 0;
  Security security = Security::kNone;
  /// What policy may choose by: a small call's usual time there and back, and what it costs in
  /// processor time at both ends, in µs on one machine (orders of magnitude, for comparison); 0:
  /// not known.
  double latency_us = 0;
  double cost_us = 0;
  Reach reach = Reach::kSite;
  std::string address_format;  ///< for people
};

/// For protocols that are a world of objects of their own: this capsule's Objects are shown there,
/// and theirs become Objects here. Any thread.
class Hosting {
 public:
  struct Resident {
    std::string name;
    InterfacePtr interface;
    std::map<std::string, std::string> properties;  ///< as the Trader has them
  };
  struct Adopted {
    std::string name;
    std::string model;  ///< a serialised hector.type.v1.Interface
    /// Its servant, which is entered by any number of threads at once and must not block.
    std::function<Result<std::unique_ptr<Servant>>(const InterfacePtr& interface)> instantiate;
    std::map<std::string, std::string> properties;  ///< for the Trader, as JSON scalars
    std::string kind;                               ///< in the place of a template's name
  };
  virtual ~Hosting() = default;
  /// The capsule's Objects, without those that `owner` adopted and without the system's own.
  virtual std::vector<Resident> residents(const void* owner) const = 0;
  /// `changed` runs on a thread that may block after Objects came or went, one at a time; an empty
  /// one ends that, and none runs any more afterwards.
  virtual void on_change(const void* owner, std::function<void()> changed) = 0;
  /// Makes it an Object like any other: named, offered to the Trader, called over every protocol.
  /// Blocks. ALREADY_EXISTS for a name that is taken, here or in Naming, and for an Interface of
  /// that id that is another one (Error::type "INTERFACE").
  virtual Status adopt(const void* owner, Adopted object) = 0;
  /// How other capsules reach one of this capsule's Objects now. NOT_FOUND; UNAVAILABLE where no
  /// protocol here is reached from another capsule.
  virtual Result<Reference> reference_of(const std::string& name) const = 0;
  /// Blocks until its calls have ended, or their grace. NOT_FOUND.
  virtual Status dismiss(const std::string& name) = 0;
  /// Runs what may block on one of the kernel's few threads.
  virtual void run_blocking(std::function<void()> task) = 0;
  /// The capsule's own handle.
  virtual Capsule& handle() = 0;
};

/// What a plugin may use; all of it outlives the plugin's objects.
struct ProtocolContext {
  std::string capsule;  ///< this capsule's name
  std::uint64_t capsule_id = 0;
  const Clock* clock = nullptr;
  Random* random = nullptr;
  Executor* executor = nullptr;
  Network* network = nullptr;
  Log* log = nullptr;
  Inbound* inbound = nullptr;
  Hosting* hosting = nullptr;
  /// Null: channels are plain, and peers claim what they like. Else every channel is encrypted, and
  /// both of its ends are authenticated by these; what cannot be is refused.
  Credentials* credentials = nullptr;
  /// The plugin's own settings out of the configuration, as JSON.
  std::string settings;
};

/// Made by the plugin's entry. Any thread. Destroyed after its Endpoints and Channels.
class Protocol {
 public:
  virtual ~Protocol() = default;
  [[nodiscard]] virtual const ProtocolCapabilities& capabilities() const noexcept = 0;
  /// INVALID_ARGUMENT for an address it does not understand (saying the format), ALREADY_EXISTS if
  /// it is in use.
  virtual Result<std::unique_ptr<Endpoint>> listen(const std::string& address) = 0;
  /// Does not block; failures to reach the peer show in the calls.
  virtual Result<std::unique_ptr<Channel>> connect(const std::string& address) = 0;
  /// Announces one message to every Object of a group, where capabilities().multicast. Best effort.
  virtual Status multicast(const std::string& group, const Header& header, Payload message) {
    static_cast<void>(group), static_cast<void>(header), static_cast<void>(message);
    return fail(Code::kUnimplemented, "this protocol has no multicast");
  }
};

}  // namespace hector

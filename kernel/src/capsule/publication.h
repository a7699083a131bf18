// What: Publication, what this capsule has put into Naming and Trading: its Objects' names, their
// offers, its services and itself.
// Why: entries live under this capsule's leases and are made again when a lease, a provider or an
// address changes; the rest of the kernel only says that an Object came or went.
// Who: KernelImpl; Modules, when a service comes or goes.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

#include "hector/guarded_self.h"
#include "objects/offer_table.h"
#include "party/own_references.h"
#include "services/service_clients.h"
#include "services/service_lease.h"

namespace hector {

/// The management Object's; a capsule's name in Naming leads to it.
inline constexpr const char* kManagementName = "_management";

/// Any thread that may block. Lock order: its mutex, which is held over calls to the Trader, then
/// the leases'; never while the caller holds a mutex of the kernel. The mutex is recursive: a
/// thread that waits for a joined Trader serves the Object it is inside of, which may advertise.
class Publication {
 public:
  enum class NameIs { kNew, kTakenOver };
  enum class NameGoes { kAway, kToSuccessor };

  /// All of it outlives the Publication. `services`: as they are now.
  struct Options {
    const OfferTable& offers;
    const OwnReferences& references;
    std::function<Services()> services;
    ServiceLease::Surroundings surroundings;
  };
  explicit Publication(Options options);
  ~Publication() { guard_.end(); }

  /// The Object's name goes to Naming and its offer to the Trader, where this capsule has them.
  /// ALREADY_EXISTS where a new name is taken. Nothing is left behind by an error.
  Status enter(const OfferPtr& offer, NameIs name);
  /// Exports the offer as it is now; the earlier one is withdrawn.
  Status export_offer(const OfferPtr& offer);
  /// Takes both out; what a service does not take out now, as its disk is full or it does not
  /// answer, is taken out later. The name stays if a successor has it, here or elsewhere.
  void leave(const OfferPtr& offer, NameGoes name);
  /// Adds properties to the Offer and exports it with them.
  Status advertise(const OfferPtr& offer, const OfferProperties::Map& properties);
  /// Enters everything again: an address, a provider or a lease has changed.
  void refresh();
  /// `change` exchanges providers; leases with those that have gone are forgotten, and everything
  /// is entered at the new ones.
  Status change_services(const std::function<Status()>& change);
  /// Closes the leases, and everything on them goes.
  void close();

 private:
  /// Of an Offer that has gone: what may still be there.
  struct Remnant {
    std::uint64_t offer;
    std::string name;      ///< in Naming; empty: none
    std::string exported;  ///< the Trader's id; empty: none
    [[nodiscard]] bool is_gone() const { return name.empty() && exported.empty(); }
  };
  // With the mutex held:
  /// Now, else later.
  void take_out(Remnant remnant);
  /// What is taken out is cleared.
  void try_to_take_out(Remnant& remnant);
  void take_out_later(Remnant remnant);
  void take_out_remnants();
  /// The name is bound to this Offer of this capsule.
  bool has_name(const std::string& name, std::uint64_t offer);
  Status bind_object(const Offer& offer, NameIs name);
  void bind_capsule();
  void bind_service(const Offer& offer);
  void refresh(const OfferPtr& offer);
  enum class IfTaken { kRefuse, kReplace };
  Status bind_name(const std::string& name, const Reference& reference, IfTaken if_taken);
  Result<std::string> export_under_lease(TradingService& trading, const Offer& offer);

  const Options options_;
  std::recursive_mutex mutex_;
  std::unordered_map<std::uint64_t, std::string> exported_;  ///< the Trader's id, by the Offer's
  std::deque<Remnant> remnants_;                             ///< the oldest first
  ServiceLease naming_lease_;
  ServiceLease trading_lease_;
  GuardedSelf<Publication> guard_{*this};
};

}  // namespace hector

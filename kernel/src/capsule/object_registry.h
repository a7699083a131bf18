// What: ObjectRegistry, one record for each Object of this capsule: how it was made, its handle,
// its Offer, and how far its life has come.
// Why: a name is taken before the Object is made and given back when it goes, so two creations of
// one name meet here, and nothing about an Object is kept anywhere else.
// Who: KernelImpl makes and ends Objects by it; Modules asks which Objects a template has.
#pragma once

#include <boost/unordered/unordered_flat_set.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hector/kernel.h"
#include "objects/offer_table.h"

namespace hector {

struct LoadedTemplate;

/// kBeingMade: its name is taken, its servant is under construction. kServing: its Offer is in the
/// OfferTable. kRetiring: the Offer is out, its last calls end. kKept: calls did not end within the
/// grace; its code still runs, so it may not be destroyed.
enum class ObjectState : std::uint8_t { kBeingMade, kServing, kRetiring, kKept };

/// What is needed to make an Object once more in another capsule.
struct MadeWith {
  std::string arguments = "{}";
  std::map<std::string, std::string> properties;
};

/// Valid from reserve() until abandon() or destroy(). Its fields are read and written by the thread
/// that makes or ends the Object; what other threads may ask, ObjectRegistry answers.
struct ObjectRecord {
  [[nodiscard]] const std::string& name() const noexcept {
    return offer ? offer->object : *name_taken;
  }
  /// The template it is made from; null for adopted ones.
  [[nodiscard]] const LoadedTemplate* from() const noexcept {
    return is_adopted ? nullptr : static_cast<const LoadedTemplate*>(origin);
  }
  /// The protocol that adopted it; null for others.
  [[nodiscard]] const void* owner() const noexcept { return is_adopted ? origin : nullptr; }

  OfferPtr offer;
  std::unique_ptr<const std::string> name_taken;  ///< until the Offer has the name
  std::unique_ptr<Capsule> handle;                ///< null for adopted ones; outlives the servant
  std::unique_ptr<const MadeWith> made;           ///< null where nothing but the template was given
  const void* origin = nullptr;                   ///< see from() and owner()
  ObjectState state = ObjectState::kBeingMade;
  bool is_adopted = false;
};

/// Any thread. Its mutex is taken before the OfferTable's and none other; no code of an Object runs
/// under it (constructors, destructors and grace periods are outside).
class ObjectRegistry {
 public:
  /// What a record begins with.
  struct Origin {
    const LoadedTemplate* from = nullptr;
    const void* owner = nullptr;
    std::unique_ptr<const MadeWith> made = nullptr;
  };

  explicit ObjectRegistry(OfferTable& offers) : offers_(offers) {}
  ObjectRegistry(const ObjectRegistry&) = delete;
  ObjectRegistry& operator=(const ObjectRegistry&) = delete;
  ~ObjectRegistry();

  /// Takes the name. INVALID_ARGUMENT if it is empty; ALREADY_EXISTS says whether the
  /// other is being made or is there. The caller goes on with commit() or abandon().
  Result<ObjectRecord*> reserve(const std::string& name, Origin origin);
  /// It serves from now on: its Offer is found. ALREADY_EXISTS where a system Object has the name;
  /// it is still being made then.
  Status commit(ObjectRecord& record, const OfferPtr& offer);
  /// Before commit(): the name is free again. Destroys the record.
  void abandon(ObjectRecord& record);
  /// Takes this Offer out and frees the name; null if another thread was first. The caller goes on
  /// with destroy() or keep().
  ObjectRecord* retire(const OfferPtr& offer);
  /// After retire(), when no code of it runs any more.
  void destroy(ObjectRecord& record);
  /// After retire(), when code of it still runs: it stays until the capsule ends.
  void keep(ObjectRecord& record);

  /// How a serving Object was made; none for adopted ones and where there is none of the name.
  [[nodiscard]] std::optional<MadeWith> made_with(const std::string& name) const;
  /// The protocol that adopted the Object; null for others.
  [[nodiscard]] const void* owner_of(const std::string& name) const;
  /// Objects whose code is this template's, by name; those that are kept among them.
  [[nodiscard]] std::vector<std::string> objects_of(const LoadedTemplate& from) const;
  [[nodiscard]] std::size_t count_of(const LoadedTemplate& from) const;

  /// HECTOR_CHECKs what must hold between any two operations: an Offer is in the OfferTable exactly
  /// while its record serves.
  void verify() const;

 private:
  using Records = std::vector<std::unique_ptr<ObjectRecord>>;
  [[nodiscard]] std::string not_free(const ObjectRecord& record) const;
  /// With the lock held.
  std::unique_ptr<ObjectRecord> take_from_leaving(const ObjectRecord& record);
  template <class Visit>
  void each_of(const LoadedTemplate& from, Visit visit) const;

  OfferTable& offers_;
  mutable std::mutex mutex_;
  struct ByName {
    using is_transparent = void;
    std::size_t operator()(std::string_view name) const noexcept {
      return std::hash<std::string_view>()(name);
    }
    std::size_t operator()(const std::unique_ptr<ObjectRecord>& record) const noexcept {
      return (*this)(std::string_view(record->name()));
    }
    bool operator()(const std::unique_ptr<ObjectRecord>& a,
                    const std::unique_ptr<ObjectRecord>& b) const noexcept {
      return a->name() == b->name();
    }
    bool operator()(std::string_view a, const std::unique_ptr<ObjectRecord>& b) const noexcept {
      return a == b->name();
    }
    bool operator()(const std::unique_ptr<ObjectRecord>& a, std::string_view b) const noexcept {
      return a->name() == b;
    }
  };
  [[nodiscard]] ObjectRecord* find(std::string_view name) const;
  /// Out of by_name_; the record is there.
  std::unique_ptr<ObjectRecord> take_by_name(const ObjectRecord& record);

  /// Flat: a capsule may hold a hundred thousand Objects.
  boost::unordered_flat_set<std::unique_ptr<ObjectRecord>, ByName, ByName> by_name_;
  Records leaving_;  ///< retiring and kept: their names are free
};

}  // namespace hector

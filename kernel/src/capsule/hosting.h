// What: KernelHosting, the kernel's side of protocols that are worlds of objects of their own.
// Why: they see Objects come and go, and bring theirs, without knowing the kernel.
// Who: protocol plugins, through hector/protocol.h; KernelImpl makes it.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "capsule/object_lifecycle.h"
#include "hector/protocol.h"
#include "party/core.h"

namespace hector {

/// Any thread. Its mutex is a leaf; a listener's own is held while the listener runs.
class KernelHosting final : public Hosting {
 public:
  /// `handle`: the capsule's own. All of it outlives the hosting.
  KernelHosting(Core& core, const ObjectRegistry& registry, ObjectLifecycle& objects,
                Capsule& handle)
      : core_(core), registry_(registry), objects_(objects), handle_(handle) {}
  std::vector<Resident> residents(const void* owner) const override;
  void on_change(const void* owner, std::function<void()> changed) override;
  Status adopt(const void* owner, Adopted object) override;
  Result<Reference> reference_of(const std::string& name) const override;
  Status dismiss(const std::string& name) override;
  void run_blocking(std::function<void()> task) override;
  Capsule& handle() override { return handle_; }

  /// Objects came or went: listeners run soon.
  void changed();
  /// No listener is asked any more, and nothing is adopted.
  void stop();

 private:
  struct Listener {
    std::mutex mutex;
    std::function<void()> changed;
    /// A run has been asked for and has not begun; under KernelHosting's mutex.
    bool is_due = false;
  };
  void run(Listener& listener);

  Core& core_;
  const ObjectRegistry& registry_;
  ObjectLifecycle& objects_;
  Capsule& handle_;
  mutable std::mutex mutex_;
  std::map<const void*, std::shared_ptr<Listener>> listeners_;  ///< by owner; also their runs'
  bool is_stopped_ = false;
};

}  // namespace hector

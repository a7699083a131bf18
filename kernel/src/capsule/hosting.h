// What: KernelHosting, the kernel's side of protocols that are worlds of objects of their own.
// Why: they see Objects come and go, and bring theirs, without knowing the kernel.
// Who: KernelImpl.
#pragma once

#include <mutex>

#include "hector/protocol.h"

namespace hector {

class KernelImpl;

class KernelHosting final : public Hosting {
 public:
  explicit KernelHosting(KernelImpl& kernel) : kernel_(kernel) {}
  std::vector<Resident> residents(const void* owner) const override;
  void on_change(const void* owner, std::function<void()> changed) override;
  Status adopt(const void* owner, Adopted object) override;
  Result<Reference> reference_of(const std::string& name) const override;
  Status dismiss(const std::string& name) override;
  void run_blocking(std::function<void()> task) override;
  Capsule& handle() override;

  void changed();
  void gone(const std::string& object);
  void stop();

 private:
  struct Listener {
    std::mutex mutex;
    std::function<void()> changed;
    bool is_due =
        false;  ///< a run has been asked for and has not begun; under KernelHosting's mutex
  };
  KernelImpl& kernel_;
  mutable std::mutex mutex_;
  std::map<const void*, std::shared_ptr<Listener>> listeners_;
  std::map<std::string, const void*> adopted_;
  bool stopped_ = false;
};

}  // namespace hector

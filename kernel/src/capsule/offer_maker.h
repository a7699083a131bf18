// What: OfferMaker, how every Offer of this capsule and the host of its Object are made.
// Why: identity, principal and queue limit of an Offer are decided at one place, for the kernel's
// own Objects as for those of templates.
// Who: KernelImpl, Modules (services), Bindings (control Objects).
#pragma once

#include <memory>
#include <string>

#include "hector/kernel.h"
#include "objects/offer_table.h"

namespace hector {

/// Any thread, as far as Random is.
class OfferMaker {
 public:
  /// `principal` is the capsule's.
  OfferMaker(Random& random, Executor& executor, std::string principal)
      : random_(random),
        executor_(executor),
        principal_(std::make_shared<const std::string>(std::move(principal))) {}

  /// One of the kernel's own: a pooled, parallel Object of the capsule's principal. `label` stands
  /// where others have their template's name.
  [[nodiscard]] OfferPtr system(const std::string& object, const std::string& label,
                                types::CompiledPtr interface,
                                std::unique_ptr<Servant> servant) const;
  /// An Object made from a template, or adopted; its servant is still to be set.
  [[nodiscard]] OfferPtr object(const CreateOptions& options, const TemplateInfo& info,
                                types::CompiledPtr interface) const;

 private:
  Random& random_;
  Executor& executor_;
  const std::shared_ptr<const std::string> principal_;
};

}  // namespace hector

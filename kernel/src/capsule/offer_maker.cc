#include "capsule/offer_maker.h"

#include "hector/check.h"

namespace hector {

OfferPtr OfferMaker::system(const std::string& object, const std::string& label,
                            types::CompiledPtr interface, std::unique_ptr<Servant> servant) const {
  HECTOR_CHECK(interface != nullptr, "a system Object has no Interface");
  HECTOR_CHECK(servant != nullptr, "a system Object has no servant");
  auto offer = std::make_shared<Offer>();
  offer->id = random_.next();
  offer->object = object;
  offer->capsule_principal = principal_;
  offer->interface = std::move(interface);
  offer->is_system = true;
  offer->host = std::make_shared<ObjectHost>(HostOptions{.name = object,
                                                         .template_name = label,
                                                         .thread = ThreadModel::kPooled,
                                                         .parallel = true,
                                                         .executor = &executor_});
  offer->host->set_servant(std::move(servant));
  return offer;
}

OfferPtr OfferMaker::object(const CreateOptions& options, const TemplateInfo& info,
                            types::CompiledPtr interface) const {
  HECTOR_CHECK(interface != nullptr, "an Object has no Interface");
  auto offer = std::make_shared<Offer>();
  offer->id = random_.next();
  offer->object = options.name;
  offer->capsule_principal = principal_;
  offer->interface = std::move(interface);
  if (!options.properties.empty()) offer->properties.merge(options.properties);
  offer->host = std::make_shared<ObjectHost>(HostOptions{.name = options.name,
                                                         .template_name = info.name,
                                                         .thread = info.thread,
                                                         .parallel = info.parallel,
                                                         .executor = &executor_});
  return offer;
}

}  // namespace hector

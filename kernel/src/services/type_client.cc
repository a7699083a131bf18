// What: TypeService over the client generated from hector.Type/1.
// Why: languages import code from wherever the Type service is, and execute only what its digest
// says.
// Who: the table in service_clients.cc.
#include <fmt/format.h>

#include "hector/sha256.h"
#include "hector/type.hector.h"
#include "services/client_makers.h"
#include "types/model/compiled_interface.h"

namespace hector {

namespace {

namespace v1 = hector::service::v1;

class RemoteTypes final : public TypeService {
 public:
  RemoteTypes(Target& target, const Clock& clock)
      : client_(target, clock, Addressing::kByNumber), clock_(clock) {}

  Result<CodeModule> fetch_module(const std::string& language, const std::string& name,
                                  const std::string& abi) override {
    v1::TypeModuleQuestion question;
    question.set_language(language);
    question.set_name(name);
    question.set_abi(abi);
    auto module = HECTOR_TRY(client_.fetch_module(question, clock_.now() + kAnswerWithin));
    // It may have been changed in transit.
    if (sha256_hex(module.content()) != module.digest()) {
      return fail(Error::data_loss(fmt::format("{}: the content of module '{}' does not have its "
                                               "digest",
                                               kBadModule, name))
                      .with_type(kBadModule));
    }
    return CodeModule{module.name(), module.media(), module.content(), module.digest(),
                      module.is_package()};
  }

 private:
  const hector::TypeClient client_;
  const Clock& clock_;
};

}  // namespace

std::unique_ptr<TypeService> make_type_client(Target& target, const ClientContext& context) {
  return std::make_unique<RemoteTypes>(target, *context.clock);
}

}  // namespace hector

// What: Federation, the rest of a name in the next naming system: another Naming, files, a store,
// DNS, CosNaming.
// Why: a composite name goes on where this directory ends; the caller is told under its whole name.
// Who: the Naming servant.
#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "hector/operation_calls.h"
#include "state/peers.h"
#include "systems.h"

namespace hector::naming {

/// Another system may take this long.
inline constexpr Duration kSystemAnswersWithin = std::chrono::seconds(10);
inline constexpr std::uint32_t kPageMax = 1'000;  ///< bindings of one page
/// 0: as many as there may be.
std::uint32_t page_of(std::uint32_t how_many);
/// attr_get says which attribute is missing, attr_get_ids leaves the values out.
Result<v1::NamingAttributes> attributes_of(const v1::NamingBinding& binding,
                                           const v1::NamingAttributeIds& request,
                                           std::string_view operation);
/// CONTINUE: the caller may go on itself.
Error continue_at(const Place& place, const std::string& why);

/// Any thread.
class Federation {
 public:
  static constexpr std::size_t kSystemsMax = 100;  ///< then all are forgotten
  Federation(const ServiceContext& context, const v1::NamingSettings& settings);
  /// Takes the call, and ends it with what the next system says; CONTINUE where the request says
  /// `stay`, or came through kHopsMax systems. For the requests of operations that begin with a
  /// name.
  template <class In>
  void go_on(Call& given, OperationId operation, In request, const Place& place);
  state::Peers& peers() { return peers_; }

 private:
  template <class In>
  void forward(Call& call, OperationId operation, const In& request, const Place& place);
  template <class In>
  void ask_system(Call& call, OperationId operation, const In& request, const Place& place);
  template <class In>
  void continue_from(Call& call, OperationId operation, In request, const Place& place,
                     const Error& error);
  void fail_forwarded(Call& call, const Place& place, const Error& error);
  Result<std::shared_ptr<NamingSystem>> system_at(const std::string& url, const Components& rest);

  // What the systems of others are asked, by request.
  using Answered = Result<Payload>;
  Answered ask(NamingSystem& system, OperationId operation, const v1::NamingName& request,
               const Place& place);
  Answered ask(NamingSystem& system, OperationId operation, const v1::NamingBind& request,
               const Place& place);
  Answered ask(NamingSystem& system, OperationId operation, const v1::NamingPage& request,
               const Place& place);
  Answered ask(NamingSystem& system, OperationId operation, const v1::NamingAttributeIds& request,
               const Place& place);
  template <class In>
  Answered ask(NamingSystem& system, OperationId operation, const In& request, const Place& place);

  const ServiceContext& context_;
  const v1::NamingSettings& settings_;
  state::Peers peers_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<NamingSystem>> systems_;
};

}  // namespace hector::naming

// What: ServiceDiscovery, which services of a broker there are, asked again and again.
// Why: 7/MDP tells nobody; our broker lists its services, others answer for one name at a time.
// Who: Roc; it owns no socket, so tests drive it by hand.
#pragma once

#include <deque>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "frames.h"
#include "hector/clock.h"

namespace hector::zeromq {

/// One thread at a time.
class ServiceDiscovery {
 public:
  /// Sends the broker a question (8/MMI) about an argument.
  using Ask = std::function<void(const std::string& question, const std::string& argument)>;
  /// Whether a service is one of this node's own Objects.
  using IsOwn = std::function<bool(const std::string& service)>;
  /// Another's service has come or left.
  using Changed = std::function<void(const std::string& service, bool is_there)>;
  /// `wanted`: names, "*" at the end is any.
  ServiceDiscovery(std::vector<std::string> wanted, Ask ask, IsOwn is_own, Changed changed)
      : wanted_(std::move(wanted)),
        ask_(std::move(ask)),
        is_own_(std::move(is_own)),
        changed_(std::move(changed)) {}
  /// Asks, unless an answer is still awaited.
  void tick(TimePoint now);
  /// What the broker answered.
  void receive(const MdpMessage& message);

 private:
  void list_is(const Frames& body);
  void answer_is(const std::string& code);
  void note(const std::string& service, bool is_there);

  const std::vector<std::string> wanted_;
  const Ask ask_;
  const IsOwn is_own_;
  const Changed changed_;
  std::set<std::string> known_;
  std::deque<std::string> questions_;  ///< names that were asked for, in the order of the answers
  TimePoint awaited_until_;
  bool has_list_ = true;  ///< until the broker says that it has none
};

}  // namespace hector::zeromq

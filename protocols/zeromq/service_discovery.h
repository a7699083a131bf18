// What: ServiceDiscovery, which services of a broker there are, asked again and again.
// Why: 7/MDP tells nobody; our broker lists its services, others answer for one name at a time, and
// where a broker knows no 8/MMI the service itself is asked.
// Who: Roc; it owns no socket, so tests drive it by hand.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "frames.h"
#include "hector/clock.h"
#include "roc_options.h"

namespace hector::zeromq {

/// One thread at a time.
class ServiceDiscovery {
 public:
  /// Sends the broker a question (8/MMI) about an argument.
  using Ask = std::function<void(const std::string& question, const std::string& argument)>;
  /// Whether a service is one of this node's own Objects.
  using IsOwn = std::function<bool(const std::string& service)>;
  /// Another's service has come or left. Where the broker did not say so, it may have come: it is
  /// asked itself, and unanswered() told if it is not there.
  using Changed = std::function<void(const std::string& service, bool is_there)>;
  /// `wanted`: names, "*" at the end is any.
  ServiceDiscovery(std::vector<std::string> wanted, Ask ask, IsOwn is_own, Changed changed,
                   Discover how = Discover::kByMmi)
      : wanted_(std::move(wanted)),
        ask_(std::move(ask)),
        is_own_(std::move(is_own)),
        changed_(std::move(changed)),
        way_(how == Discover::kByMmi ? Way::kList : Way::kServices) {}
  /// Asks, unless an answer is still awaited.
  void tick(TimePoint now);
  /// What the broker answered.
  void receive(const MdpMessage& message);
  /// A service that came has not answered: it counts as gone, and is asked again later.
  void unanswered(const std::string& service, TimePoint now);

 private:
  /// What the broker is known to answer.
  enum class Way : std::uint8_t {
    kList,     ///< all services at once, or nothing is known yet
    kNames,    ///< one name at a time
    kServices  ///< nothing: the services are asked
  };
  struct Retry {
    TimePoint at;
    Duration wait;
  };
  void ask_names();
  void ask_services(TimePoint now);
  void list_is(const Frames& body);
  void answer_is(const std::string& code);
  void note(const std::string& service, bool is_there);

  const std::vector<std::string> wanted_;
  const Ask ask_;
  const IsOwn is_own_;
  const Changed changed_;
  Way way_;
  std::set<std::string> known_;
  std::map<std::string, Retry> unanswered_;
  std::deque<std::string> questions_;  ///< names that were asked for, in the order of the answers
  TimePoint now_;                      ///< of the last tick
  TimePoint awaited_until_;
  Duration patience_{};  ///< with a broker that says nothing; zero once it has
};

}  // namespace hector::zeromq

// What: a conductor that goes through the rounds of a measurement.
// Why: a Binding whose parties are in four worlds is one Binding.
// Who: the tests of worlds.
#include <optional>

#include "hector/cpp.h"
#include "run/messages.pb.h"

namespace {

namespace cpp = hector::cpp;

class Conductor {
 public:
  Conductor(cpp::Capsule, const std::string&) {}
  void bound(cpp::Session session) { session_.emplace(std::move(session)); }
  void unbound(cpp::Session) { session_.reset(); }

  hector::Result<run::Done> go(const run::Order& order, cpp::Call&) {
    if (!session_)
      return hector::fail(hector::Code::kFailedPrecondition, "the conductor is in no Binding");
    cpp::Session session = *session_;
    run::Done done;
    for (int round = 1; round <= order.rounds() && done.errors().empty(); ++round)
      one(session, round, done);
    // Out of order: the spectrometer is not asked before the camera.
    run::Sum sum;
    if (const auto early = session.call<run::Summed>("sum", 0, sum); !early)
      done.add_errors(std::string(hector::code_name(early.error().code)));
    return done;
  }

 private:
  static void one(cpp::Session& session, int round, run::Done& done) {
    run::Exposure exposure;
    exposure.set_a(round);
    exposure.set_scale(2.0);
    const auto exposed = session.call<run::Exposed>("expose", 0, exposure);
    if (!exposed) return done.add_errors(exposed.error().text());
    done.add_exposed(exposed->value());
    run::Sum sum;
    sum.set_a(round);
    sum.set_b(10);
    const auto summed = session.call<run::Summed>("sum", 0, sum);
    if (!summed) return done.add_errors(summed.error().text());
    done.add_summed(summed->value().integer());
    run::Envelope envelope;
    envelope.set_topic("lab/run");
    envelope.set_origin("conductor");
    envelope.mutable_data()->set_text("round " + std::to_string(round));
    if (const auto told = session.announce("publish", 0, envelope); !told)
      done.add_errors(told.error().text());
  }
  std::optional<cpp::Session> session_;
};

}  // namespace

extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return cpp::object_template<Conductor>("run.Conductor.cpp", "run.Conductor/1",
                                         {cpp::operation<&Conductor::go>("go")},
                                         {.description = "Leads a measurement"});
}

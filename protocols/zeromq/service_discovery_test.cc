// What: tests of ServiceDiscovery with a broker that the test plays.
// Why: services must come and leave once each, with our broker and with others.
// Who: ctest, in zeromq_wire_test.
#include "service_discovery.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hector::zeromq {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class DiscoveryTest : public ::testing::Test {
 protected:
  void answer(const std::string& question, const Frames& body) {
    MdpMessage message;
    message.service = question;
    message.body = body;
    discovery.receive(message);
  }
  std::vector<std::string> asked_now() { return std::exchange(asked, {}); }
  std::vector<std::string> changes_now() { return std::exchange(changes, {}); }
  TimePoint now{seconds(100)};
  std::vector<std::string> asked, changes;
  std::set<std::string> own;
  ServiceDiscovery discovery{{"lab-*", "one"},
                             [this](const std::string& question, const std::string& argument) {
                               asked.push_back(question + " " + argument);
                             },
                             [this](const std::string& service) { return own.contains(service); },
                             [this](const std::string& service, bool is_there) {
                               changes.push_back((is_there ? "+" : "-") + service);
                             }};
};

TEST_F(DiscoveryTest, TellsTheWantedServicesOfAListOnceEach) {
  discovery.tick(now);
  EXPECT_THAT(asked_now(), ElementsAre("mmi.services "));
  answer("mmi.services", {"200", "lab-1", "one", "other"});
  EXPECT_THAT(changes_now(), ElementsAre("+lab-1", "+one"));
  discovery.tick(now + milliseconds(1));
  answer("mmi.services", {"200", "lab-1", "lab-2"});
  EXPECT_THAT(changes_now(), ElementsAre("+lab-2", "-one"));
}

TEST_F(DiscoveryTest, LeavesOutThisNodesOwnServices) {
  own = {"lab-1"};
  discovery.tick(now);
  answer("mmi.services", {"200", "lab-1"});
  EXPECT_THAT(changes_now(), IsEmpty());
  own.clear();  // ours has left, another's has its name
  answer("mmi.services", {"200", "lab-1"});
  EXPECT_THAT(changes_now(), ElementsAre("+lab-1"));
}

TEST_F(DiscoveryTest, AsksABrokerWithoutAListForEachName) {
  discovery.tick(now);
  answer("mmi.services", {"501"});
  asked_now();
  discovery.tick(now);
  EXPECT_THAT(asked_now(), ElementsAre("mmi.service one")) << "a pattern is no name";
  answer("mmi.service", {"200"});
  EXPECT_THAT(changes_now(), ElementsAre("+one"));
  discovery.tick(now);
  answer("mmi.service", {"404"});
  EXPECT_THAT(changes_now(), ElementsAre("-one"));
}

TEST_F(DiscoveryTest, DoesNotPileUpQuestionsForASilentBroker) {
  discovery.tick(now);
  asked_now();
  discovery.tick(now + milliseconds(4'999));
  EXPECT_THAT(asked_now(), IsEmpty());
  discovery.tick(now + seconds(5));
  EXPECT_THAT(asked_now(), ElementsAre("mmi.services "));
}

TEST_F(DiscoveryTest, AsksTheServicesOfABrokerThatAnswersNothing) {
  discovery.tick(now);
  EXPECT_THAT(changes_now(), IsEmpty());
  discovery.tick(now + seconds(5));
  EXPECT_THAT(changes_now(), ElementsAre("+one")) << "a pattern is no name";
  discovery.unanswered("one", now + seconds(7));
  asked_now();
  discovery.tick(now + seconds(11));
  EXPECT_THAT(asked_now(), IsEmpty()) << "questions pile up where nobody reads them";
  EXPECT_THAT(changes_now(), IsEmpty());
  discovery.tick(now + seconds(15));
  EXPECT_THAT(changes_now(), ElementsAre("+one"));
  answer("mmi.services", {"200"});
  EXPECT_THAT(changes_now(), ElementsAre("-one")) << "at last it is ours";
}

TEST_F(DiscoveryTest, AsksTheServicesOfABrokerThatRefusesQuestions) {
  discovery.tick(now);
  answer("mmi.services", {"501"});
  discovery.tick(now);
  answer("mmi.service", {"501"});
  asked_now();
  discovery.tick(now + milliseconds(250));
  EXPECT_THAT(changes_now(), ElementsAre("+one"));
  discovery.tick(now + milliseconds(500));
  EXPECT_THAT(changes_now(), IsEmpty()) << "it is known";
  EXPECT_THAT(asked_now(), IsEmpty());
}

TEST_F(DiscoveryTest, AsksAServiceAgainThatDidNotAnswer) {
  discovery.tick(now);
  answer("mmi.services", {"200", "one"});
  EXPECT_THAT(changes_now(), ElementsAre("+one"));
  discovery.unanswered("one", now + seconds(2));
  discovery.tick(now + seconds(6));
  answer("mmi.services", {"200", "one"});
  EXPECT_THAT(changes_now(), IsEmpty());
  discovery.tick(now + seconds(7));
  answer("mmi.services", {"200", "one"});
  EXPECT_THAT(changes_now(), ElementsAre("+one"));
  // One that left and came back at once is asked at once.
  answer("mmi.services", {"200"});
  discovery.unanswered("one", now + seconds(8));
  answer("mmi.services", {"200", "one"});
  EXPECT_THAT(changes_now(), ElementsAre("-one", "+one"));
}

TEST_F(DiscoveryTest, AsksNoBrokerWhereOnlyNamesAreAsked) {
  ServiceDiscovery direct{
      {"lab-*", "two"},
      [this](const std::string& question, const std::string&) { asked.push_back(question); },
      [](const std::string&) { return false; },
      [this](const std::string& service, bool) { changes.push_back(service); },
      Discover::kByNames};
  direct.tick(now);
  direct.tick(now + seconds(100));
  EXPECT_THAT(asked_now(), IsEmpty());
  EXPECT_THAT(changes_now(), ElementsAre("two"));
}

TEST_F(DiscoveryTest, IgnoresAnAnswerThatItDidNotAskFor) {
  answer("mmi.service", {"200"});
  answer("mmi.other", {"200"});
  EXPECT_THAT(changes_now(), IsEmpty());
}

}  // namespace
}  // namespace hector::zeromq

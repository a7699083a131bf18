#include "hello.hector.h"

struct Hello final : hello::Greeter {
  hector::Result<hello::Greeting> greet(const hello::Name& name, hector::Call&) override {
    hello::Greeting reply;
    reply.set_text("hello " + name.text());
    return reply;
  }
};
extern "C" HECTOR_TEMPLATE_EXPORT const hector_template* hector_template_v1() {
  return hector::cpp::object_template<Hello>("hello.Hello.cpp");
}

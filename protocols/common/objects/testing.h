// What: an Interface out of a serialised model, and a flow whose reader is slow, for tests.
// Why: the kernel compiles Interfaces; a codec is tested without one.
// Who: the tests of this folder and of the worlds' protocols.
#pragma once

#include <string>
#include <vector>

#include "hector/call.h"
#include "hector/check.h"
#include "hector/interface.h"
#include "hector/type/v1/type.pb.h"
#include "objects/description.h"

namespace hector::objects::testing {

class ModelInterface final : public Interface {
 public:
  explicit ModelInterface(const std::string& model) : model_(model) {
    hector::type::v1::Interface read;
    HECTOR_CHECK(read.ParseFromString(model), "a test's model cannot be parsed");
    name_ = read.name();
    id_ = name_ + "/" + std::to_string(read.major());
    descriptors_ = read.descriptors();
    for (const auto& each : read.operations()) {
      Operation made;
      made.name = each.name();
      made.index = static_cast<std::uint32_t>(operations_.size());
      made.kind = each.kind() == hector::type::v1::KIND_STREAM     ? Kind::kStream
                  : each.kind() == hector::type::v1::KIND_ANNOUNCE ? Kind::kAnnounce
                                                                   : Kind::kRpc;
      made.flow = made.kind == Kind::kStream ? Flow::kOut : Flow::kNone;
      made.input = each.input();
      made.output = each.output();
      operations_.push_back(std::move(made));
    }
  }
  const std::string& name() const noexcept override { return name_; }
  std::uint32_t major() const noexcept override { return 1; }
  const std::string& id() const noexcept override { return id_; }
  const std::string& identity() const noexcept override { return id_; }
  const std::vector<Operation>& operations() const noexcept override { return operations_; }
  const std::vector<Operation>& initiates() const noexcept override { return none_; }
  const Operation* find(std::string_view operation) const noexcept override {
    for (const auto& each : operations_) {
      if (each.name == operation) return &each;
    }
    return nullptr;
  }
  const std::string& descriptors() const noexcept override { return descriptors_; }
  const std::string& model() const noexcept override { return model_; }
  Result<std::string> from_json(std::string_view, std::string_view) const override {
    return fail(Error::unimplemented("not in this test"));
  }
  Result<std::string> to_json(std::string_view, std::string_view) const override {
    return fail(Error::unimplemented("not in this test"));
  }

 private:
  std::string name_, id_, descriptors_, model_;
  std::vector<Operation> operations_, none_;
};

/// Accepts one write at a time, when the test says so.
class SlowStream final : public Stream {
 public:
  void write(Payload message, Callback<void(Status)> accepted) override {
    written.push_back(message.bytes().str());
    waiting = std::move(accepted);
  }
  void close_write() override {}
  void read(Callback<void(Result<std::optional<Payload>>)>) override {}
  void accept() {
    HECTOR_CHECK(static_cast<bool>(waiting), "a test accepts a write that nothing started");
    auto then = std::exchange(waiting, {});
    then(Status());
  }
  std::vector<std::string> written;
  Callback<void(Status)> waiting;
};

}  // namespace hector::objects::testing

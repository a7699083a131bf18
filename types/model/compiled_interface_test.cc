// What: Interfaces compiled from their model: operations, identity, JSON, the gRPC service.
// Why: identities are compared across capsules, so what changes one must be what changes the type.
// Who: types_test.
#include "types/model/compiled_interface.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.pb.h>
#include <gtest/gtest.h>

#include "types/order/expression.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;

hector::type::v1::Interface calendar() {
  const std::map<std::string, std::string> texts{
      {"m.proto", "syntax = \"proto3\"; package t; message Slot { int32 start_hour = 1; }"}};
  hector::type::v1::Interface model;
  model.set_name("t.Calendar");
  model.set_major(1);
  model.set_descriptors(read_proto_files(ProtoSource(&texts), {"m.proto"})->SerializeAsString());
  auto& hold = *model.add_operations();
  hold.set_name("hold");
  hold.set_kind(hector::type::v1::KIND_RPC);
  hold.set_input("t.Slot");
  hold.set_output("t.Slot");
  auto& confirm = *model.add_operations();
  confirm.set_name("confirm");
  confirm.set_kind(hector::type::v1::KIND_ANNOUNCE);
  confirm.set_input("t.Slot");
  return model;
}

TEST(CompiledInterface, KnowsItsOperationsByNameAndNumber) {
  const auto made = *CompiledInterface::make(calendar());
  EXPECT_EQ(made->id(), "t.Calendar/1");
  ASSERT_NE(made->find("confirm"), nullptr);
  EXPECT_EQ(made->find("confirm")->index, 1U);
  EXPECT_EQ(made->find("confirm")->kind, Kind::kAnnounce);
  EXPECT_EQ(made->find("release"), nullptr);
  EXPECT_FALSE(made->automaton()) << "no protocol: any order";
}

TEST(CompiledInterface, HasOneIdentityForOneModel) {
  const auto identity = (*CompiledInterface::make(calendar()))->identity();
  EXPECT_EQ(identity.size(), 64U);
  EXPECT_EQ((*CompiledInterface::make(calendar()))->identity(), identity);
  auto changed = calendar();
  changed.mutable_operations(0)->set_idempotent(true);
  EXPECT_NE((*CompiledInterface::make(changed))->identity(), identity);
}

TEST(CompiledInterface, TranslatesJsonByTheNamesOfTheFields) {
  const auto made = *CompiledInterface::make(calendar());
  const auto bytes = made->from_json("t.Slot", "{\"start_hour\": 9}");
  ASSERT_TRUE(bytes) << bytes.error().text();
  EXPECT_EQ(made->to_json("t.Slot", *bytes), "{\"start_hour\":9}");
  EXPECT_EQ(made->to_json("t.Slot", ""), "{\"start_hour\":0}") << "fields of value 0 are written";
  EXPECT_THAT(made->from_json("t.Slot", "{\"hour\": 9}").error().message, HasSubstr("hour"));
  EXPECT_EQ(made->to_json("t.Slot", "\xff").error().code, Code::kInvalidArgument);
  EXPECT_EQ(made->from_json("t.Gone", "{}").error().code, Code::kNotFound);
}

TEST(CompiledInterface, DescribesItselfAsAGrpcService) {
  google::protobuf::FileDescriptorSet files;
  ASSERT_TRUE(files.ParseFromString((*CompiledInterface::make(calendar()))->descriptors()));
  const auto pool = *MessagePool::make(files);
  const auto* const service = pool->pool().FindServiceByName("t.Calendar");
  ASSERT_NE(service, nullptr);
  EXPECT_EQ(service->FindMethodByName("confirm")->output_type()->full_name(),
            "google.protobuf.Empty")
      << "an announcement has no reply of its own";
}

TEST(CompiledInterface, RefusesAModelThatDoesNotHoldTogether) {
  auto unknown = calendar();
  unknown.mutable_operations(0)->set_output("t.Gone");
  EXPECT_THAT(CompiledInterface::make(unknown).error().message,
              HasSubstr("operation 'hold' uses the unknown message 't.Gone'"));
  auto order = calendar();
  *order.mutable_protocol() = *parse_expression("hold ; release");
  EXPECT_THAT(CompiledInterface::make(order).error().message,
              HasSubstr("unknown operation 'release'"));
  auto kind = calendar();
  kind.mutable_operations(1)->clear_kind();
  EXPECT_THAT(CompiledInterface::make(kind).error().message,
              HasSubstr("operation 'confirm' has no kind"));
  auto descriptors = calendar();
  descriptors.set_descriptors("\xff");
  EXPECT_EQ(CompiledInterface::make(descriptors).error().code, Code::kInvalidArgument);
}

}  // namespace
}  // namespace hector::types

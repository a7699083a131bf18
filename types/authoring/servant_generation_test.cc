// What: servants and clients made from a type file.
// Why: each kind of operation has a function of its own shape, by the number that the type gives
// it. Who: ctest.
#include "types/authoring/servant_generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

namespace hector::types {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::map<std::string, std::string> kProtos{
    {"toy.proto", "syntax = \"proto3\"; package toy; message A {} message B {}"}};

std::string made(const std::string& operations) {
  const auto documents =
      read_type_documents("interface: toy.Toy/2\nmessages: [toy.proto]\noperations:\n" + operations,
                          "toy.hector.yaml", ProtoSource(&kProtos));
  EXPECT_TRUE(documents && !documents->front().mistake);
  return generate_servants(*documents, "toy.hector.yaml");
}

TEST(ServantGeneration, GivesEachKindOfOperationItsOwnShape) {
  const auto text = made(
      "  one: {kind: rpc, in: toy.A, out: toy.B}\n"
      "  two: {kind: announce, in: toy.A}\n"
      "  three: {kind: stream, flow: out, in: toy.A, out: toy.B}\n"
      "  four: {kind: stream, flow: in, in: toy.A, out: toy.B}\n"
      "  five: {kind: stream, flow: both, in: toy.A, out: toy.B}\n");
  EXPECT_THAT(text, HasSubstr("class ToyServant : public ::hector::Servant"));
  EXPECT_THAT(text,
              HasSubstr("void one(const ::toy::A& request, ::hector::Reply<::toy::B> reply)"));
  EXPECT_THAT(text, HasSubstr("void two(const ::toy::A& request, ::hector::Reply<void> reply)"));
  EXPECT_THAT(text,
              HasSubstr("void three(const ::toy::A& request, ::hector::OutFlow<::toy::B> out)"));
  EXPECT_THAT(text, HasSubstr("void four(::hector::InFlow<::toy::A> in, "
                              "::hector::Reply<::toy::B> reply)"));
  EXPECT_THAT(text, HasSubstr("void five(::hector::InFlow<::toy::A> in, "
                              "::hector::OutFlow<::toy::B> out)"));
}

TEST(ServantGeneration, NumbersOperationsInTheTypesOrder) {
  const auto text =
      made("  b: {kind: rpc, in: toy.A, out: toy.B}\n  a: {kind: rpc, in: toy.B, out: toy.A}\n");
  EXPECT_THAT(text, HasSubstr("OperationOf<::toy::A, ::toy::B> kB{{0, \"b\"}}"));
  EXPECT_THAT(text, HasSubstr("OperationOf<::toy::B, ::toy::A> kA{{1, \"a\"}}"));
  EXPECT_THAT(text, HasSubstr("kInterface = \"toy.Toy/2\""));
}

TEST(ServantGeneration, WritesNoNameThatCxxOrServantHas) {
  const auto text = made(
      "  delete: {kind: rpc, in: toy.A, out: toy.B}\n"
      "  save: {kind: rpc, in: toy.A, out: toy.B}\n");
  EXPECT_THAT(text, HasSubstr("void delete_("));
  EXPECT_THAT(text, HasSubstr("void save_("));
  EXPECT_THAT(text, HasSubstr("{{0, \"delete\"}}"));
  EXPECT_THAT(text, Not(HasSubstr("void delete(")));
}

TEST(ServantGeneration, LeavesFlowsOutOfTheClient) {
  const auto text = made("  watch: {kind: stream, flow: out, in: toy.A, out: toy.B}\n");
  EXPECT_THAT(text.substr(text.find("class ToyClient")), Not(HasSubstr("watch(")));
}

}  // namespace
}  // namespace hector::types

// What: names of types that are words of C++ or Python, in the code made of them.
// Why: people cannot change the names in other people's .proto files.
// Who: types_test; tests/system/generated_names_test.py compiles what is made.
#include "types/authoring/generation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>

#include "types/authoring/words.h"

namespace hector::types {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::vector<TypeDocument> documents(const std::string& proto, const std::string& yaml) {
  const std::map<std::string, std::string> texts{{"m.proto", "syntax = \"proto3\"; " + proto}};
  auto read = read_type_documents(yaml, "t.hector.yaml", ProtoSource(&texts));
  EXPECT_TRUE(read) << read.error().text();
  for (const auto& each : *read) EXPECT_FALSE(each.mistake) << each.mistake->text();
  return std::move(*read);
}
/// The header or the .pyi of one Interface t.I/1 with these operations; the error's text.
std::string cpp(const std::string& proto, const std::string& yaml) {
  auto made = generate_cpp(documents(proto, yaml), "t.hector.yaml");
  return made ? *made : made.error().text();
}
std::string python(const std::string& proto, const std::string& yaml) {
  auto made = generate_python(documents(proto, yaml), "t.hector.yaml");
  return made ? *made : made.error().text();
}
std::string interface(const std::string& operations) {
  return "interface: t.I/1\nmessages: [m.proto]\noperations:\n" + operations;
}

TEST(GeneratedCpp, PutsAnUnderscoreBehindAWordOfTheLanguage) {
  const auto made = cpp("package t; message Item {}",
                        interface("  delete: {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  co_await: {kind: announce, in: t.Item}\n"
                                  "  \"NULL\": {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  errno: {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  get: {kind: rpc, in: t.Item, out: t.Item}\n"));
  for (const char* name : {" delete_(", " co_await_(", " NULL_(", " errno_(", " get("})
    EXPECT_THAT(made, HasSubstr(name));
  EXPECT_THAT(made, HasSubstr("{\"delete\", ")) << "on the wire the operation keeps its name";
  EXPECT_THAT(made, HasSubstr("run<&I::delete_>"));
  EXPECT_THAT(made, HasSubstr("(who_, \"NULL\", item)"));
}

TEST(GeneratedCpp, KeepsOperationsApartFromTheClasssOwnMembers) {
  const auto made = cpp("package t; message Item {} message In {}",
                        interface("  I: {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  model: {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  who_: {kind: rpc, in: t.Item, out: t.Item}\n"
                                  "  both: {kind: stream, flow: out, in: t.In, out: t.Item}\n"));
  EXPECT_THAT(made, HasSubstr("> I_("));
  EXPECT_THAT(made, HasSubstr("> model_("));
  EXPECT_THAT(made, HasSubstr("> who_(const"));
  EXPECT_THAT(made, HasSubstr("> who__(const"));
  EXPECT_THAT(made, HasSubstr("const ::t::In& in_, "));
}

TEST(GeneratedCpp, NamesMessagesAsProtocDoes) {
  const auto made =
      cpp("package t; message delete {} message Order { message Line {} enum E { A = 0; } }",
          interface("  f: {kind: rpc, in: t.delete, out: t.Order.Line}\n"));
  EXPECT_THAT(made, HasSubstr("::hector::Result<::t::Order_Line> f(const ::t::delete_& delete_"));
}

TEST(GeneratedCpp, GivesAnInterfaceAnotherNameWhereProtocHasTaken) {
  const std::string operations = "operations:\n  f: {kind: rpc, in: t.Item, out: t.Item}\n";
  const auto named = [&](const std::string& proto, const std::string& name) {
    return cpp("package t; message Item {} " + proto,
               "interface: t." + name + "/1\nmessages: [m.proto]\n" + operations);
  };
  EXPECT_THAT(named("", "class"), HasSubstr("class class_ {"));
  EXPECT_THAT(named("message Shop {}", "Shop"), HasSubstr("class ShopInterface {"));
  EXPECT_THAT(named("message ShopStub {}", "Shop"), HasSubstr("class ShopInterface {"));
  EXPECT_THAT(named("enum Shop { A = 0; }", "Shop"), HasSubstr("class ShopInterface {"));
  EXPECT_THAT(named("enum E { A = 0; }", "A"), HasSubstr("class AInterface {"));
  EXPECT_THAT(named("message Shop { message Till {} }", "Shop_Till"),
              HasSubstr("class Shop_TillInterface {"));
}

TEST(GeneratedCpp, TellsTwoMajorsOfOneInterfaceApart) {
  const std::string rest =
      "messages: [m.proto]\noperations:\n  f: {kind: rpc, in: t.Item, out: t.Item}\n";
  const auto made = cpp("package t; message Item {}",
                        "interface: t.I/1\n" + rest + "---\ninterface: t.I/2\n" + rest);
  EXPECT_THAT(made, HasSubstr("class I {"));
  EXPECT_THAT(made, HasSubstr("class IInterface {"));
}

TEST(GeneratedCpp, RefusesWhatProtocMakesNoCppOf) {
  const auto operation = [](const std::string& message) {
    return interface("  f: {kind: rpc, in: " + message + ", out: " + message + "}\n");
  };
  EXPECT_THAT(cpp("package t.new; message M {}", operation("t.new.M")),
              HasSubstr("m.proto: 'new' is a word of C++"));
  EXPECT_THAT(cpp("package t; message concept {}", operation("t.concept")),
              HasSubstr("'concept' is a name of which protoc makes"));
  EXPECT_THAT(cpp("package t; message EOF {}", operation("t.EOF")), HasSubstr("'EOF' is a name"));
  EXPECT_THAT(cpp("package t; message from {}", operation("t.from")), HasSubstr("message t.from"));
  EXPECT_THAT(cpp("package t; message M { message requires {} }", operation("t.M")),
              HasSubstr("message t.M.requires"));
  EXPECT_THAT(cpp("package t; message M { int32 errno = 1; }", operation("t.M")),
              HasSubstr("'errno' is a name of which"));
  EXPECT_THAT(cpp("package t; message M {} enum E { A = 0; EINVAL = 1; }", operation("t.M")),
              HasSubstr("value t.EINVAL"));
  EXPECT_THAT(cpp("package t; message M { int32 class = 1; int32 EOF = 2; }", operation("t.M")),
              HasSubstr("class I"))
      << "protoc makes class_() and eof() of them";
  EXPECT_THAT(cpp("package t; message M {}",
                  "interface: t.my-own/1\nmessages: [m.proto]\noperations:\n"
                  "  f: {kind: rpc, in: t.M, out: t.M}\n"),
              HasSubstr("'my-own' of t.my-own/1 cannot be a name in C++"));
}

TEST(GeneratedCpp, KeepsADescriptionInItsComment) {
  const auto made = cpp("package t; message Item {}",
                        "interface: t.I/1\ndescription: |\n  one \\\n  two\nmessages: [m.proto]\n"
                        "operations:\n  f: {kind: rpc, in: t.Item, out: t.Item}\n");
  EXPECT_THAT(made, HasSubstr("/// t.I/1: one\n/// two\n/// A template"));
}

TEST(GeneratedPython, PutsAnUnderscoreBehindAWordOfTheLanguage) {
  const auto made = python("package t; message None {} message From {}",
                           interface("  import: {kind: rpc, in: t.From, out: t.None}\n"
                                     "  match: {kind: announce, in: t.None}\n"));
  EXPECT_THAT(made, HasSubstr("class None_(Message):"));
  EXPECT_THAT(made, HasSubstr("def import_(self, from_: From) -> None_ | Awaitable[None_]: ..."));
  EXPECT_THAT(made, HasSubstr("def match(self, none: None_) -> None | Awaitable[None]: ..."));
}

TEST(GeneratedPython, SaysHowFieldsAreReachedThatCannotBeWritten) {
  const auto made = python("package t; message Trip { string from = 1; int32 self = 2; }",
                           interface("  f: {kind: rpc, in: t.Trip, out: t.Trip}\n"));
  EXPECT_THAT(made, HasSubstr("    # from: str, by getattr(message, \"from\")\n"));
  EXPECT_THAT(made, HasSubstr("def __init__(self_, *, self: int = ..., **others: object) -> None"));
}

TEST(GeneratedPython, NamesMessagesInsideOthersByTheirWholeName) {
  EXPECT_THAT(python("package t; message Order { message Line { message in {} } }",
                     interface("  f: {kind: rpc, in: t.Order.Line, out: t.Order.Line.in}\n")),
              HasSubstr("def f(self, line: Order.Line) -> Order.Line.in_ | "));
}

TEST(GeneratedPython, MeansPythonsOwnNamesWhereTheTypesHaveThemToo) {
  const auto made = python("package t; message str { string int = 1; int32 n = 2; } message ABC {}",
                           interface("  f: {kind: rpc, in: t.str, out: t.ABC}\n"));
  EXPECT_THAT(made, HasSubstr("from builtins import int as _int, str as _str\n"));
  EXPECT_THAT(made, HasSubstr("    int: _str\n    n: _int\n"));
  EXPECT_THAT(made, HasSubstr("class I(_ABC):"));
}

TEST(GeneratedPython, DeclaresWhatAnImportCannotGiveUnderAnotherName) {
  const auto made = python("package t; message I {} message Item { I i = 1; }",
                           interface("  f: {kind: rpc, in: t.I, out: t.Item}\n"));
  EXPECT_THAT(made, HasSubstr("class _t_I(Message):"));
  EXPECT_THAT(made, HasSubstr("    i: _t_I\n"));
  EXPECT_THAT(made, HasSubstr("class I(ABC):"));
}

TEST(GeneratedPython, QuotesADescription) {
  EXPECT_THAT(python("package t; message M {}",
                     "interface: t.I/1\ndescription: 'ends \\ in \"'\nmessages: [m.proto]\n"
                     "operations:\n  f: {kind: rpc, in: t.M, out: t.M}\n"),
              HasSubstr(R"("""Interface t.I/1. ends \\ in \"""")"));
}

TEST(Words, AreKeywordsAndMacrosButNotNamesInCapitals) {
  for (const char* word : {"delete", "xor_eq", "char8_t", "requires", "NULL", "EINVAL",
                           "EWOULDBLOCK", "INT_MAX", "assert", "stdin", "linux", "SEEK_SET"})
    EXPECT_TRUE(is_cpp_word(word)) << word;
  for (const char* name :
       {"Delete", "KV", "GET", "null", "import", "module", "override", "E", "EPIC"})
    EXPECT_FALSE(is_cpp_word(name)) << name;
}

}  // namespace
}  // namespace hector::types

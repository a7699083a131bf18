// What: tests of check_whole() with ELF headers made by hand.
// Why: a library that is still being written must be found before it is mapped: a process that
// touches a page behind a file's end is killed.
// Who: ctest, in cpp_language_test, whose other tests load whole libraries.
#include "library_copy.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstring>
#include <limits>

namespace hector::cpp_language {
namespace {

using ::testing::HasSubstr;

/// A header, one segment's header and the segment's octets; the table of sections at the end.
struct File {
  Elf64_Ehdr head{};
  Elf64_Phdr segment{};
  std::string octets = std::string(100, 'x');

  File() {
    std::memcpy(head.e_ident, ELFMAG, SELFMAG);
    head.e_ident[EI_CLASS] = ELFCLASS64;
    head.e_type = ET_DYN;
    head.e_phoff = sizeof head;
    head.e_phnum = 1;
    head.e_phentsize = sizeof segment;
    segment.p_offset = sizeof head + sizeof segment;
    segment.p_filesz = octets.size();
    head.e_shoff = segment.p_offset + octets.size();
    head.e_shentsize = sizeof(Elf64_Shdr);
  }
  [[nodiscard]] std::string whole() const {
    std::string made(reinterpret_cast<const char*>(&head), sizeof head);
    made.append(reinterpret_cast<const char*>(&segment), sizeof segment);
    made += octets;
    return made + std::string(std::size_t{head.e_shnum} * head.e_shentsize, '\0');
  }
};

std::string wrong_with(std::string_view file) {
  const auto whole = check_whole(file);
  return whole ? "" : whole.error().message;
}

TEST(SharedObject, IsTakenWhole) {
  EXPECT_EQ(wrong_with(File().whole()), "");
  File with_sections;
  with_sections.head.e_shnum = 3;
  EXPECT_EQ(wrong_with(with_sections.whole()), "");
}

TEST(SharedObject, IsToldFromOtherFiles) {
  EXPECT_THAT(wrong_with(""), HasSubstr("it is no shared object (ELF)"));
  EXPECT_THAT(wrong_with(std::string(200, 'x')), HasSubstr("it is no shared object (ELF)"));
  File program;
  program.head.e_type = ET_EXEC;
  EXPECT_THAT(wrong_with(program.whole()), HasSubstr("build it with -shared -fPIC"));
  File small;
  small.head.e_ident[EI_CLASS] = ELFCLASS32;
  EXPECT_THAT(wrong_with(small.whole()), HasSubstr("no shared object of 64 bits"));
}

TEST(SharedObject, ThatLacksItsLastOctetIsAPart) {
  File file;
  file.head.e_shnum = 3;
  const std::string whole = file.whole();
  for (const std::size_t size : {whole.size() - 1, sizeof file.head + 10, sizeof file.head})
    EXPECT_THAT(wrong_with(whole.substr(0, size)), HasSubstr("it is a part of a shared object"))
        << size;
}

TEST(SharedObject, WhoseSegmentGoesBeyondTheFileIsAPart) {
  File longer;
  longer.segment.p_filesz += 1;
  EXPECT_THAT(wrong_with(longer.whole()), HasSubstr("it is a part of a shared object"));
  File behind;
  behind.segment.p_offset = 1'000'000;
  behind.segment.p_filesz = 0;
  EXPECT_THAT(wrong_with(behind.whole()), HasSubstr("it is a part of a shared object"));
}

/// As a damaged file has them: they must not come out small again.
TEST(SharedObject, WithNumbersThatOverflowIsRefused) {
  constexpr auto kHuge = std::numeric_limits<std::uint64_t>::max();
  File segment;
  segment.segment.p_offset = 1;
  segment.segment.p_filesz = kHuge;
  EXPECT_NE(wrong_with(segment.whole()), "");
  File segments;
  segments.head.e_phoff = kHuge - 8;
  EXPECT_NE(wrong_with(segments.whole()), "");
  File sections;
  sections.head.e_shoff = kHuge - 8;
  sections.head.e_shnum = 1;
  const std::string file = sections.whole();
  EXPECT_NE(wrong_with(file), "");
}

}  // namespace
}  // namespace hector::cpp_language

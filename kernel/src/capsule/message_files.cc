// What: the functions by which generated message code registers itself, in place of those of
// libprotobuf: libhector.so comes before it in the order in which names are looked up.
// Why: see hector/message_files.h. The ones in libprotobuf 3.21 (generated_message_reflection.cc,
// extension_set.cc) end the process at the second registration.
// Who: the static initialisers of every library with generated message classes.
#include "hector/message_files.h"

#include <dlfcn.h>
#include <fmt/format.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>
#include <google/protobuf/extension_set.h>
#include <google/protobuf/generated_message_reflection.h>
#include <google/protobuf/message.h>

#include <cstring>
#include <map>
#include <mutex>
#include <set>
#include <string_view>
#include <utility>

#include "hector/check.h"

namespace hector {

namespace {

thread_local MessageFiles* loading_here = nullptr;

/// libprotobuf's own function of this (mangled) name.
template <class Function>
Function next(const char* name) {
  void* const found = dlsym(RTLD_NEXT, name);
  HECTOR_CHECK(found != nullptr, "libprotobuf has no function that libhector stands in front of");
  return reinterpret_cast<Function>(found);
}

}  // namespace

/// Any thread. Made at the first registration and never destroyed: static destructors of libraries
/// run in any order.
struct MessageFileRegistry {
  static MessageFileRegistry& get() {
    static auto* const made = new MessageFileRegistry();
    return *made;
  }

  enum class Answer { kNew, kShared, kConflict };
  Answer add(std::string_view content) {
    const std::lock_guard lock(mutex);
    const std::string_view name = name_of(content);
    const auto [at, is_new] = files.try_emplace(name, File{content, owner()});
    if (is_new) return Answer::kNew;
    if (at->second.content == content) return Answer::kShared;
    if (loading_here == nullptr) return Answer::kNew;  // libprotobuf says it in its own way
    loading_here->conflicts_.push_back(fmt::format(
        "'{}' is in this process with another content, from {}", name, at->second.owner));
    return Answer::kConflict;
  }
  /// A serialised FileDescriptorProto begins with its name: field 1, below 128 octets in one octet.
  std::string_view name_of(std::string_view file) {
    if (file.size() > 2 && file[0] == '\x0a' && static_cast<unsigned char>(file[1]) < 128 &&
        file.size() >= 2U + static_cast<unsigned char>(file[1]))
      return file.substr(2, static_cast<unsigned char>(file[1]));
    google::protobuf::FileDescriptorProto parsed;
    static_cast<void>(parsed.ParseFromArray(file.data(), static_cast<int>(file.size())));
    return *names.insert(parsed.name()).first;
  }
  bool add_table(const char* name) {
    const std::lock_guard lock(mutex);
    return tables.insert(name).second;
  }
  bool add_extension(const void* extendee, int number) {
    const std::lock_guard lock(mutex);
    return extensions.emplace(extendee, number).second;
  }
  static std::string owner() {
    return loading_here == nullptr ? "the capsule itself" : loading_here->owner_;
  }

  struct File {
    std::string_view content;  ///< in its library, which is never unmapped
    std::string owner;
  };
  std::mutex mutex;
  std::map<std::string_view, File> files;
  std::set<std::string> names;  ///< of files that do not begin with theirs
  std::set<std::string_view> tables;
  std::set<std::pair<const void*, int>> extensions;
};

MessageFiles::MessageFiles(std::string owner) : owner_(std::move(owner)) {
  HECTOR_CHECK(loading_here == nullptr, "a thread loads two libraries at once");
  loading_here = this;
}

MessageFiles::~MessageFiles() {
  HECTOR_CHECK(loading_here == this, "the load of a library ends that another thread began");
  loading_here = nullptr;
}

}  // namespace hector

namespace google::protobuf {

void DescriptorPool::InternalAddGeneratedFile(const void* content, int size) {
  using hector::MessageFileRegistry;
  using Original = void (*)(const void*, int);
  static const auto original =
      hector::next<Original>("_ZN6google8protobuf14DescriptorPool24InternalAddGeneratedFileEPKvi");
  const std::string_view file(static_cast<const char*>(content), static_cast<std::size_t>(size));
  if (MessageFileRegistry::get().add(file) == MessageFileRegistry::Answer::kNew)
    original(content, size);
}

void MessageFactory::InternalRegisterGeneratedFile(const internal::DescriptorTable* table) {
  using Original = void (*)(const internal::DescriptorTable*);
  static const auto original = hector::next<Original>(
      "_ZN6google8protobuf14MessageFactory29InternalRegisterGeneratedFileEPKNS0_"
      "8internal15DescriptorTableE");
  if (hector::MessageFileRegistry::get().add_table(table->filename)) original(table);
}

namespace internal {

void ExtensionSet::RegisterExtension(const MessageLite* extendee, int number, FieldType type,
                                     bool is_repeated, bool is_packed,
                                     LazyEagerVerifyFnType verify) {
  static const auto original = hector::next<decltype(&ExtensionSet::RegisterExtension)>(
      "_ZN6google8protobuf8internal12ExtensionSet17RegisterExtensionEPKNS0_11MessageLiteEihbb"
      "PFPKcS7_PNS1_12ParseContextEE");
  if (hector::MessageFileRegistry::get().add_extension(extendee, number))
    original(extendee, number, type, is_repeated, is_packed, verify);
}

void ExtensionSet::RegisterEnumExtension(const MessageLite* extendee, int number, FieldType type,
                                         bool is_repeated, bool is_packed,
                                         EnumValidityFunc* is_valid) {
  static const auto original = hector::next<decltype(&ExtensionSet::RegisterEnumExtension)>(
      "_ZN6google8protobuf8internal12ExtensionSet21RegisterEnumExtensionEPKNS0_11MessageLiteEihbb"
      "PFbiE");
  if (hector::MessageFileRegistry::get().add_extension(extendee, number))
    original(extendee, number, type, is_repeated, is_packed, is_valid);
}

void ExtensionSet::RegisterMessageExtension(const MessageLite* extendee, int number, FieldType type,
                                            bool is_repeated, bool is_packed,
                                            const MessageLite* prototype,
                                            LazyEagerVerifyFnType verify) {
  static const auto original = hector::next<decltype(&ExtensionSet::RegisterMessageExtension)>(
      "_ZN6google8protobuf8internal12ExtensionSet24RegisterMessageExtensionEPKNS0_"
      "11MessageLiteEihbb"
      "S5_PFPKcS7_PNS1_12ParseContextEE");
  if (hector::MessageFileRegistry::get().add_extension(extendee, number))
    original(extendee, number, type, is_repeated, is_packed, prototype, verify);
}

}  // namespace internal

}  // namespace google::protobuf

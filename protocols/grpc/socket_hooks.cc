#include "socket_hooks.h"

#include <elf.h>
#include <grpc/grpc.h>
#include <link.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <string_view>

#include "encrypted_socket.h"

namespace hector::grpcp {

namespace {

/// A descriptor is a small number: the system gives the lowest that is free.
constexpr int kDescriptorsMax = 65'536;

/// The functions below are called by gRPC with a descriptor and nothing else, so this is the one
/// place where they can find whose it is.
std::array<std::atomic<WatchedSocket*>, kDescriptorsMax> watched_sockets;

WatchedSocket* watched(int descriptor) noexcept {
  if (descriptor < 0 || descriptor >= kDescriptorsMax) return nullptr;
  return watched_sockets[static_cast<std::size_t>(descriptor)].load(std::memory_order_acquire);
}

/// As ::recvmsg, and not more than this.
ssize_t receive_some(int descriptor, msghdr& message, int flags, std::size_t most) {
  std::size_t fit = 0;
  for (std::size_t i = 0; i < message.msg_iovlen; ++i) {
    iovec& part = message.msg_iov[i];
    fit += part.iov_len;
    if (fit <= most) continue;
    const std::size_t whole_length = part.iov_len, whole_count = message.msg_iovlen;
    part.iov_len -= fit - most;
    message.msg_iovlen = i + 1;
    const ssize_t size = ::recvmsg(descriptor, &message, flags);
    part.iov_len = whole_length;
    message.msg_iovlen = whole_count;
    return size;
  }
  return ::recvmsg(descriptor, &message, flags);
}

ssize_t receive(int descriptor, msghdr* message, int flags) {
  auto* const socket = watched(descriptor);
  if (socket == nullptr) return ::recvmsg(descriptor, message, flags);
  const std::size_t room = socket->room();
  auto* const encryption = socket->encryption();
  if (encryption == nullptr && room == 0) {
    errno = EAGAIN;
    return -1;
  }
  const ssize_t size = encryption != nullptr ? encryption->receive(*message, room)
                                             : receive_some(descriptor, *message, flags, room);
  if (size <= 0) return size;
  auto left = static_cast<std::size_t>(size);
  for (std::size_t i = 0; i < message->msg_iovlen && left != 0; ++i) {
    const iovec& part = message->msg_iov[i];
    const std::size_t here = std::min(left, part.iov_len);
    left -= here;
    if (socket->on_read({static_cast<const std::uint8_t*>(part.iov_base), here})) continue;
    errno = ECONNRESET;
    return -1;
  }
  return size;
}

ssize_t send(int descriptor, const msghdr* message, int flags) {
  auto* const socket = watched(descriptor);
  auto* const encryption = socket == nullptr ? nullptr : socket->encryption();
  return encryption == nullptr ? ::sendmsg(descriptor, message, flags) : encryption->send(*message);
}

int close_socket(int descriptor) {
  if (watched(descriptor) != nullptr) {
    auto* const socket = watched_sockets[static_cast<std::size_t>(descriptor)].exchange(nullptr);
    if (socket != nullptr) socket->on_close();
  }
  return ::close(descriptor);
}

/// One import of a library, and what it leads to now.
struct Import {
  std::string_view name;
  void* ours;
  bool is_found = false;
};

struct Search {
  ElfW(Addr) inside;  ///< an address within the library
  std::array<Import, 3> imports;
};

/// The tables of a loaded library that name its imports.
struct Tables {
  ElfW(Addr) base = 0;
  const ElfW(Sym) * symbols = nullptr;
  const char* names = nullptr;
  const ElfW(Rela) * relocations[2] = {};
  std::size_t sizes[2] = {};  ///< in octets
};

Tables tables_of(const dl_phdr_info& library) {
  Tables tables{.base = library.dlpi_addr};
  const ElfW(Dyn)* entry = nullptr;
  for (int i = 0; i < library.dlpi_phnum; ++i) {
    if (library.dlpi_phdr[i].p_type == PT_DYNAMIC)
      entry = reinterpret_cast<const ElfW(Dyn)*>(tables.base + library.dlpi_phdr[i].p_vaddr);
  }
  for (; entry != nullptr && entry->d_tag != DT_NULL; ++entry) {
    // glibc has made addresses of most offsets; a few systems leave them as they are in the file.
    const auto address =
        entry->d_un.d_ptr < tables.base ? entry->d_un.d_ptr + tables.base : entry->d_un.d_ptr;
    if (entry->d_tag == DT_SYMTAB) tables.symbols = reinterpret_cast<const ElfW(Sym)*>(address);
    if (entry->d_tag == DT_STRTAB) tables.names = reinterpret_cast<const char*>(address);
    if (entry->d_tag == DT_JMPREL)
      tables.relocations[0] = reinterpret_cast<const ElfW(Rela)*>(address);
    if (entry->d_tag == DT_PLTRELSZ) tables.sizes[0] = entry->d_un.d_val;
    if (entry->d_tag == DT_RELA)
      tables.relocations[1] = reinterpret_cast<const ElfW(Rela)*>(address);
    if (entry->d_tag == DT_RELASZ) tables.sizes[1] = entry->d_un.d_val;
  }
  return tables;
}

bool holds(const dl_phdr_info& library, ElfW(Addr) address) {
  return std::any_of(
      library.dlpi_phdr, library.dlpi_phdr + library.dlpi_phnum, [&](const ElfW(Phdr) & part) {
        const auto begin = library.dlpi_addr + part.p_vaddr;
        return part.p_type == PT_LOAD && address >= begin && address < begin + part.p_memsz;
      });
}

bool is_read_only(const dl_phdr_info& library, ElfW(Addr) address) {
  return std::any_of(
      library.dlpi_phdr, library.dlpi_phdr + library.dlpi_phnum, [&](const ElfW(Phdr) & part) {
        const auto begin = library.dlpi_addr + part.p_vaddr;
        return part.p_type == PT_GNU_RELRO && address >= begin && address < begin + part.p_memsz;
      });
}

void lead(const dl_phdr_info& library, ElfW(Addr) slot, void* to) {
  const auto page = static_cast<ElfW(Addr)>(sysconf(_SC_PAGESIZE));
  auto* const whole = reinterpret_cast<void*>(slot / page * page);
  const bool is_protected = is_read_only(library, slot);
  if (is_protected && mprotect(whole, page, PROT_READ | PROT_WRITE) != 0) return;
  __atomic_store_n(reinterpret_cast<void**>(slot), to, __ATOMIC_RELEASE);
  if (is_protected) mprotect(whole, page, PROT_READ);
}

int look_at(dl_phdr_info* library, std::size_t /*size*/, void* given) {
  auto& search = *static_cast<Search*>(given);
  if (!holds(*library, search.inside)) return 0;
  const Tables tables = tables_of(*library);
  if (tables.symbols == nullptr || tables.names == nullptr) return 1;
  for (const int table : {0, 1}) {
    const auto* const first = tables.relocations[table];
    const std::size_t count = tables.sizes[table] / sizeof(ElfW(Rela));
    for (std::size_t i = 0; first != nullptr && i < count; ++i) {
      const auto symbol = ELF64_R_SYM(first[i].r_info);
      if (symbol == 0) continue;
      const std::string_view name = tables.names + tables.symbols[symbol].st_name;
      for (auto& import : search.imports) {
        if (import.name != name) continue;
        lead(*library, tables.base + first[i].r_offset, import.ours);
        import.is_found = true;
      }
    }
  }
  return 1;
}

}  // namespace

Status install_socket_hooks() {
  static_assert(sizeof(void*) == 8, "the relocations are read as those of 64-bit systems");
  Search search{reinterpret_cast<ElfW(Addr)>(&grpc_init),
                {Import{"recvmsg", reinterpret_cast<void*>(&receive)},
                 Import{"sendmsg", reinterpret_cast<void*>(&send)},
                 Import{"close", reinterpret_cast<void*>(&close_socket)}}};
  dl_iterate_phdr(look_at, &search);
  for (const auto& import : search.imports) {
    if (!import.is_found)
      return fail(Error::unimplemented(
          "this gRPC library reads its sockets in another way than Debian 12's, so what its peers "
          "make it keep cannot be bounded; install libgrpc++1.51"));
  }
  return {};
}

void wake_reader(int descriptor) noexcept {
  // The system says "readable" again whenever this is set (Linux 4.18, tcp_set_rcvlowat()).
  const int least = 1;
  setsockopt(descriptor, SOL_SOCKET, SO_RCVLOWAT, &least, sizeof least);
}

bool watch_socket(int descriptor, WatchedSocket& socket) noexcept {
  if (descriptor < 0 || descriptor >= kDescriptorsMax) return false;
  watched_sockets[static_cast<std::size_t>(descriptor)].store(&socket, std::memory_order_release);
  return true;
}

}  // namespace hector::grpcp

#include "socket_file.h"

#include <fmt/format.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>

namespace hector::unix_sockets {

namespace {

constexpr std::size_t kMachineLetters = 8;  ///< of 32: two machines meet by one in 4,294,967,296
constexpr int kBacklog = 128;
constexpr const char* kForm =
    "expected MACHINE:/absolute/path as a capsule writes it, /absolute/path, or * for a new one";

Error system_error(const SocketFile& place, const char* what) {
  return Error::unavailable(
      fmt::format("unix {}: cannot {}: {}", place.text(), what, std::strerror(errno)));
}

/// The path fits, or it was refused before.
sockaddr_un address_of(const SocketFile& place) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  place.path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

Descriptor make_socket() {
  return Descriptor(socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

Result<SocketFile> at_path(const std::string& text, std::string machine, std::string path) {
  if (path.empty() || path.front() != '/' || path.find('\0') != std::string::npos)
    return fail(Error::invalid_argument(fmt::format("unix address '{}': {}", text, kForm)));
  if (path.size() >= sizeof(sockaddr_un{}.sun_path))
    return fail(Error::invalid_argument(
        fmt::format("unix address '{}': a socket's path may have {} octets, this one has {}; "
                    "choose a shorter folder",
                    text, sizeof(sockaddr_un{}.sun_path) - 1, path.size())));
  return SocketFile{std::move(machine), std::move(path)};
}

/// Of this user alone, whoever made it.
Result<std::string> own_folder() {
  const char* const runtime = std::getenv("XDG_RUNTIME_DIR");
  const std::string folder = runtime != nullptr && *runtime != '\0'
                                 ? fmt::format("{}/hector-unix", runtime)
                                 : fmt::format("/tmp/hector-unix-{}", geteuid());
  if (mkdir(folder.c_str(), S_IRWXU) != 0 && errno != EEXIST)
    return fail(Error::unavailable(
        fmt::format("the folder {} cannot be made: {}", folder, std::strerror(errno))));
  struct stat found {};
  if (lstat(folder.c_str(), &found) != 0 || !S_ISDIR(found.st_mode) || found.st_uid != geteuid() ||
      (found.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(Error::permission_denied(fmt::format(
        "the folder {} is not this user's alone; remove it, or listen at a path", folder)));
  return folder;
}

/// A socket file that nobody listens at any more may be taken.
bool is_left_over(const SocketFile& place) {
  struct stat found {};
  if (lstat(place.path.c_str(), &found) != 0 || !S_ISSOCK(found.st_mode)) return false;
  const Descriptor probe = make_socket();
  const sockaddr_un address = address_of(place);
  return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 &&
         errno == ECONNREFUSED;
}

}  // namespace

std::string machine() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id.substr(0, kMachineLetters);
}

Result<SocketFile> parse_address(const std::string& text) {
  const std::size_t colon = text.find(":/");
  if (colon == std::string::npos || colon == 0 || text.find('/') < colon)
    return fail(Error::invalid_argument(fmt::format("unix address '{}': {}", text, kForm)));
  return at_path(text, text.substr(0, colon), text.substr(colon + 1));
}

Result<SocketFile> parse_place(const std::string& text, const std::string& name) {
  if (text == "*") return at_path(text, machine(), HECTOR_TRY(own_folder()) + "/" + name);
  if (text.starts_with('/')) return at_path(text, machine(), text);
  auto place = HECTOR_TRY(parse_address(text));
  if (place.machine != machine())
    return fail(Error::invalid_argument(
        fmt::format("unix address '{}' is of another machine; this one is {}", text, machine())));
  return place;
}

Result<Descriptor> listen_at(const SocketFile& place) {
  Descriptor made = make_socket();
  if (!made.is_open()) return fail(system_error(place, "make a socket"));
  const sockaddr_un address = address_of(place);
  const auto* const any = reinterpret_cast<const sockaddr*>(&address);
  int bound = bind(made.get(), any, sizeof address);
  if (bound != 0 && errno == EADDRINUSE && is_left_over(place)) {
    unlink(place.path.c_str());
    bound = bind(made.get(), any, sizeof address);
  }
  if (bound != 0 && errno == EADDRINUSE)
    return fail(Error::already_exists(fmt::format(
        "unix address {} is in use; stop who listens there, or choose another", place.path)));
  if (bound != 0) return fail(system_error(place, "listen"));
  // Nobody is accepted before this: there is no listen() yet.
  if (chmod(place.path.c_str(), S_IRUSR | S_IWUSR) != 0 || ::listen(made.get(), kBacklog) != 0) {
    Error why = system_error(place, "listen");
    unlink(place.path.c_str());
    return fail(std::move(why));
  }
  return made;
}

Result<Descriptor> connect_to(const SocketFile& place) {
  if (place.machine != machine())
    return fail(Error::unavailable(
                    fmt::format("unix {}: that is another machine, or this one before it was "
                                "started again; use another protocol",
                                place.text()))
                    .with_type(kNotExecuted));
  Descriptor made = make_socket();
  const sockaddr_un address = address_of(place);
  if (made.is_open() &&
      connect(made.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
    return made;
  return fail(system_error(place, "connect").with_type(kNotExecuted));
}

Result<OtherEnd> other_end(int connection) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0)
    return fail(Error::permission_denied("the system does not say whose connection this is"));
  if (peer.uid != geteuid() && peer.uid != 0)
    return fail(Error::permission_denied(fmt::format(
        "process {} is of user {}, and this capsule of user {}", peer.pid, peer.uid, geteuid())));
  return OtherEnd{peer.uid, peer.pid};
}

}  // namespace hector::unix_sockets

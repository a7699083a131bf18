// What: where the unix protocol listens: socket files, their addresses, and who is at the other
// end.
// Why: the file's permissions and the system's word for the peer's user are all the security that
// two processes of one user need.
// Who: the unix protocol's client and server.
#pragma once

#include <sys/types.h>

#include <string>

#include "hector/descriptor.h"
#include "hector/result.h"

namespace hector::unix_sockets {

/// This machine since it was started: what another one says of a path is not about files here.
std::string machine();

/// "MACHINE:/absolute/path".
struct SocketFile {
  std::string machine;
  std::string path;
  [[nodiscard]] std::string text() const { return machine + ":" + path; }
};

/// INVALID_ARGUMENT: no address, or a path that is not absolute or too long for a socket.
Result<SocketFile> parse_address(const std::string& text);
/// What an Endpoint may be told: a path, an address of this machine, or `*` for a new one in this
/// user's own folder, under this name.
Result<SocketFile> parse_place(const std::string& text, const std::string& name);

/// A socket that listens there, for this user only; its file is made, in a folder that must be
/// there. ALREADY_EXISTS: a process listens there, or it is another file.
Result<Descriptor> listen_at(const SocketFile& place);
/// UNAVAILABLE, of type kNotExecuted: nobody listens there, or too many wait.
Result<Descriptor> connect_to(const SocketFile& place);

/// The process at the other end of a connection, as the system knows it.
struct OtherEnd {
  uid_t user = 0;
  pid_t process = 0;
};
/// PERMISSION_DENIED: it is neither this user's nor root's.
Result<OtherEnd> other_end(int connection);

}  // namespace hector::unix_sockets

// What: clients and workers of RFC 7 (7/MDP) over libzmq alone, that do nothing but ask and answer.
// Why: a broker is what is measured: whoever asks it has to be faster.
// Who: bench/worlds.py, as `mdp serve ADDRESS WORKERS` and `mdp call ADDRESS`, which answers each
// line "COUNT TOGETHER" with calls a second.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <string>
#include <vector>
#include <zmq.hpp>
#include <zmq_addon.hpp>

namespace {

using Time = std::chrono::steady_clock;

void send(zmq::socket_t& socket, const std::vector<std::string>& frames) {
  for (std::size_t i = 0; i < frames.size(); ++i)
    socket.send(zmq::buffer(frames[i]),
                i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
}
std::vector<zmq::message_t> receive(zmq::socket_t& socket) {
  std::vector<zmq::message_t> frames;
  static_cast<void>(zmq::recv_multipart(socket, std::back_inserter(frames)));
  return frames;
}

void serve(zmq::context_t& context, const std::string& at, int count) {
  std::vector<std::unique_ptr<zmq::socket_t>> workers;
  std::vector<zmq::pollitem_t> items;
  for (int i = 0; i < count; ++i) {
    workers.push_back(std::make_unique<zmq::socket_t>(context, zmq::socket_type::dealer));
    workers.back()->connect(at);
    send(*workers.back(), {"", "MDPW01", "\x01", "echo"});
    items.push_back({workers.back()->handle(), 0, ZMQ_POLLIN, 0});
  }
  std::printf("ready\n");
  std::fflush(stdout);
  auto beat = Time::now();
  for (;;) {
    zmq::poll(items.data(), items.size(), std::chrono::milliseconds(200));
    for (std::size_t i = 0; i < items.size(); ++i) {
      if ((items[i].revents & ZMQ_POLLIN) == 0) continue;
      const auto frames = receive(*workers[i]);
      if (frames.size() > 4 && frames[2].to_string_view() == "\x02")
        send(*workers[i], {"", "MDPW01", "\x03", frames[3].to_string(), "", "1"});
    }
    if (Time::now() - beat > std::chrono::seconds(1)) {
      beat = Time::now();
      for (const auto& each : workers) send(*each, {"", "MDPW01", "\x04"});
    }
  }
}

void call(zmq::context_t& context, const std::string& at) {
  zmq::socket_t socket(context, zmq::socket_type::dealer);
  socket.set(zmq::sockopt::sndhwm, 0);
  socket.connect(at);
  const auto ask = [&] { send(socket, {"", "MDPC01", "echo", "0"}); };
  ask();
  static_cast<void>(receive(socket));
  std::printf("ready\n");
  std::fflush(stdout);
  for (int count = 0, together = 0; std::scanf("%d %d", &count, &together) == 2;) {
    const auto begin = Time::now();
    for (int i = 0; i < together; ++i) ask();
    for (int i = 0; i < count; ++i) {
      static_cast<void>(receive(socket));
      if (i + together < count) ask();
    }
    std::printf("%.1f\n", count / std::chrono::duration<double>(Time::now() - begin).count());
    std::fflush(stdout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  zmq::context_t context;
  if (std::strcmp(argv[1], "serve") == 0)
    serve(context, argv[2], argc > 3 ? std::atoi(argv[3]) : 1);
  else
    call(context, argv[2]);
  std::fflush(stdout);
  std::_Exit(0);
}

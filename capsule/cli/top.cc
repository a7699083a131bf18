// What: `hector top`: what every Object of a capsule is at, looked at again and again.
// Why: who burns a processor or holds up its callers is found at a glance. Who: operators.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <map>
#include <thread>

#include "cli/commands.h"
#include "cli/output.h"
#include "hector/management/v1/management.pb.h"

namespace hector {

namespace {

namespace m = management::v1;
using Time = std::chrono::steady_clock::time_point;

/// Until the first rates are shown.
constexpr std::uint32_t kFirstMs = 500;

struct Arguments {
  std::uint32_t every_ms = 1'000;
  std::uint32_t count = 0;
  std::uint32_t rows = 20;
};

/// What one look shows of one Object.
struct Usage {
  std::string name, state, queued;
  std::uint64_t calls = 0, processor_ms = 0, running_ms = 0;
};

std::uint64_t number(const std::string& text) { return std::strtoull(text.c_str(), nullptr, 10); }

Usage usage_of(const m::Item& item) {
  Usage usage{.name = item.name(), .state = {}, .queued = {}};
  for (const auto& field : item.fields()) {
    if (field.name() == "state") usage.state = field.value();
    if (field.name() == "queued") usage.queued = field.value();
    if (field.name() == "calls") usage.calls = number(field.value());
    if (field.name() == "processor ms") usage.processor_ms = number(field.value());
    if (field.name() == "running ms") usage.running_ms = number(field.value());
  }
  return usage;
}

/// Remembers the look before: what is shown is a difference.
class Top {
 public:
  /// The busiest first.
  std::vector<OutputRow> rows(const m::ListReply& reply, Time now) {
    const double seconds =
        before_.empty() ? 0 : std::chrono::duration<double>(now - looked_at_).count();
    struct Line {
      Usage usage;
      double processor, calls;
    };
    std::vector<Line> lines;
    std::map<std::string, Usage> present;
    for (const auto& item : reply.items()) {
      const Usage usage = usage_of(item);
      const auto known = before_.find(usage.name);
      const bool is_known = seconds > 0 && known != before_.end();
      const auto rate = [&](std::uint64_t now_total, std::uint64_t total) {
        return now_total < total ? 0 : static_cast<double>(now_total - total) / seconds;
      };
      lines.push_back({usage,
                       is_known ? rate(usage.processor_ms, known->second.processor_ms) / 10 : 0,
                       is_known ? rate(usage.calls, known->second.calls) : 0});
      present[usage.name] = usage;
    }
    std::stable_sort(lines.begin(), lines.end(), [](const Line& a, const Line& b) {
      if (a.processor != b.processor) return a.processor > b.processor;
      return a.usage.running_ms > b.usage.running_ms;
    });
    before_ = std::move(present);
    looked_at_ = now;
    std::vector<OutputRow> rows;
    for (const auto& line : lines) {
      rows.push_back(
          {line.usage.name,
           {{"processor %", fmt::format("{:.0f}", line.processor)},
            {"processor s", fmt::format("{:.1f}", double(line.usage.processor_ms) / 1e3)},
            {"calls/s", fmt::format("{:.0f}", line.calls)},
            {"waiting", line.usage.queued},
            {"state", line.usage.state}}});
    }
    return rows;
  }

 private:
  std::map<std::string, Usage> before_;
  Time looked_at_{};
};

void show(const CommandContext& context, std::vector<OutputRow> rows, const Arguments& a) {
  if (context.format != "table") return write_out(format_rows(rows, context.format));
  constexpr const char* kHomeAndClear = "\033[H\033[2J";  ///< ANSI's, as every terminal knows them
  const std::size_t objects = rows.size();
  if (rows.size() > a.rows) rows.resize(a.rows);
  if (isatty(STDOUT_FILENO) != 0 && a.count != 1) write_out(kHomeAndClear);
  write_out(format_rows(rows, "wide"));
  if (objects > rows.size()) emit("and {} more\n", objects - rows.size());
}

int top(const CommandContext& context, const Arguments& a) {
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  m::ListRequest request;
  request.set_kind("objects");
  Top top;
  for (std::uint32_t round = 0;; ++round) {
    auto reply = session.ask<m::ListReply>("list", request);
    if (!reply) return report(reply.error());
    auto rows = top.rows(*reply, std::chrono::steady_clock::now());
    if (round == 0) {  // there is nothing before it to compare with
      std::this_thread::sleep_for(std::chrono::milliseconds(std::min(a.every_ms, kFirstMs)));
      continue;
    }
    show(context, std::move(rows), a);
    if (finish_output(0) != 0) return kExitFailed;
    if (round == a.count) return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(a.every_ms));
  }
}

}  // namespace

void add_top_command(CommandTree& tree) {
  using P = Parameter<Arguments>;
  tree.add<Arguments>({{"top",
                        "what every Object is at, again and again until Ctrl-C",
                        {P{"--every-ms", &Arguments::every_ms, "between two looks"},
                         P{"--count,-n", &Arguments::count, "looks; 0: until Ctrl-C"},
                         P{"--rows", &Arguments::rows, "the busiest Objects, at most so many"}},
                        top}});
}

}  // namespace hector

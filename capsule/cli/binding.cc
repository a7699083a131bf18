#include "cli/binding.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <memory>

#include "cli/object.h"
#include "hector/binding/v1/binding.pb.h"

namespace hector {

namespace {

namespace b = binding::v1;

/// Asks the Binding's control Object through the capsule's management interface.
template <class Out, class In, class Show>
int ask_binding(const CliOptions& options, const std::string& format, const std::string& id,
                const std::string& operation, const In& request, Show show) {
  CliSession session(options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto out = ask_object<Out>(session, options, "_binding-" + id, operation, request);
  if (!out && out.error().code == Code::kNotFound &&
      out.error().message.find("'_binding-" + id + "'") != std::string::npos) {
    return report({Code::kNotFound,
                   fmt::format("capsule '{}' made no Binding '{}'; `hector get bindings` lists "
                               "them (--capsule chooses another)",
                               session.capsule(), id)});
  }
  if (!out) return report(out.error());
  if (format == "json") {
    fmt::print("{}\n", json_of(*out, true));
  } else {
    show(*out);
  }
  return 0;
}

void show_state(const b::State& state) {
  fmt::print("binding {} of {}: {}\n", state.binding(), state.type(), state.state());
  for (const auto& party : state.formation().parties())
    fmt::print("  {} {}  {} @ {} ({}) — {}\n", party.role(), party.number(), party.object(),
               party.capsule(), party.interface_id(), party.how());
  for (const auto& channel : state.formation().channels()) {
    fmt::print("  {} → {}: {} {} [{}]\n      because {}\n", channel.from(), channel.to(),
               channel.protocol(), channel.address(), channel.interactions(), channel.why());
  }
}

/// What the options write into; lives as long as the program runs.
struct Arguments {
  std::string id, place, who, protocol;
  std::uint64_t wait_ms = 0, after = 0;
};

/// "ROLE" or "ROLE.NUMBER".
template <class Request>
bool set_place(const std::string& place, Request& request) {
  const auto dot = place.rfind('.');
  request.set_role(place.substr(0, dot));
  if (dot == std::string::npos) return true;
  try {
    request.set_number(static_cast<std::uint32_t>(std::stoul(place.substr(dot + 1))));
    return true;
  } catch (const std::exception&) {
    report({Code::kInvalidArgument,
            fmt::format("'{}' is not ROLE or ROLE.NUMBER, as in attendee.2", place)});
    return false;
  }
}

}  // namespace

void add_binding_commands(CLI::App& app, CliOptions& options, std::string& format,
                          std::function<int()>& chosen) {
  auto* group = app.add_subcommand(
      "binding", "a Binding that runs: its parties, its channels, and what changes in them");
  group->require_subcommand(1);
  const auto arguments = std::make_shared<Arguments>();
  const auto add = [&](const char* name, const char* text) {
    auto* command = group->add_subcommand(name, text);
    command->add_option("binding", arguments->id, "its id, as `hector get bindings` shows it")
        ->required();
    return command;
  };
  const auto place = [&](CLI::App* command) {
    command->add_option("place", arguments->place, "ROLE or ROLE.NUMBER")->required();
  };
  const auto plain = [&, arguments](const char* name, const char* text) {
    add(name, text)->callback([&options, &format, &chosen, arguments, name] {
      chosen = [&options, &format, arguments, name] {
        return ask_binding<b::Done>(options, format, arguments->id, name, b::Nothing(),
                                    [](const b::Done& done) { fmt::print("{}\n", done.text()); });
      };
    });
  };

  add("describe", "its state, parties and channels")
      ->callback([&options, &format, &chosen, arguments] {
        chosen = [&options, &format, arguments] {
          return ask_binding<b::State>(options, format, arguments->id, "describe", b::Nothing(),
                                       show_state);
        };
      });

  auto* join = add("join", "another member for a role");
  join->add_option("role", arguments->place)->required();
  join->add_option("object", arguments->who,
                   "an Object's name or a reference; left out: the role's trade is asked");
  join->add_option("--wait-ms", arguments->wait_ms,
                   "for a moment at which the order allows it (1000)");
  join->callback([&options, &format, &chosen, arguments] {
    chosen = [&options, &format, arguments] {
      b::JoinRequest request;
      request.set_role(arguments->place);
      request.set_who(arguments->who);
      request.set_wait_ms(arguments->wait_ms);
      return ask_binding<b::Joined>(
          options, format, arguments->id, "join", request, [&](const b::Joined& joined) {
            fmt::print("{} plays {}.{}\n", joined.object(), arguments->place, joined.number());
          });
    };
  });

  auto* leave = add("leave", "a member of a role goes");
  place(leave);
  leave->add_option("--wait-ms", arguments->wait_ms,
                    "for a moment at which the order allows it (1000)");
  leave->callback([&options, &format, &chosen, arguments] {
    chosen = [&options, &format, arguments] {
      b::LeaveRequest request;
      if (!set_place(arguments->place, request)) return 2;
      request.set_wait_ms(arguments->wait_ms);
      return ask_binding<b::Done>(options, format, arguments->id, "leave", request,
                                  [](const b::Done& done) { fmt::print("{}\n", done.text()); });
    };
  });

  auto* rebind = add("rebind", "another party in one's place, under traffic");
  place(rebind);
  rebind->add_option(
      "object", arguments->who,
      "an Object's name or a reference; left out: the role's trade is asked for another");
  rebind->add_option("--grace-ms", arguments->wait_ms, "for the party to come to rest (2000)");
  rebind->callback([&options, &format, &chosen, arguments] {
    chosen = [&options, &format, arguments] {
      b::RebindRequest request;
      if (!set_place(arguments->place, request)) return 2;
      request.set_who(arguments->who);
      request.set_grace_ms(arguments->wait_ms);
      return ask_binding<b::Rebound>(
          options, format, arguments->id, "rebind", request, [&](const b::Rebound& rebound) {
            fmt::print("{} @ {} plays {} — {}{}; calls waited {} µs at most\n", rebound.object(),
                       rebound.capsule(), arguments->place, rebound.how(),
                       rebound.with_state() ? ", with the state" : "", rebound.gap_us());
          });
    };
  });

  auto* move = add("move", "the channels to a party go over another protocol");
  place(move);
  move->add_option("protocol", arguments->protocol, "left out: policy chooses");
  move->callback([&options, &format, &chosen, arguments] {
    chosen = [&options, &format, arguments] {
      b::MoveRequest request;
      if (!set_place(arguments->place, request)) return 2;
      request.set_protocol(arguments->protocol);
      return ask_binding<b::Moved>(options, format, arguments->id, "move", request,
                                   [](const b::Moved& moved) {
                                     for (const auto& each : moved.moves())
                                       fmt::print("{}\n", each);
                                   });
    };
  });

  plain("suspend", "calls wait until it goes on");
  plain("resume", "it goes on");
  plain("close", "it ends, in every capsule");

  auto* events = add("events", "what happened to it");
  events->add_option("--after", arguments->after, "only events with a higher number");
  events->callback([&options, &format, &chosen, arguments] {
    chosen = [&options, &format, arguments] {
      b::EventsRequest request;
      request.set_after(arguments->after);
      return ask_binding<b::Events>(
          options, format, arguments->id, "events", request, [](const b::Events& told) {
            for (const auto& event : told.events()) {
              fmt::print("{:>4}  {:%Y-%m-%dT%H:%M:%S}.{:03}Z  {:<9}  {}\n", event.number(),
                         fmt::gmtime(static_cast<std::time_t>(event.time_ms() / 1'000)),
                         event.time_ms() % 1'000, event.kind(), event.text());
            }
          });
    };
  });
}

}  // namespace hector

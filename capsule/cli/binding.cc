// What: `hector binding …`: what changes in a Binding that runs.
// Why: its control Object is an Object like any other; these are its operations with arguments in
// place of JSON. Who: people and scripts.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/client.h"
#include "cli/commands.h"
#include "hector/binding/v1/binding.pb.h"

namespace hector {

namespace {

namespace b = binding::v1;

struct Arguments {
  std::string id, place, who, protocol, to = "round";
  std::uint64_t wait_ms = 0, after = 0;
};

/// Asks the Binding's control Object through the capsule's management interface.
template <class Out, class In, class Show>
int ask_binding(const CommandContext& context, const std::string& id, const std::string& operation,
                const In& request, const Show& show) {
  const std::string control = "_binding-" + id;
  CliSession session(context.options);
  if (auto connected = session.connect(); !connected) return report(connected.error());
  auto out = ask_object<Out>(session, context.options, control, operation, request);
  if (!out && out.error().code == Code::kNotFound &&
      out.error().message.find("'" + control + "'") != std::string::npos) {
    return report(Error::not_found(
        fmt::format("capsule '{}' made no Binding '{}'; `hector get bindings` lists them "
                    "(--capsule chooses another)",
                    session.capsule(), id)));
  }
  if (!out) return report(out.error());
  print_reply(context, *out, show);
  return 0;
}

/// "ROLE" or "ROLE.NUMBER" into the request's role and number.
template <class Request>
Status set_place(const std::string& place, Request& request) {
  const auto dot = place.rfind('.');
  request.set_role(place.substr(0, dot));
  if (dot == std::string::npos) return {};
  try {
    request.set_number(static_cast<std::uint32_t>(std::stoul(place.substr(dot + 1))));
    return {};
  } catch (const std::exception&) {
    return fail(Code::kInvalidArgument,
                fmt::format("'{}' is not ROLE or ROLE.NUMBER, as in attendee.2", place));
  }
}

void show_done(const b::Done& done) { emit("{}\n", done.text()); }

/// Below the parties: where each stands, what it holds, and who waits for whom.
void show_positions(const b::State& state) {
  for (const auto& party : state.parties()) {
    emit(
        "  {} {} stands after {}; allowed now: {}\n", party.role(), party.number(),
        party.position().empty() ? "nothing" : fmt::format("{}", fmt::join(party.position(), ", ")),
        party.problem().empty() ? party.allowed() : "unknown, " + party.problem());
    for (const auto& held : party.held())
      emit("      holds '{}' of {} until {} ({} ms{})\n", held.message(), held.from(), held.until(),
           held.held_ms(), held.has_ended() ? "; its call has ended" : "");
    for (const auto& wait : party.waits()) emit("      waits {}\n", wait);
  }
}

void show_state(const b::State& state) {
  emit("binding {} of {}: {}\n", state.binding(), state.type(), state.state());
  for (const auto& party : state.formation().parties())
    emit("  {} {}  {} @ {} ({}) — {}\n", party.role(), party.number(), party.object(),
         party.capsule(), party.interface_id(), party.how());
  for (const auto& channel : state.formation().channels()) {
    emit("  {} → {}: {} {} [{}]\n      because {}\n", channel.from(), channel.to(),
         channel.protocol(), channel.address(), channel.interactions(), channel.why());
  }
  show_positions(state);
}

int reset(const CommandContext& context, const Arguments& a) {
  b::ResetRequest request;
  request.set_to(a.to);
  return ask_binding<b::ResetDone>(context, a.id, "reset", request, [](const b::ResetDone& done) {
    emit("reset to {}; held messages refused: {}\n", done.to(), done.refused());
  });
}

int describe(const CommandContext& context, const Arguments& a) {
  return ask_binding<b::State>(context, a.id, "describe", b::Nothing(), show_state);
}

int join(const CommandContext& context, const Arguments& a) {
  b::JoinRequest request;
  request.set_role(a.place);
  request.set_who(a.who);
  request.set_wait_ms(a.wait_ms);
  return ask_binding<b::Joined>(context, a.id, "join", request, [&](const b::Joined& joined) {
    emit("{} plays {}.{}\n", joined.object(), a.place, joined.number());
  });
}

int leave(const CommandContext& context, const Arguments& a) {
  b::LeaveRequest request;
  if (auto set = set_place(a.place, request); !set) return report(set.error());
  request.set_wait_ms(a.wait_ms);
  return ask_binding<b::Done>(context, a.id, "leave", request, show_done);
}

int rebind(const CommandContext& context, const Arguments& a) {
  b::RebindRequest request;
  if (auto set = set_place(a.place, request); !set) return report(set.error());
  request.set_who(a.who);
  request.set_grace_ms(a.wait_ms);
  return ask_binding<b::Rebound>(context, a.id, "rebind", request, [&](const b::Rebound& rebound) {
    emit("{} @ {} plays {} — {}{}; calls waited {} µs at most\n", rebound.object(),
         rebound.capsule(), a.place, rebound.how(), rebound.with_state() ? ", with the state" : "",
         rebound.gap_us());
  });
}

int move(const CommandContext& context, const Arguments& a) {
  b::MoveRequest request;
  if (auto set = set_place(a.place, request); !set) return report(set.error());
  request.set_protocol(a.protocol);
  return ask_binding<b::Moved>(context, a.id, "move", request, [](const b::Moved& moved) {
    for (const auto& each : moved.moves()) emit("{}\n", each);
  });
}

int events(const CommandContext& context, const Arguments& a) {
  b::EventsRequest request;
  request.set_after(a.after);
  return ask_binding<b::Events>(context, a.id, "events", request, [](const b::Events& told) {
    for (const auto& event : told.events()) {
      emit("{:>4}  {:%Y-%m-%dT%H:%M:%S}.{:03}Z  {:<9}  {}\n", event.number(),
           fmt::gmtime(static_cast<std::time_t>(event.time_ms() / 1'000)), event.time_ms() % 1'000,
           event.kind(), event.text());
    }
  });
}

/// An operation that takes nothing and answers with a sentence.
auto plain(const char* operation) {
  return [operation](const CommandContext& context, const Arguments& a) {
    return ask_binding<b::Done>(context, a.id, operation, b::Nothing(), show_done);
  };
}

}  // namespace

void add_binding_commands(CommandTree& tree) {
  using P = Parameter<Arguments>;
  const P id = P{"binding", &Arguments::id, "its id, as `hector get bindings` shows it"}.required();
  const P place = P{"place", &Arguments::place, "ROLE or ROLE.NUMBER"}.required();
  const P wait{"--wait-ms", &Arguments::wait_ms,
               "how long to wait for a moment at which the order allows it (1000)"};
  tree.group("binding", "a Binding that runs: its parties, its channels, and what changes in them");
  tree.add<Arguments>({
      {"binding describe", "its state, parties and channels", {id}, describe},
      {"binding join",
       "another member for a role",
       {id, P{"role", &Arguments::place, "of the Binding's type"}.required(),
        P{"object", &Arguments::who,
          "an Object's name or a reference; left out: the role's trade is asked"},
        wait},
       join},
      {"binding leave", "a member of a role goes", {id, place, wait}, leave},
      {"binding rebind",
       "another party in one's place, under traffic",
       {id, place,
        P{"object", &Arguments::who,
          "an Object's name or a reference; left out: the role's trade is asked for another"},
        P{"--grace-ms", &Arguments::wait_ms, "how long the party may take to quiesce (2000)"}},
       rebind},
      {"binding move",
       "the channels to a party use another protocol",
       {id, place, P{"protocol", &Arguments::protocol, "left out: policy chooses"}},
       move},
      {"binding suspend", "calls wait until it is resumed", {id}, plain("suspend")},
      {"binding resume", "the calls that wait continue", {id}, plain("resume")},
      {"binding reset",
       "back to a state that all its parties agree on; messages that are held are refused",
       {id, P{"--to", &Arguments::to,
              "round: the last such state after which the order may end; last: the last one; start"}
                .checked(one_of({"round", "last", "start"}))},
       reset},
      {"binding close", "it ends, in every capsule", {id}, plain("close")},
      {"binding events",
       "what happened to it",
       {id, P{"--after", &Arguments::after, "only events with a higher number"}},
       events},
  });
}

}  // namespace hector

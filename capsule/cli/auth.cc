// What: `hector auth …`: who a capsule takes its asker for, and what may be done there.
// Why: a denial is understood, and a policy tried, with the question that the kernel itself asks.
// Who: people and scripts. Exit codes of `can-i`: 0 yes, 1 no, or it could not be asked.
#include "cli/client.h"
#include "cli/commands.h"
#include "hector/management/v1/auth.pb.h"

namespace hector {

namespace {

namespace m = management::v1;

struct Arguments {
  std::string action, resource, principal, object, context;
};

template <class Out, class In, class Show>
Result<Out> ask_management(const CommandContext& context, const std::string& operation,
                           const In& request, const Show& show) {
  CliSession session(context.options);
  HECTOR_TRY(session.connect());
  auto reply = HECTOR_TRY(session.ask<Out>(operation, request));
  print_reply(context, reply, show);
  return reply;
}

int whoami(const CommandContext& context, const Arguments&) {
  const auto reply =
      ask_management<m::WhoReply>(context, "whoami", m::Nothing(), [](const m::WhoReply& who) {
        emit("{}\n", who.principal());
        emit("  {}\n", who.how());
        if (!who.claimed().empty()) emit("  it says that it is '{}'\n", who.claimed());
        emit("  in policies: {}\n", who.entity());
        emit("  rights here: {}\n", who.rights());
      });
  return reply ? 0 : report(reply.error());
}

int can_i(const CommandContext& context, const Arguments& a) {
  m::MayRequest request;
  request.set_principal(a.principal);
  request.set_action(a.action);
  request.set_resource(a.resource);
  request.set_object(a.object);
  request.set_context(a.context);
  const auto reply =
      ask_management<m::MayReply>(context, "may", request, [](const m::MayReply& answer) {
        emit("{}: {}\n", answer.allowed() ? "yes" : "no", answer.why());
        emit("  asked: {} {} {}\n", answer.principal(), answer.action(), answer.resource());
        emit("  with:  {}\n", answer.context());
      });
  if (!reply) return report(reply.error());
  return reply->allowed() ? 0 : kExitFailed;
}

using P = Parameter<Arguments>;

std::vector<Command<Arguments>> commands() {
  return {
      {"auth whoami", "say for whom the capsule takes you, and by what it knows that", {}, whoami},
      {"auth can-i",
       "ask the capsule's Policy whether an action is permitted: yes or no, with the policies that "
       "decided. Exit code 1 where it is not",
       {P{"action", &Arguments::action, "call, play, or another one of your policies"}.required(),
        P{"resource", &Arguments::resource,
          "INTERFACE/MAJOR.OPERATION of a call, BINDING/MAJOR.ROLE of play, or TYPE::\"ID\""}
            .required(),
        {"--as", &Arguments::principal,
         "for this principal (capsule:north/ana, operator:ann, anonymous) in your place"},
        {"--object", &Arguments::object, "the Object that is called or plays: [CAPSULE/]NAME"},
        {"--context", &Arguments::context,
         "a JSON object, in the place of what the kernel would say"}},
       can_i},
  };
}

}  // namespace

void add_auth_commands(CommandTree& tree) {
  tree.group("auth", "who you are to a capsule, and what may be done there");
  tree.add(commands());
}

}  // namespace hector

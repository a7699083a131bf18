#include "trial.h"

#include <fmt/format.h>

#include <boost/json/serialize.hpp>

#include "age_file.h"
#include "base64.h"

namespace hector::privacy {

namespace json = boost::json;

namespace {

json::object answer_of(const Error& error) {
  json::object answer{{"error", error.type}};
  const std::string name = error.type + ": ";
  answer["message"] =
      error.message.starts_with(name) ? error.message.substr(name.size()) : error.message;
  return answer;
}

json::object answer_of(const VersionName& version) {
  return {{"version", version.number}, {"key_id", version.id}};
}

json::object done() { return {{"result", "done"}}; }

Result<KnownKey> read_known_key(StepFields& fields) {
  KnownKey known;
  auto key = HECTOR_TRY(fields.optional_octets("key"));
  if (key) {
    const WipedText wiped(*key);
    known.key = Secret::copy(*key);
  }
  const auto id = HECTOR_TRY(fields.optional_integer("key_id", {0, UINT32_MAX}));
  if (id) known.id = static_cast<KeyId>(*id);
  return known;
}

Result<std::vector<Secret>> read_identities(const std::vector<std::string>& texts) {
  std::vector<Secret> identities;
  for (const auto& text : texts) {
    auto identity = HECTOR_TRY(read_identity(text));
    identities.push_back(std::move(identity));
  }
  return identities;
}

}  // namespace

Trial::~Trial() {
  for (auto& step : printed_) {
    for (auto& [name, octets] : step) sodium_memzero(octets.data(), octets.size());
  }
}

const std::map<std::string, Trial::Run, std::less<>>& Trial::steps() {
  static const std::map<std::string, Run, std::less<>> kSteps{
      {"create_keyset", &Trial::create_keyset},
      {"rotate", &Trial::rotate},
      {"encrypt", &Trial::encrypt},
      {"decrypt", &Trial::decrypt},
      {"rewrap", &Trial::rewrap},
      {"set_primary", &Trial::change_version<&Keyset::set_primary>},
      {"set_min_decrypt", &Trial::change_version<&Keyset::set_min_decrypt>},
      {"set_min_encrypt", &Trial::change_version<&Keyset::set_min_encrypt>},
      {"disable", &Trial::change_version<&Keyset::disable>},
      {"enable", &Trial::change_version<&Keyset::enable>},
      {"destroy", &Trial::destroy},
      {"datakey", &Trial::make_data_key},
      {"unwrap", &Trial::unwrap},
      {"sign", &Trial::sign},
      {"verify", &Trial::verify},
      {"seal", &Trial::seal},
      {"open", &Trial::open},
      {"shred", &Trial::shred},
  };
  return kSteps;
}

Result<std::string> Trial::run(std::string_view line) {
  if (line.size() > kStepOctetsMax)
    return no_step(fmt::format("a step has at most {} octets", kStepOctetsMax));
  const auto step = HECTOR_TRY(read_step(line));
  printed_.emplace_back();
  auto answer = run_step(step);
  if (!answer && answer.error().type == kNoStep) return fail(std::move(answer.error()));
  return json::serialize(answer ? *answer : answer_of(answer.error()));
}

Trial::Answer Trial::run_step(const Step& step) {
  if (step.name == "advance") return advance(step.body);
  const auto found = steps().find(step.name);
  if (found == steps().end()) {
    std::string names;
    for (const auto& [name, run] : steps()) names += name + ", ";
    return no_step(fmt::format("there is no step '{}'; there are {}advance", step.name, names));
  }
  if (!step.body.is_object()) return no_step(fmt::format("'{}' is not an object", step.name));
  StepFields fields(step.body.get_object(), "'" + step.name + "'", find_printed_);
  return (this->*found->second)(fields);
}

/// As base64, and kept for "$N".
json::value Trial::printable(std::string_view name, std::string octets) {
  auto encoded = base64_encode(octets, Padding::kWith);
  if (printed_octets_ + octets.size() <= kPrintedOctetsMax) {
    printed_octets_ += octets.size();
    printed_.back().emplace(name, std::move(octets));
  }
  return json::value(encoded);
}

Trial::Answer Trial::create_keyset(StepFields& fields) {
  NewKeyset asked;
  asked.name = HECTOR_TRY(fields.text("name"));
  asked.form = HECTOR_TRY(fields.text("template"));
  const auto rotate_after = HECTOR_TRY(fields.optional_object("rotate_after"));
  StepFields when(rotate_after, "'rotate_after' of 'create_keyset'", find_printed_);
  const auto messages = HECTOR_TRY(when.optional_integer("messages", {0, INT64_MAX}));
  const auto seconds = HECTOR_TRY(when.optional_integer("seconds", {0, INT64_MAX}));
  auto known = HECTOR_TRY(read_known_key(fields));
  auto ended = when.end();
  if (!ended && ended.error().type == kNoStep) return fail(std::move(ended.error()));
  HECTOR_TRY(fields.end());
  HECTOR_TRY(std::move(ended));
  asked.rotate_after = {static_cast<std::uint64_t>(messages.value_or(0)),
                        static_cast<std::uint64_t>(seconds.value_or(0))};
  const auto version = HECTOR_TRY(keyring_.create(asked, std::move(known)));
  return answer_of(version);
}

Trial::Answer Trial::rotate(StepFields& fields) {
  const auto keyset = HECTOR_TRY(fields.text("keyset"));
  auto known = HECTOR_TRY(read_known_key(fields));
  HECTOR_TRY(fields.end());
  const auto version = HECTOR_TRY(keyring_.rotate(keyset, std::move(known)));
  return answer_of(version);
}

Result<Trial::Given> Trial::read_given(StepFields& fields, std::string_view octets) {
  Given given;
  given.place.keyset = HECTOR_TRY(fields.text("keyset"));
  given.octets = HECTOR_TRY(fields.octets_or_printed(octets));
  given.place.aad = HECTOR_TRY(fields.associated_data("aad"));
  const auto subject = HECTOR_TRY(fields.optional_text("subject"));
  HECTOR_TRY(fields.end());
  if (subject && subject->empty()) return refuse_argument("a subject has a name");
  given.place.subject = subject.value_or("");
  return given;
}

Trial::Answer Trial::encrypt(StepFields& fields) {
  const auto given = HECTOR_TRY(read_given(fields, "plaintext"));
  auto made = HECTOR_TRY(keyring_.encrypt(given.place, given.octets));
  return json::object{{"ciphertext", printable("ciphertext", std::move(made.octets))},
                      {"version", made.version}};
}

Trial::Answer Trial::decrypt(StepFields& fields) {
  const auto given = HECTOR_TRY(read_given(fields, "ciphertext"));
  auto opened = HECTOR_TRY(keyring_.decrypt(given.place, given.octets));
  return json::object{{"plaintext", printable("plaintext", std::move(opened.octets))},
                      {"version", opened.version}};
}

Trial::Answer Trial::rewrap(StepFields& fields) {
  const auto given = HECTOR_TRY(read_given(fields, "ciphertext"));
  auto made = HECTOR_TRY(keyring_.rewrap(given.place, given.octets));
  return json::object{{"ciphertext", printable("ciphertext", std::move(made.octets))},
                      {"version", made.version}};
}

template <Status (Keyset::*change)(std::int64_t)>
Trial::Answer Trial::change_version(StepFields& fields) {
  const auto name = HECTOR_TRY(fields.text("keyset"));
  const auto version = HECTOR_TRY(fields.integer("version"));
  HECTOR_TRY(fields.end());
  Keyset* const keyset = HECTOR_TRY(keyring_.keyset(name));
  HECTOR_TRY((keyset->*change)(version));
  return done();
}

Trial::Answer Trial::destroy(StepFields& fields) {
  const auto name = HECTOR_TRY(fields.text("keyset"));
  Keyset::Destruction asked;
  asked.number = HECTOR_TRY(fields.integer("version"));
  asked.delay_s = HECTOR_TRY(fields.integer("delay_s"));
  asked.is_forced = HECTOR_TRY(fields.flag("force"));
  HECTOR_TRY(fields.end());
  Keyset* const keyset = HECTOR_TRY(keyring_.keyset(name));
  HECTOR_TRY(keyset->destroy(asked, keyring_.now()));
  return done();
}

Trial::Answer Trial::make_data_key(StepFields& fields) {
  const auto keyset = HECTOR_TRY(fields.text("keyset"));
  const auto bits = HECTOR_TRY(fields.integer("bits"));
  const auto is_shown = HECTOR_TRY(fields.flag("plaintext"));
  HECTOR_TRY(fields.end());
  auto made = HECTOR_TRY(keyring_.make_data_key(keyset, bits));
  json::object answer{{"wrapped", printable("wrapped", std::move(made.wrapped))}};
  if (is_shown) answer["plaintext"] = printable("plaintext", std::string(made.key.view()));
  return answer;
}

Trial::Answer Trial::unwrap(StepFields& fields) {
  const auto keyset = HECTOR_TRY(fields.text("keyset"));
  const auto wrapped = HECTOR_TRY(fields.octets_or_printed("wrapped"));
  HECTOR_TRY(fields.end());
  auto opened = HECTOR_TRY(keyring_.decrypt({keyset, {}}, wrapped));
  return json::object{{"plaintext", printable("plaintext", std::move(opened.octets))}};
}

Trial::Answer Trial::sign(StepFields& fields) {
  const auto keyset = HECTOR_TRY(fields.text("keyset"));
  const auto data = HECTOR_TRY(fields.octets("data"));
  HECTOR_TRY(fields.end());
  auto signature = HECTOR_TRY(keyring_.sign(keyset, data));
  return json::object{{"signature", printable("signature", std::move(signature))}};
}

Trial::Answer Trial::verify(StepFields& fields) {
  const auto keyset = HECTOR_TRY(fields.text("keyset"));
  const auto data = HECTOR_TRY(fields.octets("data"));
  const auto signature = HECTOR_TRY(fields.octets_or_printed("signature"));
  HECTOR_TRY(fields.end());
  HECTOR_TRY(keyring_.verify(keyset, data, signature));
  return json::object{{"result", "true"}};
}

Trial::Answer Trial::seal(StepFields& fields) {
  const auto texts = HECTOR_TRY(fields.texts("recipients"));
  const auto text = HECTOR_TRY(fields.octets_or_printed("plaintext"));
  HECTOR_TRY(fields.end());
  if (texts.empty()) return refuse_argument("a file is sealed for one recipient at least");
  std::vector<std::string> recipients;
  for (const auto& each : texts) {
    auto recipient = HECTOR_TRY(read_recipient(each));
    recipients.push_back(std::move(recipient));
  }
  return json::object{{"ciphertext", printable("ciphertext", privacy::seal(recipients, text))}};
}

Trial::Answer Trial::open(StepFields& fields) {
  const auto texts = HECTOR_TRY(fields.texts("identities"));
  const auto sealed = HECTOR_TRY(fields.octets_or_printed("ciphertext"));
  HECTOR_TRY(fields.end());
  const auto identities = HECTOR_TRY(read_identities(texts));
  std::string text;
  AgeOpener opener(identities, [&](std::string_view part) { text += part; });
  auto opened = opener.add(sealed);
  if (opened) opened = opener.finish();
  if (opened) return json::object{{"plaintext", printable("plaintext", std::move(text))}};
  const WipedText wiped(text);
  auto answer = answer_of(opened.error());
  answer["released"] = opener.released();
  return answer;
}

Trial::Answer Trial::shred(StepFields& fields) {
  const auto subject = HECTOR_TRY(fields.text("subject"));
  HECTOR_TRY(fields.end());
  keyring_.shred(subject);
  return done();
}

Trial::Answer Trial::advance(const json::value& seconds) {
  const json::object fields{{"seconds", seconds}};
  StepFields reader(fields, "'advance'", find_printed_);
  const auto passed = HECTOR_TRY(reader.optional_integer("seconds", {0, kTimeMaxSeconds}));
  HECTOR_TRY(reader.end());
  if (keyring_.now().count() + *passed > kTimeMaxSeconds)
    return refuse_argument(fmt::format("time ends after {} seconds", kTimeMaxSeconds));
  keyring_.set_now(keyring_.now() + Moment(*passed));
  return json::object{{"result", "advanced"}};
}

}  // namespace hector::privacy

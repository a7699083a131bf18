// What: tests of the calendars' reader: rules, dates, zones, overrides, files as people have them.
// Why: a wrong answer here is a meeting that a person misses.
// Who: ctest.
#include "busy_times.h"

#include <absl/strings/str_split.h>
#include <absl/time/time.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unicode/ucal.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>

namespace diary {

namespace {

using testing::HasSubstr;

class File {
 public:
  explicit File(const std::string& octets) {
    char name[] = "/tmp/hector_calendar_XXXXXX";
    path_ = mkdtemp(name);
    std::ofstream(path(), std::ios::binary) << octets;
  }
  ~File() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_ + "/a.ics"; }

 private:
  std::string path_;
};

std::string replaced(std::string text, const std::string& what, const std::string& by) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size()))
    text.replace(at, what.size(), by);
  return text;
}

std::string calendar(const std::string& body) {
  return "BEGIN:VCALENDAR\nVERSION:2.0\n" + body + "END:VCALENDAR\n";
}

std::string event(const std::string& lines) {
  return "BEGIN:VEVENT\nUID:e\n" + lines + "END:VEVENT\n";
}

std::int64_t seconds(const std::string& text) {
  absl::Time time;
  std::string why;
  EXPECT_TRUE(absl::ParseTime("%Y-%m-%dT%H:%MZ", text, absl::UTCTimeZone(), &time, &why)) << why;
  return absl::ToUnixSeconds(time);
}

/// "24T09:00/24T10:00 …" in UTC, of November 2026 unless it is said; or what was thrown.
std::string busy_in(const std::string& octets, const std::string& window) {
  const File file(octets);
  const std::pair<std::string, std::string> ends = absl::StrSplit(window, '/');
  try {
    std::string shown;
    for (const auto& each :
         CalendarFile(file.path()).busy(seconds(ends.first), seconds(ends.second))) {
      const auto at = [](std::int64_t time_s) {
        return absl::FormatTime("%m-%dT%H:%M", absl::FromUnixSeconds(time_s), absl::UTCTimeZone());
      };
      shown += (shown.empty() ? "" : " ") + at(each.start_s) + "/" + at(each.end_s);
    }
    return shown;
  } catch (const std::invalid_argument& why) {
    return "refused" + std::string(why.what()).substr(file.path().size());
  } catch (const TooCostly& why) {
    return "costly" + std::string(why.what()).substr(file.path().size());
  }
}

std::string busy(const std::string& body) {
  return busy_in(calendar(body), "2026-11-24T00:00Z/2026-11-26T00:00Z");
}

struct Case {
  std::string lines, expected;
};

const std::string kBerlin =
    "BEGIN:VTIMEZONE\nTZID:Home\nBEGIN:STANDARD\nDTSTART:16010101T030000\nTZOFFSETFROM:+0200\n"
    "TZOFFSETTO:+0100\nRRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10\nEND:STANDARD\nBEGIN:DAYLIGHT\n"
    "DTSTART:16010101T020000\nTZOFFSETFROM:+0100\nTZOFFSETTO:+0200\n"
    "RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=3\nEND:DAYLIGHT\nEND:VTIMEZONE\n";

}  // namespace

TEST(BusyTimes, FollowTheRule) {
  const std::string hour = "DURATION:PT1H\n";
  for (const auto& [lines, expected] : std::vector<Case>{
           {"DTSTART:20261101T090000Z\nRRULE:FREQ=DAILY;INTERVAL=23\n", "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261103T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=-1TU,WE;BYSETPOS=-1\n",
            "11-25T09:00/11-25T10:00"},
           {"DTSTART:20260106T090000Z\nRRULE:FREQ=MONTHLY;BYDAY=1TU,4TU,TH\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261124T070000Z\nRRULE:FREQ=HOURLY;INTERVAL=5;BYHOUR=7,9,12,17\n",
            "11-24T07:00/11-24T08:00 11-24T12:00/11-24T13:00 11-24T17:00/11-24T18:00"},
           {"DTSTART:20261124T070000Z\nRRULE:FREQ=MINUTELY;INTERVAL=45;BYMINUTE=30;COUNT=3\n",
            "11-24T07:00/11-24T08:00 11-24T08:30/11-24T09:30 11-24T11:30/11-24T12:30"},
           {"DTSTART:20251124T090000Z\nRRULE:FREQ=YEARLY\n", "11-24T09:00/11-24T10:00"},
           {"DTSTART:20200106T090000Z\nRRULE:FREQ=YEARLY;BYWEEKNO=48;BYDAY=WE\n",
            "11-25T09:00/11-25T10:00"},
           {"DTSTART:20200106T090000Z\nRRULE:FREQ=YEARLY;BYYEARDAY=-38,329\n",
            "11-24T09:00/11-24T10:00 11-25T09:00/11-25T10:00"},
           {"DTSTART:20200229T090000Z\nRRULE:FREQ=YEARLY;BYMONTH=11;BYMONTHDAY=-7\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261110T090000Z\nRRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,SU;WKST=SU\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261110T090000Z\nRRULE:FREQ=WEEKLY;BYDAY=TU,WE,TH;BYSETPOS=2\n",
            "11-25T09:00/11-25T10:00"},
           {"DTSTART:20261123T090000Z\nRRULE:FREQ=DAILY;BYHOUR=9,15;BYSETPOS=-1;COUNT=3\n",
            "11-24T15:00/11-24T16:00"},
           {"DTSTART:20261001T090000Z\nRRULE:FREQ=MONTHLY;BYMONTHDAY=24,25;BYHOUR=8,9;BYSETPOS=3\n",
            "11-25T08:00/11-25T09:00"},
           {"DTSTART:20261122T090000Z\nRRULE:FREQ=DAILY;COUNT=3;\n", "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261122T090000Z\nRRULE:FREQ=DAILY;BYDAY=TU,WE;COUNT=2\n",
            "11-24T09:00/11-24T10:00"},  // DTSTART is the first that is counted
           {"DTSTART:20261120T090000Z\nRRULE:FREQ=DAILY;UNTIL=20261124\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261120T090000Z\nRRULE:FREQ=DAILY;UNTIL=20261125T085959Z\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261120T090000Z\nRRULE:FREQ=DAILY\nEXRULE:FREQ=WEEKLY;BYDAY=WE\n",
            "11-24T09:00/11-24T10:00"},
           {"DTSTART:20261120T090000Z\nrrule:freq=weekly;byday=we\n", "11-25T09:00/11-25T10:00"},
           {"DTSTART:20261124T090060Z\n", "11-24T09:00/11-24T10:00"},  // 9:00:60 is 9:00:59
       })
    EXPECT_EQ(busy(event(lines + hour)), expected) << lines;
}

TEST(BusyTimes, TakeEveryDateOfEveryList) {
  const std::string first = "DTSTART:20261122T090000Z\nDTEND:20261122T100000Z\n";
  const std::string both = "11-24T09:00/11-24T10:00 11-25T14:00/11-25T16:00";
  for (const auto& [lines, expected] : std::vector<Case>{
           {"RDATE:20261124T090000Z,20261125T140000Z,20261125T150000Z\n",
            "11-24T09:00/11-24T10:00 11-25T14:00/11-25T15:00 11-25T15:00/11-25T16:00"},
           {"RDATE;VALUE=PERIOD:20261124T090000Z/PT1H,20261125T140000Z/20261125T160000Z\n", both},
           {"RDATE;VALUE=PERIOD;TZID=Europe/Berlin:20261124T100000/PT1H,20261125T150000/PT2H\n",
            both},
           {"RDATE;VALUE=PERIOD:20261124T090000Z/PT1H\nRDATE;VALUE=PERIOD:20261125T140000Z/PT2H\n",
            both},
           {"RRULE:FREQ=DAILY\nEXDATE:20261123T090000Z,20261124T090000Z,20261125T090000Z\n", ""},
           {"RRULE:FREQ=DAILY\nEXDATE;TZID=America/New_York:20261124T040000,20261125T040000\n", ""},
           {"RRULE:FREQ=DAILY\nEXDATE;VALUE=DATE:20261124,20261125\n", ""},
       })
    EXPECT_EQ(busy(event(first + lines)), expected) << lines;
  EXPECT_EQ(busy("BEGIN:VFREEBUSY\nFREEBUSY:20261124T090000Z/PT1H,20261125T140000Z/"
                 "20261125T160000Z\nFREEBUSY;FBTYPE=FREE:20261124T010000Z/PT1H\nEND:VFREEBUSY\n"),
            both);
}

TEST(BusyTimes, KnowLengths) {
  for (const auto& [lines, expected] : std::vector<Case>{
           {"DTSTART:20261124T090000Z\nDURATION:P1DT2H\n", "11-24T09:00/11-25T11:00"},
           {"DTSTART;VALUE=DATE:20261124\n", "11-24T00:00/11-25T00:00"},
           {"DTSTART;VALUE=DATE:20261120\nDTEND;VALUE=DATE:20261125\n", "11-20T00:00/11-25T00:00"},
           {"DTSTART;VALUE=DATE:20261120\nDURATION:P1W\n", "11-20T00:00/11-27T00:00"},
           {"DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=WEEKLY;BYHOUR=9\n", "11-24T00:00/11-25T00:00"},
           {"DTSTART;VALUE=DATE:20261110\nRRULE:FREQ=WEEKLY\nEXDATE:20261124T000000Z\n", ""},
           {"DTSTART:20261106T090000Z\nDURATION:P6D\nRRULE:FREQ=WEEKLY;INTERVAL=2\n",
            "11-20T09:00/11-26T09:00"},  // begins long before the window
           {"DTSTART:20261124T090000Z\n", ""},
           {"DTSTART:20261124T090000Z\nDURATION:-PT1H\n", ""},
           {"DTSTART:20261124T090000Z\nDTEND:20261124T080000Z\n", ""},
           {"DTSTART:20261124T090000Z\nDURATION:PT1H\nSTATUS:CANCELLED\n", ""},
           {"DTSTART:20261124T090000Z\nDURATION:PT1H\nTRANSP:TRANSPARENT\n", ""},
           {"DTSTART:20261124T090000Z\nDURATION:PT1H\nSTATUS:TENTATIVE\n",
            "11-24T09:00/11-24T10:00"},
       })
    EXPECT_EQ(busy(event(lines)), expected) << lines;
}

TEST(BusyTimes, PutOverridesInTheirInstancesPlace) {
  const std::string series = event("DTSTART:20261120T090000Z\nDURATION:PT1H\nRRULE:FREQ=DAILY\n");
  for (const auto& [lines, expected] : std::vector<Case>{
           {event("RECURRENCE-ID:20261124T090000Z\nDTSTART:20261124T130000Z\nDURATION:PT2H\n"),
            "11-24T13:00/11-24T15:00 11-25T09:00/11-25T10:00"},
           {event("RECURRENCE-ID;VALUE=DATE:20261124\nDTSTART:20261124T130000Z\nDURATION:PT2H\n"),
            "11-24T13:00/11-24T15:00 11-25T09:00/11-25T10:00"},
           {event("RECURRENCE-ID:20261124T090000Z\nDTSTART:20261124T090000Z\nSTATUS:CANCELLED\n"),
            "11-25T09:00/11-25T10:00"},
           {event("RECURRENCE-ID;RANGE=THISANDFUTURE:20261122T090000Z\nDTSTART:20261122T110000Z\n"
                  "DURATION:PT30M\n"),
            "11-24T11:00/11-24T11:30 11-25T11:00/11-25T11:30"},
           {event("RECURRENCE-ID:20261201T090000Z\nDTSTART:20261124T200000Z\nDURATION:PT1H\n"),
            "11-24T09:00/11-24T10:00 11-24T20:00/11-24T21:00 11-25T09:00/11-25T10:00"},
           {event("SEQUENCE:2\nDTSTART:20261124T200000Z\nDURATION:PT1H\n"),
            "11-24T20:00/11-24T21:00"},  // a later version of the whole
       })
    EXPECT_EQ(busy(series + lines), expected) << lines;
}

TEST(BusyTimes, KnowZonesByEveryNameTheyHave) {
  const std::string morning = "11-24T09:00/11-24T10:00";
  for (const std::string& name :
       std::vector<std::string>{"Europe/Berlin", "\"Europe/Berlin\"", "W. Europe Standard Time",
                                "Romance Standard Time", "/mozilla.org/20050126_1/Europe/Berlin",
                                "/freeassociation.sourceforge.net/Europe/Berlin",
                                "/example.org/1/W. Europe Standard Time", "CET", "Etc/GMT-1"}) {
    EXPECT_EQ(busy(event("DTSTART;TZID=" + name + ":20261124T100000\nDURATION:PT1H\n")), morning)
        << name;
    if (name.front() == '"') continue;
    EXPECT_EQ(
        busy("X-WR-TIMEZONE:" + name + "\n" + event("DTSTART:20261124T100000\nDURATION:PT1H\n")),
        morning)
        << name;
  }
  EXPECT_EQ(busy(kBerlin + event("DTSTART;TZID=Home:20261124T100000\nDURATION:PT1H\n")), morning);
  EXPECT_EQ(busy(kBerlin + event("DTSTART:20261124T100000\nDURATION:PT1H\n")), morning);
}

TEST(BusyTimes, RefuseAZoneThatNobodyKnowsWithItsLine) {
  for (const std::string& name : std::vector<std::string>{
           "Mars/Olympus", "Moon Standard Time", "/example.org/Mars/Olympus", "/etc/localtime",
           "../zoneinfo/Europe/Berlin", "localtime", "Fixed/UTC+01:00:00", "europe/berlin"}) {
    EXPECT_THAT(busy(event("DTSTART;TZID=\"" + name + "\":20261124T100000\nDURATION:PT1H\n")),
                HasSubstr("refused:5: DTSTART: nobody knows the time zone '" + name + "'"));
    EXPECT_THAT(
        busy("X-WR-TIMEZONE:" + name + "\n" + event("DTSTART;VALUE=DATE:20261124\nDURATION:P1D\n")),
        HasSubstr("refused:3: X-WR-TIMEZONE: nobody knows"));
  }
  EXPECT_EQ(busy("X-WR-TIMEZONE:Mars\n" + event("DTSTART:20261124T090000Z\nDURATION:PT1H\n")),
            "11-24T09:00/11-24T10:00");  // nothing here is in it
}

TEST(BusyTimes, KnowEveryNameOfWindows) {
  UErrorCode status = U_ZERO_ERROR;
  std::set<std::string> names;
  UEnumeration* ids = ucal_openTimeZones(&status);
  for (std::int32_t size = 0; const UChar* id = uenum_unext(ids, &size, &status);) {
    UChar name[128];
    const auto length = ucal_getWindowsTimeZoneID(id, size, name, 128, &status);
    if (length > 0) names.insert(std::string(name, name + length));
  }
  uenum_close(ids);
  EXPECT_GT(names.size(), 120U);
  for (const auto& name : names)
    EXPECT_THAT(busy(event("DTSTART;TZID=" + name + ":20261125T000000\nDURATION:PT1H\n")),
                testing::StartsWith("11-2"))
        << name;
}

TEST(BusyTimes, KeepTheWallClockAcrossItsChanges) {
  for (const std::string& zone : std::vector<std::string>{"Europe/Berlin", "Home"}) {
    const auto in = [&](const std::string& lines, const std::string& window) {
      return busy_in(calendar(kBerlin + event(replaced(lines, "$", zone))), window);
    };
    const std::string daily = "DTSTART;TZID=$:20261001T090000\nDURATION:PT1H\nRRULE:FREQ=DAILY\n";
    EXPECT_EQ(in(daily, "2026-10-24T00:00Z/2026-10-26T00:00Z"),
              "10-24T07:00/10-24T08:00 10-25T08:00/10-25T09:00");
    EXPECT_EQ(in(daily, "2027-03-27T00:00Z/2027-03-29T00:00Z"),
              "03-27T08:00/03-27T09:00 03-28T07:00/03-28T08:00");
    const std::string once = "DTSTART;TZID=$:";  // 2:30 twice, and never
    EXPECT_EQ(in(once + "20261025T023000\nDURATION:PT1H\n", "2026-10-25T00:00Z/2026-10-26T00:00Z"),
              "10-25T00:30/10-25T01:30");
    EXPECT_EQ(in(once + "20260329T023000\nDURATION:PT1H\n", "2026-03-29T00:00Z/2026-03-30T00:00Z"),
              "03-29T01:30/03-29T02:30");
    EXPECT_EQ(in(once + "20261024T120000\nDURATION:P1D\n", "2026-10-24T00:00Z/2026-10-26T00:00Z"),
              "10-24T10:00/10-25T11:00");
    EXPECT_EQ(in(once + "20261024T120000\nDURATION:PT24H\n", "2026-10-24T00:00Z/2026-10-26T00:00Z"),
              "10-24T10:00/10-25T10:00");
    EXPECT_EQ(in(once + "20990701T120000\nDURATION:PT1H\n", "2099-07-01T00:00Z/2099-07-02T00:00Z"),
              "07-01T10:00/07-01T11:00");
  }
}

TEST(BusyTimes, ReadATextWithAnyMarkAndAnyLineEnds) {
  const std::string plain =
      calendar(event("DTSTART:20261124T090000Z\nDURATION:P\n T1H\nSUMMARY:Gr\xC3\n \xBC\xC3\x9F"
                     "e\xE2\x80\xA8zwei\n"));
  for (const std::string& ends : std::vector<std::string>{"\n", "\r\n", "\r", "\n\n"}) {
    const std::string text = replaced(plain, "\n", ends);
    for (const std::string& mark : std::vector<std::string>{"", "\xEF\xBB\xBF"})
      EXPECT_EQ(busy_in(mark + text, "2026-11-24T00:00Z/2026-11-25T00:00Z"),
                "11-24T09:00/11-24T10:00");
  }
  EXPECT_THAT(busy_in("\xFF\xFE" + plain, "2026-11-24T00:00Z/2026-11-25T00:00Z"),
              HasSubstr("refused:1: the file is UTF-16; save it as UTF-8"));
}

TEST(BusyTimes, PassOverWhatOtherProgramsAdd) {
  for (const std::string& line : std::vector<std::string>{
           "X-MS_OLK.FORCE:1", "item1.NOTE:x", "DESCRIPTION;QUOTED-PRINTABLE:x",
           "X-EMPTY:", "ATTENDEE;CN=\"Doe; J: x, y\";ROLE=CHAIR:mailto:j@example.org", "GEO:1;2",
           "BEGIN:VALARM\nTRIGGER:-PT15M\nDURATION:nonsense\nEND:VALARM", "CATEGORIES:A,B\\,C"})
    EXPECT_EQ(busy(event("DTSTART:20261124T090000Z\nDURATION:PT1H\n" + line + "\n")),
              "11-24T09:00/11-24T10:00")
        << line;
  EXPECT_EQ(busy("BEGIN:VTODO\nDTSTART:whenever\nEND:VTODO\nBEGIN:VAVAILABILITY\n"
                 "END:VAVAILABILITY\n"),
            "");
}

TEST(BusyTimes, AreCalledByTheirSummaryUpToALimit) {
  const auto summary = [](const std::string& text) {
    const File file(
        calendar(event("DTSTART:20261124T090000Z\nDURATION:PT1H\nSUMMARY:" + text + "\n")));
    const auto from = seconds("2026-11-24T00:00Z");
    return CalendarFile(file.path()).busy(from, from + 86'400).at(0).summary;
  };
  EXPECT_EQ(summary("Tea\\, cake\\; \\\\ and\\nmore"), "Tea, cake; \\ and\nmore");
  EXPECT_EQ(summary(std::string(200, 'x')), std::string(200, 'x'));
  EXPECT_EQ(summary(std::string(199, 'x') + "ü"), std::string(199, 'x') + "…");
}

TEST(BusyTimes, RefuseWhatNobodyCanKnowWithItsLine) {
  const std::string start = "DTSTART:20261124T090000Z\n";
  for (const auto& [lines, expected] : std::vector<Case>{
           {start + "RRULE:FREQ=FORTNIGHTLY\n", "refused:6: RRULE: "},
           {start + "RRULE:COUNT=2\n", "FREQ is missing"},
           {start + "RRULE:FREQ=DAILY;FREQ=WEEKLY\n", "stands twice"},
           {start + "RRULE:FREQ=DAILY;INTERVAL=0\n", "'INTERVAL=0' has a number that cannot be"},
           {start + "RRULE:FREQ=DAILY;INTERVAL=65537x\n", "refused:6: RRULE: "},
           {start + "RRULE:FREQ=DAILY;BYHOUR=\n", "refused:6: RRULE: "},
           {start + "RRULE:FREQ=DAILY;BYEASTER=1\n", "'BYEASTER=1' is not known"},
           {start + "RRULE:RSCALE=CHINESE;FREQ=YEARLY\n", "'RSCALE=CHINESE' is not known"},
           {start + "RRULE:FREQ=WEEKLY;BYDAY=1MO\n", "a numbered BYDAY goes with MONTHLY"},
           {start + "RRULE:FREQ=WEEKLY;BYMONTHDAY=1\n", "BYMONTHDAY does not go"},
           {start + "RRULE:FREQ=MONTHLY;BYWEEKNO=3\n", "BYWEEKNO goes with FREQ=YEARLY only"},
           {start + "RDATE:20261124T090000Z,2026-11-25\n", "refused:6: RDATE: '2026-11-25'"},
           {start + "RDATE;VALUE=DATE:20261125\n", "a day where DTSTART is a time"},
           {start + "EXDATE:20261131T090000Z\n", "refused:6: EXDATE: '20261131T090000Z'"},
           {start + "DURATION:PT\n", "'PT' is not a duration"},
           {start + "DURATION:1H\n", "'1H' is not a duration"},
           {start + start, "DTSTART: it stands twice in one VEVENT, first in line 5"},
           {"DTSTART;VALUE=DATE:20261124\nRRULE:FREQ=HOURLY\n", "repeats within a day"},
           {"SUMMARY:x\n", "refused:3: this VEVENT has no DTSTART"},
           {start + "SUMMARY:Caf\xE9\n", "refused:6: not UTF-8"},
       })
    EXPECT_THAT(busy(event(lines)), HasSubstr(expected)) << lines;
  EXPECT_THAT(busy("BEGIN:VFREEBUSY\nFREEBUSY:20261124T090000Z\nEND:VFREEBUSY\n"),
              HasSubstr("refused:4: FREEBUSY: '20261124T090000Z' is not a period"));
  EXPECT_THAT(busy(replaced(kBerlin, "TZOFFSETTO:+0100\n", "")),
              HasSubstr("refused:5: this STANDARD has no TZOFFSETTO"));
}

TEST(BusyTimes, CostABoundedTimeWhateverTheRuleSays) {
  const auto in_2026 = [](const std::string& rule) {
    return busy(event("DTSTART:19700101T000000Z\nDURATION:PT1S\nRRULE:" + rule + "\n"));
  };
  for (const std::string& frequency : std::vector<std::string>{
           "SECONDLY", "MINUTELY", "HOURLY", "DAILY", "WEEKLY", "MONTHLY", "YEARLY"}) {
    if (frequency != "WEEKLY") {
      EXPECT_EQ(in_2026("FREQ=" + frequency + ";BYMONTH=2;BYMONTHDAY=30"), "");
      EXPECT_EQ(in_2026("FREQ=" + frequency + ";BYMONTH=2;BYMONTHDAY=30;COUNT=5"), "");
    }
    EXPECT_EQ(in_2026("FREQ=" + frequency + ";BYMONTH=1;BYDAY=TH;UNTIL=19710101T000000Z"), "");
  }
  EXPECT_EQ(in_2026("FREQ=MINUTELY;BYHOUR=7;BYMINUTE=30"),
            "11-24T07:30/11-24T07:30 11-25T07:30/11-25T07:30");
  EXPECT_EQ(in_2026("FREQ=HOURLY;INTERVAL=2;BYHOUR=1,3,5"), "");
  EXPECT_EQ(in_2026("FREQ=SECONDLY;COUNT=999999999").substr(0, 9), "costly:7:");
  EXPECT_EQ(busy_in(calendar(event("DTSTART:20200101T000000Z\nRRULE:FREQ=SECONDLY\n")),
                    "2026-01-01T00:00Z/2027-01-01T00:00Z")
                .substr(0, 9),
            "costly:3:");
}

}  // namespace diary

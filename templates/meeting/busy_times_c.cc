// What: the calendar file's functions in C.
// Why: Python reads calendars through them, so that both languages answer alike.
// Who: busy_times.py.
#include <cstdlib>
#include <cstring>
#include <new>

#include "busy_times.h"

namespace {

using diary::CalendarFile;

/// What went wrong: 0 nothing, 1 the file is to blame, 2 it costs too much, 3 anything else.
struct Outcome {
  int kind = 0;
  char* text = nullptr;
};

Outcome outcome(int kind, const char* text) { return {kind, strdup(text)}; }

template <class Work>
Outcome guarded(Work work) {
  try {
    work();
    return {};
  } catch (const std::invalid_argument& why) {
    return outcome(1, why.what());
  } catch (const diary::TooCostly& why) {
    return outcome(2, why.what());
  } catch (const std::exception& why) {
    return outcome(3, why.what());
  }
}

}  // namespace

extern "C" {

struct ShownTime {
  std::int64_t start_s, end_s;
  const char* summary;  ///< valid until the list is freed
};

struct BusyList {
  std::vector<diary::BusyTime> times;
  std::vector<ShownTime> shown;
};

#define DIARY_API __attribute__((visibility("default")))

/// Returns Outcome::kind; `text` is then the reason, for diary_free_text().
DIARY_API int diary_open(const char* path, CalendarFile** file, char** text) {
  const Outcome result = guarded([&] { *file = new CalendarFile(path); });
  *text = result.text;
  return result.kind;
}

DIARY_API void diary_close(CalendarFile* file) { delete file; }

DIARY_API int diary_busy(const CalendarFile* file, std::int64_t start_s, std::int64_t end_s,
                         BusyList** list, char** text) {
  const Outcome result = guarded([&] {
    auto made = std::make_unique<BusyList>();
    made->times = file->busy(start_s, end_s);
    for (const auto& each : made->times)
      made->shown.push_back({each.start_s, each.end_s, each.summary.c_str()});
    *list = made.release();
  });
  *text = result.text;
  return result.kind;
}

DIARY_API std::size_t diary_busy_size(const BusyList* list) { return list->shown.size(); }
DIARY_API const ShownTime* diary_busy_times(const BusyList* list) { return list->shown.data(); }
DIARY_API void diary_free_list(BusyList* list) { delete list; }
DIARY_API void diary_free_text(char* text) { std::free(text); }
}

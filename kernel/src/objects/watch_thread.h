// What: WatchThread, the thread on which an ObjectWatch looks.
// Why: event loops may be what an Object blocks, so none of them can look after Objects.
// Who: KernelImpl, from its first Object on.
#pragma once

#include <condition_variable>
#include <mutex>

#include "hector/thread.h"
#include "objects/object_watch.h"

namespace hector {

/// Any thread.
class WatchThread {
 public:
  /// The watch outlives it.
  explicit WatchThread(ObjectWatch& watch) : watch_(watch) {}
  ~WatchThread() { stop(); }
  WatchThread(const WatchThread&) = delete;
  WatchThread& operator=(const WatchThread&) = delete;

  /// Does nothing where it runs, or has been stopped.
  void start();
  /// Blocks until the look that runs is over.
  void stop();

 private:
  void run();

  ObjectWatch& watch_;
  std::mutex mutex_;
  std::condition_variable stopped_;
  bool is_started_ = false;
  bool is_stopped_ = false;
  Thread thread_;
};

}  // namespace hector

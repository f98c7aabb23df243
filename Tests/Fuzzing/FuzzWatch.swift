import Glibc
import Synchronization

/// The case that a target is at, where a handler of signals and another thread can see it.
final class FuzzWatch: Sendable {
  /// A case that takes so many seconds hangs, also on a slow machine.
  private static let patience = 60
  /// Bytes that the process as a whole may come to: inputs are small, and so is what is made of them.
  private static let memoryLimit = 4 << 30

  private static let all: [FuzzWatch] = {
    let watches = FuzzTarget.allCases.map(FuzzWatch.init)
    return watches
  }()
  private static let isSetUp: Bool = {
    // Made before a signal can ask for them.
    _ = all.count
    for signal in [SIGILL, SIGTRAP, SIGSEGV, SIGBUS, SIGFPE, SIGABRT] { catchSignal(signal) }
    var thread = pthread_t()
    return pthread_create(&thread, nil, { _ in FuzzWatch.watch() }, nil) == 0
  }()

  private let name: [UInt8]
  private let isRunning = Atomic(false)
  private let seed = Atomic<UInt64>(0)

  private init(_ target: FuzzTarget) {
    name = Array("fuzz: tools/fuzz --only \(target.rawValue) --seed ".utf8)
  }

  static func begin(_ target: FuzzTarget) -> FuzzWatch {
    _ = isSetUp
    let watch = all[FuzzTarget.allCases.firstIndex(of: target) ?? 0]
    watch.isRunning.store(true, ordering: .releasing)
    return watch
  }

  static func end(_ target: FuzzTarget) {
    all[FuzzTarget.allCases.firstIndex(of: target) ?? 0].isRunning.store(false, ordering: .releasing)
  }

  func note(_ seed: UInt64) { self.seed.store(seed, ordering: .releasing) }

  // MARK: Crashes

  private static func catchSignal(_ signal: CInt) {
    var action = sigaction()
    action.__sigaction_handler.sa_handler = { signal in
      FuzzWatch.report()
      Glibc.signal(signal, SIG_DFL)
      raise(signal)
    }
    sigaction(signal, &action, nil)
  }

  /// Writes the cases under way to standard error. Async-signal-safe: no memory is taken (signal-safety(7)).
  private static func report() {
    for watch in all where watch.isRunning.load(ordering: .acquiring) {
      watch.name.withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
      withUnsafeTemporaryAllocation(byteCount: 21, alignment: 1) { digits in
        var place = digits.count - 1
        digits[place] = UInt8(ascii: "\n")
        var rest = watch.seed.load(ordering: .acquiring)
        repeat {
          place -= 1
          digits[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
          rest /= 10
        } while rest > 0
        _ = write(STDERR_FILENO, digits.baseAddress.map { $0 + place }, digits.count - place)
      }
    }
  }

  // MARK: Hanging and growing

  private static func watch() -> Never {
    var seen = all.map { (seed: $0.seed.load(ordering: .acquiring), since: ContinuousClock.now) }
    while true {
      sleep(1)
      for (index, watch) in all.enumerated() {
        let seed = watch.seed.load(ordering: .acquiring)
        guard watch.isRunning.load(ordering: .acquiring), seed == seen[index].seed else {
          seen[index] = (seed, .now)
          continue
        }
        if ContinuousClock.now - seen[index].since > .seconds(patience) { end("hangs for \(patience) s") }
      }
      if residentBytes > memoryLimit { end("takes more than \(memoryLimit >> 30) GiB of memory") }
    }
  }

  private static func end(_ what: String) -> Never {
    let line = Array("fuzz: one of these \(what)\n".utf8)
    _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    abort()
  }

  /// The second number of proc_pid_statm(5), in pages.
  private static var residentBytes: Int {
    guard let file = fopen("/proc/self/statm", "r") else { return 0 }
    defer { fclose(file) }
    var text = [CChar](repeating: 0, count: 128)
    guard fgets(&text, CInt(text.count), file) != nil else { return 0 }
    let words = text.split(separator: CChar(bitPattern: UInt8(ascii: " ")))
    guard words.count > 1 else { return 0 }
    let pages = words[1].reduce(0) { $0 * 10 + Int($1) - Int(UInt8(ascii: "0")) }
    return pages * sysconf(CInt(_SC_PAGESIZE))
  }
}

import FoundationEssentials
import Glibc
import Synchronization
import SystemPackage
@testable import Logs

/// A folder for one test's logs.
final class LogFolder: Sendable {
  let path: String

  init() throws {
    path = "/tmp/stack-logs-\(UUID().uuidString)"
    guard mkdir(path, 0o700) == 0 else { throw Errno(rawValue: errno) }
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  func log(_ service: String) -> String { "\(path)/\(service).log" }

  func source(_ service: String) -> LogReader.Source { .init(service: service, path: log(service)) }

  func contents(_ file: String) -> String {
    guard let data = FileManager.default.contents(atPath: "\(path)/\(file)") else { return "" }
    return String(decoding: data, as: UTF8.self)
  }

  func write(_ file: String, _ text: String) { write(file, Array(text.utf8)) }

  func write(_ file: String, _ bytes: [UInt8]) {
    _ = FileManager.default.createFile(atPath: "\(path)/\(file)", contents: Data(bytes))
  }

  func size(_ file: String) -> Int {
    var status = stat()
    return stat("\(path)/\(file)", &status) == 0 ? Int(status.st_size) : -1
  }

  var files: [String] { (try? FileManager.default.contentsOfDirectory(atPath: path).sorted()) ?? [] }
}

extension LogWriter {
  func append(_ text: String, _ stream: LogStream = .stdout) {
    append(Array(text.utf8), stream)
  }

  func append(_ bytes: [UInt8], _ stream: LogStream = .stdout) {
    bytes.withUnsafeBytes { append($0, stream) }
  }
}

extension LogReader {
  func readAll() -> [LogEntry] {
    var entries: [LogEntry] = []
    while let entry = next() { entries.append(entry) }
    return entries
  }
}

extension LogEntry {
  var string: String { String(decoding: text, as: UTF8.self) }
}

/// Runs `body` on a thread of its own and waits for it: what it does to its namespaces ends with it.
func onOwnThread<Result: Sendable>(_ body: @escaping @Sendable () -> Result) -> Result? {
  let thread = OwnThread(body)
  thread.start()
  return thread.join()
}

final class OwnThread<Result: Sendable>: Sendable {
  private let body: @Sendable () -> Result
  private let result = Mutex<Result?>(nil)
  private let thread = Mutex<pthread_t?>(nil)

  init(_ body: @escaping @Sendable () -> Result) { self.body = body }

  func start() {
    let run = ThreadBody { [self] in
      let value = body()
      result.withLock { $0 = value }
    }
    var number = pthread_t()
    let started = pthread_create(
      &number, nil,
      { argument in
        if let argument { Unmanaged<ThreadBody>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, Unmanaged.passRetained(run).toOpaque())
    if started == 0 { thread.withLock { $0 = number } }
  }

  func join() -> Result? {
    if let number = thread.withLock({ $0.take() }) { pthread_join(number, nil) }
    return result.withLock { $0.take() }
  }
}

private final class ThreadBody: Sendable {
  let run: @Sendable () -> Void
  init(_ run: @escaping @Sendable () -> Void) { self.run = run }
}

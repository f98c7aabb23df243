import Glibc
import Intent
import Kernel
import Logs
import Loop
import Runtime
import SystemPackage
import Vocabulary

/// Carries a service's output from its FIFOs or its terminal to its log.
///
/// The service holds both ends of the FIFOs open. Without a supervisor its output waits there, and it gets no EPIPE
/// (fifo(7)). The supervisor holds them open too, so the end of a service does not wake the loop again and again.
final class ServiceOutput {
  private let paths: ServiceFolder
  private let pump: LogPump
  private let loop: EventLoop
  private let writer: LogWriter
  private var sources: [Source] = []

  private final class Source {
    let descriptor: Descriptor
    var token: EventLoop.Token?

    init(_ descriptor: consuming Descriptor) {
      self.descriptor = descriptor
    }
  }

  init(paths: ServiceFolder, pump: LogPump, loop: EventLoop) {
    self.paths = paths
    self.pump = pump
    self.loop = loop
    writer = LogWriter(path: paths.log, scratch: pump.scratch)
  }

  /// Begins to read; does nothing when it does already.
  ///
  /// - Parameter process: the service's first process. It holds FIFOs open whose names somebody has removed.
  func open(of process: ProcessIdentity? = nil) {
    guard sources.isEmpty else { return }
    for (stream, path, number) in [(LogStream.stdout, paths.stdout, 1), (.stderr, paths.stderr, 2)] {
      let held = process.map { "/proc/\($0.pid)/fd/\(number)" }
      let isNameless = held.flatMap(Self.target) == "\(path) (deleted)"
      let place = isNameless ? held ?? path : path
      var options: FileDescriptor.OpenOptions = [.nonBlocking, .closeOnExec]
      if !isNameless { options.insert(.noFollow) }
      let file = try? FileDescriptor.open(place, .readWrite, options: options)
      if let file { follow(stream, Descriptor(adopting: file).raised()) }
    }
  }

  private static func target(of link: String) -> String? {
    var bytes = [UInt8](repeating: 0, count: Int(PATH_MAX))
    let count = readlink(link, &bytes, bytes.count)
    return count > 0 ? String(decoding: bytes.prefix(count), as: UTF8.self) : nil
  }

  /// Reads the master of the service's terminal too, for as long as the service lives.
  func follow(terminal: consuming Descriptor) {
    _ = fcntl(terminal.rawValue, F_SETFL, fcntl(terminal.rawValue, F_GETFL) | O_NONBLOCK)
    let source = Source(terminal)
    sources.append(source)
    read(terminal: source)
  }

  /// A terminal that nobody has open any more gives EIO, which need not be the end of it: getty and login open it again.
  private func read(terminal source: Source) {
    source.token = try? pump.add(source.descriptor.fileDescriptor, .stdout, to: writer) { [weak self, weak source] _ in
      source?.token = nil
      self?.loop.schedule(after: .seconds(1)) {
        guard let self, let source, self.sources.contains(where: { $0 === source }) else { return }
        self.read(terminal: source)
      }
    }
  }

  private func follow(_ stream: LogStream, _ descriptor: consuming Descriptor) {
    let source = Source(descriptor)
    source.token = try? pump.add(source.descriptor.fileDescriptor, stream, to: writer) { [weak self, weak source] _ in
      self?.sources.removeAll { $0 === source }
    }
    sources.append(source)
  }

  /// Takes what is left, and lets go of it all: no more is coming.
  func close() {
    for token in sources.compactMap(\.token) { pump.remove(token) }
    sources = []
  }

  /// A line of the supervisor's own among the service's.
  func note(_ text: String) {
    var line = "stack: \(text)\n"
    line.withUTF8 { writer.append(UnsafeRawBufferPointer($0), .stderr) }
  }

  /// The last lines that the service wrote, for a message about its end.
  func lastLines(_ count: Int) -> [String] {
    LogReader.lastLines(count, of: LogReader.Source(service: paths.name, path: paths.log))
      .map { Quotation.line(String(decoding: $0.text, as: UTF8.self)) }
  }
}

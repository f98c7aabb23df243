import Glibc

/// A signal that can be sent to a service, by number: 1...64 (signal(7)).
package struct Signal: Sendable, Hashable {
  package let number: CInt

  package static let terminate = Signal(number: SIGTERM)
  static let kill = Signal(number: SIGKILL)

  private init(number: CInt) { self.number = number }

  private static let names: [(name: String, number: CInt)] = [
    ("HUP", SIGHUP), ("INT", SIGINT), ("QUIT", SIGQUIT), ("ILL", SIGILL), ("TRAP", SIGTRAP), ("ABRT", SIGABRT),
    ("BUS", SIGBUS), ("FPE", SIGFPE), ("KILL", SIGKILL), ("USR1", SIGUSR1), ("SEGV", SIGSEGV), ("USR2", SIGUSR2),
    ("PIPE", SIGPIPE), ("ALRM", SIGALRM), ("TERM", SIGTERM), ("STKFLT", 16), ("CHLD", SIGCHLD), ("CONT", SIGCONT),
    ("STOP", SIGSTOP), ("TSTP", SIGTSTP), ("TTIN", SIGTTIN), ("TTOU", SIGTTOU), ("URG", SIGURG), ("XCPU", SIGXCPU),
    ("XFSZ", SIGXFSZ), ("VTALRM", SIGVTALRM), ("PROF", SIGPROF), ("WINCH", SIGWINCH), ("IO", SIGIO),
    ("PWR", SIGPWR), ("SYS", SIGSYS), ("IOT", SIGABRT), ("POLL", SIGIO), ("CLD", SIGCHLD),
  ]

  /// The real-time signals that glibc leaves to programs (nptl(7)): SIGRTMIN is 34 there.
  private static let realTime: ClosedRange<CInt> = 34...64

  /// The names that a wrong name is compared with.
  package static var knownNames: [String] { names.map { "SIG\($0.name)" } + ["SIGRTMIN", "SIGRTMAX"] }
}

extension Signal: LosslessStringConvertible {
  /// Reads `SIGTERM`, `TERM`, `term`, `15`, `RTMIN+3`, `SIGRTMAX-1`.
  package init?(_ description: String) {
    let text = description.uppercased()
    if let number = CInt(text), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
      guard (1...64).contains(number) else { return nil }
      self.init(number: number)
      return
    }
    let name = text.hasPrefix("SIG") ? String(text.dropFirst(3)) : text
    if let known = Self.names.first(where: { $0.name == name }) {
      self.init(number: known.number)
      return
    }
    for (prefix, base) in [("RTMIN", Self.realTime.lowerBound), ("RTMAX", Self.realTime.upperBound)] {
      guard name.hasPrefix(prefix) else { continue }
      let rest = name.dropFirst(prefix.count)
      let sign: Character = prefix == "RTMIN" ? "+" : "-"
      var offset: CInt = 0
      if !rest.isEmpty {
        guard rest.first == sign, let distance = CInt(rest.dropFirst()), (0...30).contains(distance),
          rest.dropFirst().utf8.allSatisfy({ (0x30...0x39).contains($0) })
        else { return nil }
        offset = distance
      }
      let number = sign == "+" ? base + offset : base - offset
      guard Self.realTime.contains(number) else { return nil }
      self.init(number: number)
      return
    }
    return nil
  }

  /// `SIGTERM`, `SIGRTMIN+3`
  package var description: String {
    if let known = Self.names.first(where: { $0.number == number }) { return "SIG\(known.name)" }
    guard Self.realTime.contains(number) else { return String(number) }
    let offset = number - Self.realTime.lowerBound
    return offset == 0 ? "SIGRTMIN" : "SIGRTMIN+\(offset)"
  }
}

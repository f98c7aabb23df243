import Glibc
import Host
import Kernel
import StackFiles
import SystemPackage
import Vocabulary

/// Has a stack brought up when the host starts, as a unit of systemd (systemd.service(5)).
package struct BootCommand: Command {
  package let context: CommandContext
  private let units: String
  private let runtime: String
  private let reload: @Sendable () -> Void

  /// - Parameters:
  ///   - units: the folder of the administrator's units.
  ///   - runtime: the folder that is there where systemd is process 1 (sd_booted(3)).
  ///   - reload: has it read its units again: SIGHUP does so (systemd(1), "Signals").
  package init(
    _ context: CommandContext, units: String = "/etc/systemd/system", runtime: String = "/run/systemd/system",
    reload: @escaping @Sendable () -> Void = { _ = kill(1, SIGHUP) }
  ) {
    (self.context, self.units, self.runtime, self.reload) = (context, units, runtime, reload)
  }

  /// Writes the unit of a stack, and has systemd want it at each start.
  ///
  /// - Returns: the unit's name.
  package func enable(_ loaded: LoadedStack, _ request: LoadRequest) throws(StackErrors) -> String {
    try checkSystemd()
    let unit = Self.unit(of: loaded.name)
    let files = request.paths.isEmpty ? try search(context.loader).find().paths : request.paths
    guard !files.contains("-") else {
      throw StackErrors([
        StackError(loaded.name, "standard input is no file to come up from", remedy: "write it to a file")
      ])
    }
    let paths = files.map { context.loader.location(of: $0) }
    let environmentFiles = context.environmentFiles.map { context.loader.location(of: $0) }
    for word in [program] + paths + request.profiles + environmentFiles { try Self.check(word, loaded.name) }
    let text = Self.text(
      stack: loaded.name, program: program, paths: paths, profiles: request.profiles,
      environmentFiles: environmentFiles)
    try rethrowing(loaded.name) { () throws(KernelError) in
      try Files.replace("\(units)/\(unit)", with: [UInt8](text.utf8))
      try Files.makeFolder("\(units)/\(Self.target).wants", mode: 0o755)
      let link = "\(units)/\(Self.target).wants/\(unit)"
      guard symlink("../\(unit)", link) == 0 || errno == EEXIST else { throw KernelError("make", link, errno: .last) }
    }
    reload()
    return unit
  }

  /// - Returns: the name of the unit that was there.
  package func disable(_ stack: String) throws(StackErrors) -> String {
    try checkSystemd()
    let unit = Self.unit(of: stack)
    guard Files.exists("\(units)/\(unit)") else {
      throw StackErrors([
        StackError(stack, "does not come up with the host", remedy: "those that do: ls \(units)/stack-*.service")
      ])
    }
    try rethrowing(stack) { () throws(KernelError) in
      for path in ["\(units)/\(Self.target).wants/\(unit)", "\(units)/\(unit)"] { try Files.remove(path) }
    }
    reload()
    return unit
  }

  private static let target = "multi-user.target"

  static func unit(of stack: String) -> String { "stack-\(stack).service" }

  private func search(_ loader: StackFileLoader) -> StackFileSearch { context.search(loader) }

  private func checkSystemd() throws(StackErrors) {
    guard !Files.exists(runtime) else { return }
    throw StackErrors([
      StackError(
        nil, "this host was not started by systemd, and stack knows no other that starts services",
        remedy: "have what starts this host run: stack up FILE")
    ])
  }

  /// The path of this program, as systemd is to start it.
  private var program: String {
    var path = [CChar](repeating: 0, count: Int(PATH_MAX))
    let count = readlink("/proc/self/exe", &path, path.count)
    return count > 0 ? String(decoding: path.prefix(count).map(UInt8.init(bitPattern:)), as: UTF8.self) : "stack"
  }

  /// A oneshot that stays active: its failure shows in `systemctl status`, and stopping it takes the stack down.
  static func text(
    stack: String, program: String, paths: [String], profiles: [String], environmentFiles: [String]
  ) -> String {
    let options =
      paths.flatMap { ["-f", $0] } + ["-p", stack] + profiles.flatMap { ["--profile", $0] }
      + environmentFiles.flatMap { ["--env-file", $0] }
    let words = ([program] + options).map(quoted).joined(separator: " ")
    return """
      # Written by stack enable. stack disable removes it.
      [Unit]
      Description=Stack \(stack)
      Wants=network-online.target
      After=network-online.target local-fs.target
      RequiresMountsFor=\(paths.map { quotedName($0) }.joined(separator: " "))

      [Service]
      Type=oneshot
      RemainAfterExit=yes
      WorkingDirectory=\(quotedPath(paths.first.map { folder(of: $0) } ?? "/"))
      ExecStart=\(words) --progress plain up
      ExecStop=\(words) --progress plain down
      TimeoutStartSec=infinity
      # Services stay when systemd is reloaded or this unit is changed: their control groups are their own.
      KillMode=process

      [Install]
      WantedBy=\(target)

      """
  }

  /// A line break would end the line of the unit, and what follows it would be a line of its own. A backslash at the end of
  /// a line joins the next to it (systemd.syntax(7)).
  static func check(_ word: String, _ stack: String) throws(StackErrors) {
    let isSafe = word.unicodeScalars.allSatisfy { VisibleText.isSafe($0) }
    guard !isSafe || word.unicodeScalars.contains("\\") else { return }
    throw StackErrors([
      StackError(
        stack, "\(VisibleText.line(word)) cannot stand in a unit of systemd: it has control characters or a backslash",
        remedy: "rename the file or the folder")
    ])
  }

  private static func folder(of path: String) -> String {
    path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "/"
  }

  /// A word of a command, where a dollar sign would begin a variable (systemd.service(5), "COMMAND LINES").
  private static func quoted(_ word: String) -> String { quotedName(word, doubling: "%$") }

  /// As systemd.syntax(7) quotes a word; a per cent sign would begin a specifier.
  ///
  /// - Parameter doubled: characters that stand for themselves when they stand twice.
  private static func quotedName(_ word: String, doubling doubled: String = "%") -> String {
    // By scalars: a quotation mark with an accent on it is one character of Swift's, and a mark all the same.
    let text = word.unicodeScalars.map { scalar in
      switch scalar {
      case "\\", "\"": "\\\(scalar)"
      case _ where doubled.unicodeScalars.contains(scalar): "\(scalar)\(scalar)"
      default: "\(scalar)"
      }
    }.joined()
    let isPlain = word.utf8.allSatisfy { byte in
      (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        || [0x2F, 0x2E, 0x2D, 0x5F].contains(byte)
    }
    return isPlain ? word : "\"\(text)\""
  }

  private static func quotedPath(_ path: String) -> String {
    path.unicodeScalars.map { $0 == "%" ? "%%" : "\($0)" }.joined()
  }
}

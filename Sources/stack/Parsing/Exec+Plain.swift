extension Exec: PlainlyParsed {
  static var withDefaults: Exec {
    var command = Exec()
    command.user = nil
    command.workdir = nil
    command.env = []
    command.noTty = false
    command.tty = false
    command.interactive = false
    command.privileged = false
    command.detach = false
    command.index = nil
    command.options = .withDefaults
    command.words = []
    return command
  }

  static var plainOptions: [PlainOption<Exec>] {
    PlainOption.project(\.options) + [
      .text("-u", "--user") { $0.user = $1 },
      .text("-w", "--workdir") { $0.workdir = $1 },
      .texts("-e", "--env") { $0.env.append($1) },
      .flag("-T", "--no-tty") { $0.noTty = true },
      .flag("-t", "--tty") { $0.tty = true },
      .flag("-i", "--interactive") { $0.interactive = true },
      .flag("--privileged") { $0.privileged = true },
      .flag("-d", "--detach") { $0.detach = true },
      .number("--index") { $0.index = $1 },
    ]
  }

  static var endsAtFirstOperand: Bool { true }

  mutating func takeOperands(_ words: [String]) -> Bool {
    self.words = words
    return !words.isEmpty
  }
}

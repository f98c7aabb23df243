extension Ps: PlainlyParsed {
  static var withDefaults: Ps {
    var command = Ps()
    command.words = []
    command.options = .withDefaults
    command.all = false
    command.quiet = false
    command.services = false
    command.status = []
    command.filter = []
    command.format = "table"
    command.orphans = true
    command.noTrunc = false
    return command
  }

  static var plainOptions: [PlainOption<Ps>] {
    PlainOption.project(\.options) + [
      .flag("-a", "--all") { $0.all = true },
      .flag("-q", "--quiet") { $0.quiet = true },
      .flag("--services") { $0.services = true },
      .texts("--status") { $0.status.append($1) },
      .texts("--filter") { $0.filter.append($1) },
      .text("--format") { $0.format = $1 },
      .flag("--orphans") { $0.orphans = true },
      .flag("--no-orphans") { $0.orphans = false },
      .flag("--no-trunc") { $0.noTrunc = true },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    self.words = words
    return true
  }
}

extension Ps: PlainlyParsed {
  static var withDefaults: Ps {
    var command = Ps()
    command.stack = nil
    command.all = false
    command.quiet = false
    command.services = false
    command.status = []
    command.format = .table
    return command
  }

  static var plainOptions: [PlainOption<Ps>] {
    [
      .flag("-a", "--all") { $0.all = true },
      .flag("-q", "--quiet") { $0.quiet = true },
      .flag("--services") { $0.services = true },
      .texts("--status") { $0.status.append($1) },
      .choice("--format") { $0.format = $1 },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    stack = words.first
    return words.count <= 1
  }
}

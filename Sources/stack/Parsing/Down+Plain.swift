extension Down: PlainlyParsed {
  static var withDefaults: Down {
    var command = Down()
    command.words = []
    command.options = .withDefaults
    command.volumes = false
    command.agrees = false
    command.timeout = nil
    command.rmi = nil
    command.removeOrphans = false
    command.progress = .withDefaults
    return command
  }

  static var plainOptions: [PlainOption<Down>] {
    PlainOption.project(\.options) + [
      .flag("-v", "--volumes") { $0.volumes = true },
      .flag("-y", "--yes") { $0.agrees = true },
      .number("-t", "--timeout") { $0.timeout = $1 },
      .choice("--rmi") { $0.rmi = $1 },
      .flag("--remove-orphans") { $0.removeOrphans = true },
      .choice("--progress") { $0.progress.progress = $1 },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    self.words = words
    return true
  }
}

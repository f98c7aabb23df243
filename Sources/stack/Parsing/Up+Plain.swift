extension Up: PlainlyParsed {
  static var withDefaults: Up {
    var command = Up()
    command.source = .withDefaults
    command.services = []
    command.detach = false
    command.attach = []
    command.attachDependencies = false
    command.noAttach = []
    command.noColor = false
    command.noLogPrefix = false
    command.timestamps = false
    command.alwaysRecreateDeps = false
    command.renewAnonVolumes = false
    command.noStart = false
    command.keep = false
    command.abortOnContainerFailure = false
    command.watch = false
    command.yes = false
    command.dryRun = false
    command.forceRecreate = false
    command.noRecreate = false
    command.noDeps = false
    command.waitTimeout = nil
    command.timeout = nil
    command.scale = []
    command.wait = false
    command.verify = false
    command.removeOrphans = false
    command.abortOnContainerExit = false
    command.exitCodeFrom = nil
    command.pull = nil
    command.builds = .withDefaults
    command.quietPull = false
    command.progress = .withDefaults
    return command
  }

  static var plainOptions: [PlainOption<Up>] {
    PlainOption.project(\.source.options) + [
      .flag("-d", "--detach") { $0.detach = true },
      .texts("--attach") { $0.attach.append($1) },
      .flag("--attach-dependencies") { $0.attachDependencies = true },
      .texts("--no-attach") { $0.noAttach.append($1) },
      .flag("--no-color") { $0.noColor = true },
      .flag("--no-log-prefix") { $0.noLogPrefix = true },
      .flag("--timestamps") { $0.timestamps = true },
      .flag("--always-recreate-deps") { $0.alwaysRecreateDeps = true },
      .flag("-V", "--renew-anon-volumes") { $0.renewAnonVolumes = true },
      .flag("--no-start") { $0.noStart = true },
      .flag("--keep") { $0.keep = true },
      .flag("--abort-on-container-failure") { $0.abortOnContainerFailure = true },
      .flag("-w", "--watch") { $0.watch = true },
      .flag("-y", "--yes") { $0.yes = true },
      .flag("--dry-run") { $0.dryRun = true },
      .flag("--force-recreate") { $0.forceRecreate = true },
      .flag("--no-recreate") { $0.noRecreate = true },
      .flag("--no-deps") { $0.noDeps = true },
      .number("--wait-timeout") { $0.waitTimeout = $1 },
      .number("-t", "--timeout") { $0.timeout = $1 },
      .texts("--scale") { $0.scale.append($1) },
      .flag("--wait") { $0.wait = true },
      .flag("--verify") { $0.verify = true },
      .flag("--remove-orphans") { $0.removeOrphans = true },
      .flag("--abort-on-container-exit") { $0.abortOnContainerExit = true },
      .text("--exit-code-from") { $0.exitCodeFrom = $1 },
      .choice("--pull") { $0.pull = $1 },
      .flag("--build") { $0.builds.build = true },
      .flag("--no-build") { $0.builds.noBuild = true },
      .flag("--quiet-build") { $0.builds.quietBuild = true },
      .flag("--quiet-pull") { $0.quietPull = true },
      .choice("--progress") { $0.progress.progress = $1 },
    ]
  }

  mutating func takeOperands(_ words: [String]) -> Bool {
    source.file = words.first
    services = Array(words.dropFirst())
    return true
  }
}

extension SourceOptions {
  static var withDefaults: SourceOptions {
    var options = SourceOptions()
    options.file = nil
    options.options = .withDefaults
    return options
  }
}

extension ProgressOptions {
  static var withDefaults: ProgressOptions {
    var options = ProgressOptions()
    options.progress = .auto
    return options
  }
}

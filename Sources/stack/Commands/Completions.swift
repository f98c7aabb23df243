import ArgumentParser

/// Names that a shell completes: the scripts ask `stack __complete KIND` for them, with what is typed already.
enum Completions {
  static var stacks: CompletionKind { names(.stacks) }
  static var services: CompletionKind { names(.services) }
  /// Services, and then stacks.
  static var places: CompletionKind { names(.places) }
  /// Services, and files of stacks.
  static var sources: CompletionKind { names(.sources) }
  /// Services with `=` behind them, for a number of replicas.
  static var scales: CompletionKind { names(.scales) }
  /// Services with `build:`.
  static var builds: CompletionKind { names(.builds) }
  static var links: CompletionKind { names(.links) }
  static var images: CompletionKind { names(.images) }
  static var profiles: CompletionKind { names(.profiles) }
  /// Those of all stacks, and those that were made by themselves.
  static var hostNetworks: CompletionKind { names(.hostNetworks) }
  static var hostVolumes: CompletionKind { names(.hostVolumes) }

  /// Each script has a function of that name.
  private static func names(_ kind: Complete.Kind) -> CompletionKind { .shellCommand("__stack_names \(kind.rawValue)") }
}

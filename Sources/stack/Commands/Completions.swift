import ArgumentParser

/// Names that a shell completes: the generated scripts ask `stack __complete KIND` for them.
enum Completions {
  static var stacks: CompletionKind { .shellCommand("stack __complete stacks") }
  static var services: CompletionKind { .shellCommand("stack __complete services") }
  static var networks: CompletionKind { .shellCommand("stack __complete networks") }
  static var links: CompletionKind { .shellCommand("stack __complete links") }
  static var volumes: CompletionKind { .shellCommand("stack __complete volumes") }
  static var images: CompletionKind { .shellCommand("stack __complete images") }
  static var profiles: CompletionKind { .shellCommand("stack __complete profiles") }
}

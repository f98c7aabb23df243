import Host
import Images
import Intent
import Kernel
import StackFiles
import Vocabulary

/// Lists names for a shell that completes a word. It asks no supervisor, and says nothing of what is wrong.
package struct CompletionCommand: Command {
  package let context: CommandContext

  package init(_ context: CommandContext) { self.context = context }

  /// - Parameters:
  ///   - kind: as `stack __complete` takes it.
  ///   - words: what is typed already. Options in it say which stack and which files are meant.
  package func names(of kind: String, _ words: [String]) -> [String] {
    known(kind, words).filter(Self.isPlain)
  }

  /// Shells expand what they are given: `compgen -W` of bash(1) runs `$(…)` in a word.
  static func isPlain(_ name: String) -> Bool { Shell.isPlain(name) && !name.hasPrefix("-") }

  private func known(_ kind: String, _ words: [String]) -> [String] {
    switch kind {
    case "stacks": return stacks()
    case "images": return images()
    case "places": return names(of: "services", words) + stacks()
    case "sources": return names(of: "services", words) + stackFiles()
    case "scales": return names(of: "services", words).map { "\($0)=" }
    case "copies": return names(of: "services", words).map { "\($0):" }
    case "host-networks": return (try? NetworkCommand(context).entries().map(\.name)) ?? []
    case "host-volumes": return (try? VolumeCommand(context).entries().map(\.name)) ?? []
    default: break
    }
    let options = Options(words)
    if let stack = options.stack { return recorded(kind, in: [stack]) }
    if kind == "profiles" { return file(options)?.profiles ?? [] }
    if kind == "builds" { return file(options)?.builtServiceNames ?? [] }
    // What the file says is known before anything is up. What runs may be more: replicas, and services of `run`.
    let scope = try? context.scoped(to: options.files, name: nil)
    let names = scope?.scope?.names ?? index.names()
    let known = recorded(kind, in: names.filter { index.names().contains($0) })
    guard known.isEmpty || kind == "services", let file = file(options) else { return known }
    switch kind {
    case "services": return known + file.serviceNames.filter { !known.contains($0) }
    case "networks": return file.networkNames
    case "volumes": return file.volumeNames
    default: return []
    }
  }

  /// The options that say which stack is meant, as far as a shell's words have them.
  private struct Options {
    var files: [String] = []
    var stack: String?

    init(_ words: [String]) {
      for (word, value) in zip(words, words.dropFirst()) {
        switch word {
        // After a command, -f may mean something else.
        case "-f", "--file": if Files.exists(value) { files.append(value) }
        case "-s", "--stack", "-p", "--project-name", "--project": stack = value
        default: continue
        }
      }
    }
  }

  private func file(_ options: Options) -> LoadedStack? {
    var request = LoadRequest(paths: options.files)
    request.profiles = ["*"]
    return try? context.load(request)
  }

  private func stacks() -> [String] {
    let kept = Files.list(folders.lib).filter {
      NameRule.stack.problem(with: $0) == nil && Files.exists(folders.stack($0).volumes)
    }
    return Set(index.names() + kept).sorted()
  }

  private func recorded(_ kind: String, in stacks: [String]) -> [String] {
    var names: [String] = []
    for stack in stacks {
      // Folders are read faster than a large record.
      if kind == "services" {
        names += Files.list(folders.stack(stack).services)
        continue
      }
      guard let desired = (try? index.desired(stack)) ?? nil else { continue }
      switch kind {
      case "networks": names += desired.networks.map(\.name)
      case "volumes": names += desired.volumes.map(\.name)
      case "links":
        names += desired.services.flatMap { service in service.attachments.map { "\(service.name):\($0.network)" } }
        names += desired.links.map { "\($0.first.service):\($0.second.service)" }
      default: break
      }
    }
    return names
  }

  private func stackFiles() -> [String] {
    Files.list(".").filter {
      $0.hasSuffix(".stack") || $0.contains("compose") && ($0.hasSuffix(".yaml") || $0.hasSuffix(".yml"))
    }
    .sorted()
  }

  private func images() -> [String] {
    let statuses = try? ImageCommand(context).imageStatuses()
    return (statuses ?? []).flatMap { $0.names.map(\.name) }.sorted()
  }
}

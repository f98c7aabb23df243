/// One entry of `include:`.
private struct Inclusion {
  var paths: [Located<String>] = []
  var folder: Located<String>?
  /// Nil: `.env` in the folder, if there is one.
  var environmentFiles: [Located<String>]?

  static let keys = KeyTable<Inclusion>(
    "include",
    [
      .read("path", "the file, or several of which each is merged over those before it") { field, read in
        read.paths = field.textOrTexts()
      },
      .read("project_directory", "the folder that its relative paths start from; the file's own") { field, read in
        read.folder = field.nonEmptyText()
      }.optional,
      .read("env_file", "files with values for its variables; .env in its folder") { field, read in
        read.environmentFiles = field.textOrTexts()
      }.optional,
    ])
}

extension Field {
  /// `include:`: a list of names and mappings.
  func noteInclusions() {
    for item in items() ?? [] {
      if item.node.entries == nil {
        _ = item.nonEmptyText()
      } else {
        var read = Inclusion()
        Inclusion.keys.read(item, into: &read)
      }
    }
  }
}

extension DocumentLoader {
  private static let mostInclusions = 1000

  /// The document with all that the files under its `include:` have.
  mutating func included(_ document: Node, chain: [String]) -> Node {
    guard let entry = document.entries?.first(where: { $0.key.value == "include" }) else { return document }
    var whole = document.without("include")
    let field = field(entry)
    for item in field.items() ?? [] {
      guard let inclusion = inclusion(item), let others = load(inclusion, chain: chain) else { continue }
      whole = with(whole, others, at: item.span)
    }
    return whole
  }

  private func inclusion(_ item: Field) -> Inclusion? {
    if item.node.entries == nil { return item.nonEmptyText().map { Inclusion(paths: [$0]) } }
    var read = Inclusion()
    Inclusion.keys.read(item, into: &read)
    guard read.paths.isEmpty else { return read }
    if item.node["path"] == nil {
      item.report(.missingKey, "an include needs a \"path\"", help: ["write `include: [other.yaml]`"])
    }
    return nil
  }

  private mutating func load(_ inclusion: Inclusion, chain: [String]) -> Node? {
    guard let first = inclusion.paths.first else { return nil }
    inclusionCount += inclusion.paths.count
    guard inclusionCount <= Self.mostInclusions else {
      // Two files that each name the next one twice would be read by powers of two.
      if inclusionCount - inclusion.paths.count <= Self.mostInclusions {
        report(
          .tooManyNodes, "more than \(Self.mostInclusions) files are included, each counted as often as it is",
          at: first.span, help: ["include each file once"])
      }
      return nil
    }
    let from = context.folder(of: first.span)
    let locations = inclusion.paths.map { Path.resolve($0.value, in: from) }
    for (path, location) in zip(inclusion.paths, locations) {
      if ["oci://", "https://", "http://", "git@", "github.com/"].contains(where: { path.value.hasPrefix($0) }) {
        report(
          .notSupported, "what is included is a file of this host", at: path.span,
          help: ["fetch it, and name the file: `include: [./other/compose.yaml]`"])
        return nil
      }
      guard !chain.contains(location) else {
        report(
          .circularFiles, "the file \"\(path.value)\" includes itself", at: path.span,
          help: ["take out one of the files' `include:`"])
        return nil
      }
    }
    let folder = inclusion.folder.map { Path.resolve($0.value, in: from) } ?? Path.split(locations[0]).folder
    let outer = context.variables(at: first.span)
    // What the including stack knows comes first, so that it can choose the included one's values.
    let environment = outer.environment.merging(outer.dotenv) { own, _ in own }
    var variables = Variables(environment: environment)
    if let files = inclusion.environmentFiles {
      for file in files {
        let location = Path.resolve(file.value, in: from)
        variables.dotenv.merge(
          context.loader.values(file.value, from: location, environment: environment, namedAt: file.span)
        ) { $1 }
      }
    } else {
      let location = Path.resolve(".env", in: folder)
      variables.dotenv = context.loader.values(
        location, from: location, environment: environment, tolerating: [.missing, .notAFile("a folder")])
    }
    let origin = ReadingContext.Origin(folder: folder, variables: variables)
    let parsed = zip(inclusion.paths, locations).compactMap { path, location in
      self.parsed(path.value, at: location, namedAt: path.span, origin: origin)
    }
    guard parsed.count == locations.count else { return nil }
    return merged(parsed, variables: variables, chain: chain)
  }

  /// The sections of which each name stands for one thing.
  private static let resources = ["services", "networks", "volumes", "secrets", "configs"]

  private func with(_ document: Node, _ others: Node, at place: Span) -> Node {
    var whole = document
    for entry in others.entries ?? [] {
      let section = entry.key.value
      guard section != "name", section != "version", !section.hasPrefix("x-") else { continue }
      guard let present = whole[section] else {
        whole = whole.replacing(section, with: entry.value, key: entry.key)
        continue
      }
      guard Self.resources.contains(section), let added = entry.value.entries, let known = present.entries else {
        whole = whole.replacing(section, with: merger.merge(entry.value, over: present))
        continue
      }
      whole = whole.replacing(section, with: Node(.mapping(joined(known, added, section, at: place)), present.span))
    }
    return whole
  }

  private func joined(_ known: [Node.Entry], _ added: [Node.Entry], _ section: String, at place: Span) -> [Node.Entry] {
    var all = known
    let places = Dictionary(known.map { ($0.key.value, $0) }) { first, _ in first }
    for entry in added {
      guard let other = places[entry.key.value] else {
        all.append(entry)
        continue
      }
      let isOne = entry.value.says(other.value) && (section != "services" || sameFolder(entry, other))
      guard !isOne else { continue }
      report(
        .conflictingInclude, "an included file has \"\(entry.key.value)\" under `\(section):`, and so has this stack",
        at: place,
        also: [Diagnostic.Label(entry.key.span, "included"), Diagnostic.Label(other.key.span, "the stack's own")],
        help: ["rename one of them, or change it in a file that is merged: `path: [other.yaml, changes.yaml]`"])
    }
    return all
  }

  /// Relative paths of both mean the same.
  private func sameFolder(_ left: Node.Entry, _ right: Node.Entry) -> Bool {
    context.folder(of: left.key.span) == context.folder(of: right.key.span)
  }
}

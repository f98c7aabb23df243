/// Loads stack files together with those that they name: by `include:`, whole stacks, and by `extends:`, single services.
struct DocumentLoader {
  let context: ReadingContext
  /// False: `$` in values is left alone.
  let isInterpolating: Bool
  /// Every variable that the files refer to.
  private(set) var uses: [VariableUse] = []
  /// Files that were included, each time that they were.
  var inclusionCount = 0
  /// The services of files that `extends:` names, by their location.
  private var bases: [String: Node?] = [:]

  init(context: ReadingContext, isInterpolating: Bool) {
    (self.context, self.isInterpolating) = (context, isInterpolating)
  }

  var diagnostics: DiagnosticList { context.diagnostics }
  var merger: DocumentMerger { DocumentMerger(diagnostics) }

  /// A file as it is read, before its variables have values.
  struct Parsed {
    var location: String
    /// One for each document in it.
    var roots: [Node]
  }

  /// Nil, with a diagnostic, for a file that cannot be read.
  func parsed(_ shown: String, at location: String, namedAt place: Span? = nil, origin: ReadingContext.Origin? = nil)
    -> Parsed?
  {
    guard let source = context.loader.load(shown, from: location, namedAt: place) else { return nil }
    if let origin { context.origins[ObjectIdentifier(source)] = origin }
    return DocumentParser.parse(source, diagnostics).map { Parsed(location: location, roots: $0) }
  }

  /// The documents of several files, each merged over those before it, with what they extend and include.
  ///
  /// - Parameter chain: the locations of the files that include these.
  mutating func merged(_ files: [Parsed], variables: Variables, chain: [String] = []) -> Node? {
    var whole: Node?
    for file in files {
      let isNamed = file.location != StackFileLoader.standardInput
      for root in file.roots {
        var document = interpolated(root, variables)
        document = extended(document, at: file.location)
        document = included(document, chain: chain + (isNamed ? [file.location] : []))
        whole = whole.map { merger.merge(document, over: $0) } ?? document
      }
    }
    return whole
  }

  private mutating func interpolated(_ root: Node, _ variables: Variables) -> Node {
    guard isInterpolating else { return root }
    var interpolator = Interpolator(variables: variables, diagnostics: diagnostics)
    let document = interpolator.interpolate(root)
    uses += interpolator.uses.filter { !uses.contains($0) }
    return document
  }

  func report(_ code: DiagnosticCode, _ message: String, at span: Span, also: [Diagnostic.Label] = [], help: [String]) {
    diagnostics.add(Diagnostic(code, message, at: span, also: also, help: help))
  }

  func field(_ entry: Node.Entry) -> Field {
    Field(node: entry.value, name: entry.key.value, key: entry.key.span, context: context)
  }
}

// MARK: - extends

private struct Extension {
  var service: Located<String>?
  var file: Located<String>?

  static let keys = KeyTable<Extension>(
    "extends",
    [
      .read("service", "the service that it begins from") { field, read in read.service = field.nonEmptyText() },
      .read("file", "the file that has it; this one") { field, read in read.file = field.nonEmptyText() }.optional,
    ])
}

extension Field {
  /// `extends:`, which the loader has put in its place already: a name, or a mapping.
  func noteExtension() {
    guard node.entries != nil else { return _ = nonEmptyText() }
    var read = Extension()
    Extension.keys.read(self, into: &read)
  }
}

extension DocumentLoader {
  /// One step of a chain of extensions.
  fileprivate struct Step: Hashable {
    var location: String
    var service: String
  }

  /// The document with services in place of their references to others.
  private mutating func extended(_ document: Node, at location: String) -> Node {
    guard let services = document["services"], let entries = services.entries,
      entries.contains(where: { $0.value["extends"] != nil })
    else { return document }
    var result: [Node.Entry] = []
    for entry in entries {
      let step = Step(location: location, service: entry.key.value)
      result.append(
        Node.Entry(key: entry.key, value: extended(entry.value, within: services, at: location, chain: [step])))
    }
    return document.replacing("services", with: Node(.mapping(result), services.span, mergeTag: services.mergeTag))
  }

  /// - Parameters:
  ///   - services: those of the same file.
  ///   - chain: this service, after those that extend it.
  private mutating func extended(_ service: Node, within services: Node, at location: String, chain: [Step]) -> Node {
    guard let entry = service.entries?.first(where: { $0.key.value == "extends" }) else { return service }
    let own = service.without("extends")
    let field = field(entry)
    if field.isEmpty { return own }
    guard let reference = reference(field), let name = reference.service else { return own }
    var (others, place) = (services, location)
    if let file = reference.file {
      place = Path.resolve(file.value, in: context.folder(of: file.span))
      guard let found = base(file, at: place) else { return own }
      others = found
    }
    let step = Step(location: place, service: name.value)
    guard !chain.contains(step) else {
      report(
        .circularFiles, "service \"\(name.value)\" extends itself", at: name.span,
        help: ["one of the services must stand for itself"])
      return own
    }
    guard let base = others[name.value] else {
      let names = (others.entries ?? []).map(\.key.value)
      let question = Suggestion.question(about: name.value, among: names)
      diagnostics.add(
        Diagnostic(
          .undefinedService, "there is no service \"\(Field.shortened(name.value))\" to extend", at: name.span,
          question,
          help: reference.file.map { ["the file \"\($0.value)\" has: \(names.joined(separator: ", "))"] } ?? []))
      return own
    }
    let whole = extended(base, within: others, at: place, chain: chain + [step])
    guard whole.entries != nil, own.entries != nil else { return own }
    return merger.merge(service: own, over: whole)
  }

  private func reference(_ field: Field) -> Extension? {
    guard field.node.entries != nil else {
      return field.nonEmptyText().map { Extension(service: $0) }
    }
    var read = Extension()
    Extension.keys.read(field, into: &read)
    if read.service == nil, field.node["service"] == nil {
      field.report(.missingKey, "\"extends\" needs a \"service\"", help: ["write `extends: {service: base}`"])
    }
    return read
  }

  /// The services of a file that `extends:` names.
  private mutating func base(_ file: Located<String>, at location: String) -> Node? {
    if let known = bases[location] { return known }
    let origin = ReadingContext.Origin(
      folder: Path.split(location).folder, variables: context.variables(at: file.span))
    var services: Node?
    if let parsed = parsed(file.value, at: location, namedAt: file.span, origin: origin) {
      for root in parsed.roots {
        let document = interpolated(root, origin.variables)
        services = services.map { merger.merge(document, over: $0) } ?? document
      }
      services = services.map { $0["services"] ?? Node(.mapping([]), $0.span) }
    }
    bases[location] = services
    return services
  }
}

import BuildCache
import BuildContext
import Digests
import Dockerfile
import FoundationEssentials
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Images
import Kernel
import StackFiles
import SystemPackage
import Vocabulary

/// Carries out the instructions of one stage.
struct StageBuilder {
  let request: BuildRequest
  let services: BuildServices
  let node: StageGraph.Node
  /// Steps of one lane run one after the other.
  let lane: Int
  /// The results of other stages, by their index.
  let finished: [Int: StageState]
  var state: StageState
  private(set) var number = 1
  private var count = 0
  /// True until a step of the stage itself has a key: that has the base as a part.
  private var isFirst = true

  init(
    _ request: BuildRequest, _ services: BuildServices, _ node: StageGraph.Node, lane: Int, finished: [Int: StageState]
  ) {
    (self.request, self.services, self.node) = (request, services, node)
    (self.lane, self.finished) = (lane, finished)
    state = StageState(configuration: BuildConfiguration(request.inputs.platform), created: "")
    state.created = Self.time(request.epoch)
  }

  var store: ImageStore { services.store }

  /// RFC 3339, in whole seconds.
  static func time(_ epoch: Int64?) -> String {
    let date = epoch.map { Date(timeIntervalSince1970: Double($0)) } ?? .now
    return date.formatted(.iso8601)
  }

  // MARK: The stage

  /// - Throws: ``BuildFailure``
  mutating func build() throws {
    let triggers: [Instruction]
    let first = BuildStep(
      stage: node.stage.label, number: 1, count: 0, text: "FROM \(node.stage.base.text)", place: node.stage.span.place)
    do {
      try placing(node.stage.base.span) { try begin() }
      triggers = try self.triggers()
    } catch {
      throw BuildFailure(error, at: first.place)
    }
    let instructions = triggers + node.stage.instructions
    count = instructions.count + 1
    let step = BuildStep(stage: first.stage, number: 1, count: count, text: first.text, place: first.place)
    report(step, state.isUnknown && finished.isEmpty ? .planned(reason: "the image is to be fetched") : .cached)
    state.scope = StageScope(
      request.dockerfile, request.graph, request.inputs, environment: state.configuration.environment,
      parent: parentScope)
    for instruction in instructions {
      number += 1
      guard !services.stop.isRaised else { throw BuildFailure.stopped }
      do {
        try placing(instruction.span) { try carryOut(instruction) }
      } catch {
        throw BuildFailure(error, at: instruction.span.place)
      }
    }
  }

  private var parentScope: StageScope? {
    if case .stage(let index) = node.base { finished[index]?.scope } else { nil }
  }

  /// The base: files, configuration and history to build upon.
  private mutating func begin() throws {
    switch node.base {
    case .scratch: break
    case .stage(let index):
      guard let base = finished[index] else { throw BuildFailure(nil, "stage \(index) was not built") }
      state = base
      state.scope = nil
    case .image(let name): try begin(from: name)
    case .context(let name):
      guard case .image(let image)? = request.contexts[name] else {
        throw BuildFailure(
          node.stage.span.place, "the context \(name) is a folder, and a stage begins with an image",
          remedy: "give it as an image: docker-image://NAME")
      }
      try begin(from: image)
    }
    state.configuration.beginStage()
  }

  private mutating func begin(from name: String) throws {
    let image: StoredImage
    do {
      image = try services.image(name)
    } catch BuildFailure.missing where request.isDry {
      state.isUnknown = true
      return
    }
    let bytes = try store.readBlob(image.record.configuration) ?? []
    guard let configuration = BuildConfiguration(bytes) else {
      throw BuildFailure(nil, "the configuration of \(image.name) is damaged", remedy: "pull it again")
    }
    state.configuration = configuration
    (state.layers, state.base) = (image.record.layers, image.record)
    if request.epoch == nil { state.created = image.record.created ?? state.created }
  }

  /// The triggers of the base for those who build upon it.
  private mutating func triggers() throws -> [Instruction] {
    let texts = state.configuration.takeTriggers()
    guard !texts.isEmpty else { return [] }
    let list = DiagnosticList()
    guard let found = DockerfileParser.triggers(texts, of: node.stage.base.text, list) else {
      throw BuildFailure.diagnostics(list.sorted)
    }
    return found
  }

  // MARK: Instructions

  func step(_ instruction: Instruction) -> BuildStep {
    BuildStep(
      stage: node.stage.label, number: number, count: count, text: instruction.text, place: instruction.span.place)
  }

  func report(_ step: BuildStep, _ kind: BuildEvent.Kind) {
    services.report(BuildEvent(image: request.image, step: step, kind))
  }

  private mutating func carryOut(_ instruction: Instruction) throws {
    guard var scope = state.scope else { return }
    let before = scope
    let operation = try scope.operation(instruction)
    state.scope = scope
    if !operation.warnings.isEmpty, !request.isDry {
      let text = DiagnosticRenderer(isColored: false).render(operation.warnings)
      services.report(BuildEvent(image: request.image, step: nil, .note(text)))
    }
    let step = step(instruction)
    switch operation.kind {
    case .run(let run): try carryOut(run, operation, step, before)
    case .copy(let copy): try carryOut(copy, operation, step)
    case .workingFolder(let path): try carryOut(workingFolder: path, operation, step)
    default:
      configure(operation.kind)
      addHistory(operation.text, isEmpty: true)
      report(step, .cached)
    }
  }

  private mutating func configure(_ kind: Operation.Kind) {
    switch kind {
    case .environment(let values): state.configuration.setEnvironment(values)
    case .label(let values): state.configuration.setLabels(values)
    case .user(let user): state.configuration.setUser(user)
    case .volume(let paths): state.configuration.addVolumes(paths)
    case .expose(let ports): state.configuration.expose(ports)
    case .command(let line): state.configuration.setCommand(line)
    case .entrypoint(let line): state.configuration.setEntrypoint(line)
    case .healthCheck(let check): state.configuration.setHealthCheck(check)
    case .shell(let words): state.configuration.setShell(words)
    case .stopSignal(let signal): state.configuration.setStopSignal(signal)
    case .onBuild(let text): state.configuration.addTrigger(text)
    case .maintainer(let name): state.configuration.setAuthor(name)
    case .copy, .run, .argument, .workingFolder: break
    }
  }

  private mutating func addHistory(_ text: String, isEmpty: Bool) {
    state.configuration.addHistory(text, created: state.created, isEmpty: isEmpty)
  }

  private mutating func carryOut(workingFolder path: String, _ operation: Operation, _ step: BuildStep) throws {
    let folder = absolute(path)
    defer { state.configuration.setWorkingFolder(folder) }
    guard !state.isUnknown else { return plan(step, nil) }
    let prepared = try prepare(operation, inputs: [], entries: { nil })
    try cached(prepared, operation, step) { builder, name in
      let root = try builder.openRoot(name)
      let owner = try builder.state.configuration.user.map {
        try RootOwner.numbers(of: $0, in: root.fileDescriptor)
      }
      _ = try CopyWriter.makeFolder(folder, in: root.fileDescriptor, owner: owner ?? (0, 0))
    }
  }

  /// A path that may be relative to the working folder. It does not climb above the root.
  func absolute(_ path: String) -> String {
    let base = path.hasPrefix("/") ? path : "\(state.configuration.workingFolder)/\(path)"
    var parts: [Substring] = []
    for part in base.split(separator: "/") where part != "." {
      if part == ".." { _ = parts.popLast() } else { parts.append(part) }
    }
    return "/" + parts.joined(separator: "/")
  }

  // MARK: Steps that change files

  /// The names of the layers in the folder of layers, the topmost first.
  func lower(of layers: [ImageRecord.Layer]) throws -> [String] {
    try layers.reversed().map { layer in
      guard let number = store.number(of: layer.chain) else {
        throw BuildFailure(nil, "layer \(layer.content.short) was removed meanwhile", remedy: "build again")
      }
      return "\(number)/fs"
    }
  }

  /// A step with all that its result depends on.
  struct Prepared {
    var record: StepRecord
    var key: ContentDigest
    /// The files that it takes.
    var entries: () -> [SelectedEntry]?
  }

  mutating func prepare(
    _ operation: Operation, inputs: [StepSituation.Input], entries: @escaping () -> [SelectedEntry]?,
    scope: StageScope? = nil
  ) throws -> Prepared {
    let configuration = state.configuration
    var situation = StepSituation(
      workingFolder: configuration.workingFolder, user: configuration.user ?? "", shell: configuration.shell,
      platform: "\(request.inputs.platform)", hostNames: request.hostNames, epoch: request.epoch.map { "\($0)" },
      inputs: inputs)
    if request.network != .standard { situation.network = "\(request.network)" }
    guard let scope = scope ?? state.scope else { throw BuildFailure(nil, "a step without variables") }
    var parts = try situation.parts(of: operation, in: scope)
    let parent = state.layers.last?.chain
    if isFirst, let parent { parts.append(StepPart(.base, label(of: node.base), "\(parent)")) }
    isFirst = false
    let key = try StepKey.key(parent: parent, parts)
    let place = StepRecord.Place(
      context: request.folder, dockerfile: request.dockerfile.path, stage: node.stage.label, step: number)
    return Prepared(
      record: StepRecord(place: place, key: key, parent: parent, parts: parts), key: key, entries: entries)
  }

  private func label(of origin: StageGraph.Origin) -> String {
    switch origin {
    case .scratch: "scratch"
    case .stage(let index): "stage \(request.graph.node(index)?.stage.label ?? "\(index)")"
    case .image(let name): "image \(name)"
    case .context(let name): "the context \(name)"
    }
  }

  /// Says that a dry run would do a step. What comes after it depends on its result.
  mutating func plan(_ step: BuildStep, _ reason: String?) {
    state.isUnknown = true
    report(step, .planned(reason: reason))
  }

  private var usesCache: Bool {
    request.usesCache && !(node.stage.name.map(request.uncachedStages.contains) ?? false)
  }

  /// The reason why a step is done.
  private func reason(_ prepared: Prepared) -> String {
    guard usesCache else { return "\(MissReason.asked)" }
    let place = prepared.record.place.fileName
    let former = store.buildPlace(place).flatMap { StepRecord($0) }
    let entries = store.buildPlaceFiles(place).flatMap { SelectionManifest.entries($0) }
    return MissReason(
      former: former, formerEntries: entries, now: prepared.record, entries: prepared.entries()
    ).description
  }

  /// Does a step, or takes what it came to before.
  ///
  /// - Parameter body: gets the name of a folder of the store whose layer it fills.
  mutating func cached(
    _ prepared: Prepared, _ operation: Operation, _ step: BuildStep,
    _ body: (StageBuilder, String) throws -> Void
  ) throws {
    let name = prepared.key.hex
    if usesCache, let record = known(name) {
      keep(prepared)
      return take(record, operation, step, isCached: true)
    }
    guard !request.isDry else { return plan(step, reason(prepared)) }
    let reason = reason(prepared)
    report(step, .began(reason: reason == "\(MissReason.neverBuilt)" ? nil : reason))
    let start = Self.now
    do {
      // Another build may be at the same step.
      let lock = try store.lockStep(name) {
        report(step, .output("waiting for another build that is at the same step"))
        return true
      }
      defer { withExtendedLifetime(lock) {} }
      if usesCache, let record = known(name) {
        return take(record, operation, step, isCached: true)
      }
      let record = try make(name, operation, step, body)
      keep(prepared)
      take(record, operation, step, isCached: false)
      report(step, .ended(seconds: Self.now - start))
    } catch {
      let seconds = Self.now - start
      report(step, services.stop.isRaised ? .stopped(seconds: seconds) : .failed(seconds: seconds))
      throw error
    }
  }

  /// The former result of a step, if all of it is there.
  private func known(_ key: String) -> BuildRecord? {
    guard let record = store.buildRecord(key), record.layer.map(BuiltLayer(store).isWhole) ?? true else { return nil }
    return record
  }

  /// Keeps what a step depended on, for the reason why a later one differs. Without it, there is none to be told.
  private func keep(_ prepared: Prepared) {
    let place = prepared.record.place.fileName
    guard let bytes = prepared.record.encoded(), store.buildPlace(place) != bytes else { return }
    try? store.write(place: place, bytes, files: prepared.entries().map { SelectionManifest.encoded($0) })
  }

  private func make(
    _ name: String, _ operation: Operation, _ step: BuildStep, _ body: (StageBuilder, String) throws -> Void
  ) throws -> BuildRecord {
    let folder = try store.beginStep()
    do {
      try body(self, folder)
      let isCommand = if case .run = operation.kind { true } else { false }
      let tidying = LayerTidying(moment: request.epoch, isOfCommand: isCommand)
      if tidying.isNeeded { try tidying.tidy("\(store.layersFolder)/\(folder)/fs") }
      let layer = try services.images.commit(step: folder, on: state.layers, image: request.image)
      let record = BuildRecord(key: name, layer: layer, created: Self.time(request.epoch), text: step.text)
      try store.write(record)
      return record
    } catch {
      store.abandon(step: folder)
      throw error
    }
  }

  private mutating func take(_ record: BuildRecord, _ operation: Operation, _ step: BuildStep, isCached: Bool) {
    if let layer = record.layer {
      state.layers.append(layer)
      state.created = record.created
    }
    addHistory(operation.text, isEmpty: record.layer == nil)
    if isCached { report(step, .cached) }
  }

  static var now: Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }
}

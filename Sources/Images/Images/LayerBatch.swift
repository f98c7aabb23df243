import Digests
import Glibc
import ImageFormat
import ImageReference
import ImageStore
import Kernel
import Layer
import Registry
import Synchronization
import SystemPackage

/// The layers of one image on their way: several at once, each settled on those below it.
///
/// Nothing of it has its place in the store before ``commit()``. When this value goes before, what was unpacked goes too; what was
/// downloaded stays for the next attempt.
final class LayerBatch: @unchecked Sendable {
  /// A layer, there or on its way. Written by one thread, read by others under the batch's lock.
  fileprivate struct Slot {
    var layer: ImageRecord.Layer
    /// Its path: in the store, or in the ingest folder.
    var folder: String
    var isMissing: Bool
    /// The file with its bytes, where they were fetched.
    var part: String?
    var isSettled: Bool
  }

  private struct State {
    var slots: [Slot] = []
    var next = 0
    var failure: ImageError?
    var warnings: [String] = []
  }

  private let store: ImageStore
  private let feed: any ImageFeed
  private let image: String
  private let launcher: any UnpackerLauncher
  private let cancellation: Cancellation
  private let report: @Sendable (PullEvent) -> Void
  private let state = Mutex(State())
  private let changes = Signal()
  private var locks: [LockBox] = []
  private var isCommitted = false

  private final class LockBox {
    let lock: FileLock
    init(_ lock: consuming FileLock) { self.lock = lock }
  }

  init(
    store: ImageStore, feed: any ImageFeed, image: String, launcher: any UnpackerLauncher, cancellation: Cancellation,
    report: @escaping @Sendable (PullEvent) -> Void
  ) {
    (self.store, self.feed, self.image) = (store, feed, image)
    (self.launcher, self.cancellation, self.report) = (launcher, cancellation, report)
  }

  deinit {
    guard !isCommitted else { return }
    let isOutOfSpace = isOutOfSpace
    for slot in state.withLock({ $0.slots }) where slot.isMissing {
      try? Files.remove(slot.folder)
      // On a full disk it would be in everybody's way.
      if isOutOfSpace, let part = slot.part { unlink(part) }
    }
  }

  var isEmpty: Bool { state.withLock { $0.slots.allSatisfy { !$0.isMissing } } }
  var layers: [ImageRecord.Layer] { state.withLock { $0.slots.map(\.layer) } }
  var warnings: [String] { state.withLock { $0.warnings } }

  /// Adds the next layer upwards. Waits while another pull brings the same one.
  func add(_ layer: ImageRecord.Layer) throws(ImageError) {
    if addPresent(layer) { return }
    let lock = try imaging(image) { () throws(KernelError) in
      try store.lockChain(layer.chain) { [self] in
        tell(layer, .waiting)
        return true
      }
    }
    if addPresent(layer) { return }
    if case .some(let lock) = consume lock { locks.append(LockBox(lock)) }
    let folder = store.temporary(layer.chain)
    state.withLock {
      $0.slots.append(Slot(layer: layer, folder: folder, isMissing: true, part: nil, isSettled: false))
    }
  }

  private func addPresent(_ layer: ImageRecord.Layer) -> Bool {
    guard let number = store.number(of: layer.chain), let record = store.record(of: number),
      store.hasBlob(layer.blob) || record.isBuilt == true && layer.blob == layer.content
    else { return false }
    var layer = layer
    (layer.size, layer.largestID) = (record.size, record.largestID)
    let folder = store.layer(number)
    state.withLock {
      $0.slots.append(Slot(layer: layer, folder: folder, isMissing: false, part: nil, isSettled: true))
    }
    tell(layer, .present)
    return true
  }

  // MARK: Running

  /// Fetches and unpacks what is missing.
  func run() throws(ImageError) {
    let missing = state.withLock { $0.slots.count { $0.isMissing } }
    var threads: [Thread.Handle] = []
    for _ in 0..<min(missing, ImagePull.layersAtOnce) {
      do {
        threads.append(try Thread.start { [self] in work() })
      } catch {
        fail(ImageError(image, error))
      }
    }
    for thread in threads { thread.join() }
    if let failure = state.withLock({ $0.failure }) { throw failure }
    if cancellation.isRaised { throw ImageError(image, .stopped) }
  }

  private func work() {
    while let place = takeNext() {
      do throws(ImageError) {
        try bring(place)
      } catch {
        fail(error)
      }
    }
  }

  private func takeNext() -> Int? {
    state.withLock { state in
      guard state.failure == nil else { return nil }
      while state.next < state.slots.count {
        defer { state.next += 1 }
        if state.slots[state.next].isMissing { return state.next }
      }
      return nil
    }
  }

  private func fail(_ error: ImageError) {
    state.withLock { if $0.failure == nil { $0.failure = error } }
    changes.raise()
  }

  private var isOutOfSpace: Bool { state.withLock { $0.failure?.isOutOfSpace == true } }

  private var isOver: Bool { cancellation.isRaised || state.withLock { $0.failure != nil } }

  /// One layer, from its first byte to its being settled.
  private func bring(_ place: Int) throws(ImageError) {
    let layer = state.withLock { $0.slots[place].layer }
    var mayResume = true
    while true {
      let part = try LayerPart(store, layer.blob, image: image, resumes: mayResume)
      let wasResumed = part.size > 0
      do throws(Failure) {
        return try bring(layer, at: place, part)
      } catch {
        // On a full disk it would be in everybody's way, whichever layer met the end.
        if error.isDamage || error.error.isOutOfSpace || isOutOfSpace { part.discard() }
        // Bytes of an earlier attempt may be the damaged ones.
        guard error.isDamage, wasResumed, mayResume, !isOver else { throw error.error }
        mayResume = false
      }
    }
  }

  private struct Failure: Error {
    var error: ImageError
    /// True if the bytes are at fault, and not the way to them.
    var isDamage: Bool
  }

  private func bring(_ layer: ImageRecord.Layer, at place: Int, _ part: LayerPart) throws(Failure) {
    let unpacking: Unpacking
    do throws(KernelError) {
      let folder = try store.beginLayer(layer.chain)
      unpacking = try Unpacking(
        launcher,
        UnpackerMessage.Order(
          folder: "\(folder)/fs", blobAlgorithm: layer.blob.algorithm.rawValue,
          contentAlgorithm: layer.content.algorithm.rawValue, cage: store.ingestFolder))
    } catch {
      throw Failure(error: ImageError(image, error), isDamage: false)
    }
    try fetch(layer, part, into: unpacking)
    tell(layer, .unpacking)
    let outcome = try check(unpacking, layer)
    let record = LayerRecord(
      chain: layer.chain, content: layer.content, parent: place > 0 ? layers[place - 1].chain : nil,
      size: outcome.contentSize, largestID: outcome.largestID)
    try settle(unpacking, layer, at: place)
    do throws(KernelError) {
      try store.write(record, in: store.temporary(layer.chain))
    } catch {
      throw Failure(error: ImageError(image, error), isDamage: false)
    }
    state.withLock { state in
      (state.slots[place].layer.size, state.slots[place].layer.largestID) = (record.size, record.largestID)
      state.slots[place].part = part.path
      state.slots[place].folder = store.temporary(layer.chain)
      state.slots[place].isSettled = true
      state.warnings += outcome.warnings
    }
    changes.raise()
    tell(layer, .done)
  }

  private func fetch(
    _ layer: ImageRecord.Layer, _ part: LayerPart, into unpacking: Unpacking
  ) throws(Failure) {
    // The bytes that the unpacker has. After a new start, it gets none of them again.
    let flow = Flow()
    var failure: ImageError?
    do throws(ImageError) {
      try part.replay { bytes in
        guard !isOver, flow.pass(bytes, to: unpacking) else { return false }
        flow.passed += Int64(bytes.count)
        return true
      }
      let start = part.size
      flow.position = start
      let descriptor = BlobDescriptor(mediaType: nil, digest: layer.blob, size: layer.blobSize)
      let told = Told(start)
      let watch = RequestWatch(isStopped: { [self] in isOver }) { [self] text in
        tell(layer, .retrying(text), told.value)
      }
      try feed.layer(descriptor, from: start, watch) {
        flow.position = 0
        return part.restart()
      } take: { [self] bytes in
        guard !isOver, part.write(bytes) else { return false }
        let fresh = flow.fresh(bytes)
        guard fresh.isEmpty || flow.pass(fresh, to: unpacking) else { return false }
        if part.size - told.value >= 1 << 16 || part.size == layer.blobSize {
          told.set(part.size)
          tell(layer, .downloading, part.size)
        }
        return true
      }
    } catch {
      failure = error
    }
    unpacking.closeInput()
    if let problem = part.failure {
      throw Failure(error: ImageError(image, problem), isDamage: false)
    }
    // An unpacker that ended ends the transfer; it says why.
    if flow.isRefused, !isOver { _ = try outcome(of: unpacking, layer) }
    guard let failure else {
      guard part.size == layer.blobSize || isOver else {
        throw Failure(
          error: ImageError(
            image,
            "layer \(layer.blob.short) from \(feed.place) has \(part.size) bytes, and the manifest says \(layer.blobSize)"
          ),
          isDamage: true)
      }
      return
    }
    throw Failure(error: failure, isDamage: false)
  }

  private func outcome(of unpacking: Unpacking, _ layer: ImageRecord.Layer) throws(Failure) -> LayerUnpacker.Outcome {
    do throws(LayerError) {
      return try unpacking.outcome()
    } catch {
      throw Failure(
        error: ImageError(image, error, layer: layer.blob, from: feed.place), isDamage: !error.isOutOfSpace)
    }
  }

  private func check(_ unpacking: Unpacking, _ layer: ImageRecord.Layer) throws(Failure) -> LayerUnpacker.Outcome {
    let outcome = try outcome(of: unpacking, layer)
    for (found, meant, what) in [(outcome.blob, layer.blob, "digest"), (outcome.content, layer.content, "diff_id")]
    where found != "\(meant)" {
      throw Failure(
        error: ImageError(
          image, "layer \(layer.blob.short) from \(feed.place) has the \(what) \(found), and not \(meant)",
          remedy: "pull again; if it stays so, the image is damaged or was changed on the way"),
        isDamage: true)
    }
    return outcome
  }

  private func settle(_ unpacking: Unpacking, _ layer: ImageRecord.Layer, at place: Int) throws(Failure) {
    while true {
      if isOver { throw Failure(error: ImageError(image, .stopped), isDamage: false) }
      let lower = state.withLock { state in
        place == 0 || state.slots[place - 1].isSettled ? state.slots[..<place].reversed().map(\.root) : nil
      }
      guard let lower else {
        changes.wait()
        continue
      }
      do throws(LayerError) {
        return try unpacking.settle(on: lower)
      } catch {
        throw Failure(
          error: ImageError(image, error, layer: layer.blob, from: feed.place), isDamage: !error.isOutOfSpace)
      }
    }
  }

  // MARK: The end

  /// Gives everything its place. All of it is on disk.
  func commit() throws(KernelError) {
    do throws(KernelError) {
      for slot in state.withLock({ $0.slots }) where slot.isMissing {
        if let part = slot.part, Files.exists(part) { try store.commit(part: part, as: slot.layer.blob) }
        try store.commit(layer: slot.folder, slot.layer.chain)
      }
    } catch {
      fail(ImageError(image, error))
      throw error
    }
    isCommitted = true
  }

  private func tell(_ layer: ImageRecord.Layer, _ state: PullEvent.State, _ bytes: Int64 = 0) {
    report(PullEvent(image: image, layer: layer.blob.short, state: state, bytes: bytes, size: layer.blobSize))
  }
}

extension LayerBatch.Slot {
  /// The root of the layer.
  fileprivate var root: String { isMissing ? "\(folder)/fs" : folder }
}

/// The number of bytes of a layer that have been told of.
private final class Told: Sendable {
  private let count: Atomic<Int64>

  init(_ count: Int64) { self.count = Atomic(count) }

  var value: Int64 { count.load(ordering: .relaxed) }
  func set(_ value: Int64) { count.store(value, ordering: .relaxed) }
}

/// The progress of a blob's bytes to its unpacker.
private final class Flow {
  var passed: Int64 = 0
  var position: Int64 = 0
  /// True once the unpacker has taken no more.
  private(set) var isRefused = false

  func pass(_ bytes: UnsafeRawBufferPointer, to unpacking: Unpacking) -> Bool {
    if !unpacking.write(bytes) { isRefused = true }
    return !isRefused
  }

  /// Those of the next bytes that the unpacker does not have yet.
  func fresh(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    let start = position
    position += Int64(bytes.count)
    guard position > passed else { return UnsafeRawBufferPointer(rebasing: bytes[..<0]) }
    let known = Int(max(passed - start, 0))
    passed = position
    return UnsafeRawBufferPointer(rebasing: bytes[known...])
  }
}

/// Wakes threads that wait for a change of what they look at.
private final class Signal: Sendable {
  private let count = Atomic(0)

  func raise() { count.add(1, ordering: .releasing) }

  /// Returns after a change, or a moment later.
  func wait() {
    let seen = count.load(ordering: .acquiring)
    for _ in 0..<20 {
      if count.load(ordering: .acquiring) != seen { return }
      poll(nil, 0, 5)
    }
  }
}

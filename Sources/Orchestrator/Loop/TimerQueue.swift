/// Deadlines with their handlers, earliest first. It is a binary heap that knows the place of each entry. So a
/// cancelled timer leaves at once and never wakes the loop.
struct TimerQueue<Instant: Comparable, Action> {
  private struct Entry {
    let id: UInt64
    let deadline: Instant
    let action: Action

    /// Timers with the same deadline fire in the order they were made.
    func precedes(_ other: Entry) -> Bool {
      deadline == other.deadline ? id < other.id : deadline < other.deadline
    }
  }

  private var heap: [Entry] = []
  private var positions: [UInt64: Int] = [:]
  private var lastID: UInt64 = 0

  var count: Int { heap.count }

  /// The earliest deadline, `nil` when there is no timer.
  var nextDeadline: Instant? { heap.first?.deadline }

  /// Adds a timer and returns the number to cancel it by. Numbers are not used twice.
  mutating func insert(at deadline: Instant, _ action: Action) -> UInt64 {
    lastID += 1
    heap.append(Entry(id: lastID, deadline: deadline, action: action))
    positions[lastID] = heap.count - 1
    siftUp(from: heap.count - 1)
    return lastID
  }

  /// Takes a timer out; false when it has fired or was cancelled before.
  @discardableResult
  mutating func remove(_ id: UInt64) -> Bool {
    guard let position = positions[id] else { return false }
    _ = takeEntry(at: position)
    return true
  }

  /// Takes out the earliest timer if it is due.
  mutating func popDue(at now: Instant) -> Action? {
    guard let first = heap.first, first.deadline <= now else { return nil }
    return takeEntry(at: 0).action
  }

  private mutating func takeEntry(at position: Int) -> Entry {
    swapEntries(position, heap.count - 1)
    let taken = heap.removeLast()
    positions[taken.id] = nil
    if position < heap.count {
      siftUp(from: position)
      siftDown(from: position)
    }
    return taken
  }

  private mutating func swapEntries(_ one: Int, _ other: Int) {
    guard one != other else { return }
    heap.swapAt(one, other)
    positions[heap[one].id] = one
    positions[heap[other].id] = other
  }

  private mutating func siftUp(from start: Int) {
    var child = start
    while child > 0 {
      let parent = (child - 1) / 2
      guard heap[child].precedes(heap[parent]) else { return }
      swapEntries(child, parent)
      child = parent
    }
  }

  private mutating func siftDown(from start: Int) {
    var parent = start
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < heap.count && heap[child].precedes(heap[smallest]) {
        smallest = child
      }
      guard smallest != parent else { return }
      swapEntries(parent, smallest)
      parent = smallest
    }
  }
}

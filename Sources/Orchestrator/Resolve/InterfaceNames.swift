/// Names for the interfaces of one service that the file gives none: `eth0`, `eth1` and so on, past those that it gives.
struct InterfaceNames {
  private var taken: Set<String>
  private var number = 0

  init(given: some Sequence<String>) {
    taken = Set(given)
  }

  mutating func next() -> String {
    while !taken.insert("eth\(number)").inserted { number += 1 }
    return "eth\(number)"
  }
}

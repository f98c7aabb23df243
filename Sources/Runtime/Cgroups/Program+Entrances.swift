import Kernel

extension Program {
  /// Enters the groups of version 1 whose files these are (``ControlGroupEntrance/open``), before anything else: from here on
  /// what the process uses counts as its service's, and the host's paths are still there.
  mutating func enter(_ entrances: [String]) throws(KernelError) {
    for file in entrances { try write("0", to: file, for: "enter the cgroup", file) }
  }
}

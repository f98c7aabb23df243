import Kernel

extension Program {
  /// Enters the groups of version 1 with these files (``ControlGroupEntrance/open``), before anything else. From here
  /// on the process's use counts as its service's, and the host's paths still exist.
  mutating func enter(_ entrances: [String]) throws(KernelError) {
    for file in entrances { try write("0", to: file, for: "enter the cgroup", file) }
  }
}

import Host
import Intent
import Kernel
import SystemPackage
import Vocabulary

extension DoctorCommand {
  /// Lets the bridges of all stacks that are up through where Docker and firewalld are, as if they were in firewalld's trusted
  /// zone. `down` takes it back. When firewalld is reloaded, it forgets that, and the supervisor does it again.
  ///
  /// - Returns: what was changed, a line for each stack and chain.
  package func letThrough() throws(StackErrors) -> [String] {
    try rethrowing(nil) { () throws(KernelError) in
      let netfilter = NetfilterConnection()
      var lines: [String] = []
      for name in index.names() {
        guard let desired = try index.desired(name) else { continue }
        let passage = Passage(stack: name, bridges: desired.bridges)
        // First the note, so that a reload in between is not missed.
        try Files.overwrite(folders.stack(name).firewalldPassage, with: [], mode: .ownerReadWrite)
        for gate in try netfilter.open(passage, at: Passage.docker + Passage.firewalld) {
          lines.append("\(name): let through in table \(gate.table) chain \(gate.chain)")
        }
      }
      return lines
    }
  }

  /// Takes back what ``letThrough()`` did in firewalld's chains. What `up` did in Docker's is taken back by `down`.
  package func takeBack() throws(StackErrors) -> [String] {
    try rethrowing(nil) { () throws(KernelError) in
      let netfilter = NetfilterConnection()
      var lines: [String] = []
      for name in index.names() {
        try Files.remove(folders.stack(name).firewalldPassage)
        for gate in try netfilter.close(name, at: Passage.firewalld) {
          lines.append("\(name): taken back from table \(gate.table) chain \(gate.chain)")
        }
      }
      return lines
    }
  }
}

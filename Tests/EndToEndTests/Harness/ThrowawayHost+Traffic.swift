import Foundation

/// Traffic between two services, measured with other programs in their network namespaces.
extension ThrowawayHost {
  /// Megabits a second that TCP gets through in three seconds, of what the program sent.
  ///
  /// - Parameter enough: on a busy machine less may get through than could: then it is measured again, up to five times.
  func megabits(
    from sender: String, to receiver: String, of stack: String, enough: Double = 0
  ) throws -> Double {
    var most = 0.0
    for _ in 0..<5 where most <= enough {
      most = max(most, try megabitsOnce(from: sender, to: receiver, of: stack))
    }
    return most
  }

  private func megabitsOnce(from sender: String, to receiver: String, of stack: String) throws -> Double {
    let address = try self.ipAddress(of: receiver)
    let server = try start(["ip", "netns", "exec", "\(stack).\(receiver)", "iperf3", "-s", "-1", "-p", "5201"])
    guard
      try eventually({
        try run("ip", "netns", "exec", "\(stack).\(receiver)", "ss", "-Hltn", "sport = :5201").output.isEmpty == false
      })
    else { throw HarnessError("iperf3 does not listen") }
    let outcome = try run(
      "ip", "netns", "exec", "\(stack).\(sender)", "iperf3", "-c", address, "-p", "5201", "-t", "3", "-J")
    _ = try server.wait(limit: .seconds(60))
    guard let report = try JSONSerialization.jsonObject(with: Data(outcome.outputBytes)) as? [String: Any],
      let end = report["end"] as? [String: Any], let sum = end["sum_received"] as? [String: Any],
      let bits = sum["bits_per_second"] as? Double
    else { throw HarnessError("\(outcome)") }
    return bits / 1_000_000
  }

  /// The number of 2,000 datagrams that do not arrive.
  func lost(from sender: String, to receiver: String, of stack: String) throws -> Int {
    let address = try self.ipAddress(of: receiver)
    let counting = """
      import socket
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      # SO_RCVBUFFORCE, by its number.
      s.setsockopt(socket.SOL_SOCKET, 33, 1 << 24)
      s.bind(("", 5202))
      s.settimeout(20)
      print("listening", flush=True)
      count = 0
      while True:
        data = s.recv(64)
        if data == b"end":
          break
        count += 1
        s.settimeout(3)
      print(count)
      """
    // The end is said often enough to arrive whatever is lost.
    let sending = """
      import socket, time
      s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
      for number in range(2000):
        s.sendto(b"data", ("\(address)", 5202))
        if number % 50 == 49:
          time.sleep(0.005)
      time.sleep(0.1)
      for _ in range(200):
        s.sendto(b"end", ("\(address)", 5202))
      """
    let counter = try start(["ip", "netns", "exec", "\(stack).\(receiver)", "python3", "-c", counting])
    guard eventually({ counter.output.hasPrefix("listening") }) else { throw HarnessError("nobody counts") }
    try succeed("ip", "netns", "exec", "\(stack).\(sender)", "python3", "-c", sending)
    let outcome = try counter.wait(limit: .seconds(60))
    guard let count = outcome.lines.last.flatMap({ Int($0) }) else { throw HarnessError("\(outcome)") }
    return 2000 - count
  }

  /// True if this kernel has netem, by tc(8).
  func hasEmulator() throws -> Bool {
    let script = "ip link add trial0 type veth peer name trial1 && tc qdisc add dev trial0 root netem delay 1ms"
    return try run("unshare", "-n", "sh", "-c", script).status == 0
  }
}

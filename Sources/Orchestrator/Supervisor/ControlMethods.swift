/// What a supervisor can be asked over its control socket. Names follow varlink's: an interface, a dot, a method.
enum SupervisorMethods {
  /// Answers when nothing else is being done, such as undoing what a command that was killed had begun.
  enum Idle: ControlMethod {
    static let name = "io.stack.Idle"
    typealias Parameters = Nothing
    typealias Reply = Nothing
  }

  /// Which build of the program the supervisor is.
  enum Build: ControlMethod {
    static let name = "io.stack.Build"
    typealias Parameters = Nothing
    struct Reply: Codable, Sendable {
      var build: String
    }
  }

  /// Makes the stack what its claim says (``StackFolder/claim``). Answers with events until it is done.
  enum Up: ControlMethod {
    static let name = "io.stack.Up"
    struct Parameters: Codable, Sendable {
      var scope: Planner.Scope
      /// Seconds until a service that is not ready counts as failed; nil for as long as each may reasonably take.
      var readyTimeout: Double?
      /// Seconds until a service that is to stop is killed; nil for each service's own grace period.
      var stopTimeout: Double?
    }
    typealias Reply = OperationEvent
  }

  /// Takes the stack down and ends the supervisor.
  enum Down: ControlMethod {
    static let name = "io.stack.Down"
    struct Parameters: Codable, Sendable {
      var removeVolumes: Bool
      /// Seconds to wait for services to stop by themselves; nil for each service's own grace period.
      var timeout: Double?
    }
    typealias Reply = OperationEvent
  }

  enum Start: ControlMethod {
    static let name = "io.stack.Start"
    typealias Parameters = ServiceSelection
    typealias Reply = OperationEvent
  }

  enum Stop: ControlMethod {
    static let name = "io.stack.Stop"
    typealias Parameters = ServiceSelection
    typealias Reply = OperationEvent
  }

  enum Restart: ControlMethod {
    static let name = "io.stack.Restart"
    typealias Parameters = ServiceSelection
    typealias Reply = OperationEvent
  }

  enum Pause: ControlMethod {
    static let name = "io.stack.Pause"
    typealias Parameters = ServiceSelection
    typealias Reply = OperationEvent
  }

  enum Unpause: ControlMethod {
    static let name = "io.stack.Unpause"
    typealias Parameters = ServiceSelection
    typealias Reply = OperationEvent
  }

  enum Kill: ControlMethod {
    static let name = "io.stack.Kill"
    struct Parameters: Codable, Sendable {
      var services: [String]
      var signal: Int32
    }
    typealias Reply = OperationEvent
  }

  /// Changes by hand what befalls packets on links.
  enum Shape: ControlMethod {
    static let name = "io.stack.Shape"
    struct Parameters: Codable, Sendable {
      var changes: [Change]
      /// Seconds until it ends by itself; nil for not by itself.
      var seconds: Double?
    }
    struct Change: Codable, Sendable {
      var service: String
      var place: Place
      /// nil for what the file says.
      var override: LinkOverride?
    }
    /// Which of a service's links.
    enum Place: Codable, Hashable, Sendable {
      case network(String)
      /// An end of a link to another service, by its interface.
      case interface(String)
    }
    typealias Reply = OperationEvent
  }

  /// Cuts groups of services off from each other, or lets all reach each other again.
  enum Partition: ControlMethod {
    static let name = "io.stack.Partition"
    struct Parameters: Codable, Sendable {
      /// nil for none.
      var partition: Orchestrator.Partition?
    }
    typealias Reply = OperationEvent
  }

  /// Ends the operation under way; an `up` is undone.
  enum Cancel: ControlMethod {
    static let name = "io.stack.Cancel"
    typealias Parameters = Nothing
    typealias Reply = Nothing
  }

  struct ServiceSelection: Codable, Sendable {
    /// Names of instances; all of them when empty.
    var services: [String]
    /// Seconds from the stop signal to SIGKILL; nil for each service's own grace period.
    var stopTimeout: Double?
  }
}

import Control
import Intent
import Planning

/// The methods of a supervisor's control socket. Names follow varlink's: an interface, a dot, a method.
package enum SupervisorMethods {
  /// Answers when nothing else is being done, such as undoing what a command that was killed had begun.
  package enum Idle: ControlMethod {
    package static let name = "io.stack.Idle"
    package typealias Parameters = Nothing
    package typealias Reply = Nothing
  }

  /// Asks for the build of the program that the supervisor is.
  package enum Build: ControlMethod {
    package static let name = "io.stack.Build"
    package typealias Parameters = Nothing
    package struct Reply: Codable, Sendable {
      package var build: String

      package init(build: String) {
        self.build = build
      }
    }
  }

  /// Has the supervisor look after its records, and answers with the paths of what it has written again.
  package enum Mend: ControlMethod {
    package static let name = "io.stack.Mend"
    package typealias Parameters = Nothing
    package struct Reply: Codable, Sendable {
      package var mended: [String]

      init(mended: [String]) {
        self.mended = mended
      }
    }
  }

  /// Makes the stack what its claim says (`StackFolder.claim`). Answers with events until it is done.
  package enum Up: ControlMethod {
    package static let name = "io.stack.Up"
    package struct Parameters: Codable, Sendable {
      package var scope: Planner.Scope
      /// Seconds until a service that is not ready counts as failed; nil for as long as each may reasonably take.
      package var readyTimeout: Double?
      /// Seconds until a service that is to stop is killed; nil for each service's own grace period.
      package var stopTimeout: Double?
      /// True if a failure is left as it is.
      package var keepsOnFailure: Bool
      /// True if services with an image count as ready only once their health check succeeds; nil for false.
      package var waitsForHealth: Bool?

      package init(
        scope: Planner.Scope, readyTimeout: Double? = nil, stopTimeout: Double? = nil, keepsOnFailure: Bool = false,
        waitsForHealth: Bool = false
      ) {
        self.scope = scope
        self.readyTimeout = readyTimeout
        self.stopTimeout = stopTimeout
        self.keepsOnFailure = keepsOnFailure
        self.waitsForHealth = waitsForHealth
      }
    }
    package typealias Reply = OperationEvent
  }

  /// Takes the stack down and ends the supervisor.
  package enum Down: ControlMethod {
    package static let name = "io.stack.Down"
    package struct Parameters: Codable, Sendable {
      package var removeVolumes: Bool
      /// Seconds to wait for services to stop by themselves; nil for each service's own grace period.
      package var timeout: Double?

      package init(removeVolumes: Bool, timeout: Double? = nil) {
        self.removeVolumes = removeVolumes
        self.timeout = timeout
      }
    }
    package typealias Reply = OperationEvent
  }

  package enum Start: ControlMethod {
    package static let name = "io.stack.Start"
    package typealias Parameters = ServiceSelection
    package typealias Reply = OperationEvent
  }

  package enum Stop: ControlMethod {
    package static let name = "io.stack.Stop"
    package typealias Parameters = ServiceSelection
    package typealias Reply = OperationEvent
  }

  package enum Restart: ControlMethod {
    package static let name = "io.stack.Restart"
    package typealias Parameters = ServiceSelection
    package typealias Reply = OperationEvent
  }

  package enum Pause: ControlMethod {
    package static let name = "io.stack.Pause"
    package typealias Parameters = ServiceSelection
    package typealias Reply = OperationEvent
  }

  package enum Unpause: ControlMethod {
    package static let name = "io.stack.Unpause"
    package typealias Parameters = ServiceSelection
    package typealias Reply = OperationEvent
  }

  package enum Kill: ControlMethod {
    package static let name = "io.stack.Kill"
    package struct Parameters: Codable, Sendable {
      package var services: [String]
      package var signal: Int32

      package init(services: [String], signal: Int32) {
        self.services = services
        self.signal = signal
      }
    }
    package typealias Reply = OperationEvent
  }

  /// Changes delay, loss and rate of links by hand.
  package enum Shape: ControlMethod {
    package static let name = "io.stack.Shape"
    package struct Parameters: Codable, Sendable {
      package var changes: [Change]
      /// Seconds until it ends by itself; nil for not by itself.
      package var seconds: Double?

      package init(changes: [Change], seconds: Double? = nil) {
        self.changes = changes
        self.seconds = seconds
      }
    }
    package struct Change: Codable, Sendable {
      package var service: String
      package var place: Place
      /// nil for what the file says.
      package var override: LinkOverride?

      package init(service: String, place: Place, override: LinkOverride? = nil) {
        self.service = service
        self.place = place
        self.override = override
      }
    }
    /// One of a service's links.
    package enum Place: Codable, Hashable, Sendable {
      case network(String)
      /// An end of a link to another service, by its interface.
      case interface(String)
    }
    package typealias Reply = OperationEvent
  }

  /// Cuts groups of services off from each other, or lets all reach each other again.
  package enum Partition: ControlMethod {
    package static let name = "io.stack.Partition"
    package struct Parameters: Codable, Sendable {
      /// nil for none.
      package var partition: Intent.Partition?

      package init(partition: Intent.Partition? = nil) {
        self.partition = partition
      }
    }
    package typealias Reply = OperationEvent
  }

  /// Ends the operation under way; an `up` is undone.
  package enum Cancel: ControlMethod {
    package static let name = "io.stack.Cancel"
    package typealias Parameters = Nothing
    package typealias Reply = Nothing
  }

  package struct ServiceSelection: Codable, Sendable {
    /// Names of instances; all of them when empty.
    package var services: [String]
    /// Seconds from the stop signal to SIGKILL; nil for each service's own grace period.
    package var stopTimeout: Double?
    /// Seconds until a service that is started must be ready; nil for as long as each may reasonably take.
    package var readyTimeout: Double?
    /// False if services that are to be restarted with these are left alone.
    package var withFollowers: Bool
    /// True if services with an image count as ready only once their health check succeeds; nil for false.
    package var waitsForHealth: Bool?

    package init(
      services: [String], stopTimeout: Double? = nil, readyTimeout: Double? = nil, withFollowers: Bool = true,
      waitsForHealth: Bool = false
    ) {
      self.services = services
      self.stopTimeout = stopTimeout
      self.readyTimeout = readyTimeout
      self.withFollowers = withFollowers
      self.waitsForHealth = waitsForHealth
    }
  }
}

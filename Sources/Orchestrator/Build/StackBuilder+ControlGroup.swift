import Intent
import Isolation
import Kernel
import Runtime
import SystemPackage

extension StackBuilder {
  package func controlGroup(of service: String) -> ControlGroup { controlGroups.group("stack/\(stack)/\(service)") }

  /// Makes the service's group anew, with its limits.
  func makeControlGroup(of service: DesiredService) throws(KernelError) -> ControlGroup {
    let group = controlGroup(of: service.name)
    let lacks: [KernelError]
    do {
      lacks = try group.create(service.limits)
      if let lack = lacks.first, !group.exists {
        warnings.add("services have neither limits nor filters for devices: \(lack)", about: "limits")
        return group
      }
      if let rules = try deviceRules(of: service) { try restrictDevices(of: group, by: rules) }
    } catch {
      guard let place = service.declaredAt, error.remedy != nil else { throw error }
      var error = error
      error.remedy = error.remedy.map { "\($0) (\(place))" }
      throw error
    }
    if let lack = lacks.first {
      warnings.add("services have no limits but those that the file sets: \(lack)", about: "limits")
    }
    return group
  }

  /// A host that has no such filter is told of once. What keeps it from a service for a moment fails its start: descriptors
  /// or memory that are used up are no reason for a weaker service.
  private func restrictDevices(of group: ControlGroup, by rules: [DeviceRule]) throws(KernelError) {
    do {
      try group.restrictDevices(by: deviceFilters.filter(rules))
    } catch {
      let passing: [Errno] = [
        .tooManyOpenFiles, .tooManyOpenFilesInSystem, .noMemory, .resourceTemporarilyUnavailable, .noSpace,
        .interrupted,
      ]
      guard !passing.contains(error.errno) else { throw error }
      // They have no capability to make device nodes with, and a /dev of their own.
      warnings.add("services are not kept from devices by cgroups: \(error)", about: "devices")
    }
  }
}

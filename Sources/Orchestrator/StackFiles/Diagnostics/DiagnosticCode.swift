/// Everything that can be wrong with a stack file. The codes are stable: scripts and editors may rely on them.
///
/// E is an error, W a warning, N a note. ``DiagnosticExplanation/table`` says what each means, with an example.
enum DiagnosticCode: String, Sendable, CaseIterable {
  case unreadableFile = "E0001"
  case notAFile = "E0002"
  case fileTooLarge = "E0003"
  case notUTF8 = "E0004"
  case controlCharacter = "E0005"
  case syntax = "E0006"
  case duplicateKey = "E0007"
  case badAlias = "E0008"
  case tooManyNodes = "E0009"
  case nestedTooDeep = "E0010"
  case badMergeKey = "E0011"
  case badKey = "E0012"
  case severalDocuments = "E0013"
  case emptyFile = "E0014"
  case unknownTag = "E0015"

  case badInterpolation = "E0020"
  case missingVariable = "E0021"
  case unsetVariable = "W0022"
  case badEnvironmentFile = "E0023"

  case unknownKey = "E0030"
  case notSupported = "E0031"
  case wrongShape = "E0032"
  case missingKey = "E0033"
  case badChoice = "E0034"
  case emptyText = "E0035"
  case ignoredKey = "N0036"
  case conflictingKeys = "E0037"
  case nothingToRun = "E0038"

  case noServices = "E0101"
  case undefinedNetwork = "E0102"
  case undefinedVolume = "E0103"
  case undefinedService = "E0104"
  case selfDependency = "E0105"
  case dependencyCycle = "E0106"
  case dependencyNeverHealthy = "E0107"
  case dependencyNeverCompletes = "E0108"
  case inactiveDependency = "E0109"

  case badName = "E0201"
  case badHostname = "E0202"
  case badPort = "E0203"
  case portOutOfRange = "E0204"
  case backwardsRange = "E0205"
  case rangeLengths = "E0206"
  case badAddress = "E0207"
  case badSubnet = "E0208"
  case badDuration = "E0209"
  case badSize = "E0210"
  case badSignal = "E0211"
  case badPath = "E0212"
  case badOption = "E0213"
  case badQuoting = "E0214"
  case badMACAddress = "E0215"
  case numberOutOfRange = "E0216"
  case badVariableName = "E0217"
  case badImage = "E0218"

  case unusableSubnet = "E0301"
  case overlappingSubnets = "E0302"
  case outsideSubnet = "E0303"
  case reservedAddress = "E0304"
  case duplicateAddress = "E0305"
  case addressWithoutSubnet = "E0306"
  case duplicateAttachment = "E0307"

  case hostPortConflict = "E0401"
  case duplicateContainerName = "E0402"
  case duplicateTarget = "E0403"
  case scaleConflict = "E0404"
  case nameCollision = "E0405"

  case routerOfOtherFamily = "E0480"

  case badRule = "E0501"
  case badPeer = "E0502"
  case badRulePort = "E0503"
  case undefinedPeer = "E0504"
  case idlePeer = "W0505"
  case shadowedRule = "W0506"
  case idleRule = "W0507"
  case ambiguousPeer = "W0508"

  case badInterfaceName = "E0550"
  case duplicateInterface = "E0551"
  case badExtraHost = "E0552"
  case badLink = "E0553"
  case badRoute = "E0554"
  case unreachableRouter = "E0555"
  case networkModeConflict = "E0556"
  case externalConflict = "E0557"
  case driverConflict = "E0558"
  case badVLAN = "E0559"
  case routerOfNobody = "W0560"
  case routesInCircle = "W0561"
  case networkWithoutHost = "E0562"
  case badSwitch = "E0563"

  case networkWithoutIPv6 = "E0580"
  case portWithoutIPv6 = "E0581"
  case sourceOfOtherFamily = "E0582"

  case badDomain = "E0600"

  case badRate = "E0620"
  case badShare = "E0621"
  case jitterWithoutDelay = "E0622"
  case jitterExceedsDelay = "E0623"
  case reorderWithoutDelay = "E0624"

  case privilegedInUserNamespace = "E0640"
  case userBeyondNamespace = "E0641"

  case limitTooSmall = "E0660"
  case limitsDisagree = "E0661"
  case badProcessorCount = "E0662"
  case badProcessorList = "E0663"
  case unknownProcessLimit = "E0664"
  case badSysctl = "E0665"
  case hostSysctl = "E0666"
  case badDevice = "E0667"
  case badTimeOffset = "E0668"
  case badSeccompProfile = "E0669"

  var severity: Diagnostic.Severity {
    switch rawValue.first {
    case "W": .warning
    case "N": .note
    default: .error
    }
  }
}

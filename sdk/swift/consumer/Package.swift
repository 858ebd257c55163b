// swift-tools-version: 6.0
import PackageDescription

// A project that uses the package as any user's would. test.sh sets the location of the package's repository.
let package = Package(
    name: "words",
    platforms: [.iOS(.v16), .macOS(.v14), .macCatalyst(.v16)],
    dependencies: [.package(url: Context.environment["SCRIPTKD_PACKAGE"]!, from: "0.1.0")],
    targets: [.executableTarget(name: "words", dependencies: [.product(name: "Scriptkd", package: "scriptkd")])],
    swiftLanguageModes: [.v6]
)

// swift-tools-version: 6.0
import PackageDescription

// On Linux, onnxruntime is the installed one, found by pkg-config's libonnxruntime or in the compiler's folders. On
// Apple's platforms it is the official static xcframework, as a target of the same name.
#if os(Linux)
let onnxruntime = Target.systemLibrary(name: "onnxruntime", path: "Sources/COnnxRuntime", pkgConfig: "libonnxruntime")
#else
let onnxruntime = Target.binaryTarget(
    name: "onnxruntime",
    url: "https://download.onnxruntime.ai/pod-archive-onnxruntime-c-1.24.2.zip",
    checksum: "f7100a992d2a8135168c8afd831e6a58b465349101982aa58b3e11d36e600b54")
#endif

let models = ["student", "world", "upright", "world-upright"]
let apple: [Platform] = [.iOS, .macOS, .macCatalyst]

let package = Package(
    name: "scriptkd",
    platforms: [.iOS(.v16), .macOS(.v14), .macCatalyst(.v16)],
    products: [.library(name: "Scriptkd", targets: ["Scriptkd"])],
    targets: [
        onnxruntime,
        .target(
            name: "CScriptkd",
            dependencies: ["onnxruntime"],
            cSettings: [.headerSearchPath("apple", .when(platforms: apple))],
            linkerSettings: [
                .linkedLibrary("m", .when(platforms: [.linux])),
                .linkedLibrary("c++", .when(platforms: apple)),
                .linkedFramework("CoreML", .when(platforms: apple)),  // a static library does not name its dependencies
            ]),
        .target(
            name: "Scriptkd",
            dependencies: ["CScriptkd"],
            exclude: ["models/SHA256SUMS"] + models.map { "models/\($0).md" },
            resources: models.map { .copy("models/\($0).onnx") }),
        .testTarget(name: "ScriptkdTests", dependencies: ["Scriptkd"]),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .gnu11
)

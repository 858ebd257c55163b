import Foundation
import Scriptkd

// words WIDTH HEIGHT FILE...: the scripts of bare RGB pixels.
let arguments = CommandLine.arguments
let identifier = try ScriptIdentifier()
let images = try arguments.dropFirst(3).map { path in
    Pixels(try Data(contentsOf: URL(fileURLWithPath: path)), width: Int(arguments[1])!, height: Int(arguments[2])!, format: .rgb)
}
for result in try await identifier.identifyBatch(images, options: Options(threshold: 0)) {
    switch result {
    case .success(let answer): print(answer.script, answer.code, answer.score)
    case .failure(let error): print("error:", error.code, error.localizedDescription)
    }
}

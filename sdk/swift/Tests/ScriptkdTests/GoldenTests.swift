import Foundation
import Scriptkd
import XCTest

/// The golden vectors, which every SDK must reproduce: sdk/contract/golden/README.md.
final class GoldenTests: XCTestCase {
    func testFloat32() throws { try check("fp32") }

    func testInt8() throws { try check("int8") }

    /// Each vector as it is, and once in another format; the formats alternate.
    private func check(_ name: String) throws {
        let golden = try Golden.read()
        let model = try XCTUnwrap(golden.models[name])
        let identifier = try ScriptIdentifier(path: Golden.sdk.appendingPathComponent(model.file).path)
        XCTAssertEqual(identifier.model.labels.map(\.name), model.labels)
        var largest = 0.0
        for (index, vector) in golden.vectors.enumerated() {
            let pixels = try vector.pixels()
            let format = PixelFormat.allCases[1 + index % 5]
            for image in [pixels, pixels.converted(to: format, bottomUp: index % 2 == 1)] {
                largest = max(largest, try compare(identifier.identify(image), vector, name, model))
            }
        }
        XCTAssertGreaterThanOrEqual(golden.vectors.count, 200)
        print("\(golden.vectors.count) vectors, \(name): largest difference from the golden scores \(largest)")
    }

    /// Returns the largest difference from the expected scores.
    private func compare(_ answer: Prediction, _ vector: Golden.Vector, _ name: String, _ model: Golden.Model) throws -> Double {
        let unstable = model.unstable.contains(vector.name)
        let tolerance = unstable ? 0.1 : model.tolerance
        let expected = try XCTUnwrap(vector.scores[name])
        let given = Dictionary(uniqueKeysWithValues: answer.scores.map { ($0.name, $0.value) })
        XCTAssertEqual(given.count, model.labels.count)
        var differences = try zip(model.labels, expected).map { abs(try XCTUnwrap(given[$0]) - $1) }
        if let sure = try XCTUnwrap(vector.orientationScore[name]) {
            differences.append(abs(try XCTUnwrap(answer.orientationScore) - sure))
        } else {
            XCTAssertNil(answer.orientationScore)
        }
        let largest = differences.max()!
        XCTAssertLessThanOrEqual(largest, tolerance, "\(vector.name) by \(name)")
        if unstable { return 0 }
        XCTAssertEqual(answer.best, model.labels[expected.firstIndex(of: expected.max()!)!], vector.name)
        XCTAssertEqual(answer.orientation, try XCTUnwrap(vector.orientation[name]), vector.name)
        let shares = Dictionary(uniqueKeysWithValues: answer.shares.map { ($0.name, $0.value) })
        let expectedShares = try XCTUnwrap(vector.shares[name])
        XCTAssertEqual(Set(shares.keys), Set(expectedShares.keys), vector.name)
        for (script, share) in expectedShares {
            XCTAssertEqual(shares[script] ?? -1, share, accuracy: 1e-6, vector.name)
        }
        return largest
    }

    func testRefusedModels() throws {
        let folder = Golden.sdk.appendingPathComponent("contract/golden/refused")
        let files = try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
        let models = files.filter { $0.pathExtension == "onnx" }
        XCTAssertGreaterThanOrEqual(models.count, 5)
        for model in models {
            XCTAssertThrowsError(try ScriptIdentifier(path: model.path)) { error in
                XCTAssertEqual((error as? ScriptkdError)?.code, .model, model.path)
                XCTAssertTrue(error.localizedDescription.hasPrefix(model.path + ": "), error.localizedDescription)
            }
            let content = try Data(contentsOf: model)
            XCTAssertThrowsError(try ScriptIdentifier(data: content, name: "this")) { error in
                XCTAssertEqual((error as? ScriptkdError)?.code, .model, model.path)
                XCTAssertTrue(error.localizedDescription.hasPrefix("this: "), error.localizedDescription)
            }
        }
    }

    func testRefusedImages() throws {
        struct Refused: Decodable {
            let name: String
            let width: Int
            let height: Int
        }
        let refused = try JSONDecoder().decode(
            [Refused].self, from: Data(contentsOf: Golden.pixels.appendingPathComponent("refused.json")))
        XCTAssertGreaterThanOrEqual(refused.count, 3)
        let identifier = try ScriptIdentifier()
        for image in refused {
            let data = try Data(contentsOf: Golden.pixels.appendingPathComponent("\(image.name).bin"))
            let pixels = Pixels(data, width: image.width, height: image.height, format: .rgb)
            let allowed = min(image.width, image.height) < 2 ? "at least 2x2 are needed" : "at most 16,384 a side are allowed"
            assertFails(.image, "\(image.width)x\(image.height) pixels, but \(allowed)") { () throws(ScriptkdError) in
                try identifier.identify(pixels)
            }
        }
    }
}

import Foundation
import Scriptkd
import XCTest

/// Models, options and pixels, independent of the models' answers.
final class IdentifierTests: XCTestCase {
    func testBundledModels() throws {
        for model in BundledModel.allCases {
            let identifier = try ScriptIdentifier(model)
            XCTAssertGreaterThanOrEqual(identifier.model.labels.count, 10, model.rawValue)
            XCTAssertTrue((1...3).contains(identifier.model.format))
            XCTAssertTrue((0...1).contains(identifier.model.threshold))
            XCTAssertGreaterThan(identifier.model.temperature, 0)
            XCTAssertNoThrow(try JSONSerialization.jsonObject(with: Data(identifier.model.provenance.utf8)))
            let answer = try identifier.identify(stripes(width: 120, height: 40))
            XCTAssertEqual(answer.orientationScore == nil, identifier.model.squareHeight == nil, model.rawValue)
            XCTAssertEqual(answer.scores.count, identifier.model.labels.count)
            XCTAssertEqual(answer.scores.reduce(0) { $0 + $1.value }, 1, accuracy: 1e-12)
            XCTAssertEqual(answer.scores.map(\.value), answer.scores.map(\.value).sorted(by: >))
            XCTAssertEqual(answer.score, answer.scores[0].value)
            XCTAssertEqual(answer.best, answer.scores[0].name)
        }
        XCTAssertEqual(try ScriptIdentifier().model, try ScriptIdentifier(.student).model, "the default")
    }

    func testOpenedFromDataIsTheSame() throws {
        var data = try Data(contentsOf: BundledModel.student.url)
        let identifier = try ScriptIdentifier(data: data, threads: 2)
        data.resetBytes(in: 0..<data.count)
        let path = try ScriptIdentifier(path: BundledModel.student.url.path)
        XCTAssertEqual(identifier.model, path.model)
        let image = stripes(width: 70, height: 30)
        XCTAssertEqual(try identifier.identify(image).best, try path.identify(image).best)
    }

    func testChoices() throws {
        let identifier = try ScriptIdentifier()
        let image = stripes(width: 90, height: 30)
        let answer = try identifier.identify(image)

        let unsure = try identifier.identify(image, options: Options(threshold: 1))
        XCTAssertEqual([unsure.script, unsure.code, unsure.best], ["unknown", "Zyyy", answer.best])
        XCTAssertEqual(unsure.shares.map(\.name), ["unknown"])
        XCTAssertEqual(unsure.shares.map(\.value), [1])
        XCTAssertEqual(try identifier.identify(image, options: Options(threshold: 0)).script, answer.best)

        let among = try identifier.identify(image, options: Options(allow: ["Taml", " bengali\n"]))
        XCTAssertEqual(Set(among.scores.map(\.code)), ["Taml", "Beng"])
        XCTAssertEqual(among.scores[0].value + among.scores[1].value, 1, accuracy: 1e-12)
        let without = try identifier.identify(image, options: Options(deny: ["Hindi"]))
        XCTAssertEqual(without.scores.count, answer.scores.count - 1)
        XCTAssertFalse(without.scores.contains { $0.name == "Devanagari" })

        let tall = try identifier.identify(stripes(width: 20, height: 90), options: Options(upright: true))
        XCTAssertEqual(tall.orientation, 0)
        XCTAssertEqual(tall.orientationScore, 1)
    }

    /// The same translucent picture in each order of bytes, also from memory that is not copied.
    func testFormatsWithAlpha() throws {
        let identifier = try ScriptIdentifier()
        let (width, height) = (60, 24)
        var pixels: [[UInt8]] = []
        for i in 0..<width * height {
            pixels.append([UInt8(i * 7 % 256), UInt8(i * 13 % 256), UInt8(i * 29 % 256), i / 3 % 2 == 0 ? 40 : 240])
        }
        func answer(_ format: PixelFormat, _ order: [Int]) throws -> Prediction {
            let bytes: [UInt8] = pixels.flatMap { pixel in order.map { pixel[$0] } }
            return try bytes.withUnsafeBytes {
                try identifier.identify(bytes: $0, width: width, height: height, bytesPerRow: 4 * width, format: format)
            }
        }
        let rgba = try answer(.rgba, [0, 1, 2, 3])
        XCTAssertEqual(try answer(.bgra, [2, 1, 0, 3]), rgba)
        XCTAssertEqual(try answer(.argb, [3, 0, 1, 2]), rgba)
        XCTAssertNotEqual(try answer(.rgba, [2, 1, 0, 3]).scores, rgba.scores, "red and blue differ")
    }

    /// EXIF's eight ways to store the upright picture 1 2 3 / 4 5 6.
    func testUpright() throws {
        let stored: [(width: Int, bytes: [UInt8])] = [
            (3, [1, 2, 3, 4, 5, 6]), (3, [3, 2, 1, 6, 5, 4]), (3, [6, 5, 4, 3, 2, 1]), (3, [4, 5, 6, 1, 2, 3]),
            (2, [1, 4, 2, 5, 3, 6]), (2, [3, 6, 2, 5, 1, 4]), (2, [6, 3, 5, 2, 4, 1]), (2, [4, 1, 5, 2, 6, 3]),
        ]
        for (index, picture) in stored.enumerated() {
            let (width, height) = (picture.width, 6 / picture.width)
            let plain = Pixels(picture.bytes, width: width, height: height, format: .gray)
            let upright = try plain.upright(exifOrientation: index + 1)
            XCTAssertEqual(upright, Pixels([1, 2, 3, 4, 5, 6], width: 3, height: 2, format: .gray), "EXIF \(index + 1)")
            for bottomUp in [false, true] where index > 0 {
                let other = try plain.converted(to: .bgra, bottomUp: bottomUp).upright(exifOrientation: index + 1)
                XCTAssertEqual(other.bytes, [1, 2, 3, 4, 5, 6].flatMap { [$0, $0, $0, 255] }, "EXIF \(index + 1)")
            }
        }
        let picture = Pixels([1, 2, 3], width: 2, height: 2, format: .gray)
        assertFails(.argument, "exifOrientation must be an integer from 1 to 8, not 9") { () throws(ScriptkdError) in
            try picture.upright(exifOrientation: 9)
        }
        assertFails(.image, "3 bytes are not an image of 2x2 pixels, with 1 bytes each and 2 from row to row") { () throws(ScriptkdError) in
            try picture.upright(exifOrientation: 6)
        }
    }
}

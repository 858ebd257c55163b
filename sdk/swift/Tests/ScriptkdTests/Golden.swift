import Foundation
import Scriptkd
import XCTest

/// The parts of sdk/contract/golden/golden.json that these tests use.
struct Golden: Decodable {
    struct Model: Decodable {
        let file: String
        let tolerance: Double
        let labels: [String]
        let unstable: [String]
    }

    struct Vector: Decodable {
        let name: String
        let width: Int
        let height: Int
        let channels: Int
        let scores: [String: [Double]]
        let orientation: [String: Int?]
        let orientationScore: [String: Double?]
        let shares: [String: [String: Double]]

        enum CodingKeys: String, CodingKey {
            case name, width, height, channels, scores, orientation, shares
            case orientationScore = "orientation_score"
        }

        /// Its binding pixels.
        func pixels() throws -> Pixels {
            Pixels(
                try Data(contentsOf: Golden.pixels.appendingPathComponent("\(name).bin")), width: width, height: height,
                format: channels == 1 ? .gray : .rgb)
        }
    }

    let models: [String: Model]
    let vectors: [Vector]

    /// The folder `sdk` of the repository.
    static var sdk: URL { folder("SCRIPTKD_SDK") }
    /// The output of pixels.py.
    static var pixels: URL { folder("SCRIPTKD_PIXELS") }

    static func read() throws -> Golden {
        try JSONDecoder().decode(Golden.self, from: Data(contentsOf: sdk.appendingPathComponent("contract/golden/golden.json")))
    }

    private static func folder(_ variable: String) -> URL {
        guard let path = ProcessInfo.processInfo.environment[variable] else {
            fatalError("\(variable) is not set: run sdk/swift/test.sh")
        }
        return URL(fileURLWithPath: path, isDirectory: true)
    }
}

extension Pixels {
    /// The same opaque picture, gray or RGB, in another format, with gaps between the rows, and bottom up on request.
    func converted(to other: PixelFormat, bottomUp: Bool) -> Pixels {
        let orders: [PixelFormat: [Int]] = [
            .gray: [0], .rgb: [0, 1, 2], .bgr: [2, 1, 0], .rgba: [0, 1, 2, 3], .bgra: [2, 1, 0, 3], .argb: [3, 0, 1, 2],
        ]
        let size = format.bytesPerPixel
        var rows: [[UInt8]] = []
        for y in 0..<height {
            var row: [UInt8] = []
            for x in 0..<width {
                let pixel = (y * width + x) * size
                for channel in orders[other]! { row.append(channel == 3 ? 255 : bytes[pixel + min(channel, size - 1)]) }
            }
            rows.append(row + [7, 7, 7, 7, 7])
        }
        let stride = width * other.bytesPerPixel + 5
        return Pixels(
            (bottomUp ? rows.reversed() : rows).flatMap { $0 }, width: width, height: height,
            bytesPerRow: bottomUp ? -stride : stride, format: other)
    }
}

/// Dark stripes on a light ground, for tests that need any picture.
func stripes(width: Int, height: Int) -> Pixels {
    let row: [UInt8] = (0..<width).map { x in x / 3 % 2 == 0 ? 30 : 220 }
    let rows = [[UInt8]](repeating: row, count: height)
    return Pixels(rows.flatMap { $0 }, width: width, height: height, format: .gray)
}

/// Checks that a call fails with this code and sentence.
func assertFails<Value>(
    _ code: ScriptkdError.Code, _ message: String, file: StaticString = #filePath, line: UInt = #line,
    _ call: () throws(ScriptkdError) -> Value
) {
    do {
        _ = try call()
        XCTFail("no error, but expected: \(message)", file: file, line: line)
    } catch {
        XCTAssertEqual(error.code, code, file: file, line: line)
        XCTAssertEqual(error.message, message, file: file, line: line)
        XCTAssertEqual(error.localizedDescription, message, file: file, line: line)
    }
}

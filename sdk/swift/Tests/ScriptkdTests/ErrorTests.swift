import Foundation
import Scriptkd
import XCTest

/// Wrong input gets a code and the other SDKs' message.
final class ErrorTests: XCTestCase {
    func testOpening() throws {
        let path = BundledModel.student.url.path
        assertFails(.model, "/no/such.onnx: no such model file") { () throws(ScriptkdError) in try ScriptIdentifier(path: "/no/such.onnx") }
        assertFails(.model, "/tmp: a folder, not a model file") { () throws(ScriptkdError) in try ScriptIdentifier(path: "/tmp") }
        for threads in [0, -1, 257] {
            assertFails(.argument, "threads must be an integer from 1 to 256, not \(threads)") { () throws(ScriptkdError) in
                try ScriptIdentifier(path: path, threads: threads)
            }
        }
        for broken in [Data(), Data("no model".utf8)] {
            XCTAssertThrowsError(try ScriptIdentifier(data: broken, name: "this")) { error in
                XCTAssertEqual((error as? ScriptkdError)?.code, .model)
                XCTAssertTrue(error.localizedDescription.hasPrefix("this: "), error.localizedDescription)
            }
        }
    }

    func testPixels() throws {
        let identifier = try ScriptIdentifier()
        func refused(_ code: ScriptkdError.Code, _ message: String, _ image: Pixels, line: UInt = #line) {
            assertFails(code, message, line: line) { () throws(ScriptkdError) in try identifier.identify(image) }
        }
        let bytes = [UInt8](repeating: 9, count: 300)
        refused(.image, "1x2 pixels, but at least 2x2 are needed", Pixels(bytes, width: 1, height: 2, format: .gray))
        refused(.image, "0x0 pixels, but at least 2x2 are needed", Pixels([], width: 0, height: 0, format: .gray))
        refused(.image, "-3x2 pixels, but at least 2x2 are needed", Pixels(bytes, width: -3, height: 2, format: .gray))
        refused(
            .image, "\(Int32.max)x2 pixels, but at most 16,384 a side are allowed", Pixels(bytes, width: .max, height: 2, format: .rgba))
        refused(
            .argument, "stride must be at least 30 bytes for 10 pixels of 3, up or down, not 29",
            Pixels(bytes, width: 10, height: 10, bytesPerRow: 29, format: .rgb))
        // One byte too few fails, top down or bottom up. Exactly enough bytes succeed.
        let short = "299 bytes are not an image of 10x10 pixels, with 3 bytes each and 30 from row to row"
        for stride in [30, -30] {
            refused(.image, short, Pixels([UInt8](bytes.dropLast()), width: 10, height: 10, bytesPerRow: stride, format: .rgb))
            XCTAssertNoThrow(try identifier.identify(Pixels(bytes, width: 10, height: 10, bytesPerRow: stride, format: .rgb)))
        }
        refused(
            .image, "0 bytes are not an image of 10x10 pixels, with 1 bytes each and 10 from row to row",
            Pixels([], width: 10, height: 10, format: .gray))
        for stride in [Int.min, .max] {
            refused(
                .image, "300 bytes are not an image of 10x10 pixels, with 1 bytes each and \(stride.magnitude) from row to row",
                Pixels(bytes, width: 10, height: 10, bytesPerRow: stride, format: .gray))
        }
    }

    func testRegions() throws {
        let identifier = try ScriptIdentifier()
        let image = stripes(width: 90, height: 30)
        let outside = Region.box(left: 200, top: 0, right: 240, bottom: 30)
        let inside = Region.box(left: 10, top: 5, right: 60, bottom: 25)
        let corners = Region.corners(
            topLeft: CGPoint(x: 10, y: 5), topRight: CGPoint(x: 60, y: 5), bottomRight: CGPoint(x: 60, y: 25),
            bottomLeft: CGPoint(x: 10, y: 25))
        let results = identifier.identify(
            image, regions: [inside, outside, corners, .rectangle(CGRect(x: 10, y: 5, width: 50, height: 20))])
        XCTAssertEqual(results.count, 4)
        XCTAssertEqual(try results[0].get(), try results[3].get())
        XCTAssertEqual(try results[0].get(), try identifier.identify(image, region: inside))
        XCTAssertEqual(try results[0].get(), try results[2].get(), "upright corners are a box")
        XCTAssertThrowsError(try results[1].get()) { error in
            XCTAssertEqual((error as? ScriptkdError)?.code, .image)
            XCTAssertTrue(error.localizedDescription.contains("90x30"), error.localizedDescription)
        }
        XCTAssertNotEqual(try identifier.identify(image).scores, try results[0].get().scores)
    }

    func testOptions() throws {
        let identifier = try ScriptIdentifier()
        let image = stripes(width: 90, height: 30)
        let labels = identifier.model.labels.map(\.name).joined(separator: ", ")
        func refused(_ message: String, _ options: Options, line: UInt = #line) {
            assertFails(.argument, message, line: line) { () throws(ScriptkdError) in try identifier.identify(image, options: options) }
        }
        refused("threshold must be a number from 0 to 1, not 1.5", Options(threshold: 1.5))
        refused("threshold must be a number from 0 to 1, not nan", Options(threshold: .nan))
        refused("allow: the model does not know the script 'Klingon', but \(labels)", Options(allow: ["Klingon"]))
        refused("deny: the model does not know the script 'Klingon', but \(labels)", Options(deny: ["Klingon"]))
        refused("allow and deny leave no script to answer; the model knows \(labels)", Options(allow: []))
        refused("allow and deny leave no script to answer; the model knows \(labels)", Options(allow: ["Hindi"], deny: ["Deva"]))
    }
}

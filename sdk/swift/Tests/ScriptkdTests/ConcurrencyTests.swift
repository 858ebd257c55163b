import Foundation
import Scriptkd
import XCTest

/// One identifier, many tasks.
final class ConcurrencyTests: XCTestCase {
    func testManyTasksGetTheSameAnswers() async throws {
        let identifier = try ScriptIdentifier()
        let images = (0..<20).map { stripes(width: 30 + 17 * $0, height: 20 + $0) }
        let expected = try images.map { try identifier.identify($0) }
        let equal = try await withThrowingTaskGroup(of: Bool.self) { group in
            for start in 0..<8 {
                group.addTask {
                    for turn in 0..<40 {
                        let index = (start + turn) % images.count
                        guard try identifier.identify(images[index]) == expected[index] else { return false }
                    }
                    return true
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
        XCTAssertEqual(equal, [Bool](repeating: true, count: 8))
    }

    func testBatchKeepsTheOrder() async throws {
        let identifier = try ScriptIdentifier()
        var images = (0..<50).map { stripes(width: 30 + 7 * $0, height: 24) }
        images[7] = stripes(width: 1, height: 24)
        let results = try await identifier.identifyBatch(images, options: Options(threshold: 0))
        XCTAssertEqual(results.count, images.count)
        for (index, result) in results.enumerated() {
            if index == 7 {
                XCTAssertEqual(result.failure?.message, "1x24 pixels, but at least 2x2 are needed")
            } else {
                XCTAssertEqual(try result.get(), try identifier.identify(images[index], options: Options(threshold: 0)))
            }
        }
        let none = try await identifier.identifyBatch([])
        XCTAssertTrue(none.isEmpty)
    }

    func testBatchIsCancelled() async throws {
        let identifier = try ScriptIdentifier()
        let images = [Pixels](repeating: stripes(width: 300, height: 40), count: 100_000)  // would take minutes without cancellation
        let task = Task { try await identifier.identifyBatch(images) }
        task.cancel()
        let result = await task.result
        XCTAssertThrowsError(try result.get()) { XCTAssertTrue($0 is CancellationError, "\($0)") }
    }

    /// Tasks may outlive the variable that held the identifier.
    func testAnIdentifierLivesAsLongAsItsTasks() async throws {
        var identifier: ScriptIdentifier? = try ScriptIdentifier()
        let tasks = (0..<4).map { _ in
            Task { [identifier] in try identifier!.identify(stripes(width: 90, height: 30)) }
        }
        identifier = nil
        var answers: Set<Prediction> = []
        for task in tasks { answers.insert(try await task.value) }
        XCTAssertEqual(answers.count, 1)
        XCTAssertNil(identifier)
    }
}

extension Result {
    fileprivate var failure: Failure? {
        if case .failure(let error) = self { error } else { nil }
    }
}

import CScriptkd
import Foundation

/// A model that comes with the package.
public enum BundledModel: String, Sendable, CaseIterable {
    /// Ten scripts, in 8 bits, for crops in any orientation and for lines.
    case student
    /// 26 scripts, in 8 bits, for crops in any orientation and for lines.
    case world
    /// Ten scripts, for upright words only.
    case upright
    /// 26 scripts, for upright words only.
    case worldUpright = "world-upright"

    /// The model file's location.
    public var url: URL {
        let bundle = Bundle.module
        return bundle.url(forResource: rawValue, withExtension: "onnx") ?? bundle.bundleURL.appendingPathComponent("\(rawValue).onnx")
    }
}

/// Tells which script a cropped word image is written in.
///
/// ```swift
/// let identifier = try ScriptIdentifier()
/// let answer = try identifier.identify(Pixels(bytes, width: 160, height: 48, format: .rgb))
/// print(answer.script, answer.code, answer.score) // Tamil Taml 0.9999...
/// ```
///
/// Opening takes tens of milliseconds, so reuse an identifier. Any number of threads and tasks may use it at once, as
/// it never changes. It is closed with its last reference.
///
/// scriptkd writes and sends nothing. onnxruntime has had telemetry since 1.29. The environment variable
/// `ORT_DISABLE_TELEMETRY` disables it: loading this library sets the variable to 1, unless you have set it.
public final class ScriptIdentifier: Sendable {
    /// The C core allows many threads at once, and this variable is set only once.
    private nonisolated(unsafe) let handle: OpaquePointer

    /// The model file's metadata.
    public let model: ModelInfo

    /// Opens a bundled model.
    ///
    /// - Parameter threads: how many threads one call may use, 1 to 256; more than one helps only large networks.
    /// - Throws: `ScriptkdError`: `.argument` for a wrong number of threads, `.model` if the app lacks the file.
    public convenience init(_ model: BundledModel = .student, threads: Int = 1) throws(ScriptkdError) {
        try self.init(path: model.url.path, threads: threads)
    }

    /// Opens a model file.
    ///
    /// A model file is a program: a network with a loop may run for any length of time, even while it is opened. So
    /// open only files from sources that you trust.
    ///
    /// - Throws: `ScriptkdError`: `.model` for a file that is missing, not ONNX, not scriptkd's, newer than this version, or whose network
    ///   does not fit its metadata; `.argument` for a wrong number of threads.
    public convenience init(path: String, threads: Int = 1) throws(ScriptkdError) {
        try self.init { identifier, error in
            path.withCString { scriptkd_open($0, Int32(clamping: threads), identifier, error) }
        }
    }

    /// Opens a model file's content.
    ///
    /// - Parameter name: the model's name in errors.
    /// - Throws: as `init(path:threads:)`.
    public convenience init(data: Data, name: String = "model", threads: Int = 1) throws(ScriptkdError) {
        try self.init { identifier, error in
            data.withUnsafeBytes { bytes in
                // An empty buffer may have no address, but still counts as a file without content.
                withUnsafeBytes(of: 0 as UInt8) { nothing in
                    scriptkd_open_memory(
                        bytes.baseAddress ?? nothing.baseAddress, bytes.count, name, Int32(clamping: threads), identifier, error)
                }
            }
        }
    }

    private init(
        _ open: (UnsafeMutablePointer<OpaquePointer?>, UnsafeMutablePointer<scriptkd_error>) -> scriptkd_status
    ) throws(ScriptkdError) {
        var error = scriptkd_error()
        var opened: OpaquePointer?
        try ScriptkdError.check(open(&opened, &error), error)
        handle = opened!  // set where the status is OK
        model = ModelInfo(scriptkd_model_info(opened).pointee)
    }

    deinit {
        scriptkd_close(handle)
    }

    /// Tells the script of one image, or of a part of it.
    ///
    /// It takes about a millisecond of the calling thread.
    ///
    /// - Throws: `ScriptkdError`: `.image` for pixels or a region that cannot be used, `.argument` for wrong options.
    public func identify(
        _ image: Pixels, region: Region? = nil, options: Options = Options()
    ) throws(ScriptkdError) -> Prediction {
        try borrowing(image) { (pixels) throws(ScriptkdError) in try self.identify(pixels, region: region, options: options) }
    }

    /// Tells the script of several parts of one image, such as the words of a page.
    ///
    /// - Returns: the answers in the order of `regions`, with an error for each region that cannot be used.
    public func identify(
        _ image: Pixels, regions: [Region], options: Options = Options()
    ) -> [Result<Prediction, ScriptkdError>] {
        regions.map { region in Result { () throws(ScriptkdError) in try identify(image, region: region, options: options) } }
    }

    /// Tells the script of pixels in your own memory, without copying them. They are only read, and only during the
    /// call.
    ///
    /// - Parameters:
    ///   - bytes: all rows, at least `height - 1` times `bytesPerRow` bytes and one row of pixels.
    ///   - bytesPerRow: bytes from a row to the row below it; negative if the image is stored bottom up.
    /// - Throws: as the other methods.
    public func identify(
        bytes: UnsafeRawBufferPointer, width: Int, height: Int, bytesPerRow: Int, format: PixelFormat, region: Region? = nil,
        options: Options = Options()
    ) throws(ScriptkdError) -> Prediction {
        let pixels = BorrowedPixels(bytes: bytes, width: width, height: height, bytesPerRow: bytesPerRow, format: format)
        return try identify(pixels, region: region, options: options)
    }

    /// Tells the scripts of many images, on all of the processor's cores.
    ///
    /// - Returns: the answers in the order of `images`, with an error for each image that cannot be used.
    /// - Throws: `CancellationError` if its task was cancelled before the last image was started.
    public func identifyBatch(
        _ images: [Pixels], options: Options = Options()
    ) async throws -> [Result<Prediction, ScriptkdError>] {
        try await withThrowingTaskGroup(of: (Int, Result<Prediction, ScriptkdError>).self) { group in
            var results = [Result<Prediction, ScriptkdError>?](repeating: nil, count: images.count)
            var next = images.indices.makeIterator()
            func addOne() {
                guard let index = next.next() else { return }
                group.addTask {
                    try Task.checkCancellation()
                    return (index, Result { () throws(ScriptkdError) in try self.identify(images[index], options: options) })
                }
            }
            for _ in 0..<ProcessInfo.processInfo.activeProcessorCount { addOne() }
            while let (index, result) = try await group.next() {
                results[index] = result
                addOne()
            }
            return results.map { $0! }  // each index was set once
        }
    }

    private func borrowing(
        _ image: Pixels, _ body: (BorrowedPixels) throws(ScriptkdError) -> Prediction
    ) throws(ScriptkdError) -> Prediction {
        // withUnsafeBytes does not keep the type of an error.
        let result = image.bytes.withUnsafeBytes { bytes in
            Result { () throws(ScriptkdError) in
                try body(
                    BorrowedPixels(
                        bytes: bytes, width: image.width, height: image.height, bytesPerRow: image.bytesPerRow, format: image.format))
            }
        }
        return try result.get()
    }

    private func identify(
        _ pixels: BorrowedPixels, region: Region?, options: Options
    ) throws(ScriptkdError) -> Prediction {
        let image = try pixels.image()
        var error = scriptkd_error()
        var answer: UnsafeMutablePointer<scriptkd_prediction>?
        let status = options.withC(region) { options in
            withUnsafePointer(to: image) { image in
                withUnsafePointer(to: options) { options in scriptkd_identify(handle, image, options, &answer, &error) }
            }
        }
        defer { scriptkd_prediction_free(answer) }
        try ScriptkdError.check(status, error)
        return Prediction(answer!.pointee)  // set where the status is OK
    }
}

// Never compiled and never run: no machine with Apple's frameworks was at hand.
#if canImport(CoreVideo)
import CoreVideo

extension ScriptIdentifier {
    /// Tells the script of a camera's frame, or of a part of it, without copying the frame.
    ///
    /// It takes frames of the types 32BGRA, 32RGBA, 32ARGB, 24RGB, 24BGR and OneComponent8. Of
    /// 420YpCbCr8BiPlanarFullRange it uses only the luma, as the bundled models do. The frame must be upright.
    ///
    /// - Throws: `ScriptkdError`: `.image` for a frame or a region that cannot be used, `.argument` for wrong options.
    public func identify(
        _ frame: CVPixelBuffer, region: Region? = nil, options: Options = Options()
    ) throws(ScriptkdError) -> Prediction {
        let type = CVPixelBufferGetPixelFormatType(frame)
        let format: PixelFormat
        switch type {
        case kCVPixelFormatType_32BGRA: format = .bgra
        case kCVPixelFormatType_32RGBA: format = .rgba
        case kCVPixelFormatType_32ARGB: format = .argb
        case kCVPixelFormatType_24RGB: format = .rgb
        case kCVPixelFormatType_24BGR: format = .bgr
        case kCVPixelFormatType_OneComponent8, kCVPixelFormatType_420YpCbCr8BiPlanarFullRange: format = .gray
        default:
            throw ScriptkdError(
                .image, "a CVPixelBuffer must be of a type such as kCVPixelFormatType_32BGRA, not \(type)")
        }
        guard CVPixelBufferLockBaseAddress(frame, .readOnly) == kCVReturnSuccess else {
            throw ScriptkdError(.image, "this CVPixelBuffer cannot be locked")
        }
        defer { CVPixelBufferUnlockBaseAddress(frame, .readOnly) }
        let planar = CVPixelBufferIsPlanar(frame)
        let start = planar ? CVPixelBufferGetBaseAddressOfPlane(frame, 0) : CVPixelBufferGetBaseAddress(frame)
        let stride = planar ? CVPixelBufferGetBytesPerRowOfPlane(frame, 0) : CVPixelBufferGetBytesPerRow(frame)
        let height = CVPixelBufferGetHeight(frame)
        return try identify(
            bytes: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : stride * height), width: CVPixelBufferGetWidth(frame),
            height: height, bytesPerRow: stride, format: format, region: region, options: options)
    }
}
#endif

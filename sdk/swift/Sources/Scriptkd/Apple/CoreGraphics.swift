// Never compiled and never run: no machine with Apple's frameworks was at hand.
#if canImport(CoreGraphics) && canImport(Accelerate) && canImport(ImageIO)
import Accelerate
import CoreGraphics
import ImageIO

extension Pixels {
    /// The pixels of a Core Graphics picture, turned upright.
    ///
    /// Gray and RGB pictures keep their stored colours, without conversion of the colour space. Other pictures, such as
    /// CMYK, are converted to sRGB.
    ///
    /// - Parameter orientation: how the picture is stored. It stands in the file's properties, not in the CGImage.
    /// - Throws: `ScriptkdError` with `.image` for a picture that cannot be read.
    public init(_ image: CGImage, orientation: CGImagePropertyOrientation = .up) throws(ScriptkdError) {
        let space = image.colorSpace
        let opaque = [.none, .noneSkipFirst, .noneSkipLast].contains(image.alphaInfo)
        let gray = opaque && space?.model == .monochrome
        let target = gray || space?.model == .rgb ? space : CGColorSpace(name: CGColorSpace.sRGB)
        let pixelFormat: PixelFormat = gray ? .gray : .rgba
        // .last: alpha is the last byte, and colours are not multiplied by it, which a CGContext does not support.
        let alpha: CGImageAlphaInfo = gray ? .none : .last
        guard let target,
            let format = vImage_CGImageFormat(
                bitsPerComponent: 8, bitsPerPixel: 8 * pixelFormat.bytesPerPixel, colorSpace: target,
                bitmapInfo: CGBitmapInfo(rawValue: alpha.rawValue)),
            let buffer = try? vImage_Buffer(cgImage: image, format: format)
        else {
            throw ScriptkdError(.image, "this CGImage of \(image.width)x\(image.height) pixels cannot be read as 8 bits a channel")
        }
        defer { buffer.free() }
        let bytes = UnsafeRawBufferPointer(start: buffer.data, count: buffer.rowBytes * Int(buffer.height))
        let stored = Pixels(
            [UInt8](bytes), width: Int(buffer.width), height: Int(buffer.height), bytesPerRow: buffer.rowBytes, format: pixelFormat)
        self = try stored.upright(exifOrientation: Int(orientation.rawValue))
    }
}

extension ScriptIdentifier {
    /// Tells the script of a Core Graphics picture, or of a part of it. Regions are in pixels of the upright picture.
    ///
    /// - Throws: `ScriptkdError`: `.image` for a picture or a region that cannot be used, `.argument` for wrong options.
    public func identify(
        _ image: CGImage, orientation: CGImagePropertyOrientation = .up, region: Region? = nil, options: Options = Options()
    ) throws(ScriptkdError) -> Prediction {
        try identify(Pixels(image, orientation: orientation), region: region, options: options)
    }
}
#endif

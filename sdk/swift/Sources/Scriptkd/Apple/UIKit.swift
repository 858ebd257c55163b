// Never compiled and never run: no machine with Apple's frameworks was at hand.
#if canImport(UIKit) && canImport(Accelerate) && canImport(ImageIO)
import ImageIO
import UIKit

extension Pixels {
    /// The pixels of a UIImage, turned upright.
    ///
    /// - Throws: `ScriptkdError` with `.image` for a picture without pixels, such as one made from a CIImage.
    public init(_ image: UIImage) throws(ScriptkdError) {
        guard let stored = image.cgImage else {
            throw ScriptkdError(.image, "this UIImage has no cgImage, whose pixels could be looked at")
        }
        try self.init(stored, orientation: CGImagePropertyOrientation(image.imageOrientation))
    }
}

extension ScriptIdentifier {
    /// Tells the script of a UIImage, or of a part of it. Regions are in pixels of the upright picture; a point has
    /// `scale` pixels.
    ///
    /// - Throws: `ScriptkdError`: `.image` for a picture or a region that cannot be used, `.argument` for wrong options.
    public func identify(
        _ image: UIImage, region: Region? = nil, options: Options = Options()
    ) throws(ScriptkdError) -> Prediction {
        try identify(Pixels(image), region: region, options: options)
    }
}

extension CGImagePropertyOrientation {
    /// The two enumerations have the same eight orientations with different numbers.
    fileprivate init(_ orientation: UIImage.Orientation) {
        switch orientation {
        case .up: self = .up
        case .upMirrored: self = .upMirrored
        case .down: self = .down
        case .downMirrored: self = .downMirrored
        case .left: self = .left
        case .leftMirrored: self = .leftMirrored
        case .right: self = .right
        case .rightMirrored: self = .rightMirrored
        @unknown default: self = .up
        }
    }
}
#endif

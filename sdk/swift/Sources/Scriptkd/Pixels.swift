import CScriptkd
import Foundation

/// The order of a pixel's bytes in memory, 8 bits each. Colours are not multiplied by alpha.
public enum PixelFormat: UInt32, Sendable, CaseIterable {
    /// One byte.
    case gray = 1
    /// Red, green, blue.
    case rgb = 2
    /// Blue, green, red.
    case bgr = 3
    /// Red, green, blue, alpha.
    case rgba = 4
    /// Blue, green, red, alpha.
    case bgra = 5
    /// Alpha, red, green, blue.
    case argb = 6

    /// Bytes of one pixel: 1, 3 or 4.
    public var bytesPerPixel: Int {
        switch self {
        case .gray: 1
        case .rgb, .bgr: 3
        case .rgba, .bgra, .argb: 4
        }
    }
}

/// An image in memory: pixels of 8 bits a channel, row by row, already upright according to EXIF.
///
/// Size, stride and bytes are checked when the image is identified.
public struct Pixels: Sendable, Hashable {
    /// The bytes of all rows.
    public let bytes: [UInt8]
    /// Pixels in a row, 2 to 16384; at most 50 million pixels in all.
    public let width: Int
    /// Rows, 2 to 16384.
    public let height: Int
    /// Bytes from a row to the row below it; negative if the image is stored bottom up, the last row first.
    public let bytesPerRow: Int
    /// The order of a pixel's bytes.
    public let format: PixelFormat

    /// An image of `width` x `height` pixels.
    ///
    /// - Parameter bytesPerRow: bytes from a row to the next; nil if there are no gaps between rows.
    public init(_ bytes: [UInt8], width: Int, height: Int, bytesPerRow: Int? = nil, format: PixelFormat) {
        self.bytes = bytes
        self.width = width
        self.height = height
        self.bytesPerRow = bytesPerRow ?? width &* format.bytesPerPixel  // an overflow is refused later
        self.format = format
    }

    /// An image whose bytes are in `Data`.
    public init(_ data: Data, width: Int, height: Int, bytesPerRow: Int? = nil, format: PixelFormat) {
        self.init([UInt8](data), width: width, height: height, bytesPerRow: bytesPerRow, format: format)
    }
}

extension Pixels {
    /// The upright image, from the image as it is stored.
    ///
    /// - Parameter exifOrientation: 1 to 8, as in EXIF and `CGImagePropertyOrientation`; 1 means stored upright.
    /// - Throws: `ScriptkdError`: `.image` for fewer bytes than the image needs, `.argument` for another orientation.
    public func upright(exifOrientation: Int) throws(ScriptkdError) -> Pixels {
        guard (1...8).contains(exifOrientation) else {
            throw ScriptkdError(.argument, "exifOrientation must be an integer from 1 to 8, not \(exifOrientation)")
        }
        let top = try topRow(of: bytes.count, width: width, height: height, bytesPerRow: bytesPerRow, format: format)
        guard exifOrientation > 1, let topLeft = top else { return self }  // identifying it reports the error
        // The position of the upright image's first pixel, and the distances to the next pixel and the next row.
        let across = format.bytesPerPixel
        let down = bytesPerRow
        let right = (width - 1) * across
        let bottom = (height - 1) * down
        let (start, step, stepDown) =
            switch exifOrientation {
            case 2: (topLeft + right, -across, down)
            case 3: (topLeft + right + bottom, -across, -down)
            case 4: (topLeft + bottom, across, -down)
            case 5: (topLeft, down, across)
            case 6: (topLeft + bottom, -down, across)
            case 7: (topLeft + right + bottom, -down, -across)
            default: (topLeft + right, down, -across)
            }
        let swapped = exifOrientation >= 5
        let (columns, rows) = swapped ? (height, width) : (width, height)
        var turned = [UInt8]()
        turned.reserveCapacity(bytes.count)
        for row in 0..<rows {
            for column in 0..<columns {
                let pixel = start + row * stepDown + column * step
                turned.append(contentsOf: bytes[pixel..<pixel + across])
            }
        }
        return Pixels(turned, width: columns, height: rows, format: format)
    }
}

/// Pixels in memory that the caller owns.
struct BorrowedPixels {
    let bytes: UnsafeRawBufferPointer
    let width: Int
    let height: Int
    let bytesPerRow: Int
    let format: PixelFormat

    /// The image as a C structure.
    ///
    /// - Throws: `ScriptkdError` with `.image` for fewer bytes than the image needs.
    func image() throws(ScriptkdError) -> scriptkd_image {
        let top = try topRow(of: bytes.count, width: width, height: height, bytesPerRow: bytesPerRow, format: format)
        return scriptkd_image(
            pixels: bytes.baseAddress.map { $0.assumingMemoryBound(to: UInt8.self) + (top ?? 0) },
            width: Int32(clamping: width), height: Int32(clamping: height), stride: bytesPerRow,
            format: scriptkd_format(format.rawValue))
    }
}

/// The offset of an image's top row in its `count` bytes; nil for a size or stride that the C core refuses itself.
///
/// - Throws: `ScriptkdError` with `.image` for fewer bytes than the image needs. The C core cannot check their number.
private func topRow(
    of count: Int, width: Int, height: Int, bytesPerRow: Int, format: PixelFormat
) throws(ScriptkdError) -> Int? {
    let sides = 1...16384
    guard sides.contains(width), sides.contains(height) else { return nil }
    let row = UInt(width * format.bytesPerPixel)
    let stride = bytesPerRow.magnitude
    guard stride >= row else { return nil }
    let (others, overflow) = stride.multipliedReportingOverflow(by: UInt(height - 1))
    guard !overflow, count >= row, others <= UInt(count) - row else {
        throw ScriptkdError(
            .image,
            "\(count) bytes are not an image of \(width)x\(height) pixels, with \(format.bytesPerPixel) bytes each and \(stride) from row to row"
        )
    }
    return bytesPerRow < 0 ? Int(others) : 0
}

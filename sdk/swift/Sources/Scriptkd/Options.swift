import CScriptkd
import Foundation

/// A call's options. `Options()` has the defaults.
public struct Options: Sendable, Hashable {
    /// From 0 to 1; if the best score is lower, the answer is "unknown". nil is the model's own threshold.
    public var threshold: Double?

    /// Scripts by name, ISO 15924 code or alias, in any case. The answer is one of these, and the scores sum to 1 over
    /// them. nil means all that the model knows. Allow every script that can occur.
    public var allow: [String]?

    /// Scripts that cannot be the answer, named as in `allow`.
    public var deny: [String]

    /// Whether the letters stand upright, as in a scanned page. Then nothing is turned, and the orientation is 0.
    public var upright: Bool

    /// Options with the given values.
    public init(threshold: Double? = nil, allow: [String]? = nil, deny: [String] = [], upright: Bool = false) {
        self.threshold = threshold
        self.allow = allow
        self.deny = deny
        self.upright = upright
    }
}

/// A part of an image. What lies outside the image is cut off.
public enum Region: Sendable, Equatable {
    /// A box in pixels from the image's top left corner, right and bottom exclusive; fractions are rounded.
    case box(left: Double, top: Double, right: Double, bottom: Double)

    /// A word's four corners, to be rectified: its top left, top right, bottom right and bottom left.
    case corners(topLeft: CGPoint, topRight: CGPoint, bottomRight: CGPoint, bottomLeft: CGPoint)

    /// A rectangle in pixels from the image's top left corner.
    public static func rectangle(_ rectangle: CGRect) -> Region {
        .box(
            left: Double(rectangle.minX), top: Double(rectangle.minY), right: Double(rectangle.maxX),
            bottom: Double(rectangle.maxY))
    }
}

extension Options {
    /// Calls `body` with the options as a C structure, which is valid only during the call.
    func withC<Result>(_ region: Region?, _ body: (scriptkd_options) -> Result) -> Result {
        withCStrings(allow ?? []) { allowed in
            withCStrings(deny) { denied in
                var options = scriptkd_options()
                options.allow = allow == nil ? nil : allowed.baseAddress
                options.allow_count = allow?.count ?? 0
                options.deny = deny.isEmpty ? nil : denied.baseAddress
                options.deny_count = deny.count
                options.upright = upright
                return withOptional(threshold) { threshold in
                    options.threshold = threshold
                    return options.withRegion(region, body)
                }
            }
        }
    }
}

extension scriptkd_options {
    fileprivate func withRegion<Result>(_ region: Region?, _ body: (scriptkd_options) -> Result) -> Result {
        var options = self
        switch region {
        case nil:
            return body(options)
        case .box(let left, let top, let right, let bottom):
            return withUnsafePointer(to: scriptkd_box(left: left, top: top, right: right, bottom: bottom)) { box in
                options.box = box
                return body(options)
            }
        case .corners(let topLeft, let topRight, let bottomRight, let bottomLeft):
            let corners = [topLeft, topRight, bottomRight, bottomLeft].map { scriptkd_point(x: Double($0.x), y: Double($0.y)) }
            return corners.withUnsafeBufferPointer { corners in
                options.corners = corners.baseAddress
                return body(options)
            }
        }
    }
}

/// Calls `body` with the address of a value, or with nil.
private func withOptional<Value, Result>(_ value: Value?, _ body: (UnsafePointer<Value>?) -> Result) -> Result {
    guard let value else { return body(nil) }
    return withUnsafePointer(to: value) { body($0) }
}

/// Calls `body` with C strings, in a buffer that has an address even if it is empty.
private func withCStrings<Result>(
    _ texts: [String], _ body: (UnsafeBufferPointer<UnsafePointer<CChar>?>) -> Result
) -> Result {
    let copies = texts.map { strdup($0) }
    defer { for copy in copies { free(copy) } }
    let addresses = copies.map { UnsafePointer<CChar>($0) } + [nil]
    return addresses.withUnsafeBufferPointer(body)
}

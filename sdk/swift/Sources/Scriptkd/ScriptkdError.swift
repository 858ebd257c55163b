import CScriptkd
import Foundation

/// An error: a code for programs and a sentence for people, the same as in scriptkd's other SDKs.
public struct ScriptkdError: LocalizedError, Hashable, CustomStringConvertible {
    /// The kind of thing that was wrong.
    public enum Code: Int, Sendable {
        /// An image or a region that cannot be used.
        case image = 1
        /// A model file that is missing, broken or not written for this version.
        case model = 2
        /// Another wrong argument.
        case argument = 3
        /// There is not enough memory.
        case memory = 4
    }

    /// The kind of thing that was wrong.
    public let code: Code

    /// One sentence on one line for the user: what was given and what is allowed.
    public let message: String

    /// The sentence, which `localizedDescription` returns.
    public var errorDescription: String? { message }

    /// The sentence.
    public var description: String { message }

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// Throws the C core's error, if there is one.
    static func check(_ status: scriptkd_status, _ error: scriptkd_error) throws(ScriptkdError) {
        if status == SCRIPTKD_OK { return }
        let message = withUnsafeBytes(of: error.message) { bytes in
            String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
        }
        // scriptkd_status has no other codes.
        throw ScriptkdError(Code(rawValue: Int(status.rawValue))!, message)
    }
}

import CScriptkd

/// A model file's metadata: sections 1 and 4 of the model contract.
public struct ModelInfo: Sendable, Hashable {
    /// 1, 2 or 3.
    public let format: Int
    /// The architecture's name, for people.
    public let network: String
    /// The precision of weights and computation, such as "int8", for people.
    public let precision: String
    /// Recipe, seed and more, for people, as a JSON object.
    public let provenance: String
    /// The scripts that the model knows, in the order of the logits.
    public let labels: [Script]
    /// Channels of the network's input: 1 (luma) or 3 (RGB).
    public let channels: Int
    /// Rows of the network's input, in pixels.
    public let height: Int
    /// Rows of the input for crops less than 1.5 times as wide as high; nil for formats 1 and 2.
    public let squareHeight: Int?
    /// The fewest columns of the input.
    public let widthMin: Int
    /// The most columns of the input.
    public let widthMax: Int
    /// The number of columns is a multiple of this.
    public let widthStep: Int
    /// Whether the network takes whole images and pre-processes them itself.
    public let anySize: Bool
    /// Divides the logits before the softmax.
    public let temperature: Double
    /// From 0 to 1; if the best score is lower, the answer is "unknown".
    public let threshold: Double
    /// As `temperature`, for the orientation; nil for formats 1 and 2.
    public let orientationTemperature: Double?
    /// If the orientation's best score is lower, the orientation is nil. Nil for formats 1 and 2.
    public let orientationThreshold: Double?

    init(_ info: scriptkd_info) {
        let tellsOrientation = info.square_height > 0
        format = Int(info.format)
        network = String(cString: info.network)
        precision = String(cString: info.precision)
        provenance = String(cString: info.provenance)
        labels = UnsafeBufferPointer(start: info.labels, count: info.label_count).map(Script.init)
        channels = Int(info.channels)
        height = Int(info.height)
        squareHeight = tellsOrientation ? Int(info.square_height) : nil
        widthMin = Int(info.width_min)
        widthMax = Int(info.width_max)
        widthStep = Int(info.width_step)
        anySize = info.any_size
        temperature = info.temperature
        threshold = info.threshold
        orientationTemperature = tellsOrientation ? info.orientation_temperature : nil
        orientationThreshold = tellsOrientation ? info.orientation_threshold : nil
    }
}

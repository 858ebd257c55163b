import CScriptkd

/// A script's name and code.
public struct Script: Sendable, Hashable {
    /// Such as "Devanagari".
    public let name: String
    /// ISO 15924, such as "Deva".
    public let code: String
}

/// A script with its probability or share.
public struct Score: Sendable, Hashable {
    /// The script's name, such as "Devanagari".
    public let name: String
    /// Its ISO 15924 code, such as "Deva".
    public let code: String
    /// From 0 to 1.
    public let value: Double
}

/// The script of one image.
public struct Prediction: Sendable, Hashable {
    /// The best script, or "unknown" if its score is below the threshold.
    public let script: String
    /// Its ISO 15924 code, or "Zyyy" if the script is "unknown".
    public let code: String
    /// The best script's probability, 0 to 1, also if the answer is "unknown".
    public let score: Double
    /// The best script, whatever the threshold.
    public let best: String
    /// Every allowed script's probability, best first; the sum is 1.
    public let scores: [Score]
    /// The letters' clockwise rotation from upright in degrees: 0, 90, 180 or 270. At 90 a word reads from top to
    /// bottom. Turning the picture counterclockwise by as much makes the word upright. Upright letters one below the
    /// other are orientation 0. It is nil if the model cannot tell, and for models of formats 1 and 2.
    public let orientation: Int?
    /// The orientation's probability, 0 to 1; nil for models of formats 1 and 2.
    public let orientationScore: Double?
    /// Each script's share of the windows that a line is cut into, in descending order. Windows whose score is below
    /// the threshold count as "unknown". For an image with one window, the answer has the share 1.
    public let shares: [Score]

    /// Copies the C core's prediction, which is freed afterwards.
    init(_ answer: scriptkd_prediction) {
        script = String(cString: answer.script)
        code = String(cString: answer.code)
        score = answer.score
        best = String(cString: answer.best)
        scores = UnsafeBufferPointer(start: answer.scores, count: answer.score_count).map(Score.init)
        orientation = answer.orientation == SCRIPTKD_NO_ORIENTATION ? nil : Int(answer.orientation)
        orientationScore = answer.orientation_score < 0 ? nil : answer.orientation_score
        shares = UnsafeBufferPointer(start: answer.shares, count: answer.share_count).map(Score.init)
    }
}

extension Script {
    init(_ script: scriptkd_script) {
        self.init(name: String(cString: script.name), code: String(cString: script.code))
    }
}

extension Score {
    init(_ score: scriptkd_score) {
        self.init(name: String(cString: score.name), code: String(cString: score.code), value: score.value)
    }
}

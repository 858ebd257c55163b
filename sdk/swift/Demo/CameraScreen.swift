// Never compiled and never run: no machine with Apple's frameworks was at hand.
import AVFoundation
import Observation
import Scriptkd
import SwiftUI

/// The screen's state.
@MainActor
@Observable
final class Screen {
    /// The box, as shares of the view's width and height.
    var box = CGRect(x: 0.15, y: 0.4, width: 0.7, height: 0.12)
    private(set) var answer: Prediction?
    private(set) var problem: String?
    private(set) var camera: Camera?

    /// Opens the model and the camera once.
    func start() async {
        guard camera == nil else { return }
        do {
            let camera = Camera(try ScriptIdentifier()) { [weak self] result in
                Task { @MainActor in self?.show(result) }
            }
            try await camera.start()
            self.camera = camera
        } catch {
            problem = error.localizedDescription
        }
    }

    private func show(_ result: Result<Prediction, ScriptkdError>) {
        switch result {
        case .success(let prediction): (answer, problem) = (prediction, nil)
        case .failure(let error): problem = error.localizedDescription  // the last answer stays
        }
    }
}

/// The camera's picture with the box, and the answer below.
struct CameraScreen: View {
    @State private var screen = Screen()

    var body: some View {
        VStack(spacing: 0) {
            GeometryReader { geometry in
                ZStack(alignment: .topLeading) {
                    if let camera = screen.camera {
                        CameraView(session: camera.session)
                    } else {
                        Color.black
                    }
                    BoxView(box: $screen.box, size: geometry.size)
                }
                .onChange(of: screen.box, initial: true) { look(in: geometry.size) }
                .onChange(of: geometry.size) { look(in: geometry.size) }
                .onChange(of: screen.camera == nil) { look(in: geometry.size) }
            }
            AnswerView(answer: screen.answer, problem: screen.problem)
        }
        .task { await screen.start() }
    }

    private func look(in size: CGSize) {
        screen.camera?.look(at: screen.box, ofViewOf: size)
    }
}

/// Script, score and orientation, or the error.
struct AnswerView: View {
    let answer: Prediction?
    let problem: String?

    var body: some View {
        VStack(alignment: .leading, spacing: 4) {
            if let answer {
                Text(answer.script).font(.title)
                ForEach(answer.scores.prefix(3), id: \.code) { score in
                    HStack {
                        Text(score.name)
                        Spacer()
                        Text(score.value, format: .percent.precision(.fractionLength(1))).monospacedDigit()
                    }
                }
                if let orientation = answer.orientation, orientation != 0 {
                    Text("Turned by \(orientation)° clockwise")
                }
            } else {
                Text("Put the box around a word.")
            }
            if let problem {
                Text(problem).foregroundStyle(.red)
            }
        }
        .frame(maxWidth: .infinity, alignment: .leading)
        .padding()
        .accessibilityElement(children: .combine)
    }
}

// Never compiled and never run: no machine with Apple's frameworks was at hand.
import SwiftUI

/// A box that a finger moves. Its lower right corner changes its size.
struct BoxView: View {
    /// The box, as shares of the view's width and height.
    @Binding var box: CGRect
    let size: CGSize
    @State private var before: CGRect?

    var body: some View {
        Rectangle()
            .strokeBorder(.yellow, lineWidth: 3)
            .contentShape(Rectangle())
            .gesture(drag { start, step in start.offsetBy(dx: step.width, dy: step.height) })
            .overlay(alignment: .bottomTrailing) {
                Circle()
                    .fill(.yellow)
                    .frame(width: 44, height: 44)
                    .offset(x: 22, y: 22)
                    .gesture(
                        drag { start, step in
                            CGRect(
                                x: start.minX, y: start.minY, width: start.width + step.width, height: start.height + step.height)
                        }
                    )
                    .accessibilityLabel("Size of the box")
            }
            .frame(width: box.width * size.width, height: box.height * size.height)
            .offset(x: box.minX * size.width, y: box.minY * size.height)
            .accessibilityElement()
            .accessibilityLabel("The box around the word")
            .accessibilityAction(named: "Up") { box = within(box.offsetBy(dx: 0, dy: -0.05)) }
            .accessibilityAction(named: "Down") { box = within(box.offsetBy(dx: 0, dy: 0.05)) }
            .accessibilityAction(named: "Larger") { box = within(box.insetBy(dx: -0.05, dy: -0.02)) }
            .accessibilityAction(named: "Smaller") { box = within(box.insetBy(dx: 0.05, dy: 0.02)) }
    }

    /// A drag. It changes the box from its state when the finger came down, by shares of the view.
    private func drag(_ change: @escaping (CGRect, CGSize) -> CGRect) -> some Gesture {
        DragGesture()
            .onChanged { value in
                let start = before ?? box
                before = start
                let step = CGSize(width: value.translation.width / size.width, height: value.translation.height / size.height)
                box = within(change(start, step))
            }
            .onEnded { _ in before = nil }
    }

    /// The box, limited to the view and to a size that fits a finger.
    private func within(_ box: CGRect) -> CGRect {
        let width = min(max(box.width, 0.1), 1)
        let height = min(max(box.height, 0.04), 1)
        return CGRect(x: min(max(box.minX, 0), 1 - width), y: min(max(box.minY, 0), 1 - height), width: width, height: height)
    }
}

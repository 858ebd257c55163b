// Never compiled and never run: no machine with Apple's frameworks was at hand.
import SwiftUI

/// Point the camera at a word, put the box around it, and see its script.
@main
struct DemoApp: App {
    var body: some Scene {
        WindowGroup {
            CameraScreen()
        }
    }
}

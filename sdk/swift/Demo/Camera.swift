// Never compiled and never run: no machine with Apple's frameworks was at hand.
import AVFoundation
import Scriptkd
import SwiftUI

/// The reason for a missing picture.
enum CameraError: LocalizedError {
    case noCamera
    case notAllowed

    var errorDescription: String? {
        switch self {
        case .noCamera: "This device has no camera on its back."
        case .notAllowed: "The camera may not be used: allow it in Settings."
        }
    }
}

/// The back camera. It identifies the box in each frame. Frames that arrive meanwhile are dropped.
///
/// Only its queue uses its variables, so it may be shared.
final class Camera: NSObject, AVCaptureVideoDataOutputSampleBufferDelegate, @unchecked Sendable {
    let session = AVCaptureSession()
    private let queue = DispatchQueue(label: "org.scriptkd.demo.camera")
    private let identifier: ScriptIdentifier
    private let show: @Sendable (Result<Prediction, ScriptkdError>) -> Void
    private var box = CGRect.zero
    private var viewSize = CGSize.zero

    /// - Parameter show: called with each answer, on the camera's queue.
    init(_ identifier: ScriptIdentifier, show: @escaping @Sendable (Result<Prediction, ScriptkdError>) -> Void) {
        self.identifier = identifier
        self.show = show
    }

    /// Asks for permission if necessary, and starts the camera.
    func start() async throws {
        guard await AVCaptureDevice.requestAccess(for: .video) else { throw CameraError.notAllowed }
        try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
            queue.async { continuation.resume(with: Result { try self.configure() }) }
        }
    }

    /// The part of the frames to identify, as shares of a view that the frames fill.
    func look(at box: CGRect, ofViewOf size: CGSize) {
        queue.async { (self.box, self.viewSize) = (box, size) }
    }

    private func configure() throws {
        guard let device = AVCaptureDevice.default(.builtInWideAngleCamera, for: .video, position: .back) else {
            throw CameraError.noCamera
        }
        let output = AVCaptureVideoDataOutput()
        output.videoSettings = [kCVPixelBufferPixelFormatTypeKey as String: kCVPixelFormatType_32BGRA]
        output.alwaysDiscardsLateVideoFrames = true
        output.setSampleBufferDelegate(self, queue: queue)
        session.beginConfiguration()
        session.sessionPreset = .hd1920x1080
        session.addInput(try AVCaptureDeviceInput(device: device))
        session.addOutput(output)
        output.connection(with: .video)?.videoRotationAngle = 90  // frames are upright if the phone is upright
        session.commitConfiguration()
        session.startRunning()
    }

    func captureOutput(_ output: AVCaptureOutput, didOutput sample: CMSampleBuffer, from connection: AVCaptureConnection) {
        guard let frame = CMSampleBufferGetImageBuffer(sample), !box.isEmpty, viewSize.height > 0 else { return }
        let size = CGSize(width: CVPixelBufferGetWidth(frame), height: CVPixelBufferGetHeight(frame))
        let region = Region.rectangle(pixels(of: box, in: viewSize, filledBy: size))
        show(Result { () throws(ScriptkdError) in try identifier.identify(frame, region: region) })
    }
}

/// Converts a box of a view to pixels of the frame, which fills the view and is cropped if too wide or too high.
func pixels(of box: CGRect, in view: CGSize, filledBy frame: CGSize) -> CGRect {
    let scale = min(frame.width / view.width, frame.height / view.height)  // pixels in a point
    let left = (frame.width - view.width * scale) / 2
    let top = (frame.height - view.height * scale) / 2
    return CGRect(
        x: left + box.minX * view.width * scale, y: top + box.minY * view.height * scale, width: box.width * view.width * scale,
        height: box.height * view.height * scale)
}

/// Shows the camera's picture, which fills the view.
struct CameraView: UIViewRepresentable {
    let session: AVCaptureSession

    func makeUIView(context: Context) -> PreviewView {
        let view = PreviewView()
        view.preview.session = session
        view.preview.videoGravity = .resizeAspectFill
        return view
    }

    func updateUIView(_ view: PreviewView, context: Context) {}
}

final class PreviewView: UIView {
    override class var layerClass: AnyClass { AVCaptureVideoPreviewLayer.self }

    var preview: AVCaptureVideoPreviewLayer { layer as! AVCaptureVideoPreviewLayer }  // layerClass says so
}

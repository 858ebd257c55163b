package org.scriptkd.demo;

import android.content.Context;
import android.graphics.Bitmap;
import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCaptureSession;
import android.hardware.camera2.CameraDevice;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.CaptureRequest;
import android.media.Image;
import android.media.ImageReader;
import android.os.Handler;
import java.util.Collections;

/**
 * A camera's frames as upright bitmaps, until it is closed. By Android's own Camera2; nothing is stored.
 */
final class Camera implements AutoCloseable {
    /** Hears of frames and problems, on the handler's thread. */
    interface Listener {
        void onFrame(Bitmap frame);

        /** The camera is lost; a sentence says why. */
        void onProblem(String sentence);
    }

    private static final int FRAMES = 2; // one is looked at, one is filled

    private final Context context;
    private final int screen; // by how many degrees the screen is turned counterclockwise
    private final Listener listener;
    private final Handler handler;
    // All of these belong to the handler's thread.
    private ImageReader reader;
    private CameraDevice device;
    private boolean closed;

    /** The handler's thread outlives the camera: a phone may still call back when the camera is closed. */
    Camera(Context context, Handler handler, int screen, Listener listener) {
        this.context = context;
        this.handler = handler;
        this.screen = screen;
        this.listener = listener;
    }

    /** Needs the user's leave to use the camera. */
    void open() {
        handler.post(this::start);
    }

    private void start() {
        CameraManager manager = context.getSystemService(CameraManager.class);
        try {
            CameraChoice choice = CameraChoice.of(manager);
            if (choice == null) {
                fail(R.string.error_no_camera);
                return;
            }
            int degrees = choice.clockwise(screen);
            reader = ImageReader.newInstance(
                    choice.size.getWidth(), choice.size.getHeight(), ImageFormat.YUV_420_888, FRAMES);
            reader.setOnImageAvailableListener(source -> look(source, degrees), handler);
            manager.openCamera(choice.id, opening, handler);
        } catch (CameraAccessException | SecurityException | IllegalArgumentException error) {
            fail(R.string.error_camera_busy);
        }
    }

    private final CameraDevice.StateCallback opening = new CameraDevice.StateCallback() {
        @Override
        public void onOpened(CameraDevice opened) {
            device = opened;
            if (closed) {
                release();
                return;
            }
            try {
                opened.createCaptureSession(Collections.singletonList(reader.getSurface()), starting, handler);
            } catch (CameraAccessException | IllegalStateException error) {
                fail(R.string.error_camera_busy);
            }
        }

        @Override
        public void onDisconnected(CameraDevice lost) {
            device = lost;
            fail(R.string.error_camera_busy);
        }

        @Override
        public void onError(CameraDevice broken, int error) {
            device = broken;
            fail(R.string.error_camera_busy);
        }
    };

    private final CameraCaptureSession.StateCallback starting = new CameraCaptureSession.StateCallback() {
        @Override
        public void onConfigured(CameraCaptureSession session) {
            if (closed) {
                return;
            }
            try {
                CaptureRequest.Builder request = device.createCaptureRequest(CameraDevice.TEMPLATE_PREVIEW);
                request.addTarget(reader.getSurface());
                session.setRepeatingRequest(request.build(), null, handler);
            } catch (CameraAccessException | IllegalStateException error) {
                fail(R.string.error_camera_busy);
            }
        }

        @Override
        public void onConfigureFailed(CameraCaptureSession session) {
            fail(R.string.error_camera_busy);
        }
    };

    private void look(ImageReader source, int degrees) {
        if (closed) {
            return;
        }
        Image image = source.acquireLatestImage(); // those that came meanwhile are passed over
        if (image != null) {
            try {
                listener.onFrame(bitmap(image, degrees));
            } finally {
                image.close();
            }
        }
    }

    /** A frame turned clockwise by so many degrees. */
    static Bitmap bitmap(Image image, int degrees) {
        Yuv.Plane[] planes = new Yuv.Plane[3];
        for (int i = 0; i < planes.length; i++) {
            Image.Plane plane = image.getPlanes()[i];
            planes[i] = new Yuv.Plane(plane.getBuffer(), plane.getRowStride(), plane.getPixelStride());
        }
        int width = image.getWidth();
        int height = image.getHeight();
        int[] pixels = Yuv.upright(planes[0], planes[1], planes[2], width, height, degrees);
        boolean lying = degrees % 180 != 0;
        return Bitmap.createBitmap(pixels, lying ? height : width, lying ? width : height, Bitmap.Config.ARGB_8888);
    }

    private void fail(int sentence) {
        release();
        if (!closed) {
            listener.onProblem(context.getString(sentence));
        }
    }

    private void release() {
        if (device != null) {
            device.close();
            device = null;
        }
        if (reader != null) {
            reader.close();
            reader = null;
        }
    }

    /** Gives the camera back. No frame comes after this. */
    @Override
    public void close() {
        handler.post(() -> {
            closed = true;
            release();
        });
    }
}

package org.scriptkd.demo;

import android.graphics.ImageFormat;
import android.hardware.camera2.CameraAccessException;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.hardware.camera2.params.StreamConfigurationMap;
import android.util.Size;

/** Which of a phone's cameras looks at words, in which size, and how its frames lie. */
final class CameraChoice {
    private static final int MOST_PIXELS = 1280 * 720; // a word's letters are still large, and a frame's way is short

    final String id;
    final Size size; // of its frames, as the sensor lies
    private final int sensor; // by how many degrees clockwise frames are to be turned where the phone stands upright
    private final boolean front;

    CameraChoice(String id, Size size, int sensor, boolean front) {
        this.id = id;
        this.size = size;
        this.sensor = sensor;
        this.front = front;
    }

    /** The first camera on the phone's back, else the first one; null where there is none with frames of our kind. */
    static CameraChoice of(CameraManager manager) throws CameraAccessException {
        CameraChoice found = null;
        for (String id : manager.getCameraIdList()) {
            CameraCharacteristics facts = manager.getCameraCharacteristics(id);
            StreamConfigurationMap formats = facts.get(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP);
            Size[] sizes = formats == null ? null : formats.getOutputSizes(ImageFormat.YUV_420_888);
            Integer sensor = facts.get(CameraCharacteristics.SENSOR_ORIENTATION);
            Integer facing = facts.get(CameraCharacteristics.LENS_FACING);
            boolean front = facing != null && facing == CameraCharacteristics.LENS_FACING_FRONT;
            if (sizes != null && sizes.length > 0 && (found == null || found.front && !front)) {
                found = new CameraChoice(id, best(sizes), sensor == null ? 0 : sensor, front);
            }
        }
        return found;
    }

    /** The largest that is not too large, else the smallest. */
    static Size best(Size[] sizes) {
        Size best = sizes[0];
        for (Size each : sizes) {
            boolean fits = area(each) <= MOST_PIXELS;
            boolean better = area(best) > MOST_PIXELS ? area(each) < area(best) : fits && area(each) > area(best);
            best = better ? each : best;
        }
        return best;
    }

    private static long area(Size size) {
        return (long) size.getWidth() * size.getHeight();
    }

    /** By how many degrees clockwise a frame is to be turned on a screen that is turned counterclockwise by so many. */
    int clockwise(int screen) {
        return (front ? sensor + screen : sensor - screen + 360) % 360;
    }
}

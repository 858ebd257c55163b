package org.scriptkd.demo;

import static org.junit.Assert.assertEquals;
import static org.junit.Assert.assertSame;
import static org.junit.Assert.assertTrue;
import static org.robolectric.Shadows.shadowOf;
import static org.scriptkd.demo.Screens.shoot;
import static org.scriptkd.demo.Screens.text;
import static org.scriptkd.demo.Screens.waitFor;

import android.Manifest;
import android.app.Activity;
import android.content.Intent;
import android.content.pm.PackageManager;
import android.graphics.Bitmap;
import android.graphics.BitmapFactory;
import android.graphics.Canvas;
import android.graphics.Color;
import android.graphics.ImageFormat;
import android.graphics.Rect;
import android.hardware.camera2.CameraCharacteristics;
import android.hardware.camera2.CameraManager;
import android.os.Looper;
import android.provider.MediaStore;
import android.util.Size;
import java.io.IOException;
import java.time.Duration;
import java.util.Collections;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.junit.Test;
import org.junit.runner.RunWith;
import org.robolectric.Robolectric;
import org.robolectric.RobolectricTestRunner;
import org.robolectric.RuntimeEnvironment;
import org.robolectric.android.controller.ActivityController;
import org.robolectric.annotation.Config;
import org.robolectric.annotation.GraphicsMode;
import org.robolectric.shadow.api.Shadow;
import org.robolectric.shadows.ShadowActivity;
import org.robolectric.shadows.ShadowCameraCharacteristics;
import org.robolectric.shadows.StreamConfigurationMapBuilder;
import org.scriptkd.sdk.Region;

/** The live view, all but the camera itself: frames as Camera2 gives them are made here and go the way of real ones. */
@RunWith(RobolectricTestRunner.class)
@GraphicsMode(GraphicsMode.Mode.NATIVE)
@Config(sdk = 35, qualifiers = "w360dp-h740dp-xhdpi")
public class LiveTest {
    private static final Set<String> TAMIL = Collections.singleton("Tamil (Taml)");
    private static final int SENSOR = 90; // degrees, as most phones' back cameras lie

    private static LiveActivity start() {
        return Robolectric.buildActivity(LiveActivity.class).setup().get();
    }

    private static void allow() {
        shadowOf(RuntimeEnvironment.getApplication()).grantPermissions(Manifest.permission.CAMERA);
    }

    /** The sample fills the middle of what the phone is held at. */
    private static YuvImage frame(String sample) {
        Bitmap upright = Bitmap.createBitmap(720, 1280, Bitmap.Config.ARGB_8888);
        upright.eraseColor(Color.rgb(120, 130, 140));
        Bitmap sign = BitmapFactory.decodeFile(System.getProperty("scriptkd.samples") + "/" + sample);
        Region aim = LiveView.aim(720, 1280);
        float scale = Math.min((aim.right - aim.left) / (float) sign.getWidth(),
                (aim.bottom - aim.top) / (float) sign.getHeight());
        int width = Math.round(scale * sign.getWidth());
        int height = Math.round(scale * sign.getHeight());
        Rect place = new Rect(0, 0, width, height);
        place.offset((720 - width) / 2, (1280 - height) / 2);
        new Canvas(upright).drawBitmap(sign, null, place, null);
        return new YuvImage(upright, SENSOR);
    }

    /** A frame a tenth of a second, each looked at before the next comes; returns the scripts that were shown. */
    private static Set<String> show(LiveActivity activity, YuvImage frame, int count) {
        Set<String> shown = new HashSet<String>();
        Bitmap bitmap = Camera.bitmap(frame, SENSOR);
        for (int i = 0; i < count; i++) {
            shadowOf(Looper.getMainLooper()).idleFor(Duration.ofMillis(100));
            activity.onFrame(bitmap);
            settle();
            shown.add(text(activity, R.id.live_script));
        }
        return shown;
    }

    /** All that was asked of the worker is done, and shown. */
    private static void settle() {
        shadowOf(Looper.getMainLooper()).idle();
        await(((DemoApplication) RuntimeEnvironment.getApplication())::work);
        shadowOf(Looper.getMainLooper()).idle();
    }

    /** What this thread was asked before is done. */
    private static void await(Consumer<Runnable> thread) {
        CountDownLatch done = new CountDownLatch(1);
        thread.accept(done::countDown);
        try {
            assertTrue(done.await(1, TimeUnit.MINUTES));
        } catch (InterruptedException error) {
            throw new IllegalStateException(error);
        }
    }

    private static ShadowActivity.PermissionsRequest asked(Activity activity) {
        return shadowOf(activity).getLastRequestedPermission();
    }

    private static void waitForNote(LiveActivity activity, int sentence) {
        waitFor(activity, () -> text(activity, R.id.live_note).equals(activity.getString(sentence)));
    }

    @Test
    public void framesStandUprightAndKeepTheirColours() {
        YuvImage frame = frame("tamil-1.jpg");
        assertEquals(1280, frame.getWidth());
        Bitmap bitmap = Camera.bitmap(frame, SENSOR);
        assertEquals(720, bitmap.getWidth());
        assertEquals(1280, bitmap.getHeight());
        int ground = bitmap.getPixel(10, 10);
        assertEquals(120, Color.red(ground), 2);
        assertEquals(130, Color.green(ground), 2);
        assertEquals(140, Color.blue(ground), 2);
    }

    @Test
    public void theWordInTheMiddleIsAnsweredCalmly() throws IOException {
        allow();
        LiveActivity activity = start();
        assertEquals(TAMIL, show(activity, frame("tamil-1.jpg"), 11));
        shoot(activity, "live-1-tamil");
        // A single other frame changes nothing.
        assertEquals(TAMIL, show(activity, frame("latin-1.jpg"), 1));
        assertEquals(TAMIL, show(activity, frame("tamil-1.jpg"), 3));
        // Another word does.
        show(activity, frame("latin-1.jpg"), 11);
        assertEquals("Latin (Latn)", text(activity, R.id.live_script));
    }

    @Test
    public void nothingInTheMiddleIsUnknown() throws IOException {
        allow();
        LiveActivity activity = start();
        Bitmap blank = Bitmap.createBitmap(720, 1280, Bitmap.Config.ARGB_8888);
        blank.eraseColor(Color.GRAY);
        for (int i = 0; i < 3; i++) {
            activity.onFrame(blank);
            settle();
        }
        assertEquals(activity.getString(R.string.unknown), text(activity, R.id.live_script));
        assertEquals("", text(activity, R.id.live_score));
    }

    @Test
    public void theUserIsAskedOnce() {
        ActivityController<LiveActivity> controller = Robolectric.buildActivity(LiveActivity.class).setup();
        LiveActivity activity = controller.get();
        assertEquals(Manifest.permission.CAMERA, asked(activity).requestedPermissions[0]);
        activity.onRequestPermissionsResult(
                1, new String[] {Manifest.permission.CAMERA}, new int[] {PackageManager.PERMISSION_DENIED});
        assertEquals(activity.getString(R.string.error_camera_permission), text(activity, R.id.live_note));
        Object asked = asked(activity);
        controller.pause().resume(); // as Android does when its question is answered
        assertSame(asked, asked(activity));
    }

    @Test
    public void withoutACameraThereIsASentence() throws IOException {
        allow();
        LiveActivity activity = start();
        waitForNote(activity, R.string.error_no_camera);
        shoot(activity, "live-2-no-camera");
    }

    @Test
    public void aCameraThatAnotherAppTakesIsASentence() {
        allow();
        CameraCharacteristics facts = ShadowCameraCharacteristics.newCameraCharacteristics();
        ShadowCameraCharacteristics shadow = Shadow.extract(facts);
        shadow.set(CameraCharacteristics.SCALER_STREAM_CONFIGURATION_MAP, StreamConfigurationMapBuilder.newBuilder()
                .addOutputSize(ImageFormat.YUV_420_888, new Size(1280, 720)).build());
        shadow.set(CameraCharacteristics.SENSOR_ORIENTATION, SENSOR);
        CameraManager manager = RuntimeEnvironment.getApplication().getSystemService(CameraManager.class);
        shadowOf(manager).addCamera("0", facts);
        LiveActivity activity = start();
        DemoApplication application = (DemoApplication) RuntimeEnvironment.getApplication();
        await(application.camera()::post); // it is asked for
        await(application.camera()::post); // and has said that it is open
        shadowOf(manager).triggerDisconnect();
        waitForNote(activity, R.string.error_camera_busy);
    }

    @Test
    public void largeLettersFit() throws IOException {
        allow();
        RuntimeEnvironment.setQualifiers("w320dp-h480dp-hdpi");
        RuntimeEnvironment.setFontScale(2);
        LiveActivity activity = start();
        show(activity, frame("tamil-1.jpg"), 2);
        assertTrue(activity.findViewById(R.id.frame).getHeight() > 0);
        shoot(activity, "live-3-small-phone-large-letters");
        for (int id : new int[] {R.id.live_script, R.id.live_score, R.id.live_note}) {
            Rect seen = new Rect();
            assertTrue(activity.findViewById(id).getGlobalVisibleRect(seen));
            assertEquals(activity.findViewById(id).getHeight(), seen.height());
        }
    }

    @Test
    @Config(qualifiers = "+ar") // which makes Arabic the whole JVM's language, as setQualifiers would not
    public void itSpeaksArabic() throws IOException {
        allow();
        LiveActivity activity = start();
        show(activity, frame("tamil-1.jpg"), 2);
        shoot(activity, "languages/ar-live");
    }

    /** An app that may ask for the camera must do so before it lets the camera app take a photo. */
    @Test
    public void aPhotoIsTakenOnceTheUserAllowsIt() {
        MainActivity activity = Robolectric.buildActivity(MainActivity.class).setup().get();
        activity.findViewById(R.id.take).performClick();
        assertEquals(Manifest.permission.CAMERA, asked(activity).requestedPermissions[0]);
        int request = asked(activity).requestCode;
        String[] permissions = {Manifest.permission.CAMERA};
        activity.onRequestPermissionsResult(request, permissions, new int[] {PackageManager.PERMISSION_DENIED});
        assertEquals(activity.getString(R.string.error_camera_permission), text(activity, R.id.status));
        shadowOf(activity).clearNextStartedActivities();
        allow();
        activity.onRequestPermissionsResult(request, permissions, new int[] {PackageManager.PERMISSION_GRANTED});
        Intent started = shadowOf(activity).getNextStartedActivity();
        assertEquals(MediaStore.ACTION_IMAGE_CAPTURE, started.getAction());
    }
}
